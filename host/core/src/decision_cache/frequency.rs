//! How often something was missed lately, roughly and in little memory.
//!
//! # Source
//! A count-min sketch that forgets half of everything from time to time, as TinyLFU
//! uses it to decide which of two shall stay in a cache (Einziger, Friedman, Manes:
//! "TinyLFU: A Highly Efficient Cache Admission Policy", 2017).

/// A count does not grow beyond it.
pub(super) const MAX_COUNT: u8 = 15;

/// Counts for each entry of the cache: fewer count more that has nothing in common.
const COUNTS: usize = 4;

/// Misses for each entry of the cache until half is forgotten: fewer tell less apart,
/// more are slower to see that something else is asked for now.
const MEMORY: usize = 8;

pub(super) struct Sketch {
    counts: Box<[u8]>,
    /// Misses until half is forgotten.
    left: usize,
    lasts: usize,
    /// How often half was forgotten.
    pub(super) age: u32,
}

impl Sketch {
    /// For a cache of so many entries.
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

    /// Counts a miss. Returns how many there were lately, this one among them.
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
            // Only those that stand at the least: the others count something else.
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
