//! Tests for the files of the file exporter and for the writer of the console.

use std::io;
use std::sync::{Arc, OnceLock, Weak, mpsc};
use std::time::Duration;

use spanmux::delivery::Loss;
use spanmux::exporters::{Exporter, Rotation};
use spanmux::otel::{OtelTracer, TracerConfig};

use crate::log::Log;
use crate::process::alone;
use crate::support::{PATIENT, counts, end_spans, send};

#[cfg(unix)]
#[test]
fn file_is_readable_by_the_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("spans.jsonl");
    let counts = send(Exporter::file(&path), 3, PATIENT);
    assert_eq!(counts.delivered, 3);
    let mode = path.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn rotation_accepts_the_largest_number_of_files() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("spans.jsonl");
    let rotation = Rotation::new().max_bytes(1).keep(usize::MAX);
    for _ in 0..3 {
        let counts = send(Exporter::file_rotated(&path, rotation), 1, PATIENT);
        assert_eq!(counts.delivered, 1);
    }
    for name in ["spans.jsonl", "spans.jsonl.1", "spans.jsonl.2"] {
        assert!(directory.path().join(name).is_file(), "{name}");
    }
    assert!(!directory.path().join("spans.jsonl.3").exists());
}

#[cfg(unix)]
#[test]
fn existing_file_that_others_can_read_is_reported_once() {
    use std::os::unix::fs::PermissionsExt as _;
    let name = "local::existing_file_that_others_can_read_is_reported_once";
    alone(name, &[], || {
        let log = Log::install();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("spans.jsonl");
        std::fs::write(&path, "").unwrap();
        let open = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(&path, open).unwrap();
        for _ in 0..2 {
            let tracer = crate::support::tracer(Exporter::file(&path), PATIENT);
            end_spans(&tracer, 1);
            tracer.shutdown().unwrap();
            let closed = std::fs::Permissions::from_mode(0o600);
            std::fs::set_permissions(&path, closed).unwrap();
        }
        assert_eq!(log.text().matches("chmod 600").count(), 1, "{}", log.text());
    });
}

struct Panicking;

impl io::Write for Panicking {
    #[allow(clippy::panic)]
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        panic!("a writer of the application")
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn panic_of_the_console_writer_does_not_affect_other_exporters() {
    let tracer = TracerConfig::new()
        .service_name("shop")
        .exporter(Exporter::console_to(Panicking))
        .exporter(Exporter::discard())
        .build()
        .unwrap();
    end_spans(&tracer, 2);
    let _ = tracer.force_flush();
    let _ = tracer.shutdown();
    let delivery = tracer.delivery();
    let [(_, console), (_, discard)] = &delivery[..] else {
        panic!("two exporters have two meters");
    };
    assert_eq!((console.lost(), console.delivered), (2, 0));
    assert_eq!((discard.lost(), discard.delivered), (0, 2));
}

/// A writer that blocks until it is released.
struct Slow(mpsc::Receiver<()>);

impl io::Write for Slow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // The sender may be gone.
        let _ = self.0.recv();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn with_writer(writer: impl io::Write + Send + 'static) -> OtelTracer {
    let config = TracerConfig::new().service_name("shop");
    let exporter = Exporter::console_to(writer);
    config.exporter(exporter).build().unwrap()
}

#[test]
fn slow_console_writer_delays_no_span() {
    let (release, blocked) = mpsc::channel();
    let tracer = with_writer(Slow(blocked));
    end_spans(&tracer, 3);
    let counts = || counts(&tracer);
    assert_eq!((counts().ended, counts().waiting), (3, 3));
    // It does not end in time, and says so.
    tracer
        .force_flush_with_timeout(Duration::from_millis(20))
        .unwrap_err();
    drop(release);
    tracer.force_flush().unwrap();
    assert_eq!((counts().delivered, counts().waiting), (3, 0));
    tracer.shutdown().unwrap();
}

#[test]
fn traces_for_a_console_that_is_too_far_behind_are_lost_and_counted() {
    let (release, blocked) = mpsc::channel();
    let tracer = with_writer(Slow(blocked));
    let spans = 20_000;
    end_spans(&tracer, spans);
    let lost = counts(&tracer).lost_to(Loss::QueueFull);
    assert!(lost > 0 && lost < spans as u64, "{lost}");
    drop(release);
    tracer.shutdown().unwrap_err();
    let counts = counts(&tracer);
    assert_eq!(counts.delivered + lost, spans as u64, "{counts:?}");
}

#[test]
fn shutdown_with_a_console_that_hangs_ends_at_the_deadline() {
    let (release, blocked) = mpsc::channel();
    let tracer = with_writer(Slow(blocked));
    end_spans(&tracer, 3);
    tracer
        .shutdown_with_timeout(Duration::from_millis(20))
        .unwrap_err();
    // One trace is being printed, the others were not.
    assert_eq!(counts(&tracer).lost_to(Loss::ShutDown), 2);
    drop(release);
}

/// A writer that starts spans of the same tracer.
struct Starting(Arc<OnceLock<Weak<OtelTracer>>>);

impl io::Write for Starting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(tracer) = self.0.get().and_then(Weak::upgrade) {
            end_spans(&tracer, 1);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn spans_that_the_console_writer_starts_are_not_printed() {
    let place = Arc::<OnceLock<_>>::default();
    let tracer = Arc::new(with_writer(Starting(place.clone())));
    place.set(Arc::downgrade(&tracer)).unwrap();
    end_spans(&tracer, 5);
    tracer.force_flush().unwrap();
    assert_eq!(counts(&tracer).ended, 5);
    tracer.shutdown().unwrap();
}
