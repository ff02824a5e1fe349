//! Tests for the disk buffer: backend outages, process restarts and disk errors.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use parking_lot::Mutex;
use tempfile::TempDir;

use super::buffered::{Shared, Ticket};
use super::*;
use crate::delivery::queue::Queue;
use crate::delivery::{
    BatchConfig, DeliveryCounts, Loss, Meter, Sent, SizeLimits, Splitter, Stop, Terms, TooLarge,
    Transport,
};
use crate::redaction::ProcessingCounts;

/// A backend with scripted answers. It records the names of the spans that it accepts.
#[derive(Clone, Debug)]
pub(super) struct Backend(Arc<Mutex<Answers>>);

#[derive(Debug)]
pub(super) struct Answers {
    /// The cause of refusal. `None` accepts every request.
    refuses: Option<Loss>,
    /// The time that a refusal asks for.
    asks: Option<Duration>,
    /// The name of a span that makes a request fail.
    chokes_on: Option<&'static str>,
    /// The most spans of a request.
    most: usize,
    asked: usize,
    took: Vec<String>,
}

fn splitter() -> Splitter {
    Splitter::new(SizeLimits::default())
}

impl Backend {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Answers {
            refuses: None,
            asks: None,
            chokes_on: None,
            most: usize::MAX,
            asked: 0,
            took: Vec::new(),
        })))
    }

    pub(super) fn refuses(&self, loss: impl Into<Option<Loss>>) {
        self.0.lock().refuses = loss.into();
    }

    pub(super) fn took(&self) -> Vec<String> {
        self.0.lock().took.clone()
    }

    pub(super) fn asked(&self) -> usize {
        self.0.lock().asked
    }
}

impl Transport for Backend {
    fn send(&self, request: &ExportTraceServiceRequest, _terms: &Terms<'_>) -> Sent {
        let mut answers = self.0.lock();
        answers.asked += 1;
        let names = names(request);
        let count = names.len() as u64;
        let chokes = names
            .iter()
            .any(|name| answers.chokes_on == Some(name.as_str()));
        if names.len() > answers.most {
            return Sent {
                too_large: Some(TooLarge::Refused),
                ..Sent::none(count, Loss::Rejected, "too large")
            };
        }
        match answers.refuses.or(chokes.then_some(Loss::Unavailable)) {
            Some(cause) => Sent {
                later: cause != Loss::Rejected,
                wait: answers.asks,
                ..Sent::none(count, cause, "no")
            },
            None => {
                answers.took.extend(names);
                Sent::all(count)
            }
        }
    }
}

fn names(request: &ExportTraceServiceRequest) -> Vec<String> {
    let scopes = request.resource_spans.iter().flat_map(|of| &of.scope_spans);
    let spans = scopes.flat_map(|scope| &scope.spans);
    spans.map(|span| span.name.clone()).collect()
}

pub(super) fn request(names: &[&str]) -> ExportTraceServiceRequest {
    let span = |name: &&str| Span {
        name: (*name).to_owned(),
        ..Span::default()
    };
    let spans = names.iter().map(span).collect();
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            scope_spans: vec![ScopeSpans {
                spans,
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
}

/// The shared state of a disk buffer without its threads, and its counts.
pub(super) struct Rig {
    pub(super) backend: Backend,
    shared: Shared,
    meter: Arc<Meter>,
}

impl Rig {
    pub(super) fn new(backend: &Backend, disk_buffer: &DiskBuffer) -> Self {
        let meter = Arc::new(Meter::default());
        let store = DiskBufferStore::open(disk_buffer, meter.clone()).unwrap();
        let queue = Queue::new(&BatchConfig::new(), meter.clone(), Arc::default(), true);
        Self {
            backend: backend.clone(),
            shared: Shared::new("otlp at test".to_owned(), store, Arc::new(queue)),
            meter,
        }
    }

    /// Hands a batch over as the worker does.
    pub(super) fn take(&self, names: &[&str], to_disk: bool) {
        let spans = names.len() as u64;
        self.meter.change(|counts| counts.ended += spans);
        let ticket = Ticket {
            first: 0,
            spans,
            processed: ProcessingCounts::default(),
        };
        self.shared.take(request(names), ticket, to_disk);
    }

    /// Hands a batch over, and sends it unless it goes to disk.
    fn send(&self, names: &[&str]) {
        let is_down = self.shared.is_down();
        self.take(names, false);
        if !is_down {
            assert!(self.step());
        }
        self.counts();
    }

    /// Sends one request. Returns `false` if there is nothing to do now.
    fn step(&self) -> bool {
        let Some(job) = self.shared.try_next() else {
            return false;
        };
        let sent = sender::send(&job, &self.backend, &splitter(), &Stop::default());
        self.shared.settle(&job, sent);
        self.counts();
        true
    }

    /// Sends requests until there is nothing more to do.
    pub(super) fn idle(&self) {
        while self.step() {}
    }

    /// Ends the pauses and sends requests until there is nothing more to do.
    pub(super) fn retry(&self) {
        self.shared.end_pauses();
        self.idle();
    }

    /// Returns the counts after checking that they add up.
    pub(super) fn counts(&self) -> DeliveryCounts {
        self.counts_in_flight(0)
    }

    fn counts_in_flight(&self, waiting: u64) -> DeliveryCounts {
        let counts = self.meter.read();
        assert_eq!(
            counts.ended + counts.recovered,
            counts.delivered + counts.lost() + counts.filtered + counts.buffered + waiting,
            "{counts:?}"
        );
        counts
    }
}

/// A directory, and limits with which each batch has a file of its own.
pub(super) fn temporary() -> (TempDir, DiskBuffer) {
    let dir = tempfile::tempdir().unwrap();
    let disk_buffer = DiskBuffer::new(dir.path().join("spill")).max_bytes(1_000);
    (dir, disk_buffer)
}

pub(super) fn files(disk_buffer: &DiskBuffer, ending: &str) -> Vec<PathBuf> {
    let paths = fs::read_dir(&disk_buffer.directory).unwrap();
    let mut paths: Vec<_> = paths.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|it| it == ending));
    paths.sort();
    paths
}

