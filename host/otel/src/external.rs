//! Traces that another system began and whose ids the application knows.

use std::collections::{HashMap, VecDeque};
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use opentelemetry::Context;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState,
};
use parking_lot::Mutex;
use xxhash_rust::xxh64::xxh64;

use super::otel_tracer::OtelTracer;
use super::routes::Route;

/// Maximum number of remembered external traces: some minutes' worth in a busy process.
/// The oldest are forgotten first.
const MAX_REMEMBERED: usize = 4096;

/// The validated ids of a trace that another system began.
///
/// A root span started [in this trace](ExternalTraceExt) gets its trace id. All such root
/// spans go to the tracer of the first one, and no selector runs for the later ones, so a
/// trace is not split between two backends. This applies only to ids provided by the
/// application. For a remote parent received with a request, a tracer is selected for
/// each request, because many tenants may call within one trace.
///
/// Without a parent span id, the root span is the root of the whole trace if the tracer's
/// provider was built here. OpenTelemetry cannot express this for other providers: there
/// the root span gets a nonexistent parent, the same one for all root spans of that trace.
///
/// # Examples
/// ```
/// use spanmux::otel::ExternalTrace;
///
/// let trace = ExternalTrace::new("4bf92f3577b34da6a3ce929d0e0e4736")?;
/// let below = trace.clone().parent("00f067aa0ba902b7")?;
/// # drop((trace, below));
///
/// let error = ExternalTrace::new("4bf92f35").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "invalid trace id \"4bf92f35\": expected 32 hexadecimal digits, found 8"
/// );
/// # Ok::<(), spanmux::otel::ExternalIdError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalTrace {
    pub(super) trace: TraceId,
    pub(super) parent: Option<SpanId>,
}

impl ExternalTrace {
    /// Creates an external trace from a trace id: 32 hexadecimal digits that are not all
    /// zero.
    ///
    /// # Errors
    /// Returns an error if the text is not such an id.
    pub fn new(trace_id: &str) -> Result<Self, ExternalIdError> {
        check("trace id", trace_id, 32)?;
        let trace = TraceId::from_hex(trace_id);
        Ok(Self {
            trace: trace.map_err(|_| ExternalIdError::new("trace id", trace_id, Rule::Hex))?,
            parent: None,
        })
    }

    /// Sets the span of the trace that is the parent of root spans started here: 16
    /// hexadecimal digits that are not all zero. It counts as sampled.
    ///
    /// # Errors
    /// Returns an error if the text is not such an id.
    pub fn parent(self, span_id: &str) -> Result<Self, ExternalIdError> {
        check("span id", span_id, 16)?;
        let parent = SpanId::from_hex(span_id);
        Ok(Self {
            parent: Some(parent.map_err(|_| ExternalIdError::new("span id", span_id, Rule::Hex))?),
            ..self
        })
    }

    /// Returns the trace as a remote parent. If no parent span id was given, one is
    /// derived from the trace id.
    fn span_context(&self) -> SpanContext {
        let made_up = || SpanId::from(xxh64(&self.trace.to_bytes(), 0).max(1));
        let parent = self.parent.unwrap_or_else(made_up);
        let (flags, state) = (TraceFlags::SAMPLED, TraceState::NONE);
        SpanContext::new(self.trace, parent, flags, true, state)
    }
}

/// An error for a text that is not a valid trace id or span id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalIdError {
    what: &'static str,
    value: String,
    rule: Rule,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    Length { wanted: usize, found: usize },
    Hex,
    NotZero,
}

impl ExternalIdError {
    /// The maximum number of characters of an invalid id in the message.
    const SHOWN: usize = 64;

    fn new(what: &'static str, value: &str, rule: Rule) -> Self {
        let value = value.chars().take(Self::SHOWN).collect();
        Self { what, value, rule }
    }
}

fn check(what: &'static str, id: &str, wanted: usize) -> Result<(), ExternalIdError> {
    let rule = if id.chars().count() != wanted {
        let found = id.chars().count();
        Rule::Length { wanted, found }
    } else if !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Rule::Hex
    } else if id.bytes().all(|byte| byte == b'0') {
        Rule::NotZero
    } else {
        return Ok(());
    };
    Err(ExternalIdError::new(what, id, rule))
}

