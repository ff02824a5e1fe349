//! A span of the SDK with its tracer, in a place on the heap that its thread uses again.

use std::sync::Arc;
use std::time::SystemTime;

use arrayvec::ArrayVec;
use opentelemetry::trace::{Span as _, SpanBuilder, Status, Tracer as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::Span as SdkSpan;

use super::attribute_list::AttributeList;
use super::attributes;
use super::last_values;
use super::open_roots::Place;
use super::otel_tracer::OtelTracer;
use super::scope::Scope;
use super::span::Start;
use super::user_code;

/// A span that its tracer started.
///
/// A span of the SDK is large. It is written once to its place on the heap, so that callers move a
/// pointer, also when they attach the span to a context.
#[derive(Debug, Default)]
pub(super) struct StartedSpan {
    // The fields are dropped in this order: the SDK's span needs its tracer until the end.
    /// Empty only in a place that is not in use. See [`fill`] for the reason why it is not an
    /// `Option`.
    span: ArrayVec<SdkSpan, 1>,
    /// Attributes that were set after the start, and the copied ones.
    late: AttributeList,
    has_status: bool,
    /// `true` if the thread was already panicking when the span started: the panic does
    /// not concern the span.
    started_in_panic: bool,
    root: Option<Place>,
    tracer: Held,
}

/// The attribute of a failed span that names its error.
const ERROR_TYPE: &str = "error.type";

/// The error of a span that ended because its thread panicked.
const PANIC: &str = "panic";

/// A span's reference to its tracer. `None` only in a place that is not in use.
#[derive(Debug, Default)]
struct Held(Option<Arc<OtelTracer>>);

/// Dropping the last reference to a tracer shuts its provider down and waits for
/// exporters. This must not block the thread that ends a span.
impl Drop for Held {
    #[inline]
    fn drop(&mut self) {
        if let Some(last) = self.0.take().and_then(Arc::into_inner) {
            last.retire();
        }
    }
}

/// The reason why a span was not started.
#[derive(Clone, Copy)]
pub(super) enum Refusal {
    Stopped,
    TooManyOpen,
    Panicked,
}

impl StartedSpan {
    /// Starts a span of `tracer`, or returns the reason why not.
    pub(super) fn start(
        tracer: Arc<OtelTracer>,
        scope: &Arc<Scope>,
        start: Start<'_>,
        parent_cx: &Context,
    ) -> Result<Box<Self>, (Refusal, Arc<OtelTracer>)> {
        // Not atomic: threads that check concurrently may slightly exceed the limit.
        if tracer.is_full() {
            return Err((Refusal::TooManyOpen, tracer));
        }
        let Start {
            builder,
            copied,
            is_root,
        } = start;
        let root = is_root
            .then(|| tracer.stats().roots().open(&builder.name))
            .flatten();
        let mut started = spare::take();
        started.started_in_panic = std::thread::panicking();
        // This runs the sampler, the id generator and the processors.
        user_code::run("sampler or span processor", || {
            fill(&mut started.span, &tracer, scope, builder, parent_cx);
        });
        let refusal = match started.sdk() {
            None => Some(Refusal::Panicked),
            // A provider that is shut down returns spans without a context.
            Some(span) if !span.span_context().is_valid() => Some(Refusal::Stopped),
            Some(_) => None,
        };
        if refusal.is_none() && started.sdk().is_some_and(SdkSpan::is_recording) {
            tracer.stats().opened();
            started.root = root;
        } else {
            tracer.stats().not_opened(root);
        }
        if let Some(why) = refusal {
            spare::put(started);
            return Err((why, tracer));
        }
        started.late.begin_with(copied);
        started.tracer = Held(Some(tracer));
        Ok(started)
    }

    #[inline]
    pub(super) fn sdk(&self) -> Option<&SdkSpan> {
        self.span.first()
    }

    #[inline]
    pub(super) fn sdk_mut(&mut self) -> Option<&mut SdkSpan> {
        self.span.first_mut()
    }

    pub(super) fn set_attribute(&mut self, attribute: KeyValue) {
        if let Some(span) = self.span.first_mut()
            && span.is_recording()
            && !attributes::is_reserved(attribute.key.as_str())
        {
            self.late.set(attribute, |kv| span.set_attribute(kv));
        }
    }

    pub(super) fn set_status(&mut self, status: Status) {
        self.has_status |= status != Status::Unset;
        if let Some(span) = self.span.first_mut() {
            span.set_status(status);
        }
    }

    /// Records that the span ends because its thread panics.
    fn record_panic(&mut self) {
        if self.started_in_panic || self.has_status || !std::thread::panicking() {
            return;
        }
        if !self.late.has(ERROR_TYPE) {
            self.set_attribute(KeyValue::new(ERROR_TYPE, PANIC));
        }
        self.set_status(Status::error(PANIC));
    }

    /// Ends the span once, and counts it if its tracer no longer exports spans.
    pub(super) fn end(&mut self, timestamp: Option<SystemTime>) {
        let Some(span) = self.sdk().filter(|span| span.is_recording()) else {
            return;
        };
        let tracer = self.tracer.0.as_ref();
        if let Some(tracer) = tracer.filter(|tracer| tracer.is_stopped())
            && span.span_context().is_sampled()
        {
            tracer.stats().count_after_shutdown();
        }
        self.record_panic();
        let Some(span) = self.span.first_mut() else {
            return;
        };
        let late = self.late.len();
        if late > 0 {
            self.late.drain(|attribute| span.set_attribute(attribute));
        }
        let end = || match timestamp {
            Some(timestamp) => span.end_with_timestamp(timestamp),
            None => span.end(),
        };
        // This runs the processors.
        let _done = user_code::run("span processor", || last_values::ending(late, end));
        if let Some(tracer) = &self.tracer.0 {
            tracer.stats().closed(self.root.take());
        }
    }

    /// Ends the span if it is still open, drops it, and keeps its place for another span.
    pub(super) fn finish(mut started: Box<Self>) {
        started.end(None);
        spare::put(started);
    }

    /// Drops all that belongs to the span.
    fn clear(&mut self) {
        self.span.clear();
        self.late.clear();
        self.has_status = false;
        self.root = None;
        self.tracer = Held(None);
    }
}

/// Starts the SDK's span in an empty place.
///
/// The span is large, and its first move waits until the processor has written it. An assignment to
/// an `Option` moves it twice, because it drops the old value in between; a push moves it once.
#[inline(never)]
fn fill(
    place: &mut ArrayVec<SdkSpan, 1>,
    tracer: &OtelTracer,
    scope: &Arc<Scope>,
    builder: &mut SpanBuilder,
    parent_cx: &Context,
) {
    let builder = std::mem::take(builder);
    place.push(tracer.scoped(scope).build_with_context(builder, parent_cx));
}

/// Places that the spans of a thread use again, because an allocation costs more than to start a
/// span in an existing one.
mod spare {
    use std::cell::RefCell;

    use arrayvec::ArrayVec;

    use super::StartedSpan;

    /// Maximum number of places that a thread keeps, of half a kilobyte each.
    const MAX_PLACES: usize = 8;

    thread_local! {
        static PLACES: RefCell<ArrayVec<Box<StartedSpan>, MAX_PLACES>> =
            const { RefCell::new(ArrayVec::new_const()) };
    }

    /// Returns an empty place.
    #[inline]
    pub(super) fn take() -> Box<StartedSpan> {
        // The thread may be ending.
        let spare = PLACES.try_with(|places| places.borrow_mut().pop());
        spare.ok().flatten().unwrap_or_default()
    }

    /// Empties a place and keeps it, unless the thread has enough of them.
    #[inline]
    pub(super) fn put(mut place: Box<StartedSpan>) {
        // Before the list is borrowed, because it may drop the tracer, which starts no span but
        // runs code of the application.
        place.clear();
        let _full = PLACES.try_with(|places| places.borrow_mut().try_push(place));
    }
}
