//! A key for look-ups: its text, and the hashes of the prefixes and suffixes of a dotted path.

use super::hash::hash;
use super::look_up::LookUp;
use super::words::Words;

/// Longer paths are hashed on demand.
const PREPARED_PARTS: usize = 4;

/// A key that is looked up repeatedly.
#[derive(Clone, Debug)]
pub struct Key {
    text: Box<str>,
    whole: u64,
    words: Words,
    /// The hash of each range of parts of a dotted path, by its first and last byte.
    parts: Box<[(usize, usize, u64)]>,
}

impl Key {
    /// Creates a key for one look-up. Call [`prepare`](Self::prepare) if more follow.
    pub(crate) fn new(text: impl Into<Box<str>>) -> Self {
        let text = text.into();
        Self {
            whole: hash(&text),
            words: Words::of(text.as_bytes()),
            text,
            parts: Box::default(),
        }
    }

    /// Computes the hashes in advance.
    pub(crate) fn prepare(&mut self) {
        let dots = self.text.match_indices('.').map(|(at, _)| at);
        let ends: Vec<usize> = dots.chain([self.text.len()]).collect();
        if ends.len() > PREPARED_PARTS {
            return;
        }
        let starts = [0].into_iter().chain(ends.iter().map(|end| end + 1));
        let mut parts = Vec::new();
        for (first, start) in starts.take(ends.len()).enumerate() {
            for &end in &ends[first..] {
                parts.push((start, end, hash(&self.text[start..end])));
            }
        }
        self.parts = parts.into();
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

impl LookUp for &Key {
    #[inline]
    fn text(&self) -> &str {
        &self.text
    }

    #[inline(always)]
    fn whole(&self) -> (u64, Words) {
        (self.whole, self.words)
    }

    #[inline(always)]
    fn hash(&self, start: usize, end: usize) -> u64 {
        if start == 0 && end == self.text.len() {
            return self.whole;
        }
        let mut parts = self.parts.iter();
        match parts.find(|(from, to, _)| (*from, *to) == (start, end)) {
            Some((_, _, hash)) => *hash,
            None => hash(&self.text[start..end]),
        }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Key {}