#[test]
fn spans_are_replayed_after_an_outage() {
    for cause in [
        Loss::Unreachable,
        Loss::TimedOut,
        Loss::Unavailable,
        Loss::Failed,
    ] {
        let (_dir, disk_buffer) = temporary();
        let rig = Rig::new(&Backend::new(), &disk_buffer);
        rig.send(&["a"]);
        rig.backend.refuses(cause);
        rig.send(&["b", "c"]);
        // The backend is not called again immediately, neither for new nor for buffered
        // spans.
        rig.send(&["d"]);
        rig.idle();
        assert_eq!(rig.backend.asked(), 2);
        let counts = rig.counts();
        assert_eq!(
            (counts.delivered, counts.buffered, counts.lost()),
            (1, 3, 0)
        );
        rig.backend.refuses(None);
        rig.send(&["e"]);
        rig.retry();
        assert_eq!(rig.backend.took(), ["a", "b", "c", "d", "e"]);
        let counts = rig.counts();
        assert_eq!((counts.delivered, counts.buffered), (5, 0));
        assert_eq!((counts.replayed, counts.lost()), (4, 0));
        assert_eq!(files(&disk_buffer, "spill").len(), 0);
    }
}

#[test]
fn new_spans_and_files_alternate_when_the_backend_is_back() {
    let (_dir, disk_buffer) = temporary();
    let rig = Rig::new(&Backend::new(), &disk_buffer);
    for name in ["a", "b", "c"] {
        rig.take(&[name], true);
    }
    assert!(rig.step());
    for name in ["new 1", "new 2"] {
        rig.take(&[name], false);
        assert!(rig.step() && rig.step());
    }
    assert_eq!(rig.backend.took(), ["a", "new 1", "b", "new 2", "c"]);
}

#[test]
fn spans_refused_by_content_are_not_buffered() {
    let (_dir, disk_buffer) = temporary();
    let rig = Rig::new(&Backend::new(), &disk_buffer);
    rig.backend.refuses(Loss::Rejected);
    rig.send(&["a", "b"]);
    assert_eq!(rig.counts().lost_to(Loss::Rejected), 2);
    // A buffered request that is refused during replay is not kept either.
    rig.backend.refuses(Loss::Unreachable);
    rig.send(&["c"]);
    rig.backend.refuses(Loss::Rejected);
    rig.retry();
    let counts = rig.counts();
    assert_eq!((counts.lost_to(Loss::Rejected), counts.buffered), (3, 0));
    assert_eq!(counts.replayed, 0);
}

