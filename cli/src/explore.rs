//! Explores the behaviour of a selector with made-up contexts.
//!
//! Exploration starts with the empty context. The decision tree shows the selector's questions.
//! For each question, other answers are tried, until all observed questions have been tried or
//! the budget is spent. Candidate strings are read from the selector's file (`words`). The
//! candidates are guesses, but the decisions shown are observed.

mod words;

pub(crate) use words::words;

use std::collections::{HashSet, VecDeque};

use serde_json::{Map, Value, json};
use spanmux::explain::{Answer, Branch, Edge, Explanation, Question, Rule, Step};
use spanmux::{ComponentSelector, RuntimeContext, Selector as _, TracerNames};

use crate::walk::{Walk, forget_hits, path};

/// Maximum number of made-up contexts for one selector. An interpreter takes milliseconds for
/// each, so a few seconds in total.
const CONTEXTS: usize = 1_000;
/// Maximum number of buckets that are tried for one question. They are evenly spread if the
/// question has more.
const SHARES: u32 = 200;
/// Maximum number of identifiers that are tried to find one for each bucket.
const IDENTIFIERS: u32 = 20_000;
/// A string that no selector compares with.
const UNKNOWN: &str = "something else";

/// The result of an exploration.
pub(crate) struct Explored {
    /// The tree without counts, because shares of made-up contexts are meaningless.
    pub explanation: Explanation,
    /// The number of made-up contexts.
    pub contexts: usize,
}

/// Explores a selector whose file contains these words.
pub(crate) fn explore(
    selector: &ComponentSelector,
    words: &[String],
    tracers: &TracerNames,
) -> Explored {
    let contexts = ask_around(selector, words, tracers);
    let mut explanation = Walk::new(selector.explain(tracers)).explanation;
    if let Some(tree) = &mut explanation.tree {
        leave_out(tree);
    }
    Explored {
        explanation,
        contexts,
    }
}

/// Runs the selector on made-up contexts and returns their number. The decisions are stored in
/// its decision cache.
pub(crate) fn ask_around(
    selector: &ComponentSelector,
    words: &[String],
    tracers: &TracerNames,
) -> usize {
    let mut waiting = VecDeque::from([Map::new()]);
    let mut tried: HashSet<String> = HashSet::new();
    let mut contexts = 0;
    let mut spread = HashSet::new();
    while let Some(entries) = waiting.pop_front() {
        if contexts == CONTEXTS {
            break;
        }
        let text = Value::Object(entries.clone()).to_string();
        if !tried.insert(text.clone()) {
            continue;
        }
        let Ok(context) = RuntimeContext::from_json(&text) else {
            continue;
        };
        contexts += 1;
        selector.decision(&context.view(), tracers);
        let Some(tree) = selector.explain(tracers).tree else {
            continue;
        };
        let mut place = String::new();
        for (question, answer) in path(&tree, &context.view()) {
            place.push_str(&format!("{question:?}"));
            // A question is identified by the path that leads to it. Other answers are tried
            // once, based on the first context that reaches the question.
            if spread.insert(place.clone()) {
                waiting.extend(others(&question, &entries, words));
            }
            place.push_str(&format!("={answer:?};"));
        }
    }
    contexts
}

/// Returns variants of a context with other answers to a question.
fn others(
    question: &Question,
    entries: &Map<String, Value>,
    words: &[String],
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
            let texts = words.iter().map(|word| json!(word));
            let kinds = [json!(""), json!(null), json!(true), json!(7), json!(0.5)];
            let values = [json!(UNKNOWN)].into_iter().chain(texts).chain(kinds);
            let values = values.chain([json!([])]);
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

/// Removes candidate strings that no counted context contains and that the selector treats like
/// [`UNKNOWN`].
pub(crate) fn leave_out(step: &mut Step) {
    let Step::Asks(_, edges) = step else {
        return;
    };
    edges.iter_mut().for_each(|edge| leave_out(&mut edge.then));
    let unknown = Answer::Text(UNKNOWN.to_owned());
    let Some(other) = edges.iter().find(|edge| edge.answer == unknown) else {
        return;
    };
    let other = uncounted(&other.then);
    let tells = |edge: &Edge| {
        let text = matches!(edge.answer, Answer::Text(_));
        let then = uncounted(&edge.then);
        !text || edge.answer == unknown || then != edge.then || then != other
    };
    edges.retain(tells);
}

fn uncounted(step: &Step) -> Step {
    let mut step = step.clone();
    forget_hits(Some(&mut step));
    step
}

/// Moves the branch for [`UNKNOWN`] strings behind the branches for known strings.
pub(crate) fn unknown_last(rule: &mut Rule) {
    let Rule::Asks { branches, .. } = rule else {
        return;
    };
    let unknown = Answer::Text(UNKNOWN.to_owned());
    let texts = |branch: &Branch| {
        let mut answers = branch.answers.iter();
        answers.any(|seen| matches!(&seen.answer, Answer::Text(text) if !text.is_empty()))
    };
    // Applies only to the branches for strings. Other types and absence stay last.
    let known = branches.iter().take_while(|branch| texts(branch)).count();
    branches[..known]
        .sort_by_key(|branch| branch.answers.iter().any(|seen| seen.answer == unknown));
    for branch in branches {
        unknown_last(&mut branch.then);
    }
}
