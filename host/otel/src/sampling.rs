//! Whether a trace is recorded at all, decided once, when it begins.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use opentelemetry::trace::{Link, SpanKind, TraceContextExt as _, TraceId};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, SamplingResult, ShouldSample};

use super::attributes::StartAttributes;
use super::runtime_context::RuntimeContextExt as _;
use super::tracer::kind;
use spanmux_core::{ContextView, RootSpan, RuntimeContext};

/// Whether a tracer records a trace. Asked once for each trace, after the tracer
/// was chosen; there is no second choice if it says no.
///
/// Children do what their root does. A trace that comes from elsewhere is recorded
/// if it was recorded there, except that `Never` records nothing.
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
    /// Every trace.
    #[default]
    Always,
    /// No trace.
    Never,
    /// A share of the traces, told from the trace id, so that services agree.
    Ratio(Ratio),
    /// What a function of the runtime context says.
    Custom(Custom),
}

impl Sampling {
    /// Records this share of the traces.
    ///
    /// # Errors
    /// [`SamplingError`] unless `share` is between 0 and 1.
    pub fn ratio(share: f64) -> Result<Self, SamplingError> {
        match (0.0..=1.0).contains(&share) {
            true => Ok(Self::Ratio(Ratio(share))),
            false => Err(SamplingError { share }),
        }
    }

    /// Records the traces for which `keeps` says so. It sees what a selector sees,
    /// the `span.` keys too. If it panics, the trace is recorded.
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
    /// The share.
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
        // It is somebody else's code, and the call that starts a span must not fail.
        let keeps = catch_unwind(AssertUnwindSafe(|| self.0.keeps(&view))).unwrap_or(true);
        SamplingResult {
            decision: match keeps {
                true => SamplingDecision::RecordAndSample,
                false => SamplingDecision::Drop,
            },
            attributes: Vec::new(),
            trace_state: parent
                .map(|cx| cx.span().span_context().trace_state().clone())
                .unwrap_or_default(),
        }
    }
}

/// A share that is not between 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SamplingError {
    /// What was given.
    pub share: f64,
}

impl fmt::Display for SamplingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the sampling ratio {} is not between 0 and 1; 0.1 records every tenth trace",
            self.share
        )
    }
}

impl std::error::Error for SamplingError {}
