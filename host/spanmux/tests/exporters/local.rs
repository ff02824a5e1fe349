//! Tests for the files of the file exporter and for the writer of the console.

use std::io;

use spanmux::exporters::{Exporter, Rotation};
use spanmux::otel::TracerConfig;

use crate::support::{PATIENT, end_spans, send};

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
