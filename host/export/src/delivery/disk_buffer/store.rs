//! The directory of a disk buffer.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;

use super::{DiskBuffer, file};
use crate::delivery::{DeliveryCounts, Loss, Meter};

/// The extension of buffered files.
const KEPT: &str = "spill";

/// The extension of files that are being written.
const UNFINISHED: &str = "unfinished";

/// The extension of files that could not be read.
const SET_ASIDE: &str = "damaged";

/// The maximum number of unreadable files that are kept for inspection.
const MAX_SET_ASIDE: usize = 16;

/// Requests on disk within limits, and their counts. The store holds the lock file of the
/// directory as long as it exists.
#[derive(Debug)]
pub(crate) struct DiskBufferStore {
    disk_buffer: DiskBuffer,
    meter: Arc<Meter>,
    /// Ordered from oldest to newest.
    kept: VecDeque<Kept>,
    bytes: u64,
    next: u64,
    set_aside: usize,
    /// The operating system releases the lock when the file is closed, also if the process
    /// is killed.
    _lock: File,
}

#[derive(Debug)]
struct Kept {
    number: u64,
    spans: u64,
    bytes: u64,
    written: SystemTime,
}

impl DiskBufferStore {
    /// Opens the directory and counts the requests that an earlier process left there.
    pub(crate) fn open(disk_buffer: &DiskBuffer, meter: Arc<Meter>) -> io::Result<Self> {
        make_private(&disk_buffer.directory)?;
        let mut store = Self {
            _lock: lock(&disk_buffer.directory.join("lock"))?,
            disk_buffer: disk_buffer.clone(),
            meter,
            kept: VecDeque::new(),
            bytes: 0,
            next: 0,
            set_aside: 0,
        };
        let mut numbers = store.numbers()?;
        numbers.sort_unstable();
        for number in numbers {
            store.next = number.saturating_add(1);
            store.recover(number);
        }
        store.trim(0);
        Ok(store)
    }

