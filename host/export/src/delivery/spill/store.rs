//! The directory of a spill.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;

use super::{Spill, file};
use crate::delivery::{DeliveryCounts, Loss, Meter};

/// The ending of files that are kept.
const KEPT: &str = "spill";

/// The ending of files that are being written.
const UNFINISHED: &str = "unfinished";

/// The ending of files that could not be read.
const SET_ASIDE: &str = "damaged";

/// How many files that could not be read are there for somebody to look at.
const MAX_SET_ASIDE: usize = 16;

/// Requests on disk within bounds, and their counts. It has the directory for itself
/// as long as it lives.
#[derive(Debug)]
pub(crate) struct SpillStore {
    spill: Spill,
    meter: Arc<Meter>,
    /// The oldest first.
    kept: VecDeque<Kept>,
    bytes: u64,
    next: u64,
    set_aside: usize,
    /// Unlocked when it is closed, also where the process is killed.
    _lock: File,
}

#[derive(Debug)]
struct Kept {
    number: u64,
    spans: u64,
    bytes: u64,
    written: SystemTime,
}

impl SpillStore {
    /// Opens the directory, and counts what an earlier process left there.
    pub(crate) fn open(spill: &Spill, meter: Arc<Meter>) -> io::Result<Self> {
        make_private(&spill.directory)?;
        let mut store = Self {
            _lock: lock(&spill.directory.join("lock"))?,
            spill: spill.clone(),
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

    /// The numbers of the kept files. What was not finished was counted by the process
    /// that was writing it, if it lived on, and is removed.
    fn numbers(&mut self) -> io::Result<Vec<u64>> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.spill.directory)? {
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
                    counts.spilled += head.spans;
                });
                self.keep(number, head.spans, head.bytes(), head.written);
            }
            Err(error) => {
                tracing::warn!(file = %path.display(), %error, "a spilled file cannot be read");
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

    /// Keeps a request, which is counted when its batch is. Older ones go if there is
    /// no room for it.
    pub(super) fn push(
        &mut self,
        request: &ExportTraceServiceRequest,
        spans: u64,
    ) -> io::Result<()> {
        let now = SystemTime::now();
        let content = file::encode(request, spans, now);
        let bytes = content.len() as u64;
        if bytes > self.spill.max_bytes || self.spill.max_files == 0 {
            return Err(io::Error::other(format!(
                "a batch of {bytes} bytes is larger than the spill may be"
            )));
        }
        self.trim(bytes);
        let number = self.next;
        self.next += 1;
        let (unfinished, path) = (self.path(number, UNFINISHED), self.path(number, KEPT));
        let written = write(&unfinished, &content).and_then(|()| fs::rename(&unfinished, path));
        if let Err(error) = written {
            // There is nothing to be done if that fails too.
            let _ = fs::remove_file(&unfinished);
            return Err(error);
        }
        self.keep(number, spans, bytes, now);
        Ok(())
    }

    /// Drops what is too old, and the oldest until there is room for so many bytes.
    pub(super) fn trim(&mut self, bytes: u64) {
        let now = SystemTime::now();
        while let Some(oldest) = self.kept.front() {
            let age = now.duration_since(oldest.written).unwrap_or_default();
            let full = self.bytes.saturating_add(bytes) > self.spill.max_bytes
                || self.kept.len() + usize::from(bytes > 0) > self.spill.max_files;
            if !full && age <= self.spill.max_age {
                return;
            }
            self.remove_oldest(|spans, counts| counts.lose(Loss::Spilled, spans));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The oldest request and its number of spans; none if nothing is kept. One that
    /// is damaged is set aside and its spans are lost.
    ///
    /// # Errors
    /// If the oldest cannot be read now.
    pub(super) fn oldest(&mut self) -> io::Result<Option<(ExportTraceServiceRequest, u64)>> {
        while let Some(oldest) = self.kept.front() {
            let path = self.path(oldest.number, KEPT);
            match file::read(&path) {
                Ok(request) => return Ok(Some((request, oldest.spans))),
                Err(error) if file::is_damage(&error) => {
                    tracing::warn!(file = %path.display(), %error, "a spilled file cannot be read");
                    self.put_aside(&path);
                    self.forget_oldest(|spans, counts| counts.lose(Loss::Spilled, spans));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// The oldest is no longer kept; `count` says what became of so many spans.
    pub(super) fn remove_oldest(&mut self, count: impl FnOnce(u64, &mut DeliveryCounts)) {
        if let Some(oldest) = self.kept.front()
            && let Err(error) = fs::remove_file(self.path(oldest.number, KEPT))
        {
            // It would be sent again by the next process.
            tracing::warn!(%error, "a spilled file cannot be removed");
        }
        self.forget_oldest(count);
    }

    /// Tries the oldest again only after the others.
    pub(super) fn put_behind(&mut self) {
        if let Some(oldest) = self.kept.pop_front() {
            self.kept.push_back(oldest);
        }
    }

    fn forget_oldest(&mut self, count: impl FnOnce(u64, &mut DeliveryCounts)) {
        if let Some(oldest) = self.kept.pop_front() {
            self.bytes -= oldest.bytes;
            self.meter.change(|counts| {
                counts.spilled -= oldest.spans;
                count(oldest.spans, counts);
            });
        }
    }

    fn put_aside(&mut self, path: &Path) {
        self.meter.change(|counts| counts.set_aside += 1);
        self.set_aside += 1;
        let done = match self.set_aside > MAX_SET_ASIDE {
            true => fs::remove_file(path),
            false => fs::rename(path, path.with_extension(SET_ASIDE)),
        };
        if let Err(error) = done {
            tracing::debug!(file = %path.display(), %error, "a file cannot be set aside");
        }
    }

    /// With as many digits as the largest number has, so that a listing is in order.
    fn path(&self, number: u64, ending: &str) -> PathBuf {
        self.spill.directory.join(format!("{number:020}.{ending}"))
    }

    pub(super) fn directory(&self) -> &Path {
        &self.spill.directory
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
            "another exporter spills to it; give each a directory of its own",
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

/// Writes a file that others may not read, whatever directory it is in.
fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = File::options();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(content)
}
