//! Making up contexts that show what a selector does, where nobody gave any.
//!
//! It begins with the empty context. The tree that is learned shows what the selector
//! asks, and for each question other answers are tried, until every question that was
//! seen has been tried or the budget is spent. Which texts are worth a try is read
//! from the selector's file (`words`): that is a guess, but what comes of it is seen
//! and not guessed.

mod words;

pub(crate) use words::words;

use std::collections::{HashSet, VecDeque};

use serde_json::{Map, Value, json};
use spanmux::explain::{Answer, Branch, Explanation, Question, Rule, Step, Way};
use spanmux::{ComponentSelector, RuntimeContext, Selector as _, TracerNames};

use crate::walk::{Walk, forget_hits, path};

/// How many contexts are made up for one selector: some seconds for an interpreter,
/// which takes milliseconds for each.
const CONTEXTS: usize = 1_000;
/// Questions with more shares are asked for so many of them, evenly spread.
const SHARES: u32 = 200;
/// Identifiers that are tried to find one for each share.
const IDENTIFIERS: u32 = 20_000;
/// A text that no selector knows.
const UNKNOWN: &str = "something else";

/// What came of it.
pub(crate) struct Explored {
    /// The tree, with nothing counted: made-up contexts have no shares.
    pub explanation: Explanation,
    /// How many contexts were made up.
    pub contexts: usize,
}

/// Makes up contexts for a selector whose file holds these words.
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

/// Asks the selector about contexts that are made up, and returns how many were. What
/// it decided, it has learned.
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
        selector.decide(&context.view(), tracers);
        let Some(tree) = selector.explain(tracers).tree else {
            continue;
        };
        let mut place = String::new();
        for (question, answer) in path(&tree, &context.view()) {
            place.push_str(&format!("{question:?}"));
            // What leads to a question is what stands before it, not what is asked of
            // it: it is tried once, from whichever context came there first.
            if spread.insert(place.clone()) {
                waiting.extend(others(&question, &entries, words));
            }
            place.push_str(&format!("={answer:?};"));
        }
    }
    contexts
}

/// The same context with other answers to a question.
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
        // What other keys there could be, the questions for them tell.
        Question::Keys => Vec::new(),
    }
}

/// An identifier for each share, or for shares that are evenly spread.
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

/// Leaves out the texts that were tried, that no counted context had, and that the
/// selector does not tell from a text that it cannot know.
pub(crate) fn leave_out(step: &mut Step) {
    let Step::Asks(_, ways) = step else {
        return;
    };
    ways.iter_mut().for_each(|way| leave_out(&mut way.then));
    let unknown = Answer::Text(UNKNOWN.to_owned());
    let Some(other) = ways.iter().find(|way| way.answer == unknown) else {
        return;
    };
    let other = uncounted(&other.then);
    let tells = |way: &Way| {
        let text = matches!(way.answer, Answer::Text(_));
        let then = uncounted(&way.then);
        !text || way.answer == unknown || then != way.then || then != other
    };
    ways.retain(tells);
}

fn uncounted(step: &Step) -> Step {
    let mut step = step.clone();
    forget_hits(Some(&mut step));
    step
}

/// Puts what happens to a text that the selector cannot know behind what happens to
/// those that it knows.
pub(crate) fn unknown_last(rule: &mut Rule) {
    let Rule::Asks { branches, .. } = rule else {
        return;
    };
    let unknown = Answer::Text(UNKNOWN.to_owned());
    let texts = |branch: &Branch| {
        let mut answers = branch.answers.iter();
        answers.any(|seen| matches!(&seen.answer, Answer::Text(text) if !text.is_empty()))
    };
    // Only among the branches for texts: what is not text, and absence, stay last.
    let known = branches.iter().take_while(|branch| texts(branch)).count();
    branches[..known]
        .sort_by_key(|branch| branch.answers.iter().any(|seen| seen.answer == unknown));
    for branch in branches {
        unknown_last(&mut branch.then);
    }
}
