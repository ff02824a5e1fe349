//! A back-off that doubles with each failure.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::time::{Duration, Instant};

use crate::delivery::after;

/// The first and the longest pause before retrying a backend that is down.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// The longest pause that a backend can request.
pub(crate) const MAX_ASKED: Duration = Duration::from_secs(5 * 60);

/// The pause of an exporter after failures.
#[derive(Debug, Default)]
pub(crate) struct Pause {
    length: Duration,
    until: Option<Instant>,
}

impl Pause {
    pub(crate) fn is_on(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() < until)
    }

    /// Returns the remaining time of the pause while it lasts.
    #[cfg_attr(not(feature = "otlp"), expect(dead_code))]
    pub(crate) fn left(&self) -> Option<Duration> {
        let left = self.until?.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// Returns the end of the pause, also if it has passed. `None` without a failure.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.until
    }

    /// Returns `true` if the last attempt failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.until.is_some()
    }

    /// Starts the next pause: longer than the previous one, and at least as long as the
    /// backend asked for, within a limit. Returns its length. Up to a quarter is random, so
    /// that the exporters of many processes do not return at the same time.
    pub(crate) fn failed(&mut self, asked: Option<Duration>) -> Duration {
        self.grow(PAUSES.1, asked)
    }

    /// Starts the next pause after the backend refused the credentials. It grows for longer,
    /// because a person has to change them.
    pub(crate) fn refused(&mut self) -> Duration {
        self.grow(MAX_ASKED, None)
    }

    fn grow(&mut self, most: Duration, asked: Option<Duration>) -> Duration {
        let first = PAUSES.0;
        self.length = (self.length * 2).clamp(first, most);
        let length = self.length - self.length.mul_f64(random() / 4.0);
        let length = length.max(asked.unwrap_or_default()).min(MAX_ASKED);
        self.until = Some(after(length));
        length
    }

    /// Ends the pause immediately.
    #[cfg(test)]
    pub(super) fn end(&mut self) {
        self.until = self.until.map(|until| until.min(Instant::now()));
    }
}

/// Returns a random number from 0 to 1. `RandomState` has random keys.
fn random() -> f64 {
    f64::from(RandomState::new().hash_one(0) as u32) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pause_grows_and_respects_the_backend_within_limits() {
        let mut pause = Pause::default();
        let lengths: Vec<_> = (0..12)
            .map(|_| pause.failed(Some(Duration::ZERO)))
            .collect();
        let (first, most) = PAUSES;
        for (length, full) in lengths
            .iter()
            .zip((0..).map(|step| first * 2_u32.pow(step)))
        {
            let full = full.min(most);
            assert!(*length <= full && *length >= full * 3 / 4, "{lengths:?}");
        }
        assert_eq!(pause.failed(Some(Duration::from_secs(100))).as_secs(), 100);
        assert_eq!(pause.failed(Some(Duration::MAX)), MAX_ASKED);
        assert!(pause.is_on() && pause.has_failed());
        let refused: Vec<_> = (0..12).map(|_| pause.refused()).collect();
        assert!(
            refused[3] > most && refused[11] >= MAX_ASKED * 3 / 4,
            "{refused:?}"
        );
    }
}
