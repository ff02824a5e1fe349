//! References to spans that may already have ended, for late signals.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceContextExt as _, TraceId};

use super::provider::RoutingTracerProvider;
use super::routes::Lineage;
use super::{traceparent, tracestate, tracestate_header};

/// A reference to a span, for use after the span has ended: for a score, feedback, or a
/// link.
///
/// It identifies the tracer of the trace. Its text form is the span's W3C `traceparent`,
/// followed by a space and its `tracestate`. It can be stored in a database and used in
/// another process.
///
/// The tracer named in a reference is trusted. Load references from your own storage and
/// never from a request.
///
/// # Examples
/// ```
/// use opentelemetry::trace::{Span, Tracer, TracerProvider};
/// use opentelemetry_sdk::trace::SdkTracerProvider;
/// use spanmux::otel::{RoutingTracerProvider, SpanReference};
///
/// let provider = RoutingTracerProvider::builder()
///     .tracer("langfuse", SdkTracerProvider::builder())
///     .build()?;
/// let mut span = provider.tracer("shop").start("answer");
/// let text = provider.reference(span.span_context()).to_string();
/// span.end();
///
/// let reference: SpanReference = text.parse()?;
/// let context = provider.below(&reference)?;
/// let late = provider.tracer("shop").start_with_context("feedback", &context);
/// assert_eq!(late.span_context().trace_id(), span.span_context().trace_id());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanReference {
    context: SpanContext,
}

impl SpanReference {
    /// Returns the span's context, as of a span of this process.
    pub fn span_context(&self) -> &SpanContext {
        &self.context
    }
}

impl fmt::Display for SpanReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let context = &self.context;
        f.write_str(&traceparent::write(context))?;
        match context.trace_state().header() {
            state if state.is_empty() => Ok(()),
            state => write!(f, " {state}"),
        }
    }
}

impl FromStr for SpanReference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        read(text).ok_or_else(|| ReferenceError {
            text: text.chars().take(ReferenceError::SHOWN).collect(),
        })
    }
}

fn read(text: &str) -> Option<SpanReference> {
    let (parent, state) = text.split_once(' ').unwrap_or((text, ""));
    // References are written with version 00 only.
    let parent = traceparent::parse(parent).filter(|_| parent.starts_with("00-"))?;
    let state = tracestate_header::parse(std::iter::once(state))?.state;
    let context = SpanContext::new(parent.trace, parent.span, parent.flags, false, state);
    Some(SpanReference { context })
}

/// An error that occurs while parsing a [`SpanReference`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceError {
    text: String,
}

impl ReferenceError {
    /// The maximum number of characters of the text in the message.
    const SHOWN: usize = 80;
}

impl fmt::Display for ReferenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.text.escape_debug();
        write!(
            f,
            "invalid span reference \"{text}\"; \
             expected a traceparent, optionally followed by a space and a tracestate"
        )
    }
}

impl Error for ReferenceError {}

/// An error that occurs when the tracer of a span's trace is not available here. Signals
/// for that span are dropped and counted
/// ([`DroppedSpans::late_signals`](super::DroppedSpans::late_signals)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoSuchTrace {
    /// The tracer of the trace was unregistered and has been dropped.
    TracerGone {
        /// The trace.
        trace: TraceId,
    },
    /// The reference names no tracer that is registered here.
    Unknown {
        /// The trace.
        trace: TraceId,
    },
}

impl fmt::Display for NoSuchTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TracerGone { trace } => {
                write!(f, "the tracer of trace {trace} no longer exists")
            }
            Self::Unknown { trace } => write!(
                f,
                "no tracer registered here has trace {trace}; \
                 create references with `RoutingTracerProvider::reference`"
            ),
        }
    }
}

impl Error for NoSuchTrace {}

impl RoutingTracerProvider {
    /// Returns a reference to a span of this provider, given its context. A reference to
    /// a no-op span cannot be resolved.
    ///
    /// # Cost
    /// A copy of the context, with the selected tracer in its `tracestate`.
    pub fn reference(&self, span: &SpanContext) -> SpanReference {
        let state = self.state().routes.outbound(span);
        let state = state.unwrap_or_else(|| span.trace_state().clone());
        let context = SpanContext::new(
            span.trace_id(),
            span.span_id(),
            span.trace_flags(),
            false,
            state,
        );
        SpanReference { context }
    }

