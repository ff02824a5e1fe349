//! A processor that keeps one value for each attribute of an ended span.

use std::cell::Cell;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use super::attribute_list;
use super::user_code;

thread_local! {
    /// The number of attributes that were set after the start of the span that ends on
    /// this thread, if it is known.
    static LATE: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Ends a span of which the last `late` attributes were set after its start.
pub(super) fn ending<R>(late: usize, end: impl FnOnce() -> R) -> R {
    struct Reset;
    impl Drop for Reset {
        fn drop(&mut self) {
            LATE.set(None);
        }
    }
    LATE.set(Some(late));
    let _reset = Reset;
    end()
}

/// Passes ended spans to a processor. An attribute that was set at the start and again
/// later has its last value. A panic of the processor does not reach the next one.
#[derive(Debug)]
pub(super) struct LastValues<P>(pub(super) P);

impl<P: SpanProcessor> SpanProcessor for LastValues<P> {
    fn on_start(&self, span: &mut Span, cx: &Context) {
        let _done = user_code::run("span processor", || self.0.on_start(span, cx));
    }

    fn on_end(&self, mut span: SpanData) {
        match LATE.get() {
            Some(0) => {}
            Some(late) => attribute_list::keep_last_of(&mut span.attributes, late),
            // A span that was started without the routing provider.
            None => attribute_list::keep_last(&mut span.attributes),
        }
        let _done = user_code::run("span processor", || self.0.on_end(span));
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}
