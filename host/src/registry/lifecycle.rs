//! Flushing tracers and shutting them down, each on its own: one that fails does
//! not keep the others from it.

use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::selector::panic_message;

/// What a registry does with its tracers beyond choosing among them.
///
/// The methods do nothing unless they are written, so `impl Lifecycle for Mine {}`
/// is enough for a tracer that holds nothing back.
pub trait Lifecycle: Send + Sync {
    /// Exports what is held back, and keeps running.
    ///
    /// # Errors
    /// Whatever the tracer calls a failure; it is reported and not acted on.
    fn flush(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(())
    }

    /// Exports what is held back, and then nothing any more.
    ///
    /// # Errors
    /// Whatever the tracer calls a failure; it is reported and not acted on.
    fn shutdown(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(())
    }
}

/// How flushing or shutting down went, tracer by tracer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "a tracer that failed may have lost spans"]
pub struct LifecycleReport {
    /// The tracers that it worked for, by the first of their names.
    pub succeeded: Vec<String>,
    /// The tracers that it failed for.
    pub failed: Vec<LifecycleFailure>,
}

/// One tracer that could not be flushed or shut down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LifecycleFailure {
    /// The first of the tracer's names.
    pub tracer: String,
    /// What it said.
    pub message: String,
}

impl fmt::Display for LifecycleFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "tracer \"{}\": {}",
            self.tracer.escape_debug(),
            self.message
        )
    }
}

impl LifecycleReport {
    pub(crate) fn of<T>(
        tracers: Vec<(String, Arc<T>)>,
        step: impl Fn(&T) -> Result<(), Box<dyn Error + Send + Sync>>,
    ) -> Self {
        let mut report = Self::default();
        for (tracer, instance) in tracers {
            // A tracer is somebody else's code, and the next one must have its turn.
            let outcome = catch_unwind(AssertUnwindSafe(|| step(&instance)));
            let message = match outcome {
                Ok(Ok(())) => {
                    report.succeeded.push(tracer);
                    continue;
                }
                Ok(Err(error)) => error.to_string(),
                Err(panic) => panic_message(&*panic),
            };
            report.failed.push(LifecycleFailure { tracer, message });
        }
        report
    }

    /// This report and another as one.
    #[cfg(feature = "otel")]
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.succeeded.extend(other.succeeded);
        self.failed.extend(other.failed);
        self
    }
}