    /// Returns a context below a span that may already have ended. Spans started in it go
    /// to the tracer of the span's trace, and no selector runs.
    ///
    /// If this provider created the reference, it resolves to the tracer instance, even
    /// if its name now belongs to another one. A reference from another process is
    /// resolved by name.
    ///
    /// # Errors
    /// Returns an error if the tracer is not available here. The error is counted as a
    /// lost signal.
    pub fn below(&self, reference: &SpanReference) -> Result<Context, NoSuchTrace> {
        match self.find(&reference.context) {
            Ok(span) => Ok(Context::new().with_remote_span_context(span)),
            Err(error) => {
                self.state().count_late_signal();
                Err(error)
            }
        }
    }

    /// Detaches the run whose span is the current one of `context`. The result can be
    /// stored as text with the run and attached later, also in another process. Returns
    /// `None` if the span does not belong to this provider.
    ///
    /// The span itself stays open until it is ended or dropped. The reference does not
    /// contain the runtime context. Whoever can change the text controls the selected
    /// tracer, so protect it as you protect the run.
    ///
    /// # Examples
    /// ```
    /// use opentelemetry::Context;
    /// use opentelemetry::trace::{TraceContextExt, Tracer, TracerProvider};
    /// use opentelemetry_sdk::trace::SdkTracerProvider;
    /// use spanmux::otel::{RoutingTracerProvider, SpanReference};
    ///
    /// let provider = RoutingTracerProvider::builder()
    ///     .tracer("langfuse", SdkTracerProvider::builder())
    ///     .build()?;
    /// let tracer = provider.tracer("shop");
    /// let run = Context::new().with_span(tracer.start_with_context("answer", &Context::new()));
    /// let stored = provider.detach(&run).ok_or("no run")?.to_string();
    /// drop(run);
    ///
    /// // Later, in any process:
    /// let context = provider.attach(&stored.parse::<SpanReference>()?);
    /// tracer.in_span_with_context("approved", &context, |_context| {}); // in langfuse
    /// assert_eq!(provider.registry().counts().total(), 1); // selected once
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn detach(&self, context: &Context) -> Option<SpanReference> {
        let span = context.span();
        let ours = self.state().routes.outbound(span.span_context());
        ours.map(|_| self.reference(span.span_context()))
    }

    /// Attaches a detached run: returns a context [`below`](Self::below) the detached
    /// span.
    ///
    /// If its tracer is not available here, spans in this context and below are no-ops.
    /// They are [counted](super::DroppedSpans::tracer_gone), and no selector runs: the rest
    /// of a trace is useless without its beginning.
    ///
    /// The context contains nothing else. Attach the
    /// [runtime context](super::RuntimeContextExt) again if its keys are copied onto spans.
    pub fn attach(&self, run: &SpanReference) -> Context {
        let span = self.find(&run.context).unwrap_or_else(|_| {
            let state = run.context.trace_state();
            let nowhere = self
                .state()
                .routes
                .nowhere(tracestate::name(state).unwrap_or_default());
            tracestate::with_state(&run.context, nowhere.put(state))
        });
        Context::new().with_remote_span_context(span)
    }

    /// Returns the span context, adjusted to lead to the tracer of its trace.
    fn find(&self, span: &SpanContext) -> Result<SpanContext, NoSuchTrace> {
        let trace = span.trace_id();
        match self.state().routes.lineage(span) {
            Lineage::ById(_) | Lineage::ByTracestate(_) => Ok(span.clone()),
            Lineage::Gone => Err(NoSuchTrace::TracerGone { trace }),
            Lineage::Root => self.by_name(span).ok_or(NoSuchTrace::Unknown { trace }),
        }
    }

    /// Returns the span context with our own entry if its entry names a registered
    /// tracer.
    fn by_name(&self, span: &SpanContext) -> Option<SpanContext> {
        let encoded = tracestate::name(span.trace_state())?;
        let (name, tracer) = self.state().truncated.find(self.registry(), encoded)?;
        let route = self.state().routes.route(&tracer, &name);
        let state = route.entry().put(span.trace_state());
        Some(tracestate::with_state(span, state))
    }
}
