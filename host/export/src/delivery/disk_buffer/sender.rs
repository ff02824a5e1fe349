//! The thread that sends the requests of an exporter with a disk buffer.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::Builder;

use opentelemetry::Context;
use spanmux_core::internal::panic_message;

use super::buffered::{Job, Shared};
use crate::delivery::{Loss, Sent, Splitter, Stop, Terms, Transport, Tries};

pub(super) fn start(
    shared: Arc<Shared>,
    transport: Arc<dyn Transport>,
    splitter: Splitter,
    stop: Arc<Stop>,
    name: &str,
) -> io::Result<()> {
    let send = move || {
        // Sending must not create spans.
        let _quiet = Context::enter_telemetry_suppressed_scope();
        while let Some(job) = shared.next() {
            let sent = send(&job, &*transport, &splitter, &stop);
            shared.settle(&job, sent);
        }
    };
    let thread = Builder::new().name(format!("{name}-send"));
    thread.spawn(send).map(drop)
}

/// Sends a request, in parts if it is too large. After a panic, the request is kept: nothing is
/// known about its content.
pub(super) fn send(job: &Job, transport: &dyn Transport, splitter: &Splitter, stop: &Stop) -> Sent {
    let (spans, request, tries) = match job {
        Job::Live { spans, request, .. } => (*spans, &**request, Tries::Two),
        // A file is sent again later, after a pause that is longer than those between
        // attempts.
        Job::File { spans, request, .. } => (*spans, request, Tries::One),
    };
    let send = || {
        splitter.send(request, true, |part, max_bytes| {
            let terms = Terms {
                tries,
                stop,
                max_bytes,
            };
            transport.send(part, &terms)
        })
    };
    catch_unwind(AssertUnwindSafe(send)).unwrap_or_else(|panic| Sent {
        later: true,
        ..Sent::none(spans, Loss::Failed, panic_message(&*panic))
    })
}
