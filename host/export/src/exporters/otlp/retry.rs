//! Retries a batch within its maximum time.

use std::time::{Duration, Instant};

use backon::{BackoffBuilder as _, ExponentialBuilder};

use crate::delivery::{Loss, Sent, Stop, Terms, TooLarge, Tries};

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// The backend refuses the content of the request.
    Never,
    /// The backend refuses the size of the request.
    Smaller,
    /// Another attempt would fail soon, but the reason may pass: a wrong address, a fault of the
    /// backend.
    Later,
    /// The same for wrong credentials, an unpaid account or a missing permission.
    Denied,
    Soon,
    /// Retry after the delay that the backend requested.
    After(Duration),
}

impl Again {
    /// Returns `true` if the same request cannot succeed later.
    fn is_final(self) -> bool {
        matches!(self, Self::Never | Self::Smaller)
    }
}

/// Returns the outcome of a request that exceeds the limit of its exporter.
pub(super) fn unsent(spans: u64, bytes: usize, terms: &Terms<'_>) -> Sent {
    let most = terms.max_bytes;
    let message = format!("a request of {bytes} bytes exceeds the limit of {most} bytes");
    Sent {
        too_large: Some(TooLarge::Unsent),
        ..Sent::none(spans, Loss::Rejected, message)
    }
}

/// Time limits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// The maximum time of a batch, including all attempts.
    pub(super) batch: Duration,
    /// The maximum time of one attempt.
    pub(super) attempt: Duration,
}

/// The maximum time of a batch. Longer settings are reduced to it, because not every
/// platform can represent the end of an unlimited time.
const MAX_TIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The time that a step may take beyond its limit. If it takes longer, the process was
/// frozen, and the time does not count.
const SLACK: Duration = Duration::from_secs(1);

/// The maximum number of attempts that do not count because the process was frozen.
const MAX_THAWS: usize = 3;

impl Times {
    pub(super) fn new(batch: Duration, attempt: Option<Duration>) -> Self {
        let batch = batch.min(MAX_TIME);
        Self {
            batch,
            attempt: attempt.unwrap_or(batch).min(batch),
        }
    }

    /// Returns the maximum time of the first attempt.
    #[cfg_attr(not(feature = "grpc"), expect(dead_code))]
    pub(super) fn first(&self) -> Duration {
        self.attempt.min(self.batch / 2)
    }
}

/// The remaining time of a batch.
struct Clock {
    times: Times,
    started: Instant,
    /// Time in which the process did not run.
    frozen: Duration,
    thaws: usize,
    has_timed_out: bool,
}

impl Clock {
    fn left(&self, stop: &Stop) -> Duration {
        let elapsed = self.started.elapsed().saturating_sub(self.frozen);
        self.times.batch.saturating_sub(elapsed).min(stop.left())
    }

    /// Returns the maximum time of the next attempt. Until an attempt has timed out, one
    /// attempt takes at most half of the time: its connection may be dead without notice,
    /// and the next attempt uses a new one.
    fn limit(&self, stop: &Stop) -> Duration {
        let left = self.left(stop);
        let share = if self.has_timed_out { left } else { left / 2 };
        share.min(self.times.attempt)
    }

    /// Subtracts the time that a step took beyond its limit. Returns `true` if the process
    /// was frozen.
    fn step(&mut self, took: Duration, limit: Duration) -> bool {
        let over = took.saturating_sub(limit);
        let was_frozen = over > SLACK;
        if was_frozen {
            self.frozen += over;
        }
        was_frozen
    }
}

