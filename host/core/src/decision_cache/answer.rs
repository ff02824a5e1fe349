//! An answer as three words plus the text that does not fit into them, so that comparing two
//! answers compares numbers.
//!
//! Text of up to sixteen bytes is stored in the words: its first eight bytes and its last eight.

use std::hash::Hasher as _;

use foldhash::SharedSeed;
use foldhash::fast::FoldHasher;

use crate::context::{Answer, INLINE as INLINE_BYTES, Keys, Value, Words as TextWords};
use crate::explanation;

/// Longer answers are passed to the guest, and the decision is not cached.
pub(super) const MAX_ANSWER_BYTES: usize = 1024;

/// Maximum length of text that is stored in the words.
const INLINE: u64 = INLINE_BYTES as u64;

/// The kind of an answer, in the top byte of its shape. The other bytes hold the length of its
/// text.
mod kind {
    pub(super) const ABSENT: u64 = 0 << 56;
    pub(super) const NULL: u64 = 1 << 56;
    pub(super) const BOOLEAN: u64 = 2 << 56;
    pub(super) const INTEGER: u64 = 3 << 56;
    pub(super) const FLOAT: u64 = 4 << 56;
    pub(super) const TEXT: u64 = 5 << 56;
    pub(super) const JSON: u64 = 6 << 56;
    pub(super) const HAS: u64 = 7 << 56;
    pub(super) const KEYS: u64 = 8 << 56;
    pub(super) const SHARE: u64 = 9 << 56;
    pub(super) const ALL: u64 = 0xff << 56;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Words {
    shape: u64,
    head: u64,
    tail: u64,
}

impl Words {
    fn plain(kind: u64, head: u64) -> Self {
        let (shape, tail) = (kind, 0);
        Self { shape, head, tail }
    }

    #[inline]
    fn text(kind: u64, text: &str) -> Self {
        let TextWords { head, tail } = TextWords::of(text.as_bytes());
        let shape = kind | text.len() as u64;
        Self { shape, head, tail }
    }

    fn length(self) -> u64 {
        self.shape & !kind::ALL
    }

    /// `text` is hashed only if it does not fit into the words.
    #[inline]
    fn hash(self, node: u64, text: &str) -> u64 {
        let mut hasher = FoldHasher::with_seed(node, SharedSeed::global_random());
        hasher.write_u64(self.head);
        hasher.write_u64(self.tail);
        hasher.write_u64(self.shape);
        if text.len() as u64 > INLINE {
            hasher.write(text.as_bytes());
        }
        hasher.finish()
    }
}

/// Returns the bytes that [`Words::text`] packed.
fn inline(words: Words) -> Vec<u8> {
    let (length, head, tail) = (words.length() as usize, words.head, words.tail);
    let (head, tail) = (head.to_le_bytes(), tail.to_le_bytes());
    match length {
        0..4 => head[..length].to_vec(),
        4..8 => [&head[..4], &head[4 + (8 - length)..]].concat(),
        _ => [&head[..], &tail[16 - length.min(16)..]].concat(),
    }
}

/// An answer of the current context.
#[derive(Clone, Copy)]
pub(super) struct AnswerRef<'a> {
    words: Words,
    rest: Rest<'a>,
}

