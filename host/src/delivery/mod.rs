//! Delivery: what becomes of spans between their end and a backend's answer.
//!
//! Every exporter of a tracer has a queue with a bound, a thread that sends
//! batches, and a [meter](DeliveryCounts) that counts what became of each span. The
//! thread that ends a span puts it into the queue and goes on.

mod batch;
mod counts;
mod health;
mod pipeline;
mod queue;
mod sink;
#[cfg_attr(not(test), expect(dead_code, reason = "senders over OTLP use it"))]
mod spill;
mod transport;
mod worker;

use std::time::Duration;

pub use batch::BatchConfig;
pub(crate) use counts::Meter;
pub use counts::{DeliveryCounts, Loss};
pub(crate) use pipeline::{Exporting, Names, Pipeline, Processor, Queued};
pub(crate) use queue::after;
pub(crate) use sink::{SdkSink, Sent, Sink};
pub use spill::Spill;
pub(crate) use spill::SpillStore;
pub(crate) use transport::Transport;

/// How long an exporter has to send what it holds, unless it is said: as long as one
/// batch may take.
pub(crate) const DEFAULT_DEADLINE: Duration = Duration::from_secs(10);
