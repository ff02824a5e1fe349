//! What a look-up needs of a key, whoever asks.

use super::map::hash;

/// What a look-up needs of a key. Plain text hashes what it is asked for; a
/// `Key` has it ready.
pub(super) trait LookUp {
    fn text(&self) -> &str;

    /// The hash of the bytes from `start` to `end`, which are at dots or ends.
    fn hash(&self, start: usize, end: usize) -> u64;
}

impl LookUp for &str {
    #[inline]
    fn text(&self) -> &str {
        self
    }

    #[inline]
    fn hash(&self, start: usize, end: usize) -> u64 {
        hash(&self[start..end])
    }
}
