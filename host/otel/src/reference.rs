//! References to spans that outlive them: for signals that come late.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use opentelemetry::Context;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState,
};

use super::inbound;
use super::mark;
use super::provider::RoutingTracerProvider;
use super::routes::Lineage;

/// A span, to come back to when it is long over: a score, feedback, a link.
///
/// It knows which tracer has the trace. As text it is the span's W3C `traceparent`
/// and, behind a space, its `tracestate`; it can be kept in a database and used in
/// another process.
///
/// What it says of the tracer is believed. Take it from where you put it, and not
/// from a request.
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
    /// The span's ids, as of a span of this process.
    pub fn span_context(&self) -> &SpanContext {
        &self.context
    }
}

impl fmt::Display for SpanReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let context = &self.context;
        let (trace, span) = (context.trace_id(), context.span_id());
        write!(f, "00-{trace}-{span}-{:02x}", context.trace_flags().to_u8())?;
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
    let mut fields = parent.split('-');
    let (version, trace, span, flags) = (
        fields.next()?,
        fields.next()?,
        fields.next()?,
        fields.next()?,
    );
    let is_hex = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let lengths = [version, trace, span, flags].map(str::len);
    if lengths != [2, 32, 16, 2] || version != "00" || fields.next().is_some() {
        return None;
    }
    if ![trace, span, flags].into_iter().all(is_hex) {
        return None;
    }
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        TraceFlags::new(u8::from_str_radix(flags, 16).ok()?),
        false,
        state.parse::<TraceState>().ok()?,
    );
    context.is_valid().then_some(SpanReference { context })
}

/// Why a text is no [`SpanReference`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceError {
    text: String,
}

impl ReferenceError {
    /// How much of the text is shown, in characters.
    const SHOWN: usize = 80;
}

impl fmt::Display for ReferenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.text.escape_debug();
        write!(
            f,
            "\"{text}\" is no reference to a span; \
             it must be a traceparent, and behind a space the tracestate"
        )
    }
}

impl Error for ReferenceError {}

/// Why nothing can be put below a span: its trace's tracer is not here. What was to be
/// put there goes nowhere, and is counted
/// ([`LostSpans::late_signals`](super::LostSpans::late_signals)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoSuchTrace {
    /// The tracer that has the trace was unregistered, and is gone.
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
                write!(f, "the tracer that has the trace {trace} is gone")
            }
            Self::Unknown { trace } => write!(
                f,
                "no tracer that is registered here has the trace {trace}; \
                 take references from `RoutingTracerProvider::reference`"
            ),
        }
    }
}

impl Error for NoSuchTrace {}

impl RoutingTracerProvider {
    /// A reference to a span of this provider, by its context. That of a span that
    /// does nothing leads nowhere.
    ///
    /// # Cost
    /// A copy of the context, with the choice of the tracer in its `tracestate`.
    pub fn reference(&self, span: &SpanContext) -> SpanReference {
        let state = self.shared().routes.outbound(span);
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

    /// A context below a span that may be long over. What starts in it goes to the
    /// tracer that has the span's trace, and no selector is asked.
    ///
    /// A tracer of this very provider is found as the value that it is, whatever its
    /// name means by now; that of another process by its name.
    ///
    /// # Errors
    /// That tracer is not here. This is counted as lost.
    pub fn below(&self, reference: &SpanReference) -> Result<Context, NoSuchTrace> {
        match self.find(&reference.context) {
            Ok(span) => Ok(Context::new().with_remote_span_context(span)),
            Err(error) => {
                self.shared().count_late_signal();
                Err(error)
            }
        }
    }

    /// Puts the run aside whose span is the current one of `context`, perhaps for
    /// another process: the text of what is left can be stored with the run. None if
    /// the span is not one of this provider's.
    ///
    /// The span itself stays open until it is ended or dropped. The runtime context is
    /// no part of it. Whoever can change the text chooses the tracer, so keep it as you
    /// keep the run.
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
    /// let stored = provider.suspend(&run).ok_or("no run")?.to_string();
    /// drop(run);
    ///
    /// // Tomorrow, elsewhere:
    /// let context = provider.resume(&stored.parse::<SpanReference>()?);
    /// tracer.in_span_with_context("approved", &context, |_context| {}); // in langfuse
    /// assert_eq!(provider.registry().counts().total(), 1); // asked once
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn suspend(&self, context: &Context) -> Option<SpanReference> {
        let span = context.span();
        let ours = self.shared().routes.outbound(span.span_context());
        ours.map(|_| self.reference(span.span_context()))
    }

    /// The context in which a suspended run goes on: [`below`](Self::below) the span
    /// that was suspended.
    ///
    /// If its tracer is not here, the spans do nothing, and so do those below them;
    /// they are [counted](super::LostSpans::tracer_gone), and no selector is asked: the
    /// rest of a trace is of no use anywhere but beside its beginning.
    ///
    /// Nothing else is attached to the context; attach the
    /// [runtime context](super::RuntimeContextExt) anew if its keys are copied onto
    /// spans.
    pub fn resume(&self, run: &SpanReference) -> Context {
        let span = self.find(&run.context).unwrap_or_else(|_| {
            let state = run.context.trace_state();
            let nowhere = self
                .shared()
                .routes
                .nowhere(mark::name(state).unwrap_or_default());
            mark::with_state(&run.context, nowhere.put(state))
        });
        Context::new().with_remote_span_context(span)
    }

    /// The span in a context that leads to the tracer which has the trace.
    fn find(&self, span: &SpanContext) -> Result<SpanContext, NoSuchTrace> {
        let trace = span.trace_id();
        match self.shared().routes.lineage(span) {
            Lineage::ById(_) | Lineage::ByMark(_) => Ok(span.clone()),
            Lineage::Gone => Err(NoSuchTrace::TracerGone { trace }),
            Lineage::Root => self.by_name(span).ok_or(NoSuchTrace::Unknown { trace }),
        }
    }

    /// The span with our own mark, if its mark names a tracer that is registered here.
    fn by_name(&self, span: &SpanContext) -> Option<SpanContext> {
        let encoded = mark::name(span.trace_state())?;
        let (name, tracer) = inbound::find(self.registry(), encoded)?;
        let route = self.shared().routes.route(&tracer, &name);
        let state = route.mark().put(span.trace_state());
        Some(mark::with_state(span, state))
    }
}
