//! The rules behind what was seen: answers to one question that lead to the same
//! place are one branch.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::alike::{common, template};
use super::label::{Label, label};
use super::shapes::{Shape, Shapes};
use super::words::{count, printable};
use super::{Answer, Explanation, Hits, Outcome, Question, Step, Way};

/// How many questions deep the rules go. A person has stopped reading long before,
/// and a tree of any depth must not need a stack of any depth.
const DEEPEST: usize = 64;

/// An [`Explanation`] as its author would state it: answers that lead to the same
/// place stand on one branch.
///
/// The rules say what was seen and nothing else. An answer that never came is on no
/// branch, and there is no "otherwise".
///
/// # Examples
/// ```
/// use spanmux::explain::{Answer, Explanation, Outcome, Question, Rules, Step, Way};
///
/// let decides = |outcome, hits| Step::Decides(outcome, hits);
/// let way = |text: &str, then| Way { answer: Answer::Text(text.into()), then };
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
    /// The tracers that it may name, in the order of their registration.
    pub tracers: Vec<String>,
    /// The first rule; none if nothing was learned.
    pub root: Option<Rule>,
    /// Where the contexts came from, for the heading; none until somebody sets it.
    pub note: Option<String>,
    /// Decisions that the tree accounts for: the sum over all of its ends.
    pub hits: Hits,
    /// Decisions for which the component ran.
    pub runs: u64,
    /// Answers that the tree holds, over all of its questions.
    pub edges: usize,
    /// Memory that the tree takes, in bytes.
    pub bytes: usize,
    /// The tracers that a way leads to, in the order of their registration, with
    /// their decisions.
    pub chosen: Vec<(String, Hits)>,
    /// Decisions in which the selector had no say; none if no way leads to that.
    pub abstained: Option<Hits>,
    /// The tracers that no way leads to, in the order of their registration.
    pub never_chosen: Vec<String>,
    /// The names that were answered and that no tracer has, with their decisions.
    pub unknown_tracers: Vec<(String, Hits)>,
    /// The decisions that went wrong otherwise: cause, reason, decisions. Reasons that
    /// differ in few words are one, with an ellipsis for those words.
    pub failures: Vec<(String, String, Hits)>,
}

/// What happens next.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Rule {
    /// The selector asks.
    Asks {
        /// What it asks.
        question: Question,
        /// What the answers lead to; the most particular first, absence last.
        branches: Vec<Branch>,
        /// Decisions that came this way.
        hits: Hits,
    },
    /// The selector has decided.
    Decides {
        /// How.
        outcome: Outcome,
        /// Decisions that ended here.
        hits: Hits,
    },
    /// It goes on: with more questions than anybody reads, or with one of which no
    /// answer is known any more.
    GoesOn {
        /// Decisions that went on.
        hits: Hits,
    },
}

/// All answers to one question that lead to the same place.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// The answers; those with the most decisions first.
    pub answers: Vec<Seen>,
    /// The answers in words.
    pub label: Label,
    /// What they lead to.
    pub then: Rule,
}

/// One answer and how often it was given.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The answer.
    pub answer: Answer,
    /// Decisions that it was given for.
    pub hits: Hits,
}

impl Rule {
    /// Decisions that came this way.
    pub fn hits(&self) -> Hits {
        match self {
            Rule::Asks { hits, .. } | Rule::Decides { hits, .. } | Rule::GoesOn { hits } => *hits,
        }
    }

    /// Adds what another rule of the same shape counted.
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
            // Equal shapes are equal in kind.
            _ => {}
        }
    }
}

impl Rules {
    /// Groups the paths of an explanation into rules.
    ///
    /// # Cost
    /// About as much as the tree is large.
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

    /// What the rules rest on, for a heading.
    pub(super) fn basis(&self) -> String {
        match (&self.note, self.hits) {
            (Some(note), _) => printable(note),
            (None, 0) => count(self.edges as u64, "answer seen", "answers seen"),
            (None, hits) => count(hits, "decision", "decisions"),
        }
    }
}

/// How often each outcome was reached. Without recursion: the tree may be deep.
fn count_ends(tree: &Step, ends: &mut BTreeMap<Outcome, Hits>) {
    let mut steps = vec![tree];
    while let Some(step) = steps.pop() {
        match step {
            Step::Asks(_, ways) => steps.extend(ways.iter().map(|way| &way.then)),
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
            // Where nothing was learned of the answers, all that is known is the question.
            Step::Asks(_, ways) if depth == DEEPEST || ways.is_empty() => {
                let mut ends = BTreeMap::new();
                count_ends(step, &mut ends);
                let hits = ends.into_values().fold(0, u64::saturating_add);
                (Rule::GoesOn { hits }, self.shapes.unlike_any())
            }
            Step::Asks(question, ways) => self.question(question, ways, depth),
        }
    }

    fn question(&mut self, question: &Question, ways: &[Way], depth: usize) -> (Rule, Shape) {
        let mut branches: BTreeMap<Shape, Branch> = BTreeMap::new();
        let mut total: Hits = 0;
        for way in ways {
            let (then, shape) = self.rule(&way.then, depth + 1);
            let hits = then.hits();
            total = total.saturating_add(hits);
            let seen = Seen {
                answer: way.answer.clone(),
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
        // One order for equal shapes, so that two of them can be added up place by
        // place. The order for people comes at the very end.
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

/// Failures that say the same of different things are one.
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

/// Brings everything into the order in which it is read, and puts it into words.
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
        // Nothing depends on the order in which answers were learned: threads differ
        // in it.
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

/// What is named first where not all can be named: shares as they are numbered, of
/// all else what was answered most; absence last.
fn rank(seen: &Seen) -> Option<Hits> {
    match seen.answer {
        Answer::Absent => None,
        Answer::Share(_) => Some(0),
        _ => Some(seen.hits),
    }
}

/// Absence last, before it what went wrong, before that where the selector had no say;
/// a rule for one answer before a rule for many, shares as they are numbered.
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

/// The order of answers among themselves: by kind, numbers by size, text by bytes.
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

/// Branches that failed with the same words but for one are one branch: an author
/// wrote one line for them.
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
