//! The four questions as values, and the one function that answers them, both for the imports of a
//! guest and for the walk through its decision tree.

use super::bucket;
use super::key::Key;
use super::value::Value;
use super::view::ContextView;

/// A question of the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    Get(Key),
    Has(Key),
    Keys,
    Bucket {
        key: Key,
        salt: Box<str>,
        buckets: u32,
    },
}

impl Question {
    pub fn get(key: String) -> Self {
        Self::Get(Key::new(key))
    }

    pub fn has(key: String) -> Self {
        Self::Has(Key::new(key))
    }

    pub fn bucket(key: String, salt: String, buckets: u32) -> Self {
        Self::Bucket {
            key: Key::new(key),
            salt: salt.into(),
            buckets,
        }
    }

    /// Returns the size of its texts in bytes.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Get(key) | Self::Has(key) => key.as_str().len(),
            Self::Keys => 0,
            Self::Bucket { key, salt, .. } => key.as_str().len() + salt.len(),
        }
    }

    /// Precomputes hashes for repeated answers.
    pub fn prepare(mut self) -> Self {
        match &mut self {
            Self::Get(key) | Self::Has(key) | Self::Bucket { key, .. } => key.prepare(),
            Self::Keys => {}
        }
        self
    }

    /// Asks a context. This is the only function that answers a question.
    #[inline(always)]
    pub fn ask<'a>(&self, view: &ContextView<'a>) -> Answer<'a> {
        match self {
            Self::Get(key) => Answer::Get(view.look_up(key)),
            Self::Has(key) => Answer::Has(view.look_up(key).is_some()),
            Self::Keys => Answer::Keys(Keys { view: *view }),
            Self::Bucket { key, salt, buckets } => {
                let value = view.look_up(key);
                Answer::Bucket {
                    share: value.and_then(|value| bucket::bucket(value, salt, *buckets)),
                    hashed: value.map_or(0, |value| roughly(value.bytes())),
                }
            }
        }
    }
}

/// The answer of a context.
pub enum Answer<'a> {
    Get(Option<Value<'a>>),
    Has(bool),
    Keys(Keys<'a>),
    Bucket {
        share: Option<u32>,
        /// Approximate number of hashed bytes. Hashing consumes fuel, so the number is a part of
        /// the answer. It is approximate, so that there are few different answers.
        hashed: usize,
    },
}

/// Values up to this size cost the same to hash.
const SMALL_VALUE: usize = 256;

/// Rounds up to a power of four times the smallest size.
fn roughly(bytes: usize) -> usize {
    let mut rough = SMALL_VALUE;
    while rough < bytes {
        rough = rough.saturating_mul(4);
    }
    rough
}

/// The keys of a context, listed on demand.
#[derive(Clone, Copy)]
pub struct Keys<'a> {
    view: ContextView<'a>,
}

impl Keys<'_> {
    /// Returns each key once, sorted by bytes.
    pub fn list(&self) -> Vec<String> {
        self.view.keys()
    }

    /// Returns the number of keys.
    pub fn count(&self) -> usize {
        let mut count = 0;
        self.view.each_key(&mut |_, _| count += 1);
        count
    }

    /// Returns a number that differs for different keys with high probability, independent of their
    /// order.
    pub fn fingerprint(&self) -> u64 {
        let mut sum = 0_u64;
        self.view.each_key(&mut |prefix, key| {
            sum = sum.wrapping_add(super::hash::hash(key).rotate_left(prefix.len() as u32));
        });
        sum
    }

    /// Returns `true` if the key is listed.
    pub fn contains(&self, key: &str) -> bool {
        self.view.lists(key)
    }
}