#[derive(Clone, Copy)]
enum Rest<'a> {
    Nothing,
    Text(&'a str),
    Keys(Keys<'a>),
}

impl<'a> AnswerRef<'a> {
    #[inline(always)]
    pub(super) fn of(answer: Answer<'a>) -> Self {
        let words = match answer {
            Answer::Get(Some(Value::Text(text))) => return Self::text(kind::TEXT, text),
            Answer::Get(Some(Value::Json(text))) => return Self::text(kind::JSON, text),
            Answer::Get(None) | Answer::Bucket { share: None, .. } => Words::plain(kind::ABSENT, 0),
            Answer::Get(Some(Value::Null)) => Words::plain(kind::NULL, 0),
            Answer::Get(Some(Value::Boolean(boolean))) => {
                Words::plain(kind::BOOLEAN, boolean.into())
            }
            Answer::Get(Some(Value::Integer(integer))) => {
                Words::plain(kind::INTEGER, integer.cast_unsigned())
            }
            Answer::Get(Some(Value::Float(float))) => Words::plain(kind::FLOAT, float.to_bits()),
            Answer::Has(has) => Words::plain(kind::HAS, has.into()),
            Answer::Bucket {
                share: Some(share),
                hashed,
            } => Words {
                tail: hashed as u64,
                ..Words::plain(kind::SHARE, share.into())
            },
            Answer::Keys(keys) => {
                return Self {
                    words: Words {
                        shape: kind::KEYS,
                        head: keys.count() as u64,
                        tail: keys.fingerprint(),
                    },
                    rest: Rest::Keys(keys),
                };
            }
        };
        let rest = Rest::Nothing;
        Self { words, rest }
    }

    #[inline]
    fn text(kind: u64, text: &'a str) -> Self {
        Self {
            words: Words::text(kind, text),
            rest: Rest::Text(text),
        }
    }

    /// Returns `true` if the answer equals a cached one.
    #[inline(always)]
    pub(super) fn is(&self, known: &AnswerKey) -> bool {
        self.words == known.words && self.rest_is(known)
    }

    #[inline(always)]
    fn rest_is(&self, known: &AnswerKey) -> bool {
        match self.rest {
            Rest::Text(text) if self.words.length() > INLINE => *text == *known.text,
            // Equal numbers of keys, each of them listed: the same keys.
            Rest::Keys(keys) => split(&known.text).all(|key| keys.contains(key)),
            _ => true,
        }
    }

    /// Returns a hash of the answer to the question of this node.
    #[inline]
    pub(super) fn hash(&self, node: u64) -> u64 {
        match self.rest {
            Rest::Text(text) => self.words.hash(node, text),
            _ => self.words.hash(node, ""),
        }
    }

    /// Returns an owned copy, or `None` if the answer is too long to cache.
    pub(super) fn keep(&self) -> Option<AnswerKey> {
        let text: Box<str> = match self.rest {
            Rest::Text(text) if self.words.length() > INLINE => {
                if text.len() > MAX_ANSWER_BYTES {
                    return None;
                }
                text.into()
            }
            Rest::Keys(keys) => join(&keys.list())?,
            _ => Box::default(),
        };
        Some(AnswerKey {
            words: self.words,
            text,
        })
    }
}

/// A cached answer.
#[derive(Clone, Debug)]
pub(super) struct AnswerKey {
    words: Words,
    /// Text that does not fit into the words. For keys, the joined keys.
    text: Box<str>,
}

impl AnswerKey {
    /// Returns the same hash as [`AnswerRef::hash`].
    pub(super) fn hash(&self, node: u64) -> u64 {
        match self.words.shape & kind::ALL {
            kind::KEYS => self.words.hash(node, ""),
            _ => self.words.hash(node, &self.text),
        }
    }

    /// Returns the size of the heap allocation in bytes.
    pub(super) fn heap_bytes(&self) -> usize {
        match self.text.len() {
            0 => 0,
            // Allowance for the allocator's own bytes.
            bytes => bytes + 16,
        }
    }

    /// Converts the answer to plain data.
    pub(super) fn explain(&self) -> explanation::Answer {
        use explanation::Answer;
        let text = || match self.words.length() {
            0..=INLINE => String::from_utf8_lossy(&inline(self.words)).into_owned(),
            _ => self.text.to_string(),
        };
        let head = self.words.head;
        match self.words.shape & kind::ALL {
            kind::NULL => Answer::Null,
            kind::BOOLEAN => Answer::Boolean(head != 0),
            kind::INTEGER => Answer::Integer(head.cast_signed()),
            kind::FLOAT => Answer::Float(f64::from_bits(head)),
            kind::TEXT => Answer::Text(text()),
            kind::JSON => Answer::Json(text()),
            kind::HAS => Answer::Has(head != 0),
            kind::KEYS => Answer::Keys(split(&self.text).map(str::to_owned).collect()),
            kind::SHARE => Answer::Share(u32::try_from(head).unwrap_or(u32::MAX)),
            _ => Answer::Absent,
        }
    }
}

/// Joins keys into one text. The length precedes each key, because a key may contain any character.
fn join(keys: &[String]) -> Option<Box<str>> {
    let mut text = String::new();
    for key in keys {
        text.push_str(&key.len().to_string());
        text.push(':');
        text.push_str(key);
        if text.len() > MAX_ANSWER_BYTES {
            return None;
        }
    }
    Some(text.into())
}

/// Iterates over keys that were [joined](join).
fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (length, after) = rest.split_once(':')?;
        let (key, after) = after.split_at_checked(length.parse().ok()?)?;
        rest = after;
        Some(key)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_text_is_kept_in_the_words() {
        let texts = [
            "",
            "a",
            "ab",
            "abc",
            "abcd",
            "abcde",
            "abcdefg",
            "abcdefgh",
            "abcdefghi",
            "0123456789abcdef",
            "0123456789abcdefg",
            "größe",
            "ü",
        ];
        for text in texts {
            let answer_ref = AnswerRef::of(Answer::Get(Some(Value::Text(text))));
            let known = answer_ref.keep().unwrap();
            assert_eq!(known.explain(), explanation::Answer::Text(text.to_owned()));
            for other in texts {
                let other_told = AnswerRef::of(Answer::Get(Some(Value::Text(other))));
                assert_eq!(other_told.is(&known), text == other, "{text:?} {other:?}");
            }
        }
    }

    #[test]
    fn texts_that_share_their_words_are_told_apart() {
        let answer_ref = |text| AnswerRef::of(Answer::Get(Some(Value::Text(text))));
        let known = answer_ref("12345678-a-12345678").keep().unwrap();
        assert!(answer_ref("12345678-a-12345678").is(&known));
        assert!(!answer_ref("12345678-b-12345678").is(&known));
    }

    #[test]
    fn values_of_different_kinds_are_different() {
        let values = [
            None,
            Some(Value::Null),
            Some(Value::Boolean(false)),
            Some(Value::Boolean(true)),
            Some(Value::Integer(0)),
            Some(Value::Integer(1)),
            Some(Value::Integer(-1)),
            Some(Value::Float(0.0)),
            Some(Value::Float(-0.0)),
            Some(Value::Float(1.0)),
            Some(Value::Text("")),
            Some(Value::Text("1")),
            Some(Value::Json("1")),
        ];
        for (place, value) in values.iter().enumerate() {
            let known = AnswerRef::of(Answer::Get(*value)).keep().unwrap();
            for (other_place, other) in values.iter().enumerate() {
                let is = AnswerRef::of(Answer::Get(*other)).is(&known);
                assert_eq!(is, place == other_place, "{value:?} {other:?}");
            }
        }
    }

    #[test]
    fn keys_may_hold_anything() {
        let keys = ["", ":", "1:a", "a\nb"].map(str::to_owned);
        let text = join(&keys).unwrap();
        assert!(split(&text).eq(keys.iter().map(String::as_str)));
        assert!(join(&["x".repeat(MAX_ANSWER_BYTES)]).is_none());
    }
}
