//! Traces that another system began, and of which the application knows the ids.

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

/// For how many external traces it is remembered where they went. Some minutes' worth
/// of a busy process; the oldest are forgotten first.
const MAX_REMEMBERED: usize = 4096;

/// The ids of a trace that another system began, checked.
///
/// A root that starts [in it](ExternalTraceExt) has its trace id. All of them go to
/// the tracer that the first one was sent to, and no selector is asked for the later
/// ones, so that one trace is not torn between two backends. The ids are taken from
/// the application and not from a request: a remote parent that a request brings is
/// selected for each request, because many tenants may call within one trace.
///
/// Without a parent, the root is the trace's own where the tracer's provider was built
/// here. Elsewhere OpenTelemetry has no way to say so, and it stands below a parent
/// that is nowhere, the same for all roots of that trace.
///
/// # Examples
/// ```
/// use spanmux::otel::ExternalTrace;
///
/// let trace = ExternalTrace::new("4bf92f3577b34da6a3ce929d0e0e4736")?;
/// let below = trace.clone().with_parent("00f067aa0ba902b7")?;
/// # drop((trace, below));
///
/// let error = ExternalTrace::new("4bf92f35").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "the trace id \"4bf92f35\" cannot be used: it must have 32 hexadecimal digits, not 8"
/// );
/// # Ok::<(), spanmux::otel::ExternalIdError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalTrace {
    pub(super) trace: TraceId,
    pub(super) parent: Option<SpanId>,
}

impl ExternalTrace {
    /// A trace by its id: 32 hexadecimal digits, not all of them zero.
    ///
    /// # Errors
    /// The text is something else.
    pub fn new(trace_id: &str) -> Result<Self, ExternalIdError> {
        check("trace id", trace_id, 32)?;
        let trace = TraceId::from_hex(trace_id);
        Ok(Self {
            trace: trace.map_err(|_| ExternalIdError::new("trace id", trace_id, Rule::Hex))?,
            parent: None,
        })
    }

    /// The span of it below which roots start here, by its id: 16 hexadecimal digits,
    /// not all of them zero. It counts as sampled.
    ///
    /// # Errors
    /// The text is something else.
    pub fn with_parent(self, span_id: &str) -> Result<Self, ExternalIdError> {
        check("span id", span_id, 16)?;
        let parent = SpanId::from_hex(span_id);
        Ok(Self {
            parent: Some(parent.map_err(|_| ExternalIdError::new("span id", span_id, Rule::Hex))?),
            ..self
        })
    }

    /// As a remote parent. Without one of its own, it is made of the trace id.
    fn span_context(&self) -> SpanContext {
        let made_up = || SpanId::from(xxh64(&self.trace.to_bytes(), 0).max(1));
        let parent = self.parent.unwrap_or_else(made_up);
        let (flags, state) = (TraceFlags::SAMPLED, TraceState::NONE);
        SpanContext::new(self.trace, parent, flags, true, state)
    }
}

/// Why a text is no id of a trace or of a span.
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
    /// How much of a wrong id is shown, in characters.
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
        write!(f, "the {what} \"{value}\" cannot be used: ")?;
        match self.rule {
            Rule::Length { wanted, found } => {
                write!(f, "it must have {wanted} hexadecimal digits, not {found}")
            }
            Rule::Hex => write!(f, "it must have hexadecimal digits and nothing else"),
            Rule::NotZero => write!(f, "not all of its digits may be zero"),
        }
    }
}

impl Error for ExternalIdError {}

/// Puts an [`ExternalTrace`] into a [`Context`], as the parent of what starts there.
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
    /// A copy of this context in which roots start in that trace.
    #[must_use = "the context itself is not changed"]
    fn with_external_trace(&self, trace: &ExternalTrace) -> Self;
}

impl ExternalTraceExt for Context {
    fn with_external_trace(&self, trace: &ExternalTrace) -> Self {
        self.with_value(trace.clone())
            .with_remote_span_context(trace.span_context())
    }
}

/// The external trace whose root starts below `parent`, if that was put there by the
/// application.
pub(super) fn of<'c>(context: &'c Context, parent: &SpanContext) -> Option<&'c ExternalTrace> {
    let external = context.get::<ExternalTrace>()?;
    (external.span_context() == *parent).then_some(external)
}

/// What is remembered of external traces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExternalTraces {
    /// Traces of which it is known where they went: the last 4,096.
    pub remembered: usize,
    /// Traces that were forgotten for newer ones. A later root of one of them is
    /// selected anew.
    pub forgotten: u64,
}

/// Where external traces went.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    routes: HashMap<TraceId, Arc<Route>>,
    /// In the order in which they came.
    order: VecDeque<TraceId>,
    forgotten: u64,
}

impl Remembered {
    /// The route of a trace, and its tracer if that still is.
    pub(super) fn find(&self, trace: TraceId) -> Option<(Arc<Route>, Arc<OtelTracer>)> {
        let route = self.state.lock().routes.get(&trace)?.clone();
        let tracer = route.tracer()?;
        Some((route, tracer))
    }

    /// Remembers a route, if no other thread was first; the one that counts.
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
