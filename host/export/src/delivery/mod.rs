//! Delivery of spans, from the end of a span to the response of a backend.
//!
//! Every exporter of a tracer has a bounded queue, a thread that sends batches, and
//! [counts](DeliveryCounts) of the outcome of each span. Ending a span only puts it into
//! the queue.
//!
//! No span is lost silently. At every moment, each span that was handed to an exporter is
//! counted as delivered, filtered, waiting, buffered on disk, or lost with a [cause](Loss).
//! A flush or a shutdown succeeds if all spans that ended before it were delivered,
//! regardless of the result that an exporter returns. Each exporter logs one `tracing`
//! event when it starts to lose spans, and one when it delivers again.
//!
//! A running export is never interrupted. An exporter that hangs keeps its thread; its
//! queue fills, and further spans are dropped and counted. A forked process has no exporter
//! threads, so create tracers after the fork. Spans that still wait when the process exits
//! are lost, unless `shutdown` was called
//! or the provider was dropped. A provider in a `static`, such as OpenTelemetry's global
//! provider, is never dropped.
//!
//! # Examples
//! ```
//! use opentelemetry::trace::{Tracer, TracerProvider};
//! use spanmux::delivery::{BatchConfig, Loss};
//! use spanmux::exporters::Exporter;
//! use spanmux::otel::{RoutingTracerProvider, TracerConfig};
//! use std::time::Duration;
//!
//! let batch = BatchConfig::new().max_queue_size(10_000);
//! let provider = RoutingTracerProvider::builder()
//!     .service_name("shop")
//!     .tracer("nowhere", TracerConfig::new().exporter(Exporter::discard()).batch(batch))
//!     .build()?;
//! provider.tracer("shop").in_span("answer", |_context| {});
//!
//! let report = provider.force_flush_with_timeout(Duration::from_secs(2));
//! assert_eq!(report.succeeded, ["nowhere"]);
//! for tracer in provider.delivery() {
//!     for (exporter, counts) in tracer.exporters {
//!         assert_eq!((exporter.as_str(), counts.delivered), ("discard", 1));
//!         assert_eq!(counts.lost_to(Loss::QueueFull), 0);
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod batch;
mod counts;
mod disk_buffer;
mod dropped_parents;
mod health;
#[allow(missing_docs)] // Shared within the workspace only.
mod pipeline;
mod queue;
mod sampled;
mod sink;
mod size_limits;
mod splitter;
mod stop;
#[cfg(test)]
pub(crate) mod tests;
mod transport;
mod worker;

use std::time::Duration;

pub use batch::BatchConfig;
pub(crate) use counts::Meter;
pub use counts::{DeliveryCounts, Loss};
pub use disk_buffer::DiskBuffer;
pub(crate) use disk_buffer::DiskBufferStore;
#[cfg(feature = "otlp")]
pub(crate) use disk_buffer::Pause;
pub(crate) use dropped_parents::DroppedParents;
#[doc(hidden)]
pub use pipeline::{Exporting, Pipeline, Processor, Rest};
pub(crate) use pipeline::{Names, Queued};
#[doc(hidden)]
pub use queue::after;
pub(crate) use sampled::Sampled;
pub(crate) use sink::{Parts, SdkSink, Sent, Sink, TooLarge};
pub(crate) use size_limits::SizeLimits;
pub(crate) use splitter::Splitter;
pub(crate) use stop::Stop;
pub(crate) use transport::{Terms, Transport, Tries};
pub(crate) use worker::Target;

/// The default time that an exporter has to send its spans: the maximum time of one batch.
#[doc(hidden)]
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(10);
