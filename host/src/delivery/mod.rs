//! Delivery: what becomes of spans between their end and a backend's answer.
//!
//! Every exporter of a tracer has a queue with a bound, a thread that sends
//! batches, and a [meter](DeliveryCounts) that counts what became of each span. The
//! thread that ends a span puts it into the queue and goes on.

mod batch;
mod counts;
mod exporter;
mod sink;
#[cfg(feature = "otlp")]
mod transport;

pub use batch::BatchConfig;
pub(crate) use counts::Meter;
pub use counts::{DeliveryCounts, Loss};
pub(crate) use exporter::Metered;
pub(crate) use sink::{SdkSink, Sent, Sink};
#[cfg(feature = "otlp")]
pub(crate) use transport::Transport;
