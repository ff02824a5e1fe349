//! The value that AI spans start from.

use std::fmt;
use std::sync::Arc;

use opentelemetry::Context;
use opentelemetry::trace::{SpanBuilder, Tracer};

use super::open::{OpenSpans, Place, Places};
use super::options::AiOptions;
use super::parent::AiParent;
use super::tracer::AnyTracer;

/// Starts AI spans over a tracer, written as its options say. Cheap to clone.
///
/// The tracer is any: one of a
/// [`RoutingTracerProvider`](spanmux_otel::RoutingTracerProvider), the global
/// `BoxedTracer`, or the SDK's own. An [`AiSpan`](super::AiSpan) starts spans with the same methods.
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
    shared: Arc<Shared>,
}

struct Shared {
    tracer: Box<dyn AnyTracer>,
    options: AiOptions,
    places: Arc<Places>,
}

impl Ai {
    /// AI spans of this tracer, with the default options.
    pub fn new<T>(tracer: T) -> Self
    where
        T: Tracer + Send + Sync + 'static,
        T::Span: Send + Sync + 'static,
    {
        Self::with_options(tracer, AiOptions::new())
    }

    /// AI spans of this tracer, written as the options say.
    pub fn with_options<T>(tracer: T, options: AiOptions) -> Self
    where
        T: Tracer + Send + Sync + 'static,
        T::Span: Send + Sync + 'static,
    {
        Self {
            shared: Arc::new(Shared {
                tracer: Box::new(tracer),
                options,
                places: Arc::default(),
            }),
        }
    }

    /// How its spans are written.
    pub fn options(&self) -> &AiOptions {
        &self.shared.options
    }

    /// How many of its spans are open, and how many were refused.
    pub fn open_spans(&self) -> OpenSpans {
        self.shared.places.counts()
    }

    pub(super) fn take_place(&self) -> Option<Place> {
        self.shared.places.take(self.shared.options.max_open)
    }

    pub(super) fn start(&self, builder: SpanBuilder, parent: &Context) -> Context {
        self.shared.tracer.start(builder, parent)
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
            .field("options", &self.shared.options)
            .field("spans", &self.open_spans())
            .finish_non_exhaustive()
    }
}
