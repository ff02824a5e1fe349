//! A map from keys to values that can be asked with a hash made beforehand.
//!
//! A question that is asked again and again carries its hash with it, so every map
//! of a process hashes alike. The seed is drawn when the process starts: who sends
//! contexts does not know which keys collide.

use std::hash::Hasher as _;

use foldhash::SharedSeed;
use foldhash::fast::FoldHasher;
use hashbrown::HashTable;

/// The hash of a key, the same in every map of this process and in no other.
#[inline]
pub(crate) fn hash(key: &str) -> u64 {
    let mut hasher = FoldHasher::with_seed(0, SharedSeed::global_random());
    hasher.write(key.as_bytes());
    hasher.finish()
}

/// Keys and values.
#[derive(Clone)]
pub(super) struct Map<V> {
    table: HashTable<(Box<str>, V)>,
}

impl<V> Default for Map<V> {
    fn default() -> Self {
        Self {
            table: HashTable::new(),
        }
    }
}

impl<V> Map<V> {
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// The value of a key, whose hash is given.
    #[inline(always)]
    pub(super) fn get(&self, hash: u64, key: &str) -> Option<&V> {
        let (_, value) = self.table.find(hash, |(known, _)| **known == *key)?;
        Some(value)
    }

    /// Sets a key; the last value wins.
    pub(super) fn insert(&mut self, key: &str, value: V) {
        let hash = hash(key);
        match self.table.find_mut(hash, |(known, _)| **known == *key) {
            Some((_, old)) => *old = value,
            None => {
                let rehash = |(key, _): &(Box<str>, V)| self::hash(key);
                self.table.insert_unique(hash, (key.into(), value), rehash);
            }
        }
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.table.iter().map(|(key, _)| &**key)
    }
}
