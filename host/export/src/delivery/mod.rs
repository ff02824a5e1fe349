//! Delivery: what becomes of spans between their end and a backend's answer.
//!
//! Every exporter of a tracer has a queue with a bound, a thread that sends
//! batches, and a [meter](DeliveryCounts) that counts what became of each span. The
//! thread that ends a span puts it into the queue and goes on.
//!
//! Nothing is lost in silence. Each span that was handed to an exporter is delivered,
//! filtered, waiting, kept on disk, or lost for a [cause](Loss), and the counts say so
//! at every moment. A flush or a shutdown succeeds if what ended before was delivered,
//! whatever an exporter's result says. Through `tracing` it is said once that spans
//! are being lost, and once that they no longer are.
//!
//! What an exporter does is not interrupted: one that hangs keeps its thread, its
//! queue fills, and what ends beyond that is counted. A process that is forked has no
//! such thread; make the tracers after the fork. What waits when the process exits is
//! gone, unless `shutdown` was called
//! or the provider was dropped; one that is kept in a `static`, as OpenTelemetry's
//! global provider is, never is.
//!
//! # Examples
//! ```
//! use opentelemetry::trace::{Tracer, TracerProvider};
//! use spanmux::delivery::{BatchConfig, Loss};
//! use spanmux::exporters::Exporter;
//! use spanmux::otel::{RoutingTracerProvider, TracerConfig};
//! use std::time::Duration;
//!
//! let batch = BatchConfig { queue: 10_000, ..BatchConfig::default() };
//! let provider = RoutingTracerProvider::builder()
//!     .tracer("nowhere", TracerConfig::new("shop").exporter(Exporter::discard()).batch(batch))
//!     .build()?;
//! provider.tracer("shop").in_span("answer", |_context| {});
//!
//! let report = provider.flush_within(Duration::from_secs(2));
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
mod health;
#[allow(missing_docs)] // Shared within the workspace only.
mod pipeline;
mod queue;
mod sink;
// Exporters over OTLP are all that can keep what a backend does not take.
#[cfg_attr(not(any(feature = "otlp", test)), expect(dead_code))]
mod spill;
#[cfg(test)]
mod tests;
mod transport;
mod worker;

use std::time::Duration;

pub use batch::BatchConfig;
pub(crate) use counts::Meter;
pub use counts::{DeliveryCounts, Loss};
#[doc(hidden)]
pub use pipeline::{Exporting, Pipeline, Processor, Rest};
pub(crate) use pipeline::{Names, Queued};
#[doc(hidden)]
pub use queue::after;
pub(crate) use sink::{SdkSink, Sent, Sink};
pub use spill::Spill;
pub(crate) use spill::SpillStore;
#[cfg(feature = "otlp")]
pub(crate) use spill::Spilling;
pub(crate) use transport::Transport;

/// How long an exporter has to send what it holds, unless it is said: as long as one
/// batch may take.
#[doc(hidden)]
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(10);
