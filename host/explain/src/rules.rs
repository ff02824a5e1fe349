//! The rules behind the observed decisions. Answers to one question that lead to the same
//! result share a branch.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::label::{Label, label};
use super::merge_failures::{common, template};
use super::shapes::{Shape, Shapes};
use super::words::{count, printable};
use super::{Answer, Edge, Explanation, Hits, Outcome, Question, Step};

/// Maximum depth of the rules, in questions. No reader follows a deeper path, and the stack
/// must not grow with the depth of the tree.
const DEEPEST: usize = 64;

/// An [`Explanation`] in the form of rules: answers that lead to the same result share a
/// branch.
///
/// The rules contain only observed decisions. They have no branch for answers that never
/// occurred, and no "otherwise" branch.
///
/// # Examples
/// ```
/// use spanmux::explain::{Answer, Explanation, Outcome, Question, Rules, Step, Edge};
///
/// let decides = |outcome, hits| Step::Decides(outcome, hits);
/// let way = |text: &str, then| Edge { answer: Answer::Text(text.into()), then };
/// let explanation = Explanation {
///     selector: "50-environment".into(),
///     digest: None,
///     tracers: vec!["langfuse".into(), "console".into()],
///     tree: Some(Step::Asks(
///         Question::Get { key: "environment".into() },
///         vec![
///             way("qa", decides(Outcome::Abstains, 1)),
///             way("production", decides(Outcome::Tracer("langfuse".into()), 6)),
///             way("test", decides(Outcome::Abstains, 1)),
///         ],
///     )),
///     hits: 8,
///     runs: 3,
///     edges: 3,
///     bytes: 0,
/// };
/// let rules = Rules::new(&explanation);
/// assert_eq!(rules.never_chosen, ["console"]);
/// assert_eq!(rules.text(60).to_string(), "\
/// 50-environment
/// 8 decisions
///
/// environment?
/// ├─ \"production\" ··· langfuse   6  75 %
/// └─ \"qa\", \"test\" ··· abstains   2  25 %
///
/// Never chosen: console
/// ");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// The selector's name.
    pub selector: String,
    /// The SHA-256 of its file, in hex.
    pub digest: Option<String>,
    /// The names of the registered tracers, in the order of registration.
    pub tracers: Vec<String>,
    /// The first rule. `None` if the tree is empty.
    pub root: Option<Rule>,
    /// The origin of the contexts, for the heading. `None` by default.
    pub note: Option<String>,
    /// Decisions in the tree: the sum over all of its leaves.
    pub hits: Hits,
    /// Decisions for which the component ran.
    pub runs: u64,
    /// Number of answers in the tree, over all questions.
    pub edges: usize,
    /// Memory of the tree, in bytes.
    pub bytes: usize,
    /// The tracers that were chosen, in the order of registration, with the number of
    /// decisions for each.
    pub chosen: Vec<(String, Hits)>,
    /// Decisions in which the selector abstained. `None` if no path leads to that outcome.
    pub abstained: Option<Hits>,
    /// The tracers that were never chosen, in the order of registration.
    pub never_chosen: Vec<String>,
    /// Chosen names that are not registered, with the number of decisions for each.
    pub unknown_tracers: Vec<(String, Hits)>,
    /// All other failures: cause, reason, number of decisions. Reasons that differ only in a
    /// few words are merged, with an ellipsis for those words.
    pub failures: Vec<(String, String, Hits)>,
}

/// A question or an outcome.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Rule {
    /// The selector asks a question.
    Asks {
        /// The question.
        question: Question,
        /// The branches by answer: the most specific first, absence last.
        branches: Vec<Branch>,
        /// Decisions that reached this rule.
        hits: Hits,
    },
    /// The selector has decided.
    Decides {
        /// The outcome.
        outcome: Outcome,
        /// Decisions that reached this outcome.
        hits: Hits,
    },
    /// The tree continues. The rules end here because of their maximum depth, or because the
    /// tree has no answer to the next question.
    GoesOn {
        /// Decisions that continued from here.
        hits: Hits,
    },
}

/// All answers to one question that lead to the same result.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// The answers, with the most frequent first.
    pub answers: Vec<Seen>,
    /// The label of the answers.
    pub label: Label,
    /// The rule that follows.
    pub then: Rule,
}

/// An answer and the number of times it was given.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The answer.
    pub answer: Answer,
    /// Decisions in which this answer was given.
    pub hits: Hits,
}

impl Rule {
    /// Returns the number of decisions that reached this rule.
    pub fn hits(&self) -> Hits {
        match self {
            Rule::Asks { hits, .. } | Rule::Decides { hits, .. } | Rule::GoesOn { hits } => *hits,
        }
    }

