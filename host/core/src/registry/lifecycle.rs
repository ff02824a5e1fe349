//! Flushing tracers and shutting them down, each on its own: one that fails or hangs
//! does not keep the others from it.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::parallel::{self, Outcome};

/// How long tracers have for a flush or a shutdown, unless it is said.
pub(super) const DEFAULT_TIME: Duration = Duration::from_secs(10);

/// What a registry does with its tracers beyond choosing among them.
///
/// The methods do nothing unless they are written, so `impl Lifecycle for Mine {}`
/// is enough for a tracer that holds nothing back. They are called on a thread of
/// their own.
pub trait Lifecycle: Send + Sync {
    /// Exports what is held back, and keeps running.
    ///
    /// # Errors
    /// Whatever the tracer calls a failure; it is reported and not acted on. An
    /// [`Undelivered`] is reported with its numbers.
    fn force_flush(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(())
    }

    /// Exports what is held back, and then nothing any more.
    ///
    /// # Errors
    /// As [`force_flush`](Self::force_flush).
    fn shutdown(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(())
    }

    /// [`force_flush`](Self::force_flush), which is what it does unless it is written, for a
    /// tracer that can keep to a time. One that cannot is not waited for.
    ///
    /// # Errors
    /// As [`force_flush`](Self::force_flush).
    fn force_flush_with_timeout(
        &self,
        _time: Duration,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.force_flush()
    }

    /// [`shutdown`](Self::shutdown), for a tracer that can keep to a time.
    ///
    /// # Errors
    /// As [`force_flush`](Self::force_flush).
    fn shutdown_with_timeout(&self, _time: Duration) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.shutdown()
    }
}

/// What a tracer could not deliver.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undelivered {
    /// Spans that were lost since it was told last.
    pub lost: u64,
    /// Spans that still waited when the time was up.
    pub waiting: u64,
    /// Whether the time was up.
    pub timed_out: bool,
    /// Which, and why.
    pub message: String,
}

impl fmt::Display for Undelivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Undelivered {}

/// How flushing or shutting down went, tracer by tracer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "a tracer that failed may have lost spans"]
#[non_exhaustive]
pub struct LifecycleReport {
    /// The tracers that it worked for, by the first of their names: what ended before
    /// was delivered.
    pub succeeded: Vec<String>,
    /// The tracers that it failed for, or that were not done in time.
    pub failed: Vec<LifecycleFailure>,
}

/// One tracer that could not be flushed or shut down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LifecycleFailure {
    /// The first of the tracer's names.
    pub tracer: String,
    /// What it said.
    pub message: String,
    /// Whether the time was up. It may go on and succeed.
    pub timed_out: bool,
    /// Spans that were lost since this was reported last, as far as it says.
    pub lost: u64,
    /// Spans that still waited when the time was up, as far as it says.
    pub waiting: u64,
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

/// The error of a flush or a shutdown: every tracer that failed, and why.
///
/// Made by [`LifecycleReport::into_result`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LifecycleError {
    /// The tracers that failed. Never empty.
    pub failed: Vec<LifecycleFailure>,
}

impl fmt::Display for LifecycleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, failure) in self.failed.iter().enumerate() {
            let separator = if number == 0 { "" } else { "; " };
            write!(f, "{separator}{failure}")?;
        }
        Ok(())
    }
}

impl Error for LifecycleError {}

type Step<T> = fn(Arc<T>, Duration) -> Result<(), Box<dyn Error + Send + Sync>>;

impl LifecycleReport {
    /// Converts the report into a `Result`, for `provider.shutdown().into_result()?`.
    ///
    /// # Errors
    /// Returns [`LifecycleError`] with all failures if any tracer failed.
    ///
    /// # Examples
    /// ```
    /// use spanmux::{Lifecycle, TracerRegistry};
    /// use std::error::Error;
    ///
    /// struct Broken;
    ///
    /// impl Lifecycle for Broken {
    ///     fn shutdown(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
    ///         Err("the disk is full".into())
    ///     }
    /// }
    ///
    /// let registry = TracerRegistry::new();
    /// registry.register("a", Broken)?;
    /// registry.register("b", Broken)?;
    /// registry.force_flush().into_result()?;
    /// let error = registry.shutdown().into_result().unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "tracer \"a\": the disk is full; tracer \"b\": the disk is full"
    /// );
    /// # Ok::<(), Box<dyn Error>>(())
    /// ```
    pub fn into_result(self) -> Result<(), LifecycleError> {
        let Self { failed, .. } = self;
        if failed.is_empty() {
            Ok(())
        } else {
            Err(LifecycleError { failed })
        }
    }

    #[doc(hidden)]
    pub fn force_flush<T: Lifecycle + 'static>(
        tracers: Vec<(String, Arc<T>)>,
        time: Duration,
    ) -> Self {
        Self::of(tracers, time, |tracer, time| {
            tracer.force_flush_with_timeout(time)
        })
    }

    #[doc(hidden)]
    pub fn shutdown<T: Lifecycle + 'static>(
        tracers: Vec<(String, Arc<T>)>,
        time: Duration,
    ) -> Self {
        Self::of(tracers, time, |tracer, time| {
            tracer.shutdown_with_timeout(time)
        })
    }

    #[doc(hidden)]
    pub fn of<T: Lifecycle + 'static>(
        tracers: Vec<(String, Arc<T>)>,
        time: Duration,
        step: Step<T>,
    ) -> Self {
        let (names, tracers): (Vec<_>, Vec<_>) = tracers.into_iter().unzip();
        let outcomes = parallel::each(tracers, time, step);
        let mut report = Self::default();
        for (tracer, outcome) in names.into_iter().zip(outcomes) {
            report.add(tracer, outcome, time);
        }
        report
    }

    fn add(
        &mut self,
        tracer: String,
        outcome: Outcome<Result<(), Box<dyn Error + Send + Sync>>>,
        time: Duration,
    ) {
        let undelivered = match outcome {
            Outcome::Done(Ok(())) => return self.succeeded.push(tracer),
            Outcome::Done(Err(error)) => match error.downcast::<Undelivered>() {
                Ok(undelivered) => *undelivered,
                Err(error) => saying(error.to_string()),
            },
            Outcome::Failed(message) => saying(message),
            Outcome::TimedOut => Undelivered {
                timed_out: true,
                ..saying(format!("it did not answer within {time:?}"))
            },
        };
        self.failed.push(LifecycleFailure {
            tracer,
            message: undelivered.message,
            timed_out: undelivered.timed_out,
            lost: undelivered.lost,
            waiting: undelivered.waiting,
        });
    }
}

fn saying(message: String) -> Undelivered {
    Undelivered {
        message,
        ..Undelivered::default()
    }
}
