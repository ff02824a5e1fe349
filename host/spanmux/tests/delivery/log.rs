//! Tests for the log events about lost spans.

use std::fmt::Debug;
use std::sync::OnceLock;

use parking_lot::Mutex;
use spanmux::otel::TracerConfig;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::support::*;

static EVENTS: OnceLock<Mutex<Vec<String>>> = OnceLock::new();

/// A subscriber that records the events about one service, from all threads.
struct Kept;

impl Subscriber for Kept {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event()
    }

    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        if line.0.contains("service=logged") {
            EVENTS.get_or_init(Mutex::default).lock().push(line.0);
        }
    }

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0 += &format!(" {}={value}", field.name());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0 += &format!(" {}={value:?}", field.name());
    }
}

#[test]
fn losses_are_logged_once_per_change() {
    tracing::subscriber::set_global_default(Kept).unwrap();
    // Batches 0 to 2 and batch 6 are lost. The others are delivered.
    let exporter = Scripted::new(|call| match call {
        0..3 | 6 => Does::Fail,
        _ => Does::Take,
    });
    let config = TracerConfig::new()
        .service_name("logged")
        .batch(patient(100, 10));
    let provider = of(config.exporter(exporter.exporter()));
    end_spans(&provider, 80);
    let _report = provider.shutdown_with_timeout(LONG);
    let said = EVENTS.get_or_init(Mutex::default).lock().clone();
    assert_eq!(said.len(), 4, "{said:#?}");
    for (line, (level, what, lost)) in said.iter().zip([
        ("WARN", "spans are lost", "lost=10 (failed 10)"),
        ("INFO", "spans are delivered again", "lost=30 (failed 30)"),
        ("WARN", "spans are lost", "lost=10 (failed 10)"),
        ("INFO", "spans are delivered again", "lost=10 (failed 10)"),
    ]) {
        assert!(line.starts_with(level), "{line}");
        assert!(line.contains(what), "{line}");
        assert!(line.contains(lost), "{line}");
    }
}