#[test]
fn part_that_fails_is_kept_and_the_rest_is_settled() {
    for is_file in [false, true] {
        let (_dir, disk_buffer) = temporary();
        let rig = Rig::new(&Backend::new(), &disk_buffer);
        rig.backend.0.lock().most = 2;
        rig.backend.0.lock().chokes_on = Some("c");
        let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
        rig.take(&names, is_file);
        assert!(rig.step());
        let counts = rig.counts();
        assert_eq!((counts.delivered, counts.buffered), (2, 6), "{counts:?}");
        assert_eq!(counts.replayed, if is_file { 2 } else { 0 });
        assert_eq!(rig.backend.took(), ["a", "b"]);
        rig.backend.0.lock().chokes_on = None;
        rig.retry();
        assert_eq!(rig.backend.took(), names);
        let counts = rig.counts();
        assert_eq!((counts.delivered, counts.buffered), (8, 0), "{counts:?}");
        assert_eq!((counts.lost(), files(&disk_buffer, "spill").len()), (0, 0));
    }
}

#[test]
fn reduced_file_is_recovered_by_the_next_process() {
    let (_dir, disk_buffer) = temporary();
    let rig = Rig::new(&Backend::new(), &disk_buffer);
    rig.backend.0.lock().most = 1;
    rig.backend.0.lock().chokes_on = Some("b");
    rig.take(&["a", "b", "c"], true);
    assert!(rig.step());
    assert_eq!((rig.counts().replayed, rig.counts().buffered), (1, 2));
    drop(rig);
    let next = Rig::new(&Backend::new(), &disk_buffer);
    assert_eq!((next.counts().recovered, next.counts().set_aside), (2, 0));
    next.idle();
    assert_eq!(next.backend.took(), ["b", "c"]);
}

#[test]
fn batch_goes_to_disk_when_the_sender_is_busy_or_time_is_short() {
    let (_dir, disk_buffer) = temporary();
    let rig = Rig::new(&Backend::new(), &disk_buffer);
    rig.take(&["a"], false);
    rig.take(&["b"], false);
    rig.take(&["c"], true);
    assert_eq!(
        (rig.counts_in_flight(1).buffered, rig.backend.asked()),
        (2, 0)
    );
    // The end writes to disk the batch that the sender has, and releases the directory.
    let job = rig.shared.try_next().unwrap();
    rig.shared.finish(Instant::now());
    assert_eq!((rig.counts().buffered, rig.counts().lost()), (3, 0));
    rig.shared.settle(&job, Sent::all(1));
    assert_eq!(rig.counts().delivered, 0, "the batch is counted once");
    assert!(rig.shared.next().is_none());
    let next = Rig::new(&rig.backend, &disk_buffer);
    assert_eq!(next.counts().recovered, 3);
}

#[test]
fn request_that_fails_alone_does_not_block_others() {
    let (_dir, disk_buffer) = temporary();
    let rig = Rig::new(&Backend::new(), &disk_buffer);
    rig.backend.refuses(Loss::Unavailable);
    for name in ["bad", "b", "c"] {
        rig.send(&[name]);
    }
    rig.backend.refuses(None);
    rig.backend.0.lock().chokes_on = Some("bad");
    for _ in 0..4 {
        rig.retry();
    }
    rig.send(&["new"]);
    assert_eq!(rig.backend.took(), ["b", "c", "new"]);
    assert_eq!((rig.counts().buffered, rig.counts().lost()), (1, 0));
}

#[test]
fn backend_that_asks_to_wait_is_not_called_again() {
    let (_dir, disk_buffer) = temporary();
    let rig = Rig::new(&Backend::new(), &disk_buffer);
    rig.take(&["file"], true);
    rig.backend.refuses(Loss::Unavailable);
    rig.backend.0.lock().asks = Some(Duration::ZERO);
    // A file is refused. New spans go to disk instead of calling the backend again.
    assert!(rig.step());
    for name in ["a", "b", "c"] {
        rig.send(&[name]);
    }
    rig.idle();
    assert_eq!(rig.backend.asked(), 1);
    assert_eq!((rig.counts().buffered, rig.counts().lost()), (4, 0));
}

#[test]
fn small_batches_share_a_file_within_limits() {
    let dir = tempfile::tempdir().unwrap();
    let disk_buffer = DiskBuffer::new(dir.path().join("spill"));
    let backend = Backend::new();
    let rig = Rig::new(&backend, &disk_buffer);
    // With the default maximum of 10,000 files, one batch every 5 seconds must fit for 24
    // hours: at least two batches in a file. It is a thousand.
    let batches = 3_000;
    for _ in 0..batches {
        rig.take(&["a"], true);
    }
    let files = files(&disk_buffer, "spill").len();
    assert_eq!(files, 2);
    assert_eq!((rig.counts().buffered, rig.counts().lost()), (3_000, 0));
    // A file that is being sent does not change.
    let job = rig.shared.try_next().unwrap();
    rig.take(&["b"], true);
    let sent = sender::send(&job, &backend, &splitter(), &Stop::default());
    rig.shared.settle(&job, sent);
    rig.idle();
    assert_eq!((rig.counts().delivered, rig.counts().lost()), (3_001, 0));
    assert_eq!(backend.took().len(), 3_001);
}