    /// Adds the counts of another rule with the same shape.
    fn add(&mut self, other: Rule) {
        match (self, other) {
            (
                Rule::Asks { branches, hits, .. },
                Rule::Asks {
                    branches: others,
                    hits: more,
                    ..
                },
            ) => {
                *hits = hits.saturating_add(more);
                for (branch, other) in branches.iter_mut().zip(others) {
                    branch.then.add(other.then);
                    for (seen, other) in branch.answers.iter_mut().zip(other.answers) {
                        seen.hits = seen.hits.saturating_add(other.hits);
                    }
                }
            }
            (
                Rule::Decides { hits, .. } | Rule::GoesOn { hits },
                Rule::Decides { hits: more, .. } | Rule::GoesOn { hits: more },
            ) => *hits = hits.saturating_add(more),
            // Rules with equal shapes have the same variant.
            _ => {}
        }
    }
}

impl Rules {
    /// Groups the decisions into rules.
    ///
    /// # Cost
    /// Roughly proportional to the size of the tree.
    pub fn new(explanation: &Explanation) -> Self {
        let root = explanation.tree.as_ref().map(|tree| {
            let (mut rule, _) = Grouping::default().rule(tree, 0);
            arrange(&mut rule);
            rule
        });
        let mut ends = BTreeMap::new();
        if let Some(tree) = &explanation.tree {
            count_ends(tree, &mut ends);
        }
        let (mut chosen, mut never_chosen) = (Vec::new(), Vec::new());
        for name in &explanation.tracers {
            match ends.get(&Outcome::Tracer(name.clone())) {
                Some(hits) => chosen.push((name.clone(), *hits)),
                None => never_chosen.push(name.clone()),
            }
        }
        let mut unknown_tracers = Vec::new();
        let mut failures = Vec::new();
        for (outcome, hits) in &ends {
            if let Some(name) = outcome.unknown_tracer() {
                unknown_tracers.push((name.to_owned(), *hits));
            } else if let Outcome::Fallback { cause, reason } = outcome {
                add_failure(&mut failures, cause, reason, *hits);
            }
        }
        Rules {
            selector: explanation.selector.clone(),
            digest: explanation.digest.clone(),
            tracers: explanation.tracers.clone(),
            note: None,
            hits: root.as_ref().map_or(0, Rule::hits),
            root,
            runs: explanation.runs,
            edges: explanation.edges,
            bytes: explanation.bytes,
            chosen,
            abstained: ends.get(&Outcome::Abstains).copied(),
            never_chosen,
            unknown_tracers,
            failures,
        }
    }

    /// Returns the subtitle: the number of decisions or answers behind the rules.
    pub(super) fn basis(&self) -> String {
        match (&self.note, self.hits) {
            (Some(note), _) => printable(note),
            (None, 0) => count(self.edges as u64, "answer seen", "answers seen"),
            (None, hits) => count(hits, "decision", "decisions"),
        }
    }
}

/// Counts how often each outcome was reached. It does not recurse, because the tree may be
/// deep.
fn count_ends(tree: &Step, ends: &mut BTreeMap<Outcome, Hits>) {
    let mut steps = vec![tree];
    while let Some(step) = steps.pop() {
        match step {
            Step::Asks(_, edges) => steps.extend(edges.iter().map(|edge| &edge.then)),
            Step::Decides(outcome, hits) => {
                let sum = ends.entry(outcome.clone()).or_default();
                *sum = sum.saturating_add(*hits);
            }
        }
    }
}

#[derive(Default)]
struct Grouping {
    shapes: Shapes,
}

impl Grouping {
    fn rule(&mut self, step: &Step, depth: usize) -> (Rule, Shape) {
        match step {
            Step::Decides(outcome, hits) => {
                let rule = Rule::Decides {
                    outcome: outcome.clone(),
                    hits: *hits,
                };
                (rule, self.shapes.end(outcome))
            }
            // Without any answer, only the question is known.
            Step::Asks(_, edges) if depth == DEEPEST || edges.is_empty() => {
                let mut ends = BTreeMap::new();
                count_ends(step, &mut ends);
                let hits = ends.into_values().fold(0, u64::saturating_add);
                (Rule::GoesOn { hits }, self.shapes.unlike_any())
            }
            Step::Asks(question, edges) => self.question(question, edges, depth),
        }
    }

    fn question(&mut self, question: &Question, edges: &[Edge], depth: usize) -> (Rule, Shape) {
        let mut branches: BTreeMap<Shape, Branch> = BTreeMap::new();
        let mut total: Hits = 0;
        for edge in edges {
            let (then, shape) = self.rule(&edge.then, depth + 1);
            let hits = then.hits();
            total = total.saturating_add(hits);
            let seen = Seen {
                answer: edge.answer.clone(),
                hits,
            };
            if let Some(branch) = branches.get_mut(&shape) {
                branch.answers.push(seen);
                branch.then.add(then);
            } else {
                let branch = Branch {
                    answers: vec![seen],
                    label: Label::default(),
                    then,
                };
                branches.insert(shape, branch);
            }
        }
        // Equal shapes have the same order, so that their counts can be added element by
        // element. The display order is applied at the end.
        for branch in branches.values_mut() {
            branch
                .answers
                .sort_by_cached_key(|seen| natural(&seen.answer));
        }
        let shape = self.shapes.question(question, &branches);
        let rule = Rule::Asks {
            question: question.clone(),
            branches: branches.into_values().collect(),
            hits: total,
        };
        (rule, shape)
    }
}

