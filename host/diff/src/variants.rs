//! Variants of a context, which answer one question of a selector differently.

use std::collections::HashSet;

use serde_json::{Map, Value, json};
use spanmux_core::RuntimeContext;
use spanmux_core::explanation::Question;

use crate::Constants;

/// Maximum number of buckets that are tried for one question. They are evenly spread if the
/// question has more.
const SHARES: u32 = 200;
/// Maximum number of identifiers that are tried to find one for each bucket.
const IDENTIFIERS: u32 = 20_000;
/// A string that no selector compares with.
pub(crate) const UNKNOWN: &str = "something else";

/// Returns variants of a context with other answers to a question.
pub(crate) fn variants(
    question: &Question,
    entries: &Map<String, Value>,
    candidates: &Constants,
) -> Vec<Map<String, Value>> {
    let with = |key: &str, value: Value| {
        let mut entries = entries.clone();
        entries.insert(key.to_owned(), value);
        entries
    };
    let without = |key: &str| {
        let mut entries = entries.clone();
        entries.remove(key);
        entries
    };
    match question {
        Question::Get { key } => {
            let texts = candidates.words.iter().map(|word| json!(word));
            let kinds = [json!(""), json!(null), json!(true), json!(7), json!(0.5)];
            let values = [json!(UNKNOWN)].into_iter().chain(texts).chain(kinds);
            let values = values.chain([json!([])]).chain(numbers(candidates));
            let contexts = values.map(|value| with(key, value));
            contexts.chain([without(key)]).collect()
        }
        Question::Has { key } => vec![with(key, json!(UNKNOWN)), without(key)],
        Question::Bucket { key, salt, buckets } => {
            let identifiers = identifiers(key, salt, *buckets);
            let contexts = identifiers.into_iter().map(|id| with(key, json!(id)));
            contexts.chain([without(key)]).collect()
        }
        // Other keys appear as questions of their own.
        Question::Keys => Vec::new(),
    }
}

/// Returns each number and those next to it, for comparisons with a threshold.
fn numbers(candidates: &Constants) -> impl Iterator<Item = Value> {
    let integers = candidates.integers.iter();
    let integers = integers.flat_map(|integer| {
        [-1, 0, 1]
            .into_iter()
            .filter_map(|step| integer.checked_add(step))
    });
    let floats = candidates
        .floats
        .iter()
        .flat_map(|bits| [-0.5, 0.0, 0.5].map(|step| f64::from_bits(*bits) + step));
    // Integers that a selector does not receive as integers are left out.
    let integers = integers.filter(|integer| integer.unsigned_abs() < 1 << 53);
    let integers = integers.map(|integer| json!(integer));
    integers.chain(
        floats
            .map(|float| json!(float))
            .filter(|json| !json.is_null()),
    )
}

/// Finds an identifier for each bucket, or for evenly spread buckets.
fn identifiers(key: &str, salt: &str, buckets: u32) -> Vec<String> {
    let wanted = buckets.min(SHARES);
    let mut found = HashSet::new();
    let mut identifiers = Vec::new();
    for number in 0..IDENTIFIERS {
        if found.len() == wanted as usize {
            break;
        }
        let id = format!("id-{number}");
        let Ok(context) = RuntimeContext::builder().set(key, &id).try_build() else {
            break;
        };
        let Some(share) = context.view().bucket(key, salt, buckets) else {
            break;
        };
        let place = u64::from(share) * u64::from(wanted) / u64::from(buckets);
        if found.insert(place) {
            identifiers.push(id);
        }
    }
    identifiers
}
