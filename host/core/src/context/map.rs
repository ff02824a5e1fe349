//! A map that accepts precomputed hashes.
//!
//! A question that is asked repeatedly carries its hash, so all maps of a process use the same hash
//! function. Its seed is drawn at process start, so a sender of contexts does not know which keys
//! collide.

use std::hash::Hasher as _;

use foldhash::SharedSeed;
use foldhash::fast::FoldHasher;
use hashbrown::HashTable;

/// Returns the hash of a key: the same in every map of this process and in no other process.
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

    /// Returns the value of a key with the given hash.
    #[inline(always)]
    pub(super) fn get(&self, hash: u64, key: &str) -> Option<&V> {
        let (_, value) = self.table.find(hash, |(known, _)| **known == *key)?;
        Some(value)
    }

    /// Sets a key. The last value wins.
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