/// Adds a failure, merged with an earlier one whose reason differs only in the middle.
fn add_failure(failures: &mut Vec<(String, String, Hits)>, cause: &str, reason: &str, hits: Hits) {
    for (other_cause, other, sum) in failures.iter_mut() {
        if other_cause == cause
            && let Some(common) = common(other, reason)
        {
            *other = common;
            *sum = sum.saturating_add(hits);
            return;
        }
    }
    failures.push((cause.to_owned(), reason.to_owned(), hits));
}

/// Sorts everything into display order and creates the labels.
fn arrange(rule: &mut Rule) {
    let Rule::Asks {
        question, branches, ..
    } = rule
    else {
        return;
    };
    join_failures(branches);
    for branch in branches.iter_mut() {
        arrange(&mut branch.then);
        // The result must not depend on the order in which threads inserted the answers.
        branch
            .answers
            .sort_by_cached_key(|seen| (Reverse(rank(seen)), natural(&seen.answer)));
    }
    branches.sort_by_cached_key(reading_order);
    let all: Vec<Vec<Answer>> = branches
        .iter()
        .map(|branch| {
            branch
                .answers
                .iter()
                .map(|seen| seen.answer.clone())
                .collect()
        })
        .collect();
    for (own, branch) in branches.iter_mut().enumerate() {
        let others = || {
            let others = all.iter().enumerate().filter(|(place, _)| *place != own);
            others.flat_map(|(_, answers)| answers).collect()
        };
        branch.label = label(question, &branch.answers, others);
    }
}

/// Returns the priority of an answer on a label that cannot list all of them. Shares keep
/// their numeric order. Of all others, the most frequent come first. Absence comes last.
fn rank(seen: &Seen) -> Option<Hits> {
    match seen.answer {
        Answer::Absent => None,
        Answer::Share(_) => Some(0),
        _ => Some(seen.hits),
    }
}

/// Returns the sort key of a branch: absence last, failures before it, abstaining before
/// those. A rule for one answer precedes a rule for many. Shares keep their numeric order.
fn reading_order(branch: &Branch) -> impl Ord + use<> {
    let last = |seen: &Seen| matches!(seen.answer, Answer::Absent | Answer::Has(false));
    let class = match &branch.then {
        _ if branch.answers.iter().any(last) => 3,
        Rule::Decides {
            outcome: outcome @ Outcome::Fallback { .. },
            ..
        } if outcome.unknown_tracer().is_none() => 2,
        Rule::Decides {
            outcome: Outcome::Abstains,
            ..
        } => 1,
        _ => 0,
    };
    let share = branch.answers.iter().find_map(|seen| match seen.answer {
        Answer::Share(share) => Some(share),
        _ => None,
    });
    let answers = share.map_or(branch.answers.len(), |_| 0);
    let first = branch.answers.first().map(|seen| natural(&seen.answer));
    let class = if share.is_some() { 0 } else { class };
    (class, share, answers, Reverse(branch.then.hits()), first)
}

/// Returns the natural order of answers: by type, numbers by size, text by bytes.
fn natural(answer: &Answer) -> (u8, i64, String) {
    match answer {
        Answer::Has(has) => (0, i64::from(!has), String::new()),
        Answer::Share(share) => (1, i64::from(*share), String::new()),
        Answer::Text(text) => (2, 0, text.clone()),
        Answer::Null => (3, 0, String::new()),
        Answer::Boolean(boolean) => (4, i64::from(!boolean), String::new()),
        Answer::Integer(integer) => (5, *integer, String::new()),
        Answer::Float(float) => (6, 0, format!("{float:e}")),
        Answer::Json(text) => (7, 0, text.clone()),
        Answer::Keys(keys) => (8, 0, keys.join("\n")),
        Answer::Absent => (9, 0, String::new()),
    }
}

/// Merges branches whose failure reasons differ only in the middle: usually, one line of the
/// selector's source produced them all.
fn join_failures(branches: &mut Vec<Branch>) {
    let mut joined: Vec<Branch> = Vec::with_capacity(branches.len());
    for branch in branches.drain(..) {
        let place = joined
            .iter()
            .position(|other| template(&other.then, &branch.then).is_some());
        let Some(other) = place.and_then(|place| joined.get_mut(place)) else {
            joined.push(branch);
            continue;
        };
        if let Some(outcome) = template(&other.then, &branch.then) {
            let hits = other.then.hits().saturating_add(branch.then.hits());
            other.then = Rule::Decides { outcome, hits };
            other.answers.extend(branch.answers);
        }
    }
    *branches = joined;
}
