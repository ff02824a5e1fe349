//! Approximate counts of recent misses in little memory.
//!
//! # Source
//! A count-min sketch with periodic halving, as TinyLFU uses it for admission to a cache (Einziger,
//! Friedman, Manes: "TinyLFU: A Highly Efficient Cache Admission Policy", 2017).

/// The value at which a count saturates.
pub(super) const MAX_COUNT: u8 = 15;

/// Counts per entry of the cache. With fewer, unrelated answers share counts.
const COUNTS: usize = 4;

/// Misses per entry of the cache between two halvings. A smaller number distinguishes less; a
/// larger one adapts more slowly.
const MEMORY: usize = 8;

pub(super) struct Sketch {
    counts: Box<[u8]>,
    /// Misses until the next halving.
    left: usize,
    lasts: usize,
    /// The number of halvings.
    pub(super) age: u32,
}

impl Sketch {
    /// Creates a sketch for a cache of this many entries.
    pub(super) fn new(entries: usize) -> Self {
        let entries = entries.max(64);
        Self {
            counts: vec![0; Self::bytes(entries)].into(),
            left: MEMORY * entries,
            lasts: MEMORY * entries,
            age: 0,
        }
    }

    pub(super) fn bytes(entries: usize) -> usize {
        entries.max(64).saturating_mul(COUNTS).next_power_of_two()
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.counts.len()
    }

    /// Counts a miss. Returns the number of recent misses including this one.
    pub(super) fn count(&mut self, hash: u64) -> u8 {
        if self.left == 0 {
            self.left = self.lasts;
            self.age = self.age.wrapping_add(1);
            self.counts.iter_mut().for_each(|count| *count /= 2);
        }
        self.left -= 1;
        let mask = self.counts.len() - 1;
        let places = [hash as usize & mask, (hash >> 32) as usize & mask];
        let least = places.map(|place| self.counts[place]).into_iter().min();
        let least = least.unwrap_or(0);
        if least < MAX_COUNT {
            // Increments only the smallest counts: larger ones also count other answers.
            for place in places {
                if self.counts[place] == least {
                    self.counts[place] += 1;
                }
            }
        }
        (least + 1).min(MAX_COUNT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missed_often_counts_more_and_is_forgotten() {
        let mut sketch = Sketch::new(1000);
        let mix = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for _ in 0..5 {
            sketch.count(mix(1));
        }
        assert_eq!(sketch.count(mix(1)), 6);
        assert_eq!(sketch.count(mix(2)), 1);
        for other in 0..2 * MEMORY as u64 * 1000 {
            sketch.count(mix(10_000 + other));
        }
        assert!(sketch.age >= 2);
        assert!(sketch.count(mix(1)) < 6);
    }
}
