//! Explores the behaviour of a selector with made-up contexts.
//!
//! Exploration starts with the empty context. The decision tree shows the selector's questions.
//! For each question, other answers are tried, until all observed questions have been tried or
//! the budget is spent. Candidate strings are read from the selector's file (`words`). The
//! candidates are guesses, but the decisions shown are observed.

use std::collections::{HashSet, VecDeque};

use serde_json::Map;
use spanmux_core::explanation::{Answer, Edge, Explanation, Step};
use spanmux_core::{RuntimeContext, Selector, TracerNames};
use spanmux_explain::{Branch, Rule};

use crate::Constants;
use crate::joint::json_text;
use crate::variants::{UNKNOWN, variants};
use crate::walk::{Walk, forget_hits, path};

/// Maximum number of made-up contexts for one selector. An interpreter takes milliseconds for
/// each, so a few seconds in total.
const CONTEXTS: usize = 1_000;

/// The result of an exploration.
pub struct Explored {
    /// The tree without counts, because shares of made-up contexts are meaningless.
    pub explanation: Explanation,
    /// The number of made-up contexts.
    pub contexts: usize,
}

/// Explores a selector whose file contains these words. Native code has no tree to show.
pub fn explore(selector: &dyn Selector, words: &[String], tracers: &TracerNames) -> Explored {
    let contexts = ask_around(selector, words, tracers);
    let explanation = selector.explanation(tracers);
    let explanation = explanation.unwrap_or_else(|| Explanation::nothing(tracers.as_slice()));
    let mut explanation = Walk::new(explanation).explanation;
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
pub fn ask_around(selector: &dyn Selector, words: &[String], tracers: &TracerNames) -> usize {
    let mut waiting = VecDeque::from([Map::new()]);
    let mut tried: HashSet<String> = HashSet::new();
    let mut contexts = 0;
    let mut spread = HashSet::new();
    let candidates = Constants {
        words: words.to_vec(),
        ..Constants::default()
    };
    while let Some(entries) = waiting.pop_front() {
        if contexts == CONTEXTS {
            break;
        }
        let text = json_text(&entries);
        if !tried.insert(text.clone()) {
            continue;
        }
        let Ok(context) = RuntimeContext::from_json(&text) else {
            continue;
        };
        contexts += 1;
        selector.decision(&context.view(), tracers);
        let Some(tree) = selector.explanation(tracers).and_then(|known| known.tree) else {
            continue;
        };
        let mut place = String::new();
        for (question, answer) in path(&tree, &context.view()) {
            place.push_str(&format!("{question:?}"));
            // A question is identified by the path that leads to it. Other answers are tried
            // once, based on the first context that reaches the question.
            if spread.insert(place.clone()) {
                waiting.extend(variants(&question, &entries, &candidates));
            }
            place.push_str(&format!("={answer:?};"));
        }
    }
    contexts
}

/// Removes candidate strings that no counted context contains and that the selector treats like
/// `UNKNOWN`.
pub fn leave_out(step: &mut Step) {
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

/// Moves the branch for `UNKNOWN` strings behind the branches for known strings.
pub fn unknown_last(rule: &mut Rule) {
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
