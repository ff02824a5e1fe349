//! Short text as two words, so that two texts are compared as numbers.

/// Maximum length of text that the words hold completely, in bytes.
pub(crate) const INLINE: usize = 16;

/// The first eight bytes of a text and its last eight. They hold all of a text of up to [`INLINE`]
/// bytes, if its length is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Words {
    pub(crate) head: u64,
    pub(crate) tail: u64,
}

impl Words {
    #[inline]
    pub(crate) fn of(bytes: &[u8]) -> Self {
        match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
            (Some(first), Some(last)) => Self {
                head: u64::from_le_bytes(*first),
                tail: u64::from_le_bytes(*last),
            },
            _ => Self {
                head: short(bytes),
                tail: 0,
            },
        }
    }
}

/// Packs fewer than eight bytes into one word.
#[inline]
fn short(bytes: &[u8]) -> u64 {
    if let (Some(first), Some(last)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        return u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32;
    }
    let at = |place: usize| u64::from(bytes.get(place).copied().unwrap_or(0));
    at(0) | at(1) << 8 | at(2) << 16
}