/// Makes attempts until one succeeds, a retry cannot help, or the time of the batch would
/// be exceeded. Each attempt receives its time limit.
///
/// Attempts have growing delays with jitter between them. A backend can make them longer,
/// but not shorter. If it asks for more time than is left, `Sent::wait` is set.
pub(super) fn send(
    spans: u64,
    times: Times,
    terms: &Terms<'_>,
    mut attempt: impl FnMut(Duration) -> Attempt,
) -> Sent {
    let stop = terms.stop;
    let mut clock = Clock {
        times,
        started: Instant::now(),
        frozen: Duration::ZERO,
        thaws: 0,
        has_timed_out: false,
    };
    let mut delays = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(100))
        .with_max_delay(Duration::from_secs(5))
        .without_max_times()
        .with_jitter()
        .build();
    let mut retries = 0;
    loop {
        let (begun, limit) = (Instant::now(), clock.limit(stop));
        let failure = match attempt(limit) {
            Attempt::Taken { rejected, said } => return taken(spans, rejected, said, retries),
            Attempt::Failed(failure) => failure,
        };
        let was_frozen = clock.step(begun.elapsed(), limit);
        if was_frozen && !failure.again.is_final() && clock.thaws < MAX_THAWS {
            // The response may have arrived in the meantime, so nothing is known about the
            // backend. The attempt does not count.
            clock.thaws += 1;
            clock.frozen += limit;
            retries += 1;
            continue;
        }
        clock.has_timed_out |= failure.cause == Loss::TimedOut;
        let delay = delays.next().unwrap_or_default();
        let (delay, asked) = match failure.again {
            Again::Never | Again::Smaller | Again::Later | Again::Denied => (None, None),
            Again::Soon => (Some(delay), None),
            Again::After(asked) => (Some(delay.max(asked)), Some(delay.max(asked))),
        };
        let may_retry = match terms.tries {
            Tries::One => false,
            Tries::Two => retries == 0,
            Tries::Several => true,
        };
        let delay = delay.filter(|delay| may_retry && *delay < clock.left(stop));
        let slept = Instant::now();
        if !delay.is_some_and(|delay| stop.wait(delay)) {
            return Sent {
                retries,
                later: !failure.again.is_final(),
                wait: asked,
                denied: failure.again == Again::Denied,
                too_large: (failure.again == Again::Smaller).then_some(TooLarge::Refused),
                ..Sent::none(spans, failure.cause, failure.message)
            };
        }
        clock.step(slept.elapsed(), delay.unwrap_or_default());
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

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::delivery::after;

    const TIMES: Times = Times {
        batch: Duration::from_secs(3600),
        attempt: Duration::from_secs(3600),
    };

    fn terms(tries: Tries, stop: &Stop) -> Terms<'_> {
        Terms {
            tries,
            stop,
            max_bytes: usize::MAX,
        }
    }

    fn failed(cause: Loss, again: Again) -> Attempt {
        Attempt::Failed(Failure {
            cause,
            message: "no".to_owned(),
            again,
        })
    }

    #[test]
    fn second_attempt_fits_when_first_one_times_out() {
        for attempt in [TIMES.attempt, Duration::from_secs(60)] {
            let times = Times { attempt, ..TIMES };
            let mut limits = Vec::new();
            let sent = send(
                1,
                times,
                &terms(Tries::Several, &Stop::default()),
                |limit| {
                    limits.push(limit);
                    match limits.len() {
                        1 => failed(Loss::TimedOut, Again::Soon),
                        _ => failed(Loss::TimedOut, Again::Never),
                    }
                },
            );
            assert_eq!(sent.lost, [(Loss::TimedOut, 1)]);
            assert!(
                limits[0] <= times.batch / 2 && limits[0] <= attempt,
                "{limits:?}"
            );
            assert!(limits[1] >= limits[0] / 2, "{limits:?}");
        }
    }

    #[test]
    fn attempt_does_not_count_when_process_was_frozen() {
        // Both attempts together have 20 ms; the first one returns after more than a second.
        let times = Times::new(Duration::from_millis(20), None);
        let mut attempts = 0;
        let sent = send(3, times, &terms(Tries::Several, &Stop::default()), |_| {
            attempts += 1;
            if attempts == 1 {
                thread::sleep(SLACK + Duration::from_millis(100));
                return failed(Loss::TimedOut, Again::Soon);
            }
            Attempt::Taken {
                rejected: 0,
                said: String::new(),
            }
        });
        assert_eq!((sent.delivered, sent.retries), (3, 1));
    }

    #[test]
    fn requested_wait_is_reported_when_it_exceeds_the_time() {
        let day = Duration::from_secs(24 * 3600);
        let asks = |again| {
            send(2, TIMES, &terms(Tries::Several, &Stop::default()), |_| {
                failed(Loss::Unavailable, again)
            })
        };
        let sent = asks(Again::After(day));
        assert_eq!((sent.later, sent.wait, sent.retries), (true, Some(day), 0));
        let sent = asks(Again::Later);
        assert_eq!((sent.later, sent.wait, sent.retries), (true, None, 0));
        let sent = asks(Again::Never);
        assert_eq!((sent.later, sent.wait, sent.retries), (false, None, 0));
    }

    #[test]
    fn requested_wait_of_zero_does_not_shorten_the_delays() {
        let times = Times::new(Duration::from_millis(400), None);
        let mut attempts = 0;
        let sent = send(1, times, &terms(Tries::Several, &Stop::default()), |_| {
            attempts += 1;
            failed(Loss::Unavailable, Again::After(Duration::ZERO))
        });
        // Delays of at least 100, 200 and 400 ms.
        assert!(attempts <= 3, "{attempts}");
        assert!(sent.later && sent.wait.is_some());
    }

    #[test]
    fn waits_end_and_attempts_are_short_when_deadline_is_near() {
        let stop = Stop::default();
        stop.at(after(Duration::from_secs(10)));
        let mut limits = Vec::new();
        send(1, TIMES, &terms(Tries::Several, &stop), |limit| {
            limits.push(limit);
            failed(Loss::Unavailable, Again::After(Duration::from_secs(60)))
        });
        assert_eq!(limits.len(), 1);
        assert!(limits[0] <= Duration::from_secs(5));
    }

    #[test]
    fn attempts_are_limited_when_a_disk_buffer_keeps_the_request() {
        for (tries, expected) in [(Tries::One, 1), (Tries::Two, 2)] {
            let mut attempts = 0;
            let sent = send(1, TIMES, &terms(tries, &Stop::default()), |_| {
                attempts += 1;
                failed(Loss::Unreachable, Again::Soon)
            });
            assert_eq!((attempts, sent.later), (expected, true));
        }
    }

    #[test]
    fn unlimited_times_are_reduced() {
        let times = Times::new(Duration::MAX, Some(Duration::MAX));
        assert_eq!((times.batch, times.attempt), (MAX_TIME, MAX_TIME));
    }
}
