//! Attempts, as many as the time of a batch allows.

use std::thread;
use std::time::{Duration, Instant};

use backon::{BackoffBuilder as _, ExponentialBuilder};

use crate::delivery::{Loss, Sent};

/// How long a backend that asks for patience is given at most.
const MAX_ASKED: Duration = Duration::from_secs(30);

/// What came of one attempt.
pub(super) enum Attempt {
    /// The backend took the request, but for some of its spans.
    Taken { rejected: u64, said: String },
    /// It did not.
    Failed(Failure),
}

/// Why an attempt did not work.
pub(super) struct Failure {
    pub(super) cause: Loss,
    /// What went wrong, without a secret.
    pub(super) message: String,
    pub(super) again: Again,
}

/// Whether another attempt can help.
pub(super) enum Again {
    Never,
    Soon,
    /// After the time that the backend asked for.
    After(Duration),
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// A batch with all of its attempts.
    pub(super) batch: Duration,
    /// One attempt.
    pub(super) attempt: Duration,
}

/// Makes attempts until one works, none can help, or the next would come too late.
/// An attempt is told how long it may take.
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