#[test]
fn next_process_replays_buffered_spans() {
    let (_dir, disk_buffer) = temporary();
    let backend = Backend::new();
    let first = Rig::new(&backend, &disk_buffer);
    backend.refuses(Loss::Unreachable);
    first.send(&["a", "b"]);
    first.send(&["c"]);
    drop(first);
    fs::write(disk_buffer.directory.join("7.unfinished"), "spanw").unwrap();
    fs::create_dir(disk_buffer.directory.join("8.unfinished")).unwrap();
    fs::write(disk_buffer.directory.join("notes.txt"), "not ours").unwrap();
    let second = Rig::new(&backend, &disk_buffer);
    let counts = second.counts();
    assert_eq!((counts.recovered, counts.buffered), (3, 3));
    backend.refuses(None);
    second.send(&["d"]);
    second.idle();
    assert_eq!(backend.took(), ["d", "a", "b", "c"]);
    let counts = second.counts();
    assert_eq!((counts.ended, counts.delivered), (1, 4));
    assert_eq!((counts.replayed, counts.set_aside), (3, 0));
    let left = fs::read_dir(&disk_buffer.directory).unwrap().count();
    assert_eq!(
        left, 3,
        "the lock file, a foreign file and a foreign directory"
    );
}

#[test]
fn full_store_drops_the_oldest_files() {
    let (_dir, whole) = temporary();
    let one = {
        let rig = Rig::new(&Backend::new(), &whole);
        rig.take(&["a"], true);
        fs::metadata(&files(&whole, "spill")[0]).unwrap().len()
    };
    let of = |max_bytes, max_files, max_age| DiskBuffer {
        max_bytes,
        max_files,
        max_age: Duration::from_secs(max_age),
        ..temporary().1
    };
    let many = usize::MAX;
    for (disk_buffer, kept, cause) in [
        (
            of(one * 3, many, 100),
            &["c", "d", "e"][..],
            Loss::BufferFull,
        ),
        (of(one * 3 - 1, many, 100), &["d", "e"], Loss::BufferFull),
        (of(one * 9, 4, 100), &["b", "c", "d", "e"], Loss::BufferFull),
        (of(one - 1, many, 100), &[], Loss::BufferFull),
        (of(one * 9, 0, 100), &[], Loss::BufferFull),
        (of(one * 9, many, 0), &[], Loss::Expired),
        (
            of(u64::MAX, many, u64::MAX),
            &["a", "b", "c", "d", "e"],
            Loss::Expired,
        ),
    ] {
        let rig = Rig::new(&Backend::new(), &disk_buffer);
        for name in ["a", "b", "c", "d", "e"] {
            rig.take(&[name], true);
        }
        std::thread::sleep(Duration::from_millis(1)); // Exceeds a maximum age of zero.
        rig.idle();
        assert_eq!(rig.backend.took(), kept, "{disk_buffer:?}");
        let counts = rig.counts();
        assert_eq!(
            counts.lost_to(cause),
            5 - kept.len() as u64,
            "{disk_buffer:?}"
        );
        fs::remove_dir_all(&disk_buffer.directory).unwrap();
    }
}

#[test]
fn disk_error_loses_spans_and_is_reported() {
    let (_dir, disk_buffer) = temporary();
    let rig = Rig::new(&Backend::new(), &disk_buffer);
    rig.take(&["a"], true);
    fs::remove_dir_all(&disk_buffer.directory).unwrap();
    rig.take(&["b"], true);
    assert_eq!(rig.counts().lost_to(Loss::DiskBuffer), 1);
    assert!(rig.shared.last_error().unwrap().contains("spill"));
    // The spans in the removed directory are lost too.
    rig.idle();
    assert_eq!(rig.counts().lost_to(Loss::DiskBuffer), 2);
}

#[test]
fn directory_in_use_is_refused() {
    let (_dir, disk_buffer) = temporary();
    let rig = Rig::new(&Backend::new(), &disk_buffer);
    let error = DiskBufferStore::open(&disk_buffer, Arc::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "another exporter uses this directory; give each exporter its own directory"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(&disk_buffer.directory)
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o700);
        rig.take(&["a"], true);
        let file = fs::metadata(&files(&disk_buffer, "spill")[0]).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }
    drop(rig);
    DiskBufferStore::open(&disk_buffer, Arc::default()).unwrap();
}