impl fmt::Display for ExternalIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, value) = (self.what, self.value.escape_debug());
        write!(f, "invalid {what} \"{value}\": ")?;
        match self.rule {
            Rule::Length { wanted, found } => {
                write!(f, "expected {wanted} hexadecimal digits, found {found}")
            }
            Rule::Hex => write!(f, "expected only hexadecimal digits"),
            Rule::NotZero => write!(f, "at least one digit must not be zero"),
        }
    }
}

impl Error for ExternalIdError {}

/// Puts an [`ExternalTrace`] into a [`Context`], as the parent of spans started there.
///
/// # Examples
/// ```
/// use opentelemetry::Context;
/// use opentelemetry::trace::{Span, Tracer, TracerProvider};
/// use opentelemetry_sdk::trace::SdkTracerProvider;
/// use spanmux::otel::{ExternalTrace, ExternalTraceExt, RoutingTracerProvider};
///
/// let provider = RoutingTracerProvider::builder()
///     .tracer("only", SdkTracerProvider::builder())
///     .build()?;
/// let trace = ExternalTrace::new("4bf92f3577b34da6a3ce929d0e0e4736")?;
/// let context = Context::new().with_external_trace(&trace);
/// let root = provider.tracer("shop").start_with_context("answer", &context);
/// let id = root.span_context().trace_id();
/// assert_eq!(id.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
/// assert_eq!(provider.external_traces().remembered, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait ExternalTraceExt {
    /// Returns a copy of this context in which root spans start in that trace.
    #[must_use = "the context itself is not changed"]
    fn with_external_trace(&self, trace: &ExternalTrace) -> Self;
}

impl ExternalTraceExt for Context {
    fn with_external_trace(&self, trace: &ExternalTrace) -> Self {
        self.with_value(trace.clone())
            .with_remote_span_context(trace.span_context())
    }
}

/// Returns the external trace of a root span below `parent`, if the application set that
/// parent with [`ExternalTraceExt`].
pub(super) fn of<'c>(context: &'c Context, parent: &SpanContext) -> Option<&'c ExternalTrace> {
    let external = context.get::<ExternalTrace>()?;
    (external.span_context() == *parent).then_some(external)
}

/// Counts of remembered and forgotten external traces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExternalTraces {
    /// External traces whose tracer is remembered: at most the last 4,096.
    pub remembered: usize,
    /// External traces that were forgotten to make room for newer ones. A later root span
    /// of such a trace selects again.
    pub forgotten: u64,
}

/// The routes of external traces.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    routes: HashMap<TraceId, Arc<Route>>,
    /// Sorted by arrival.
    order: VecDeque<TraceId>,
    forgotten: u64,
}

impl Remembered {
    /// Returns the route of a trace and its tracer, if the tracer still exists.
    pub(super) fn find(&self, trace: TraceId) -> Option<(Arc<Route>, Arc<OtelTracer>)> {
        let route = self.state.lock().routes.get(&trace)?.clone();
        let tracer = route.tracer()?;
        Some((route, tracer))
    }

    /// Remembers a route, unless another thread was first. Returns the remembered route.
    pub(super) fn keep(
        &self,
        trace: TraceId,
        route: Arc<Route>,
        tracer: Arc<OtelTracer>,
    ) -> (Arc<Route>, Arc<OtelTracer>) {
        let mut state = self.state.lock();
        match state.routes.get(&trace).cloned() {
            Some(first) => {
                if let Some(tracer) = first.tracer() {
                    return (first, tracer);
                }
            }
            None => state.make_room_for(trace),
        }
        state.routes.insert(trace, route.clone());
        (route, tracer)
    }

    pub(super) fn counts(&self) -> ExternalTraces {
        let state = self.state.lock();
        ExternalTraces {
            remembered: state.routes.len(),
            forgotten: state.forgotten,
        }
    }
}

impl State {
    fn make_room_for(&mut self, trace: TraceId) {
        if self.order.len() >= MAX_REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.routes.remove(&oldest);
            self.forgotten += 1;
        }
        self.order.push_back(trace);
    }
}
