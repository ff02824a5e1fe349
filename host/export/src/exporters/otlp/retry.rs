//! Retries a batch within its maximum time.

use std::thread;
use std::time::{Duration, Instant};

use backon::{BackoffBuilder as _, ExponentialBuilder};

use crate::delivery::{Loss, Sent};

/// The maximum delay that a backend can request.
const MAX_ASKED: Duration = Duration::from_secs(30);

/// The outcome of one attempt.
pub(super) enum Attempt {
    /// The backend accepted the request, except for `rejected` spans.
    Taken { rejected: u64, said: String },
    /// The attempt failed.
    Failed(Failure),
}

/// The reason why an attempt failed.
pub(super) struct Failure {
    pub(super) cause: Loss,
    /// The error, without secrets.
    pub(super) message: String,
    pub(super) again: Again,
}

/// The retry behaviour after a failure.
pub(super) enum Again {
    Never,
    Soon,
    /// Retry after the delay that the backend requested.
    After(Duration),
}

/// Time limits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// The maximum time of a batch, including all attempts.
    pub(super) batch: Duration,
    /// The maximum time of one attempt.
    pub(super) attempt: Duration,
}

/// Makes attempts until one succeeds, a retry cannot help, or the time of the batch would
/// be exceeded. Each attempt receives its time limit.
pub(super) fn send(spans: u64, times: Times, mut attempt: impl FnMut(Duration) -> Attempt) -> Sent {
    let started = Instant::now();
    let left = || times.batch.saturating_sub(started.elapsed());
    let mut delays = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(Duration::from_secs(5))
        .without_max_times()
        .with_jitter()
        .build();
    let mut retries = 0;
    loop {
        let failure = match attempt(left().min(times.attempt)) {
            Attempt::Taken { rejected, said } => return taken(spans, rejected, said, retries),
            Attempt::Failed(failure) => failure,
        };
        let delay = match failure.again {
            Again::Never => None,
            Again::Soon => delays.next(),
            Again::After(asked) => Some(asked.min(MAX_ASKED)),
        };
        match delay.filter(|delay| *delay < left()) {
            Some(delay) => thread::sleep(delay),
            None => {
                let sent = Sent::none(spans, failure.cause, failure.message);
                return Sent { retries, ..sent };
            }
        }
        retries += 1;
    }
}

fn taken(spans: u64, rejected: u64, said: String, retries: u64) -> Sent {
    let rejected = rejected.min(spans);
    let lost = (rejected > 0).then_some((Loss::Rejected, rejected));
    Sent {
        delivered: spans - rejected,
        retries,
        lost: lost.into_iter().collect(),
        message: Some(said).filter(|said| !said.is_empty()),
        ..Sent::default()
    }
}
