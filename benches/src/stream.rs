//! Streams of user ids.

/// A small generator of random numbers, the same on every machine (xorshift64*).
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

    /// From 0 up to, and not with, 1.
    pub fn share(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Zipf's law with exponent 1: the place `n` (from 1) comes in proportion to `1 / n`.
pub struct Zipf {
    /// Up to and with each place.
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

    /// A place, from 0.
    pub fn draw(&mut self) -> usize {
        let at = self.random.share() * self.total();
        self.cumulated.partition_point(|sum| *sum <= at)
    }

    /// The share of all draws that falls on the `most` commonest places.
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

/// The id of a user: as long for all, and not in the order of their frequency.
pub fn user(place: usize) -> String {
    let mixed = (place as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    format!("user-{mixed:016x}")
}
