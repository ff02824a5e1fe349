//! The operations on a key that a look-up needs.

use super::hash::hash;
use super::words::Words;

/// A key for a look-up. Plain text is hashed on demand; a `Key` has its hashes ready.
pub(super) trait LookUp {
    fn text(&self) -> &str;

    /// Returns the hash and the words of the whole text.
    fn whole(&self) -> (u64, Words);

    /// Returns the hash of the bytes from `start` to `end`, which are positions of dots or ends.
    fn hash(&self, start: usize, end: usize) -> u64;
}

impl LookUp for &str {
    #[inline]
    fn text(&self) -> &str {
        self
    }

    #[inline]
    fn whole(&self) -> (u64, Words) {
        (hash(self), Words::of(self.as_bytes()))
    }

    #[inline]
    fn hash(&self, start: usize, end: usize) -> u64 {
        hash(&self[start..end])
    }
}
