//! The directory of a disk buffer.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;

use super::{DiskBuffer, file};
use crate::delivery::{DeliveryCounts, Loss, Meter, Sent};

/// The extension of buffered files.
const KEPT: &str = "spill";

/// The extension of files that are being written.
const UNFINISHED: &str = "unfinished";

/// The extension of files that could not be read.
const SET_ASIDE: &str = "damaged";

/// The maximum number of unreadable files that are kept for inspection.
const MAX_SET_ASIDE: usize = 16;

/// The maximum number of spans in a file that several requests share.
const MAX_JOINED_SPANS: u64 = 2_048;

/// The part of the maximum size that several requests in one file can have. Two adjacent
/// files are larger together, so the maximum size is reached with 2,048 files, or with a few
/// thousand files of very small spans.
const JOINED_PART: u64 = 1_024;

/// The maximum size of a request that is made of several. Many backends refuse 4 MiB.
const MAX_JOINED_BYTES: u64 = 1 << 20;

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
    /// The newest file, while further requests can be added to it.
    open: Option<OpenFile>,
    /// The file that is being sent. It does not change.
    sending: Option<u64>,
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
    /// The time since which this process has the file. A wall clock may jump, so the age
    /// does not depend on it.
    since: Instant,
}

#[derive(Debug)]
struct OpenFile {
    number: u64,
    /// The bytes of its request. The concatenation of two requests is one request.
    request: Vec<u8>,
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
            open: None,
            sending: None,
            set_aside: 0,
        };
        let mut numbers = store.numbers()?;
        numbers.sort_unstable();
        for number in numbers {
            store.next = number.saturating_add(1);
            store.recover(number);
        }
        store.trim(0, 0);
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
                // A directory or a foreign file that cannot be removed does no harm.
                Some(UNFINISHED) => drop(fs::remove_file(&path)),
                Some(SET_ASIDE) => self.set_aside += 1,
                _ => {}
            }
        }
        Ok(numbers)
    }

    /// Takes over the file of an earlier process. The spans of a damaged file are lost.
    fn recover(&mut self, number: u64) {
        let path = self.path(number, KEPT);
        match file::verify(&path) {
            Ok(head) => {
                self.meter.change(|counts| {
                    counts.recovered += head.spans;
                    counts.buffered += head.spans;
                });
                self.keep(number, head.spans, head.bytes());
            }
            Err(error) => {
                let spans = file::count_damaged(&path);
                tracing::warn!(file = %path.display(), %error, spans, "unreadable disk buffer file");
                self.meter.change(|counts| {
                    counts.recovered += spans;
                    counts.lose(Loss::DiskBuffer, spans);
                });
                self.put_aside(&path);
            }
        }
    }

    fn keep(&mut self, number: u64, spans: u64, bytes: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
        self.kept.push_back(Kept {
            number,
            spans,
            bytes,
            since: Instant::now(),
        });
    }

    /// Stores a request, together with the previous one if both are small. Its spans are
    /// counted together with its batch. Drops the oldest requests if there is not enough
    /// space.
    pub(super) fn push(
        &mut self,
        request: &ExportTraceServiceRequest,
        spans: u64,
    ) -> io::Result<()> {
        let request = request.encode_to_vec();
        let bytes = file::size(&request);
        if bytes > self.disk_buffer.max_bytes || self.disk_buffer.max_files == 0 {
            let message = format!("a batch of {bytes} bytes exceeds the limits of the disk buffer");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
        }
        if self.join(&request, spans)? {
            return Ok(());
        }
        self.trim(bytes, 1);
        let content = file::encode(&request, spans, SystemTime::now());
        let number = self.next;
        self.next = self.next.saturating_add(1);
        self.write(number, &content)?;
        self.keep(number, spans, bytes);
        let is_small = request.len() as u64 <= self.max_joined();
        self.open = is_small.then_some(OpenFile { number, request });
        Ok(())
    }

    /// Adds a request to the newest file. Returns `false` if they would be too large.
    fn join(&mut self, request: &[u8], spans: u64) -> io::Result<bool> {
        let max = self.max_joined();
        self.trim(request.len() as u64, 0);
        let (Some(open), Some(newest)) = (&mut self.open, self.kept.back()) else {
            return Ok(false);
        };
        let number = newest.number;
        let spans = newest.spans.saturating_add(spans);
        let length = (open.request.len() + request.len()) as u64;
        let is_free = open.number == number && self.sending != Some(number);
        if !is_free || length > max || spans > MAX_JOINED_SPANS {
            return Ok(false);
        }
        let before = open.request.len();
        open.request.extend_from_slice(request);
        let content = file::encode(&open.request, spans, SystemTime::now());
        let written = self.write(number, &content);
        match (written, self.kept.back_mut()) {
            (Ok(()), Some(newest)) => {
                let bytes = content.len() as u64;
                self.bytes += bytes - newest.bytes;
                (newest.spans, newest.bytes) = (spans, bytes);
                Ok(true)
            }
            (written, _) => {
                // The file on disk is unchanged.
                if let Some(open) = &mut self.open {
                    open.request.truncate(before);
                }
                written.map(|()| false)
            }
        }
    }

    fn max_joined(&self) -> u64 {
        (self.disk_buffer.max_bytes / JOINED_PART).min(MAX_JOINED_BYTES)
    }

    /// Writes a file under another name first, so that its name always has a whole request.
    fn write(&self, number: u64, content: &[u8]) -> io::Result<()> {
        let (unfinished, path) = (self.path(number, UNFINISHED), self.path(number, KEPT));
        let written = write(&unfinished, content).and_then(|()| fs::rename(&unfinished, path));
        written.inspect_err(|_| {
            // Nothing can be done if the removal fails too.
            let _ = fs::remove_file(&unfinished);
        })
    }

    /// Drops expired requests, and then the oldest requests until so many more bytes and
    /// files fit.
    pub(super) fn trim(&mut self, bytes: u64, files: usize) {
        while let Some(oldest) = self.kept.front() {
            let full = self.bytes.saturating_add(bytes) > self.disk_buffer.max_bytes
                || self.kept.len().saturating_add(files) > self.disk_buffer.max_files;
            let cause = if oldest.since.elapsed() > self.disk_buffer.max_age {
                Loss::Expired
            } else if full {
                Loss::BufferFull
            } else {
                return;
            };
            self.remove(oldest.number, |spans, counts| counts.lose(cause, spans));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Returns the number, the number of spans and the request of the oldest file, or `None`
    /// if the store is empty. The file does not change until `release`. Damaged files are
    /// set aside and their spans are counted as lost.
    ///
    /// # Errors
    /// Returns an error if the oldest file is temporarily unreadable.
    pub(super) fn oldest(&mut self) -> io::Result<Option<(u64, u64, ExportTraceServiceRequest)>> {
        while let Some(oldest) = self.kept.front() {
            let (number, spans) = (oldest.number, oldest.spans);
            let path = self.path(number, KEPT);
            match file::read(&path) {
                Ok(request) => {
                    self.sending = Some(number);
                    return Ok(Some((number, spans, request)));
                }
                Err(error) if file::is_damage(&error) => {
                    tracing::warn!(file = %path.display(), %error, spans, "unreadable disk buffer file");
                    self.put_aside(&path);
                    self.forget(number, |spans, counts| {
                        counts.lose(Loss::DiskBuffer, spans);
                    });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Ends the use of the file that `oldest` returned.
    pub(super) fn release(&mut self) {
        self.sending = None;
    }

    /// Removes a file, unless it is gone. `count` receives its number of spans and updates
    /// the counts.
    pub(super) fn remove(&mut self, number: u64, count: impl FnOnce(u64, &mut DeliveryCounts)) {
        if self.position(number).is_none() {
            return;
        }
        if let Err(error) = fs::remove_file(self.path(number, KEPT)) {
            // The next process would send it again.
            tracing::warn!(%error, "failed to remove a disk buffer file");
        }
        self.forget(number, count);
    }

    /// Reduces a file to the part of its request that is not settled. If it cannot be written, the
    /// file stays whole, and the whole request is sent again.
    pub(super) fn reduce(&mut self, number: u64, rest: &ExportTraceServiceRequest, settled: &Sent) {
        let Some(place) = self.position(number) else {
            return;
        };
        let done = settled.spans().min(self.kept[place].spans);
        let spans = self.kept[place].spans - done;
        let content = file::encode(&rest.encode_to_vec(), spans, SystemTime::now());
        if let Err(error) = self.write(number, &content) {
            tracing::warn!(%error, "failed to reduce a disk buffer file");
            return;
        }
        if self.open.as_ref().is_some_and(|open| open.number == number) {
            self.open = None;
        }
        let bytes = content.len() as u64;
        self.bytes = self.bytes.saturating_sub(self.kept[place].bytes) + bytes;
        (self.kept[place].spans, self.kept[place].bytes) = (spans, bytes);
        self.meter.change(|counts| {
            counts.buffered = counts.buffered.saturating_sub(done);
            settled.count_replayed(done, counts);
        });
    }

    /// Moves a file behind the others.
    pub(super) fn put_behind(&mut self, number: u64) {
        let file = self.position(number).and_then(|it| self.kept.remove(it));
        self.kept.extend(file);
    }

    pub(super) fn put_oldest_behind(&mut self) {
        if let Some(oldest) = self.kept.front() {
            self.put_behind(oldest.number);
        }
    }

    /// Returns the position of a file, which is usually the first.
    fn position(&self, number: u64) -> Option<usize> {
        self.kept.iter().position(|kept| kept.number == number)
    }

    fn forget(&mut self, number: u64, count: impl FnOnce(u64, &mut DeliveryCounts)) {
        let Some(kept) = self.position(number).and_then(|it| self.kept.remove(it)) else {
            return;
        };
        self.bytes = self.bytes.saturating_sub(kept.bytes);
        self.meter.change(|counts| {
            counts.buffered = counts.buffered.saturating_sub(kept.spans);
            count(kept.spans, counts);
        });
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
    let number = path.file_stem()?.to_str()?.parse().ok()?;
    // The largest number has no successor.
    (number < u64::MAX).then_some(number)
}

fn lock(path: &Path) -> io::Result<File> {
    // A link would create or lock a file elsewhere, and a named pipe would block.
    if fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) {
        return Err(io::Error::other(
            "its entry `lock` is not a regular file; remove it or use another directory",
        ));
    }
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

/// Writes a new file that other users cannot read, regardless of the permissions of its
/// directory. An existing file is removed first, so that no link is followed.
fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = File::options();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(content)
}
