//! The stable hash behind `bucket`.
//!
//! # Source
//! XXH64 as its specification defines it. The construction (a salt hashed into the seed, and the
//! share taken from the high bits) is specified in `wit/selector.wit`, so that a user's bucket can
//! be computed outside of Spanmux.

use super::value::Value;
use xxhash_rust::xxh64::xxh64;

/// Returns the share of `value` among `buckets` equal shares, or `None` for zero buckets.
///
/// The share is taken from the high bits, so each of ten shares is a union of ten of a hundred
/// shares.
pub(super) fn bucket(value: Value<'_>, salt: &str, buckets: u32) -> Option<u32> {
    let (integer, float, boolean);
    let (tag, bytes): (u64, &[u8]) = match value {
        Value::Null => (0, &[]),
        Value::Boolean(b) => {
            boolean = [u8::from(b)];
            (1, &boolean)
        }
        Value::Integer(i) => {
            integer = i.to_le_bytes();
            (2, &integer)
        }
        Value::Float(f) => {
            float = f.to_bits().to_le_bytes();
            (3, &float)
        }
        Value::Text(text) => (4, text.as_bytes()),
        Value::Json(text) => (5, text.as_bytes()),
    };
    let hash = xxh64(bytes, xxh64(salt.as_bytes(), tag));
    // A 64-bit hash times 32-bit buckets, shifted back, is below `buckets`.
    let share = (u128::from(hash) * u128::from(buckets)) >> 64;
    u32::try_from(share).ok().filter(|_| buckets > 0)
}
