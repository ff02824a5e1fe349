//! The thread that sends the requests of an exporter with a disk buffer.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::Builder;

use opentelemetry::Context;
use spanmux_core::internal::panic_message;

use super::buffered::{Job, Shared};
use crate::delivery::{Loss, Sent, Stop, Transport, Tries};

pub(super) fn start(
    shared: Arc<Shared>,
    transport: Arc<dyn Transport>,
    stop: Arc<Stop>,
    name: &str,
) -> io::Result<()> {
    let send = move || {
        // Sending must not create spans.
        let _quiet = Context::enter_telemetry_suppressed_scope();
        while let Some(job) = shared.next() {
            let sent = send(&job, &*transport, &stop);
            shared.settle(&job, sent);
        }
    };
    let thread = Builder::new().name(format!("{name}-send"));
    thread.spawn(send).map(drop)
}

/// Sends a request. After a panic, the request is kept: nothing is known about its content.
pub(super) fn send(job: &Job, transport: &dyn Transport, stop: &Stop) -> Sent {
    let (spans, sent) = match job {
        Job::Live { spans, request, .. } => (
            *spans,
            catch_unwind(AssertUnwindSafe(|| {
                transport.send(request, Tries::Two, stop)
            })),
        ),
        // A file is sent again later, after a pause that is longer than those between
        // attempts.
        Job::File { spans, request, .. } => (
            *spans,
            catch_unwind(AssertUnwindSafe(|| {
                transport.send(request, Tries::One, stop)
            })),
        ),
    };
    sent.unwrap_or_else(|panic| Sent {
        later: true,
        ..Sent::none(spans, Loss::Failed, panic_message(&*panic))
    })
}
