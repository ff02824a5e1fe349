//! Signals that arrive after the end of their trace.

use opentelemetry::trace::{
    Link, SpanBuilder, TraceContextExt as _, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue, StringValue};

use super::attributes::Attributes;
use super::keys;
use super::options::AiOptions;
use spanmux_otel::{NoSuchTrace, RoutingTracer, RoutingTracerProvider, SpanReference};

/// Sends scores, feedback and links for spans that may have ended long ago. Each becomes a
/// short child span of its subject, in the tracer that has the subject's trace and never in
/// another one.
///
/// A score is the event `gen_ai.evaluation.result` on that child span, and in OpenInference
/// the attributes `evaluations.0.evaluation.*`. Langfuse, MLflow and Phoenix display both as
/// an event and attributes. Their score lists have separate APIs.
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
    /// Creates a sender for the traces of this provider.
    pub fn new(provider: &RoutingTracerProvider, options: AiOptions) -> Self {
        Self {
            provider: provider.clone(),
            tracer: provider.tracer("spanmux"),
            options,
        }
    }

    /// Sends a score for a span.
    ///
    /// # Errors
    /// Returns an error if this process does not have the tracer of the trace. The score is
    /// counted as lost ([`DroppedSpans::late_signals`](spanmux_otel::DroppedSpans::late_signals)).
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

    /// Links a span to another one, which may be in another tracer.
    ///
    /// # Errors
    /// Returns an error if this process does not have the tracer of `from`'s trace. The link
    /// is counted as lost.
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

/// An evaluation of a span by a person, a model or a program.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a score has no effect until it is sent"]
pub struct Score {
    name: String,
    value: Option<f64>,
    label: Option<StringValue>,
    explanation: Option<String>,
    judge: Option<&'static str>,
}

impl Score {
    /// Creates a score for a criterion: `helpful`, `relevance`. Names should have a low
    /// cardinality.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: None,
            label: None,
            explanation: None,
            judge: None,
        }
    }

    /// Sets the numeric result.
    pub fn value(mut self, value: f64) -> Self {
        self.value = Some(value);
        self
    }

    /// Sets the result label: `pass`, `fail`.
    pub fn label(mut self, label: impl Into<StringValue>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Sets the explanation. It is recorded even if content is not captured.
    pub fn explanation(mut self, explanation: impl Into<String>) -> Self {
        self.explanation = Some(explanation.into());
        self
    }

    /// Marks the score as human feedback.
    pub fn by_human(mut self) -> Self {
        self.judge = Some("HUMAN");
        self
    }

    /// Marks the score as the result of a model.
    pub fn by_model(mut self) -> Self {
        self.judge = Some("LLM");
        self
    }

    /// Marks the score as the result of a program.
    pub fn by_code(mut self) -> Self {
        self.judge = Some("CODE");
        self
    }

    /// Records the OpenInference attributes on the span and the GenAI attributes on the
    /// event.
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
