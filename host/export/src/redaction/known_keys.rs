//! The verdicts on the keys of attributes. The spans of a batch have few different keys.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use opentelemetry::Key;

use super::{ProcessingCounts, Redaction};

/// Maximum number of keys, which bounds the memory. Further keys are examined each time.
const MAX_KEYS: usize = 1_024;

/// The verdict on a key.
#[derive(Clone, Copy)]
pub(super) struct KnownKey {
    /// `true` if values of the key are redacted.
    pub(super) hides: bool,
    /// `true` if the key itself contains a secret.
    pub(super) has_secret: bool,
}

/// The keys that one redaction has examined.
#[derive(Default)]
pub(super) struct KnownKeys(HashMap<Key, KnownKey, RandomState>);

impl KnownKeys {
    pub(super) fn examine(&mut self, key: &Key, redaction: &Redaction) -> KnownKey {
        if let Some(known) = self.0.get(key) {
            return *known;
        }
        let mut uncounted = ProcessingCounts::default();
        let mut has_secret = || {
            let without = redaction.without_secrets(key.as_str(), &mut uncounted);
            without.is_some()
        };
        let known = KnownKey {
            hides: redaction.hides(key.as_str()),
            has_secret: !is_plain(key.as_str()) && has_secret(),
        };
        if self.0.len() < MAX_KEYS {
            self.0.insert(key.clone(), known);
        }
        known
    }
}

/// Returns `true` for a key without a digit, an uppercase letter or a sign, as most are. Such a
/// key contains no secret.
fn is_plain(key: &str) -> bool {
    key.bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte == b'.' || byte == b'_')
}
