//! Sampling: decides once, when a trace begins, whether it is recorded.

use std::cell::Cell;
use std::fmt;

use opentelemetry::trace::{Link, SpanKind, TraceContextExt as _, TraceId};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, SamplingResult, ShouldSample};

use super::attributes::StartAttributes;
use super::runtime_context::RuntimeContextExt as _;
use super::tracer::kind;
use super::user_code;
use spanmux_core::{ContextView, RootSpan, RuntimeContext};

/// The sampling of a tracer. It is evaluated once for each trace, after the tracer was
/// selected. If a trace is not sampled, no other tracer is selected.
///
/// Children follow their root. A trace from another process is recorded if it was
/// recorded there, except that `Never` records nothing.
///
/// # Examples
/// ```
/// use spanmux::otel::Sampling;
///
/// let tenth = Sampling::ratio(0.1)?;
/// let paying = Sampling::custom(|context| context.text("user.tier") != Some("free"));
/// assert!(Sampling::ratio(1.5).is_err());
/// # let _ = (tenth, paying);
/// # Ok::<(), spanmux::otel::SamplingError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Sampling {
    /// Records every trace.
    #[default]
    Always,
    /// Records no trace.
    Never,
    /// Records a share of the traces. The decision depends on the trace id, so services
    /// agree.
    Ratio(Ratio),
    /// Records the traces for which a function of the runtime context returns `true`.
    Custom(Custom),
}

impl Sampling {
    /// Records this share of the traces.
    ///
    /// # Errors
    /// Returns [`SamplingError`] if `share` is not between 0 and 1.
    pub fn ratio(share: f64) -> Result<Self, SamplingError> {
        if (0.0..=1.0).contains(&share) {
            Ok(Self::Ratio(Ratio(share)))
        } else {
            Err(SamplingError { share })
        }
    }

    /// Records the traces for which `keeps` returns `true`. It receives the same context
    /// view as a selector, including the `span.` keys. If it panics, the trace is
    /// recorded. Spans that it starts are no-ops.
    pub fn custom(
        keeps: impl Fn(&ContextView<'_>) -> bool + Clone + Send + Sync + 'static,
    ) -> Self {
        Self::Custom(Custom(Box::new(keeps)))
    }

    pub(super) fn sampler(self) -> Box<dyn ShouldSample> {
        match self {
            Self::Always => Box::new(Sampler::ParentBased(Box::new(Sampler::AlwaysOn))),
            Self::Never => Box::new(Sampler::AlwaysOff),
            Self::Ratio(Ratio(share)) => Box::new(Sampler::ParentBased(Box::new(
                Sampler::TraceIdRatioBased(share),
            ))),
            Self::Custom(custom) => Box::new(Sampler::ParentBased(Box::new(custom))),
        }
    }
}

/// A share between 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio(f64);

impl Ratio {
    /// Returns the share.
    pub fn get(self) -> f64 {
        self.0
    }
}

/// A function of the runtime context.
#[derive(Clone)]
pub struct Custom(Box<dyn Keeps>);

trait Keeps: Send + Sync {
    fn keeps(&self, context: &ContextView<'_>) -> bool;
    fn boxed(&self) -> Box<dyn Keeps>;
}

impl<F: Fn(&ContextView<'_>) -> bool + Clone + Send + Sync + 'static> Keeps for F {
    fn keeps(&self, context: &ContextView<'_>) -> bool {
        self(context)
    }

    fn boxed(&self) -> Box<dyn Keeps> {
        Box::new(self.clone())
    }
}

impl Clone for Box<dyn Keeps> {
    fn clone(&self) -> Self {
        (**self).boxed()
    }
}

impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("custom")
    }
}

thread_local! {
    static IS_ASKING: Cell<bool> = const { Cell::new(false) };
}

impl Custom {
    /// Asks the function. A root span that it starts itself, with the provider of the SDK
    /// below this tracer, is not recorded.
    fn keeps(&self, view: &ContextView<'_>) -> bool {
        if IS_ASKING.replace(true) {
            return false;
        }
        let keeps = user_code::run("sampler", || self.0.keeps(view));
        IS_ASKING.set(false);
        keeps.unwrap_or(true)
    }
}

impl ShouldSample for Custom {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        _trace: TraceId,
        name: &str,
        span_kind: &SpanKind,
        attributes: &[KeyValue],
        _links: &[Link],
    ) -> SamplingResult {
        let attributes = StartAttributes::new(attributes);
        let span = RootSpan::with_attributes(name, kind(Some(span_kind)), &attributes);
        let nothing = RuntimeContext::empty();
        let run = parent.and_then(|cx| cx.runtime_context());
        let view = run.unwrap_or(&nothing).view_with_span(&span);
        let keeps = self.keeps(&view);
        SamplingResult {
            decision: if keeps {
                SamplingDecision::RecordAndSample
            } else {
                SamplingDecision::Drop
            },
            attributes: Vec::new(),
            trace_state: parent
                .map(|cx| cx.span().span_context().trace_state().clone())
                .unwrap_or_default(),
        }
    }
}

/// An error for a share that is not between 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct SamplingError {
    /// The given share.
    pub share: f64,
}

impl fmt::Display for SamplingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "invalid sampling ratio {}; expected a number from 0 to 1, where 0.1 records 10%",
            self.share
        )
    }
}

impl std::error::Error for SamplingError {}
