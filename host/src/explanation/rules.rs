//! The rules behind what was seen: answers to one question that lead to the same
//! place are one branch.

use std::collections::BTreeMap;

use super::alike::template;
use super::label::{Label, label};
use super::shapes::{Shape, Shapes};
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
/// use spanway::explanation::{Answer, Explanation, Outcome, Question, Step, Way};
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
/// let rules = explanation.rules();
/// assert_eq!(rules.never_chosen, ["console"]);
/// assert_eq!(rules.text(60).to_string(), "\
/// 50-environment
/// 8 decisions
///
/// environment?
/// ├─ \"production\" ··························· langfuse   6  75 %
/// └─ \"qa\", \"test\" ··························· abstains   2  25 %
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
    /// The decisions that went wrong otherwise: cause, reason, decisions.
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
    /// It goes on for more questions than anybody reads.
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
    /// Its place among the answers as they were learned.
    pub(super) place: usize,
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
                        seen.place = seen.place.min(other.place);
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

impl Explanation {
    /// The rules behind it.
    ///
    /// # Cost
    /// About as much as the tree is large.
    pub fn rules(&self) -> Rules {
        let root = self.tree.as_ref().map(|tree| {
            let (mut rule, _) = Grouping::default().rule(tree, 0);
            arrange(&mut rule);
            rule
        });
        let mut ends = BTreeMap::new();
        if let Some(tree) = &self.tree {
            count_ends(tree, &mut ends);
        }
        let (mut chosen, mut never_chosen) = (Vec::new(), Vec::new());
        for name in &self.tracers {
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
                failures.push((cause.clone(), reason.clone(), *hits));
            }
        }
        Rules {
            selector: self.selector.clone(),
            digest: self.digest.clone(),
            tracers: self.tracers.clone(),
            hits: root.as_ref().map_or(0, Rule::hits),
            root,
            runs: self.runs,
            edges: self.edges,
            bytes: self.bytes,
            chosen,
            abstained: ends.get(&Outcome::Abstains).copied(),
            never_chosen,
            unknown_tracers,
            failures,
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
            Step::Asks(..) if depth == DEEPEST => {
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
        for (place, way) in ways.iter().enumerate() {
            let (then, shape) = self.rule(&way.then, depth + 1);
            let hits = then.hits();
            total = total.saturating_add(hits);
            let seen = Seen {
                answer: way.answer.clone(),
                hits,
                place,
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
                .sort_by_cached_key(|seen| format!("{:?}", seen.answer));
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
        branch.answers.sort_by(|a, b| {
            let rank = |seen: &Seen| matches!(seen.answer, Answer::Absent);
            let shares = match (&a.answer, &b.answer) {
                (Answer::Share(a), Answer::Share(b)) => a.cmp(b),
                _ => std::cmp::Ordering::Equal,
            };
            (rank(a).cmp(&rank(b)))
                .then(shares)
                .then(b.hits.cmp(&a.hits))
                .then(a.place.cmp(&b.place))
        });
    }
    branches.sort_by_key(reading_order);
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

/// Absence last, before it what went wrong; a rule for one answer before a rule for
/// many, shares as they are numbered.
fn reading_order(branch: &Branch) -> impl Ord + use<> {
    let last = |seen: &Seen| matches!(seen.answer, Answer::Absent | Answer::Has(false));
    let class = match &branch.then {
        _ if branch.answers.iter().any(last) => 2,
        Rule::Decides {
            outcome: outcome @ Outcome::Fallback { .. },
            ..
        } if outcome.unknown_tracer().is_none() => 1,
        _ => 0,
    };
    let share = branch.answers.iter().find_map(|seen| match seen.answer {
        Answer::Share(share) => Some(share),
        _ => None,
    });
    let answers = share.map_or(branch.answers.len(), |_| 0);
    let first = branch.answers.iter().map(|seen| seen.place).min();
    let hits = std::cmp::Reverse(branch.then.hits());
    (class, share, answers, hits, first)
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
