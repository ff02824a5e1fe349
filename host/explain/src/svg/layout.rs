//! The layout: a tidy tree from left to right. Every outcome has a line of its own, a
//! question is centred on its branches, and all outcomes are in one column.

use super::measure;
use crate::prune::{Arm, Node};
use crate::words::shorten;
use crate::{Hits, Outcome, Question};

/// Vertical distance between outcomes.
const LINE: f64 = 46.0;
/// Additional distance between the outcomes of different questions.
const APART: f64 = 8.0;
/// Horizontal length of an edge's bend.
const BEND: f64 = 68.0;
/// Distance between a label and the next node.
const ROOM: f64 = 22.0;
/// Width of the thickest edge, for all decisions.
const WIDEST: f64 = 22.0;
/// Width of the thinnest edge, which must still be visible.
const THINNEST: f64 = 1.5;
/// Maximum lengths of texts, in characters.
const ANSWER: usize = 56;
const OUTCOME: usize = 46;
const KEY: usize = 32;

pub(super) const KEY_SIZE: f64 = 12.5;
pub(super) const SMALL_SIZE: f64 = 10.5;

/// A drawn question.
pub(super) struct Pill {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) words: String,
    /// Additional text in a smaller font.
    pub(super) small: Option<String>,
    pub(super) tip: String,
}

/// An edge from a question to the node for an answer.
pub(super) struct Line {
    pub(super) from: (f64, f64),
    /// The end of the bend.
    pub(super) bent: (f64, f64),
    pub(super) to: f64,
    pub(super) thick: f64,
    pub(super) label: String,
    /// The full label and the count.
    pub(super) tip: String,
    pub(super) kind: Kind,
    pub(super) hits: Hits,
}

/// A drawn outcome.
pub(super) struct Chip {
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) words: String,
    pub(super) tip: String,
    pub(super) kind: Kind,
    pub(super) hits: Hits,
}

/// The type of a node or edge, which determines its colour.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Tracer(String),
    Abstains,
    Fallback,
    /// Several outcomes, or the omitted part.
    Mixed,
}

/// The drawing without its frame.
pub(super) struct Layout {
    pub(super) pills: Vec<Pill>,
    pub(super) lines: Vec<Line>,
    pub(super) chips: Vec<Chip>,
    /// The start and end of the column of outcomes.
    pub(super) chips_from: f64,
    pub(super) chips_to: f64,
    pub(super) height: f64,
}

pub(super) fn layout(root: &Node<'_>, all: Hits) -> Layout {
    let mut columns = Vec::new();
    measure_columns(root, 0, &mut columns);
    let (mut next, mut at) = (0.0, 0.0_f64);
    for column in &mut columns {
        column.from = next;
        next += column.pills + BEND + column.to_questions + ROOM;
        at = at.max(column.from + column.pills + BEND + column.to_ends + ROOM);
    }
    let mut layout = Layout {
        pills: Vec::new(),
        lines: Vec::new(),
        chips: Vec::new(),
        chips_from: at,
        chips_to: at,
        height: 0.0,
    };
    let mut placing = Placing {
        layout: &mut layout,
        columns: &columns,
        all,
        next: LINE / 2.0,
    };
    placing.node(root, 0);
    layout.height = placing.next - LINE / 2.0;
    let widest = layout.chips.iter().map(|chip| chip.width);
    layout.chips_to = at + widest.fold(0.0, f64::max);
    layout
}

/// All questions at the same depth.
#[derive(Default)]
struct Column {
    from: f64,
    pills: f64,
    /// The width of the longest label that leads to a question. It moves the next column.
    to_questions: f64,
    /// The width of the longest label that leads to an outcome.
    to_ends: f64,
}

fn measure_columns(node: &Node<'_>, depth: usize, columns: &mut Vec<Column>) {
    let Node::Question {
        question, edges, ..
    } = node
    else {
        return;
    };
    if columns.len() <= depth {
        columns.resize_with(depth + 1, Column::default);
    }
    let pill = pill(question).width;
    if let Some(column) = columns.get_mut(depth) {
        column.pills = column.pills.max(pill);
        for edge in edges {
            let widest = match edge.then {
                Node::Question { .. } => &mut column.to_questions,
                _ => &mut column.to_ends,
            };
            *widest = widest.max(measure::fixed(&label(edge), KEY_SIZE));
        }
    }
    for edge in edges {
        measure_columns(&edge.then, depth + 1, columns);
    }
}

fn label(arm: &Arm<'_>) -> String {
    shorten(&arm.parts.join(", "), ANSWER)
}

