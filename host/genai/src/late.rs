//! Signals that come when their trace is long over.

use opentelemetry::trace::{
    Link, SpanBuilder, TraceContextExt as _, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue, StringValue};

use super::attributes::Attributes;
use super::keys;
use super::options::AiOptions;
use spanmux_otel::{NoSuchTrace, RoutingTracer, RoutingTracerProvider, SpanReference};

/// Scores, feedback and links for spans that may be long over. Each becomes a short
/// span below the one that it is about, in the tracer that has that trace, and never
/// in another.
///
/// A score is the event `gen_ai.evaluation.result` on that span, and in OpenInference
/// the attributes `evaluations.0.evaluation.*`. Langfuse, MLflow and Phoenix show both
/// as what they are, an event and attributes; for their own lists of scores they have
/// interfaces of their own.
///
/// # Examples
/// ```
/// use opentelemetry_sdk::trace::SdkTracerProvider;
/// use opentelemetry::trace::TracerProvider;
/// use spanmux::genai::{Ai, AiOptions, LateSignals, Score};
/// use spanmux::otel::RoutingTracerProvider;
///
/// let provider = RoutingTracerProvider::builder()
///     .tracer("langfuse", SdkTracerProvider::builder())
///     .build()?;
/// let run = Ai::new(provider.tracer("shop")).agent_run("shop-assistant").start();
/// let kept = provider.reference(&run.span_context()).to_string();
/// run.end();
///
/// // Days later, and perhaps in another process:
/// let signals = LateSignals::new(&provider, AiOptions::new());
/// signals.score(&kept.parse()?, Score::new("helpful").value(1.0).by_human())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct LateSignals {
    provider: RoutingTracerProvider,
    tracer: RoutingTracer,
    options: AiOptions,
}

impl LateSignals {
    /// Signals for the traces of this provider, written as the options say.
    pub fn new(provider: &RoutingTracerProvider, options: AiOptions) -> Self {
        Self {
            provider: provider.clone(),
            tracer: provider.tracer("spanmux"),
            options,
        }
    }

    /// Scores a span.
    ///
    /// # Errors
    /// The tracer that has the trace is not here. The score is counted as lost
    /// ([`DroppedSpans::late_signals`](spanmux_otel::DroppedSpans::late_signals)).
    pub fn score(&self, of: &SpanReference, score: Score) -> Result<(), NoSuchTrace> {
        let parent = self.provider.below(of)?;
        let mut attributes = Attributes::new(&self.options);
        attributes.say(keys::SPAN_KIND, "EVALUATOR");
        let mut result = Attributes::new(&self.options);
        score.say(&mut attributes, &mut result);
        let builder = SpanBuilder::from_name(format!("evaluate {}", score.name))
            .with_attributes(attributes.into_list());
        let context = self.start(builder, &parent);
        let result = result.into_list();
        if !result.is_empty() {
            context.span().add_event(keys::EVALUATION, result);
        }
        context.span().end();
        Ok(())
    }

    /// Links a span to another, which may be in another tracer.
    ///
    /// # Errors
    /// The tracer that has the trace of `from` is not here. The link is counted as
    /// lost.
    pub fn link(
        &self,
        from: &SpanReference,
        to: &SpanReference,
        attributes: Vec<KeyValue>,
    ) -> Result<(), NoSuchTrace> {
        let parent = self.provider.below(from)?;
        let link = Link::new(to.span_context().clone(), attributes, 0);
        let builder = SpanBuilder::from_name("link").with_links(vec![link]);
        self.start(builder, &parent).span().end();
        Ok(())
    }

    fn start(&self, builder: SpanBuilder, parent: &Context) -> Context {
        parent.with_span(self.tracer.build_with_context(builder, parent))
    }
}

/// A judgement of what a span did: of a person, a model or a program.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a score does nothing until it is sent"]
pub struct Score {
    name: String,
    value: Option<f64>,
    label: Option<StringValue>,
    explanation: Option<String>,
    judge: Option<&'static str>,
}

impl Score {
    /// By what it is judged: `helpful`, `relevance`. One of few.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: None,
            label: None,
            explanation: None,
            judge: None,
        }
    }

    /// The result as a number.
    pub fn value(mut self, value: f64) -> Self {
        self.value = Some(value);
        self
    }

    /// The result as a word: `pass`, `fail`.
    pub fn label(mut self, label: impl Into<StringValue>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Why. It is written whether content is captured or not.
    pub fn explanation(mut self, explanation: impl Into<String>) -> Self {
        self.explanation = Some(explanation.into());
        self
    }

    /// A person judged: feedback.
    pub fn by_human(mut self) -> Self {
        self.judge = Some("HUMAN");
        self
    }

    /// A model judged.
    pub fn by_model(mut self) -> Self {
        self.judge = Some("LLM");
        self
    }

    /// A program judged.
    pub fn by_code(mut self) -> Self {
        self.judge = Some("CODE");
        self
    }

    /// OpenInference's words are the span's, those of GenAI the event's.
    fn say(&self, span: &mut Attributes, event: &mut Attributes) {
        let explanation = self.explanation.as_deref();
        let explanation = explanation.map(|text| span.limits().text(text));
        let mut say = |key: keys::Key, value: opentelemetry::Value| {
            span.say(keys::open_inference(key.open_inference), value.clone());
            event.say(keys::gen_ai(key.gen_ai), value);
        };
        say(keys::EVALUATION_NAME, self.name.clone().into());
        if let Some(value) = self.value {
            say(keys::EVALUATION_VALUE, value.into());
        }
        if let Some(label) = &self.label {
            say(keys::EVALUATION_LABEL, label.clone().into());
        }
        if let Some(explanation) = explanation {
            say(keys::EVALUATION_EXPLANATION, explanation.into());
        }
        if let Some(judge) = self.judge {
            say(keys::ANNOTATOR, judge.into());
        }
    }
}
