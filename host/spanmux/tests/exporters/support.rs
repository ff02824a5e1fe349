//! Helpers for tracers with one exporter.

use std::time::Duration;

use opentelemetry::trace::{Tracer as _, TracerProvider as _};
use spanmux::delivery::{BatchConfig, DeliveryCounts};
use spanmux::exporters::Exporter;
use spanmux::otel::{OtelTracer, TracerConfig};

/// Long enough for a busy machine.
pub(crate) const PATIENT: Duration = Duration::from_secs(30);

pub(crate) fn tracer(exporter: impl Into<Exporter>, timeout: Duration) -> OtelTracer {
    TracerConfig::new()
        .service_name("shop")
        .exporter(exporter)
        .batch(BatchConfig::new().max_export_timeout(timeout))
        .build()
        .unwrap()
}

/// Ends `spans` spans, which become one batch.
pub(crate) fn end_spans(tracer: &OtelTracer, spans: usize) {
    let sdk = tracer.provider().tracer("library");
    for _ in 0..spans {
        drop(sdk.start("answer"));
    }
}

pub(crate) fn counts(tracer: &OtelTracer) -> DeliveryCounts {
    let [(_, counts)] = &tracer.delivery()[..] else {
        panic!("one exporter has one meter");
    };
    counts.clone()
}

/// Sends `spans` spans in one batch and returns the counts.
pub(crate) fn send(
    exporter: impl Into<Exporter>,
    spans: usize,
    timeout: Duration,
) -> DeliveryCounts {
    let tracer = tracer(exporter, timeout);
    end_spans(&tracer, spans);
    // The counts contain the failures.
    let _ = tracer.force_flush();
    let _ = tracer.shutdown();
    counts(&tracer)
}