    /// Returns the numbers of the buffered files. Removes unfinished files: the process
    /// that was writing one has counted its spans, if it was not killed.
    fn numbers(&mut self) -> io::Result<Vec<u64>> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.disk_buffer.directory)? {
            let path = entry?.path();
            let ending = path.extension().and_then(|ending| ending.to_str());
            match ending {
                Some(KEPT) => match number(&path).filter(|it| self.path(*it, KEPT) == path) {
                    Some(number) => numbers.push(number),
                    None => self.put_aside(&path),
                },
                Some(UNFINISHED) => fs::remove_file(&path)?,
                Some(SET_ASIDE) => self.set_aside += 1,
                _ => {}
            }
        }
        Ok(numbers)
    }

    fn recover(&mut self, number: u64) {
        let path = self.path(number, KEPT);
        match file::head(&path) {
            Ok(head) => {
                self.meter.change(|counts| {
                    counts.recovered += head.spans;
                    counts.buffered += head.spans;
                });
                self.keep(number, head.spans, head.bytes(), head.written);
            }
            Err(error) => {
                tracing::warn!(file = %path.display(), %error, "unreadable disk buffer file");
                self.put_aside(&path);
            }
        }
    }

    fn keep(&mut self, number: u64, spans: u64, bytes: u64, written: SystemTime) {
        self.bytes += bytes;
        self.kept.push_back(Kept {
            number,
            spans,
            bytes,
            written,
        });
    }

    /// Stores a request. Its spans are counted together with its batch. Drops the oldest
    /// requests if there is not enough space.
    pub(super) fn push(
        &mut self,
        request: &ExportTraceServiceRequest,
        spans: u64,
    ) -> io::Result<()> {
        let now = SystemTime::now();
        let content = file::encode(request, spans, now);
        let bytes = content.len() as u64;
        if bytes > self.disk_buffer.max_bytes || self.disk_buffer.max_files == 0 {
            return Err(io::Error::other(format!(
                "a batch of {bytes} bytes exceeds the limits of the disk buffer"
            )));
        }
        self.trim(bytes);
        let number = self.next;
        self.next += 1;
        let (unfinished, path) = (self.path(number, UNFINISHED), self.path(number, KEPT));
        let written = write(&unfinished, &content).and_then(|()| fs::rename(&unfinished, path));
        if let Err(error) = written {
            // Nothing can be done if the removal fails too.
            let _ = fs::remove_file(&unfinished);
            return Err(error);
        }
        self.keep(number, spans, bytes, now);
        Ok(())
    }

    /// Drops expired requests, and then the oldest requests until `bytes` more bytes fit.
    pub(super) fn trim(&mut self, bytes: u64) {
        let now = SystemTime::now();
        while let Some(oldest) = self.kept.front() {
            let age = now.duration_since(oldest.written).unwrap_or_default();
            let full = self.bytes.saturating_add(bytes) > self.disk_buffer.max_bytes
                || self.kept.len() + usize::from(bytes > 0) > self.disk_buffer.max_files;
            if !full && age <= self.disk_buffer.max_age {
                return;
            }
            self.remove_oldest(|spans, counts| counts.lose(Loss::DiskBuffer, spans));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Returns the oldest request and its number of spans, or `None` if the store is empty.
    /// Damaged files are set aside and their spans are counted as lost.
    ///
    /// # Errors
    /// Returns an error if the oldest file is temporarily unreadable.
    pub(super) fn oldest(&mut self) -> io::Result<Option<(ExportTraceServiceRequest, u64)>> {
        while let Some(oldest) = self.kept.front() {
            let path = self.path(oldest.number, KEPT);
            match file::read(&path) {
                Ok(request) => return Ok(Some((request, oldest.spans))),
                Err(error) if file::is_damage(&error) => {
                    tracing::warn!(file = %path.display(), %error, "unreadable disk buffer file");
                    self.put_aside(&path);
                    self.forget_oldest(|spans, counts| counts.lose(Loss::DiskBuffer, spans));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Removes the oldest request. `count` receives its number of spans and updates the
    /// counts.
    pub(super) fn remove_oldest(&mut self, count: impl FnOnce(u64, &mut DeliveryCounts)) {
        if let Some(oldest) = self.kept.front()
            && let Err(error) = fs::remove_file(self.path(oldest.number, KEPT))
        {
            // The next process would send it again.
            tracing::warn!(%error, "failed to remove a disk buffer file");
        }
        self.forget_oldest(count);
    }

    /// Moves the oldest request behind the others.
    pub(super) fn put_behind(&mut self) {
        if let Some(oldest) = self.kept.pop_front() {
            self.kept.push_back(oldest);
        }
    }

    fn forget_oldest(&mut self, count: impl FnOnce(u64, &mut DeliveryCounts)) {
        if let Some(oldest) = self.kept.pop_front() {
            self.bytes -= oldest.bytes;
            self.meter.change(|counts| {
                counts.buffered -= oldest.spans;
                count(oldest.spans, counts);
            });
        }
    }

    fn put_aside(&mut self, path: &Path) {
        self.meter.change(|counts| counts.set_aside += 1);
        self.set_aside += 1;
        let done = if self.set_aside > MAX_SET_ASIDE {
            fs::remove_file(path)
        } else {
            fs::rename(path, path.with_extension(SET_ASIDE))
        };
        if let Err(error) = done {
            tracing::debug!(file = %path.display(), %error, "failed to set a damaged file aside");
        }
    }

    /// Pads the number to the digits of the largest `u64`, so that a directory listing is
    /// sorted.
    fn path(&self, number: u64, ending: &str) -> PathBuf {
        self.disk_buffer
            .directory
            .join(format!("{number:020}.{ending}"))
    }

    pub(super) fn directory(&self) -> &Path {
        &self.disk_buffer.directory
    }
}

fn number(path: &Path) -> Option<u64> {
    path.file_stem()?.to_str()?.parse().ok()
}

fn lock(path: &Path) -> io::Result<File> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(io::Error::new(
            io::ErrorKind::ResourceBusy,
            "another exporter uses this directory; give each exporter its own directory",
        )),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(unix)]
fn make_private(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(directory)
}

#[cfg(not(unix))]
fn make_private(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)
}

/// Writes a file that other users cannot read, regardless of the permissions of its
/// directory.
fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = File::options();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(content)
}
