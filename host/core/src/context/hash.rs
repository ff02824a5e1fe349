//! The hash of a key.
//!
//! A question that is asked repeatedly carries its hash, so all contexts of a process use the same
//! hash function. Its seed is drawn at process start, so a sender of contexts does not know which
//! keys collide.

use std::hash::Hasher as _;

use foldhash::SharedSeed;
use foldhash::fast::FoldHasher;

/// Returns the hash of a key: the same in every context of this process and in no other process.
#[inline]
pub(crate) fn hash(key: &str) -> u64 {
    let mut hasher = FoldHasher::with_seed(0, SharedSeed::global_random());
    hasher.write(key.as_bytes());
    hasher.finish()
}
