//! Streams of user ids.

/// A small random number generator that is the same on every machine (xorshift64*).
pub struct Random(u64);

impl Random {
    pub fn seeded(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number in `0.0..1.0`.
    pub fn share(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Zipf's law with exponent 1: rank `n` (from 1) has a probability proportional to `1 / n`.
pub struct Zipf {
    /// Cumulated up to and including each rank.
    cumulated: Vec<f64>,
    random: Random,
}

impl Zipf {
    pub fn new(places: usize, seed: u64) -> Self {
        let mut sum = 0.0;
        let cumulated = (1..=places)
            .map(|place| {
                sum += 1.0 / place as f64;
                sum
            })
            .collect();
        Self {
            cumulated,
            random: Random::seeded(seed),
        }
    }

    /// A random rank, from 0.
    pub fn draw(&mut self) -> usize {
        let at = self.random.share() * self.total();
        self.cumulated.partition_point(|sum| *sum <= at)
    }

    /// The share of all draws for the `most` most frequent ranks.
    pub fn share_of(&self, most: usize) -> f64 {
        match most.min(self.cumulated.len()) {
            0 => 0.0,
            most => self.cumulated[most - 1] / self.total(),
        }
    }

    fn total(&self) -> f64 {
        self.cumulated.last().copied().unwrap_or_default()
    }
}

/// The id of a user. All ids have the same length, and their order is not that of the frequencies.
pub fn user(place: usize) -> String {
    let mixed = (place as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    format!("user-{mixed:016x}")
}