struct Placing<'a> {
    layout: &'a mut Layout,
    columns: &'a [Column],
    all: Hits,
    /// The position of the next outcome.
    next: f64,
}

impl Placing<'_> {
    /// Lays out a node and its children. Returns the node's vertical position and its kind.
    fn node(&mut self, node: &Node<'_>, depth: usize) -> (f64, Kind) {
        match node {
            Node::Question {
                question, edges, ..
            } => self.question(question, edges, depth),
            Node::End { outcome, hits } => {
                let kind = match outcome {
                    Outcome::Tracer(name) => Kind::Tracer(name.clone()),
                    Outcome::Abstains => Kind::Abstains,
                    Outcome::Fallback { .. } => Kind::Fallback,
                };
                self.chip(outcome.to_string(), kind, *hits)
            }
            Node::Rest { words, hits } => self.chip(words.clone(), Kind::Mixed, *hits),
        }
    }

    fn chip(&mut self, tip: String, kind: Kind, hits: Hits) -> (f64, Kind) {
        let y = self.next;
        self.next += LINE;
        let words = shorten(&tip, OUTCOME);
        self.layout.chips.push(Chip {
            y,
            width: measure::proportional(&words, KEY_SIZE) * 1.06 + 26.0,
            words,
            tip,
            kind: kind.clone(),
            hits,
        });
        (y, kind)
    }

    fn question(&mut self, question: &Question, edges: &[Arm<'_>], depth: usize) -> (f64, Kind) {
        let Some(column) = self.columns.get(depth) else {
            return (self.next, Kind::Mixed);
        };
        let (from, pills) = (column.from, column.pills);
        let mut placed = Vec::with_capacity(edges.len());
        for (place, arm) in edges.iter().enumerate() {
            let tree = matches!(arm.then, Node::Question { .. });
            let after_tree = place > 0 && matches!(edges[place - 1].then, Node::Question { .. });
            if place > 0 && (tree || after_tree) {
                self.next += APART;
            }
            let (y, kind) = self.node(&arm.then, depth + 1);
            let to = match arm.then {
                Node::Question { .. } => from + pills + BEND + column.to_questions + ROOM,
                _ => self.layout.chips_from,
            };
            placed.push((arm, y, kind, to, self.thickness(arm.then.hits())));
        }
        let first = placed.first().map_or(self.next, |placed| placed.1);
        let last = placed.last().map_or(self.next, |placed| placed.1);
        let middle = (first + last) / 2.0;

        let mut pill = pill(question);
        pill.x = from;
        pill.y = middle;
        // Edges start side by side at full width if there is enough space.
        let thick: f64 = placed.iter().map(|placed| placed.4).sum();
        let squeeze = ((pill.height - 10.0) / thick).min(1.0);
        let mut leave = middle - thick * squeeze / 2.0;
        let right = from + pill.width;
        let mut all_of = None;
        for (arm, y, kind, to, thick) in placed {
            all_of = match all_of {
                None => Some(kind.clone()),
                Some(one) if one == kind => Some(one),
                Some(_) => Some(Kind::Mixed),
            };
            self.layout.lines.push(Line {
                from: (right, leave + thick * squeeze / 2.0),
                bent: (from + pills + BEND, y),
                to,
                thick,
                label: label(arm),
                tip: arm.full.clone().unwrap_or_else(|| arm.parts.join(", ")),
                kind,
                hits: arm.then.hits(),
            });
            leave += thick * squeeze;
        }
        self.layout.pills.push(pill);
        (middle, all_of.unwrap_or(Kind::Mixed))
    }

    fn thickness(&self, hits: Hits) -> f64 {
        match self.all {
            0 => 2.0,
            all => (hits as f64 / all as f64 * WIDEST).max(THINNEST),
        }
    }
}

fn pill(question: &Question) -> Pill {
    let tip = format!("{question}?");
    let (words, small) = match question {
        Question::Bucket { key, salt, buckets } => (
            crate::words::name(key),
            Some(shorten(&format!("share of {buckets}, salt {salt:?}"), KEY)),
        ),
        other => (other.to_string(), None),
    };
    let words = shorten(&words, KEY);
    let small_width = small
        .as_ref()
        .map_or(0.0, |small| measure::proportional(small, SMALL_SIZE));
    let width = measure::fixed(&words, KEY_SIZE).max(small_width) + 30.0;
    Pill {
        x: 0.0,
        y: 0.0,
        width,
        height: if small.is_some() { 44.0 } else { 34.0 },
        words,
        small,
        tip,
    }
}
