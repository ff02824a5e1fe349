//! The handle that starts AI spans.

use std::fmt;
use std::sync::Arc;

use opentelemetry::Context;
use opentelemetry::trace::{SpanBuilder, Tracer};

use super::open::{OpenSpans, Place, Places};
use super::options::AiOptions;
use super::parent::AiParent;
use super::tracer::AnyTracer;

/// Starts AI spans with a tracer, according to its options. Cheap to clone.
///
/// Any OpenTelemetry tracer works: one of a
/// [`RoutingTracerProvider`](spanmux_otel::RoutingTracerProvider), the global `BoxedTracer`,
/// or the tracer of the SDK. [`AiParent`] has one method for each kind of span.
///
/// # Examples
/// ```
/// use opentelemetry_sdk::trace::SdkTracerProvider;
/// use opentelemetry::trace::TracerProvider;
/// use spanmux::genai::{Ai, Usage};
///
/// let provider = SdkTracerProvider::default();
/// let ai = Ai::new(provider.tracer("shop"));
/// let run = ai.agent_run("shop-assistant").session("s-17").start();
/// let answer = run.generation("gpt-5-mini").provider("openai").start();
/// answer.usage(Usage::new(812, 96).cached(512));
/// answer.end();
/// assert_eq!(ai.open_spans().open, 1);
/// run.end();
/// ```
#[derive(Clone)]
pub struct Ai {
    state: Arc<AiState>,
}

struct AiState {
    tracer: Box<dyn AnyTracer>,
    options: AiOptions,
    places: Arc<Places>,
}

impl Ai {
    /// Creates a handle for this tracer with the default options.
    pub fn new<T>(tracer: T) -> Self
    where
        T: Tracer + Send + Sync + 'static,
        T::Span: Send + Sync + 'static,
    {
        Self::with_options(tracer, AiOptions::new())
    }

    /// Creates a handle for this tracer with the given options.
    pub fn with_options<T>(tracer: T, options: AiOptions) -> Self
    where
        T: Tracer + Send + Sync + 'static,
        T::Span: Send + Sync + 'static,
    {
        Self {
            state: Arc::new(AiState {
                tracer: Box::new(tracer),
                options,
                places: Arc::default(),
            }),
        }
    }

    /// Returns the options.
    pub fn options(&self) -> &AiOptions {
        &self.state.options
    }

    /// Returns the number of open spans and of refused spans.
    pub fn open_spans(&self) -> OpenSpans {
        self.state.places.counts()
    }

    pub(super) fn take_place(&self) -> Option<Place> {
        self.state.places.take(self.state.options.max_open)
    }

    pub(super) fn replaces_attributes(&self) -> bool {
        self.state.tracer.replaces_attributes()
    }

    pub(super) fn start(&self, builder: SpanBuilder, parent: &Context) -> Context {
        self.state.tracer.start(builder, parent)
    }
}

impl AiParent for Ai {
    fn ai(&self) -> &Ai {
        self
    }

    fn parent_context(&self) -> Context {
        Context::current()
    }
}

impl fmt::Debug for Ai {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ai")
            .field("options", &self.state.options)
            .field("spans", &self.open_spans())
            .finish_non_exhaustive()
    }
}
