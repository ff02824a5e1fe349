//! Flushing and shutting down tracers. Each is called on its own thread: one that fails or hangs
//! does not affect the others.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::parallel::{self, Outcome, UnderWay};

/// The default time limit of a flush or a shutdown.
pub(super) const DEFAULT_TIME: Duration = Duration::from_secs(10);

/// The operations of a tracer that a registry calls in addition to selection.
///
/// All methods default to doing nothing, so `impl Lifecycle for Mine {}` is enough for a tracer
/// that buffers nothing. They are called on a thread of their own.
pub trait Lifecycle: Send + Sync {
    /// Exports buffered data and keeps running.
    ///
    /// # Errors
    /// Any failure of the tracer. It is reported and has no other effect. An [`Undelivered`] is
    /// reported with its numbers.
    fn force_flush(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(())
    }

    /// Exports buffered data and stops.
    ///
    /// # Errors
    /// As [`force_flush`](Self::force_flush).
    fn shutdown(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(())
    }

    /// Exports buffered data within a time limit. Defaults to [`force_flush`](Self::force_flush),
    /// which is not awaited beyond the limit.
    ///
    /// # Errors
    /// As [`force_flush`](Self::force_flush).
    fn force_flush_with_timeout(
        &self,
        _time: Duration,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.force_flush()
    }

    /// Shuts down within a time limit. Defaults to [`shutdown`](Self::shutdown), which is not
    /// awaited beyond the limit.
    ///
    /// # Errors
    /// As [`force_flush`](Self::force_flush).
    fn shutdown_with_timeout(&self, _time: Duration) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.shutdown()
    }
}

/// The spans that a tracer could not deliver.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undelivered {
    /// Spans lost since the previous report.
    pub lost: u64,
    /// Spans still waiting at the deadline.
    pub waiting: u64,
    /// `true` if the deadline passed.
    pub timed_out: bool,
    /// The exporters and their errors.
    pub message: String,
}

impl fmt::Display for Undelivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Undelivered {}

/// The result of a flush or a shutdown for each tracer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "a tracer that failed may have lost spans"]
#[non_exhaustive]
pub struct LifecycleReport {
    /// The tracers that succeeded, under the first of their names: every span that ended before was
    /// delivered.
    pub succeeded: Vec<String>,
    /// The tracers that failed or exceeded the deadline.
    pub failed: Vec<LifecycleFailure>,
}

/// A tracer that could not be flushed or shut down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LifecycleFailure {
    /// The first of the tracer's names.
    pub tracer: String,
    /// The error message.
    pub message: String,
    /// `true` if the deadline passed. The operation may still succeed.
    pub timed_out: bool,
    /// Spans lost since the previous report, if the tracer reports them.
    pub lost: u64,
    /// Spans still waiting at the deadline, if the tracer reports them.
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

pub(super) type Step<T> = fn(Arc<T>, Duration) -> Result<(), Box<dyn Error + Send + Sync>>;

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

    pub(super) fn of<T: Lifecycle + 'static>(
        tracers: Vec<(String, Arc<T>)>,
        time: Duration,
        under_way: &Arc<UnderWay>,
        step: Step<T>,
    ) -> Self {
        let (names, tracers): (Vec<_>, Vec<_>) = tracers.into_iter().unzip();
        let outcomes = parallel::each(tracers, time, under_way, step);
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
                ..saying(format!("no response within {time:?}"))
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
