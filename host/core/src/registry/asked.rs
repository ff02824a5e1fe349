//! The keys that cached decisions depend on.

use super::Snapshot;
use crate::context::Question;

/// The questions of a chain that a generation can count. A tree has at most 256.
const MAX_QUESTIONS: u64 = 1 << 24;

/// The keys that cached decisions ask, so that a caller reads only these from a large or remote
/// context.
///
/// The list contains each key and the prefixes of its dotted path, because a look-up of `user.tier`
/// also reads the object `user`. A context with the values of these keys, and no others, has the answers of the
/// complete context.
///
/// The list grows when a run asks a further key, and changes with the selectors. Every change has
/// another generation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AskedKeys {
    /// Identifies the list. Below 2^53 for the first half billion changes of the registry.
    pub generation: u64,
    /// The keys, each once.
    pub keys: Vec<String>,
}

impl<T> Snapshot<T> {
    /// Returns the generation of the asked keys, or `None` if a selector has no decision tree.
    pub(super) fn generation(&self) -> Option<u64> {
        let mut questions = 0;
        for tree in self.chain.trees(&self.seats, &self.names) {
            questions += tree?.question_count() as u64;
        }
        (questions < MAX_QUESTIONS).then_some(self.number * MAX_QUESTIONS + questions)
    }

    pub(super) fn asked_keys(&self) -> Option<AskedKeys> {
        // Read first: a question that is added meanwhile is listed early and not missed.
        let generation = self.generation()?;
        let mut keys = Vec::new();
        for tree in self.chain.trees(&self.seats, &self.names) {
            for question in tree?.questions() {
                match question {
                    // The list of all keys is an answer.
                    Question::Keys => return None,
                    Question::Get(key) | Question::Has(key) | Question::Bucket { key, .. } => {
                        add(&mut keys, key.as_str());
                    }
                }
            }
        }
        Some(AskedKeys { generation, keys })
    }
}

/// Adds a key and the prefixes of its dotted path.
fn add(keys: &mut Vec<String>, key: &str) {
    let prefixes = key.match_indices('.').map(|(at, _)| &key[..at]);
    for key in std::iter::once(key).chain(prefixes) {
        if !keys.iter().any(|known| known == key) {
            keys.push(key.to_owned());
        }
    }
}
