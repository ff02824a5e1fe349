//! Tests for the disk buffer: backend outages, process restarts and disk errors.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use parking_lot::Mutex;
use tempfile::TempDir;

use super::*;
use crate::delivery::{DeliveryCounts, Loss, Meter, Sent, Transport};

/// A backend with scripted answers. It records the names of the spans that it accepts.
#[derive(Clone, Debug)]
pub(super) struct Backend(Arc<Mutex<Answers>>);

#[derive(Debug)]
pub(super) struct Answers {
    /// The cause of refusal. `None` accepts every request.
    refuses: Option<Loss>,
    /// The name of a span that makes a request fail.
    chokes_on: Option<&'static str>,
    asked: usize,
    took: Vec<String>,
}

impl Backend {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Answers {
            refuses: None,
            chokes_on: None,
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

    fn asked(&self) -> usize {
        self.0.lock().asked
    }
}

impl Transport for Backend {
    fn send(&self, request: &ExportTraceServiceRequest) -> Sent {
        let mut answers = self.0.lock();
        answers.asked += 1;
        let names = names(request);
        let count = names.len() as u64;
        let chokes = names
            .iter()
            .any(|name| answers.chokes_on == Some(name.as_str()));
        match answers.refuses.or(chokes.then_some(Loss::Unavailable)) {
            Some(cause) => Sent::none(count, cause, "no"),
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

fn request(names: &[&str]) -> ExportTraceServiceRequest {
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

/// A transport with a disk buffer, and its counts.
struct Rig {
    backend: Backend,
    transport: BufferedTransport,
    meter: Arc<Meter>,
}

impl Rig {
    fn new(backend: &Backend, disk_buffer: &DiskBuffer) -> Self {
        let meter = Arc::new(Meter::default());
        let mut transport = BufferedTransport::new(Box::new(backend.clone()));
        transport.keep_in(DiskBufferStore::open(disk_buffer, meter.clone()).unwrap());
        Self {
            backend: backend.clone(),
            transport,
            meter,
        }
    }

    fn send(&mut self, names: &[&str]) {
        let sent = self.transport.send(&request(names));
        self.meter.change(|counts| {
            counts.ended += names.len() as u64;
            sent.count(names.len() as u64, counts);
        });
        self.counts();
    }

    /// Replays requests until there is nothing more to do.
    fn idle(&self) {
        while self.transport.idle() {
            self.counts();
        }
    }

    /// Returns the counts after checking that they add up.
    fn counts(&self) -> DeliveryCounts {
        let counts = self.meter.read();
        assert_eq!(
            counts.ended + counts.recovered,
            counts.delivered + counts.lost() + counts.filtered + counts.buffered,
            "{counts:?}"
        );
        counts
    }
}

pub(super) fn temporary() -> (TempDir, DiskBuffer) {
    let dir = tempfile::tempdir().unwrap();
    let disk_buffer = DiskBuffer::new(dir.path().join("spill"));
    (dir, disk_buffer)
}

fn files(disk_buffer: &DiskBuffer, ending: &str) -> Vec<PathBuf> {
    let paths = fs::read_dir(&disk_buffer.directory).unwrap();
    let mut paths: Vec<_> = paths.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|it| it == ending));
    paths.sort();
    paths
}

#[test]
fn spans_are_replayed_after_an_outage() {
    for cause in [Loss::Unreachable, Loss::TimedOut, Loss::Unavailable] {
        let (_dir, disk_buffer) = temporary();
        let mut rig = Rig::new(&Backend::new(), &disk_buffer);
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
        rig.transport.end_pauses();
        // New spans are sent first, then the oldest buffered spans.
        rig.send(&["e"]);
        rig.idle();
        assert_eq!(rig.backend.took(), ["a", "e", "b", "c", "d"]);
        let counts = rig.counts();
        assert_eq!((counts.delivered, counts.buffered), (5, 0));
        assert_eq!((counts.replayed, counts.lost()), (3, 0));
        assert_eq!(files(&disk_buffer, "spill").len(), 0);
    }
}

#[test]
fn refused_spans_are_not_buffered() {
    for cause in [Loss::Rejected, Loss::Failed] {
        let (_dir, disk_buffer) = temporary();
        let mut rig = Rig::new(&Backend::new(), &disk_buffer);
        rig.backend.refuses(cause);
        rig.send(&["a", "b"]);
        assert_eq!(rig.counts().lost_to(cause), 2);
        // A buffered request that is refused during replay is not kept either.
        rig.backend.refuses(Loss::Unreachable);
        rig.send(&["c"]);
        rig.backend.refuses(cause);
        rig.transport.end_pauses();
        rig.idle();
        let counts = rig.counts();
        assert_eq!((counts.lost_to(cause), counts.buffered), (3, 0));
        assert_eq!(counts.replayed, 0);
    }
}

#[test]
fn failing_request_does_not_block_others() {
    let (_dir, disk_buffer) = temporary();
    let mut rig = Rig::new(&Backend::new(), &disk_buffer);
    rig.backend.refuses(Loss::Unavailable);
    for name in ["bad", "b", "c"] {
        rig.send(&[name]);
    }
    rig.backend.refuses(None);
    rig.backend.0.lock().chokes_on = Some("bad");
    rig.transport.end_pauses();
    rig.send(&["new"]);
    for _ in 0..3 {
        rig.idle();
        rig.transport.end_pauses();
    }
    assert_eq!(rig.backend.took(), ["new", "b", "c"]);
    assert_eq!(rig.counts().buffered, 1);
}

#[test]
fn next_process_replays_buffered_spans() {
    let (_dir, disk_buffer) = temporary();
    let backend = Backend::new();
    let mut first = Rig::new(&backend, &disk_buffer);
    backend.refuses(Loss::Unreachable);
    first.send(&["a", "b"]);
    first.send(&["c"]);
    drop(first);
    fs::write(disk_buffer.directory.join("7.unfinished"), "spanw").unwrap();
    fs::write(disk_buffer.directory.join("notes.txt"), "not ours").unwrap();
    let mut second = Rig::new(&backend, &disk_buffer);
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
    assert_eq!(left, 2, "the lock file and a foreign file");
}

#[test]
fn damaged_and_foreign_files_are_set_aside_and_counted() {
    type Damage = fn(&mut Vec<u8>);
    // The damage, and whether opening the store detects it before the replay.
    let rows: [(&str, Damage, bool); 6] = [
        (
            "a changed bit",
            |file| *file.last_mut().unwrap() ^= 1,
            false,
        ),
        ("a changed count", |file| file[8] ^= 2, false),
        ("shorter", |file| file.truncate(file.len() - 1), true),
        ("longer", |file| file.push(0), true),
        ("empty", Vec::clear, true),
        ("another format", |file| file[0] = b'x', true),
    ];
    for (row, damage, is_seen_at_once) in rows {
        let (_dir, disk_buffer) = temporary();
        let backend = Backend::new();
        let mut first = Rig::new(&backend, &disk_buffer);
        backend.refuses(Loss::Unreachable);
        for name in ["a", "b", "c"] {
            first.send(&[name]);
        }
        drop(first);
        let path = files(&disk_buffer, "spill").remove(1);
        let mut file = fs::read(&path).unwrap();
        damage(&mut file);
        fs::write(&path, file).unwrap();
        backend.refuses(None);
        let second = Rig::new(&backend, &disk_buffer);
        assert_eq!(
            second.counts().set_aside,
            u64::from(is_seen_at_once),
            "{row}"
        );
        second.idle();
        assert_eq!(backend.took(), ["a", "c"], "{row}");
        let counts = second.counts();
        assert_eq!((counts.set_aside, counts.buffered), (1, 0), "{row}");
        assert_eq!(counts.lost() > 0, !is_seen_at_once, "{row}");
        assert_eq!(files(&disk_buffer, "damaged").len(), 1, "{row}");
    }
}

#[test]
fn temporarily_unreadable_file_is_kept_and_does_not_block_others() {
    let (_dir, disk_buffer) = temporary();
    let mut rig = Rig::new(&Backend::new(), &disk_buffer);
    rig.backend.refuses(Loss::Unreachable);
    for name in ["a", "b"] {
        rig.send(&[name]);
    }
    rig.backend.refuses(None);
    let path = files(&disk_buffer, "spill").remove(0);
    let file = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let turns = || {
        for _ in 0..2 {
            rig.transport.end_pauses();
            rig.idle();
        }
    };
    turns();
    assert_eq!(rig.backend.took(), ["b"]);
    fs::remove_dir(&path).unwrap();
    fs::write(&path, file).unwrap();
    turns();
    assert_eq!(rig.backend.took(), ["b", "a"]);
    assert_eq!((rig.counts().buffered, rig.counts().lost()), (0, 0));
}

#[test]
fn number_of_set_aside_files_is_limited() {
    let (_dir, disk_buffer) = temporary();
    fs::create_dir_all(&disk_buffer.directory).unwrap();
    for number in 0..40 {
        fs::write(disk_buffer.directory.join(format!("{number}.spill")), "x").unwrap();
        fs::write(
            disk_buffer
                .directory
                .join(format!("no number {number}.spill")),
            "x",
        )
        .unwrap();
    }
    let rig = Rig::new(&Backend::new(), &disk_buffer);
    assert_eq!(rig.counts().set_aside, 80);
    assert_eq!(files(&disk_buffer, "damaged").len(), 16);
    assert_eq!(files(&disk_buffer, "spill").len(), 0);
}

#[test]
fn full_store_drops_the_oldest_files() {
    let (_dir, whole) = temporary();
    let one = {
        let mut rig = Rig::new(&Backend::new(), &whole);
        rig.backend.refuses(Loss::Unreachable);
        rig.send(&["a"]);
        fs::metadata(&files(&whole, "spill")[0]).unwrap().len()
    };
    let of = |max_bytes, max_files, max_age| DiskBuffer {
        max_bytes,
        max_files,
        max_age: Duration::from_secs(max_age),
        ..temporary().1
    };
    for (disk_buffer, kept) in [
        (of(one * 3, 100, 100), &["c", "d", "e"][..]),
        (of(one * 3 - 1, 100, 100), &["d", "e"]),
        (of(one * 100, 4, 100), &["b", "c", "d", "e"]),
        (of(one - 1, 100, 100), &[]),
        (of(one * 100, 0, 100), &[]),
        (of(one * 100, 100, 0), &[]),
    ] {
        let mut rig = Rig::new(&Backend::new(), &disk_buffer);
        rig.backend.refuses(Loss::Unreachable);
        for name in ["a", "b", "c", "d", "e"] {
            rig.send(&[name]);
        }
        rig.backend.refuses(None);
        rig.transport.end_pauses();
        std::thread::sleep(Duration::from_millis(1)); // Exceeds a maximum age of zero.
        rig.idle();
        assert_eq!(rig.backend.took(), kept, "{disk_buffer:?}");
        let counts = rig.counts();
        assert_eq!(counts.lost_to(Loss::DiskBuffer), 5 - kept.len() as u64);
        fs::remove_dir_all(&disk_buffer.directory).unwrap();
    }
}

#[test]
fn disk_error_loses_spans_and_is_reported() {
    let (_dir, disk_buffer) = temporary();
    let mut rig = Rig::new(&Backend::new(), &disk_buffer);
    rig.backend.refuses(Loss::Unreachable);
    rig.send(&["a"]);
    fs::remove_dir_all(&disk_buffer.directory).unwrap();
    let sent = rig.transport.send(&request(&["b"]));
    assert_eq!(sent.lost, [(Loss::DiskBuffer, 1)]);
    assert!(sent.message.unwrap().contains("spill"));
    // The spans in the removed directory are lost too.
    rig.backend.refuses(None);
    rig.transport.end_pauses();
    rig.idle();
    assert_eq!(rig.counts().lost_to(Loss::DiskBuffer), 1);
}

#[test]
fn directory_in_use_is_refused() {
    let (_dir, disk_buffer) = temporary();
    let mut rig = Rig::new(&Backend::new(), &disk_buffer);
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
        rig.backend.refuses(Loss::Unreachable);
        rig.send(&["a"]);
        let file = fs::metadata(&files(&disk_buffer, "spill")[0]).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }
    drop(rig);
    DiskBufferStore::open(&disk_buffer, Arc::default()).unwrap();
}
