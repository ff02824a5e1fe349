//! Selects the part of the rules that fits on a page. The rest is counted but not drawn.

use std::collections::HashSet;

use super::rules::{Branch, Rule, Rules};
use super::words::count;
use super::{Hits, Outcome, Question};

/// Maximum number of outcomes in a drawing: a screen of text, a tall picture.
const ENDS: usize = 64;
/// Maximum number of branches drawn for one question.
const BRANCHES: usize = 24;
/// Maximum depth of a drawing, in questions.
const DEPTH: usize = 10;

/// The drawn part of a rule.
pub(super) enum Node<'a> {
    Question {
        question: &'a Question,
        hits: Hits,
        edges: Vec<Arm<'a>>,
    },
    End {
        outcome: &'a Outcome,
        hits: Hits,
    },
    /// A text that replaces the omitted part.
    Rest {
        words: String,
        hits: Hits,
    },
}

/// A branch of a drawn question.
pub(super) struct Arm<'a> {
    /// The label. A line may break between its parts.
    pub(super) parts: Vec<String>,
    /// The longer label, for a tooltip.
    pub(super) full: Option<String>,
    pub(super) then: Node<'a>,
}

impl Node<'_> {
    pub(super) fn hits(&self) -> Hits {
        match self {
            Node::Question { hits, .. } | Node::End { hits, .. } | Node::Rest { hits, .. } => *hits,
        }
    }
}

/// Returns the part of the rules to draw. Every question gets the same maximum number of
/// branches: the largest one for which the drawing fits.
pub(super) fn excerpt(rules: &Rules) -> Option<Node<'_>> {
    let root = rules.root.as_ref()?;
    let branches = (1..=BRANCHES)
        .rev()
        .find(|most| ends(root, *most, 0) <= ENDS);
    Some(node(root, branches.unwrap_or(1), 0))
}

fn ends(rule: &Rule, most: usize, depth: usize) -> usize {
    match rule {
        Rule::Asks { branches, .. } if depth < DEPTH => {
            let (drawn, rest) = drawn(branches, most);
            let mut sum = usize::from(!rest.is_empty());
            for branch in drawn {
                sum += ends(&branch.then, most, depth + 1);
                // The count already exceeds the limit.
                if sum > ENDS {
                    break;
                }
            }
            sum
        }
        _ => 1,
    }
}

/// Splits branches into drawn and omitted ones, both in their original order. The drawn
/// branches are those with the most decisions and, after that, the most answers.
fn drawn(branches: &[Branch], most: usize) -> (Vec<&Branch>, Vec<&Branch>) {
    // A line that replaces one branch takes as much space as the branch.
    if branches.len() <= most + 1 {
        return (branches.iter().collect(), Vec::new());
    }
    let weight = |place: &usize| {
        let branch = branches.get(*place);
        branch.map(|branch| (branch.then.hits(), branch.answers.len()))
    };
    let mut places: Vec<usize> = (0..branches.len()).collect();
    places.sort_by_key(|place| std::cmp::Reverse(weight(place)));
    let kept: HashSet<usize> = places.into_iter().take(most).collect();
    let (drawn, rest): (Vec<_>, Vec<_>) = branches
        .iter()
        .enumerate()
        .partition(|(place, _)| kept.contains(place));
    let only = |branches: Vec<(usize, _)>| branches.into_iter().map(|(_, branch)| branch).collect();
    (only(drawn), only(rest))
}

fn node(rule: &Rule, most: usize, depth: usize) -> Node<'_> {
    match rule {
        Rule::Asks {
            question,
            branches,
            hits,
        } if depth < DEPTH => {
            let (drawn, rest) = drawn(branches, most);
            let mut edges: Vec<Arm<'_>> = drawn
                .into_iter()
                .map(|branch| Arm {
                    parts: branch.label.parts.clone(),
                    full: branch.label.full.clone(),
                    then: node(&branch.then, most, depth + 1),
                })
                .collect();
            edges.extend(left_out(&rest));
            Node::Question {
                question,
                hits: *hits,
                edges,
            }
        }
        Rule::Decides { outcome, hits } => Node::End {
            outcome,
            hits: *hits,
        },
        Rule::Asks { hits, .. } | Rule::GoesOn { hits } => Node::Rest {
            words: "more questions".to_owned(),
            hits: *hits,
        },
    }
}

fn left_out<'a>(rest: &[&Branch]) -> Option<Arm<'a>> {
    let answers: usize = rest.iter().map(|branch| branch.answers.len()).sum();
    let hits = rest.iter().map(|branch| branch.then.hits());
    (!rest.is_empty()).then(|| Arm {
        parts: vec![format!(
            "… and {}",
            count(answers as u64, "more answer", "more answers")
        )],
        full: None,
        then: Node::Rest {
            words: count(rest.len() as u64, "more branch", "more branches"),
            hits: hits.fold(0, u64::saturating_add),
        },
    })
}
