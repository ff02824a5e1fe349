//! The rules as lines of text.

use std::fmt;

use super::prune::{Arm, Node, excerpt};
use super::rules::Rules;
use super::words::{self, percent, printable, shorten, thousands, width};
use super::{Hits, Outcome};

/// Minimum width. A narrower text has no space for a branch and its outcome.
const NARROWEST: usize = 40;
/// Minimum and maximum width of an outcome before it is shortened.
const OUTCOME: (usize, usize) = (8, 48);
/// Minimum number of dots between a branch and its outcome.
const DOTS: usize = 3;

/// Rules as lines of text, in parts that can be coloured.
///
/// [`Display`](fmt::Display) writes them without colours.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Text {
    /// The lines.
    pub lines: Vec<Vec<Part>>,
}

/// A part of a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// The role of the part.
    pub role: Role,
    /// The text, without line breaks and control characters.
    pub text: String,
}

/// The role of a part of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// The selector's name.
    Title,
    /// The edges of the tree, and the dots before an outcome.
    Line,
    /// A question of the selector.
    Question,
    /// An answer of the context.
    Answer,
    /// A tracer, by its position in the registry.
    Tracer(usize),
    /// The selector abstained.
    Abstains,
    /// The decision failed.
    Fallback,
    /// A count or a share.
    Count,
    /// Anything else.
    Note,
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            for part in line {
                f.write_str(&part.text)?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl Rules {
    /// Formats the rules as lines of text, at most `columns` wide. The minimum is 40, and a
    /// deep question may exceed the limit because of its indentation.
    ///
    /// A tree with too many branches to read is truncated; the text counts the omitted
    /// branches.
    pub fn text(&self, columns: usize) -> Text {
        let mut writer = Writer {
            rules: self,
            columns: columns.max(NARROWEST),
            rows: Vec::new(),
        };
        let mut text = Text {
            lines: writer.heading(),
        };
        match excerpt(self) {
            Some(root) => {
                writer.root(&root);
                text.lines.extend(writer.lines());
            }
            None => text.lines.push(vec![part(Role::Note, "No decisions yet.")]),
        }
        text.lines.extend(writer.findings());
        text
    }
}

/// A line of the tree before its columns are aligned.
struct Row {
    lead: String,
    label: String,
    /// The question of this branch, or the question at the root.
    asks: Option<String>,
    /// The outcome and its count.
    ends: Option<(Role, String, Hits)>,
}

struct Writer<'a> {
    rules: &'a Rules,
    columns: usize,
    rows: Vec<Row>,
}

impl Writer<'_> {
    fn heading(&self) -> Vec<Vec<Part>> {
        let rules = self.rules;
        let mut title = vec![part(
            Role::Title,
            shorten(&printable(&rules.selector), self.columns),
        )];
        if let Some(digest) = rules.digest.as_deref().and_then(|digest| digest.get(..12)) {
            title.push(part(Role::Note, format!("  {digest}")));
        }
        let basis = shorten(&rules.basis(), self.columns);
        vec![title, vec![part(Role::Note, basis)], Vec::new()]
    }

    fn root(&mut self, root: &Node<'_>) {
        match root {
            Node::Question { question, .. } => self.rows.push(Row {
                lead: String::new(),
                label: String::new(),
                asks: Some(format!("{question}?")),
                ends: None,
            }),
            end => {
                let ends = self.end(end);
                self.rows.push(Row {
                    lead: String::new(),
                    label: "always".to_owned(),
                    asks: None,
                    ends,
                });
            }
        }
        self.arms(root, "");
    }

    fn arms(&mut self, node: &Node<'_>, lead: &str) {
        let Node::Question { edges, .. } = node else {
            return;
        };
        for (place, arm) in edges.iter().enumerate() {
            let last = place + 1 == edges.len();
            self.arm(arm, lead, last);
            let below = if last { "   " } else { "│  " };
            self.arms(&arm.then, &format!("{lead}{below}"));
        }
    }

    /// Adds a branch, on as many lines as its answers need.
    fn arm(&mut self, arm: &Arm<'_>, lead: &str, last: bool) {
        let (corner, below) = if last {
            ("└─ ", "   ")
        } else {
            ("├─ ", "│  ")
        };
        let room = self.room().saturating_sub(width(lead) + 3).max(8);
        let mut lines = broken(&arm.parts, room);
        let final_line = lines.pop().unwrap_or_default();
        let mut corner = corner;
        for line in lines {
            self.rows.push(Row {
                lead: format!("{lead}{corner}"),
                label: line,
                asks: None,
                ends: None,
            });
            corner = below;
        }
        let asks = match &arm.then {
            Node::Question { question, .. } => Some(format!("{question}?")),
            _ => None,
        };
        let ends = self.end(&arm.then);
        self.rows.push(Row {
            lead: format!("{lead}{corner}"),
            label: final_line,
            asks,
            ends,
        });
    }

    fn end(&self, node: &Node<'_>) -> Option<(Role, String, Hits)> {
        match node {
            Node::Question { .. } => None,
            Node::End { outcome, hits } => Some((self.role(outcome), outcome.to_string(), *hits)),
            Node::Rest { words, hits } => Some((Role::Note, words.clone(), *hits)),
        }
    }

    fn role(&self, outcome: &Outcome) -> Role {
        match outcome {
            Outcome::Tracer(name) => {
                let place = self.rules.tracers.iter().position(|tracer| tracer == name);
                Role::Tracer(place.unwrap_or_default())
            }
            Outcome::Abstains => Role::Abstains,
            Outcome::Fallback { .. } => Role::Fallback,
        }
    }

    /// Returns the number of columns for a branch, without those of its outcome and counts.
    fn room(&self) -> usize {
        let counts = match self.rules.hits {
            0 => 0,
            all => thousands(all).len() + ">99 %".len() + 5,
        };
        let taken = counts + OUTCOME.0 + DOTS + 2;
        self.columns.saturating_sub(taken).min(self.columns * 3 / 5)
    }

    fn lines(&self) -> Vec<Vec<Part>> {
        let total = self.rules.hits;
        let ends = || self.rows.iter().filter_map(|row| row.ends.as_ref());
        let widest = |widths: &mut dyn Iterator<Item = usize>| widths.max().unwrap_or_default();
        let hits = widest(&mut ends().map(|(_, _, hits)| thousands(*hits).len()));
        let share = widest(&mut ends().map(|(_, _, hits)| percent(*hits, total).len()));
        let counts = if total == 0 { 0 } else { hits + share + 5 };
        let ending = self.rows.iter().filter(|row| row.ends.is_some());
        let branch = widest(&mut ending.map(|row| width(&row.lead) + width(&row.label)));
        let column = branch + DOTS + 2;
        let most = self.columns.saturating_sub(counts + column);
        let most = most.clamp(OUTCOME.0, OUTCOME.1);
        let outcome = widest(&mut ends().map(|(_, words, _)| width(words).min(most)));

        let line = |row: &Row| {
            let mut line = vec![part(Role::Line, &row.lead)];
            let room = self.columns.saturating_sub(width(&row.lead));
            line.push(part(Role::Answer, &row.label));
            if let Some(asks) = &row.asks {
                let arrow = if row.label.is_empty() { "" } else { " → " };
                line.push(part(Role::Line, arrow));
                let left = room.saturating_sub(width(&row.label) + width(arrow));
                line.push(part(Role::Question, shorten(asks, left.max(12))));
            }
            if let Some((role, words, hits_here)) = &row.ends {
                let used = width(&row.lead) + width(&row.label) + 2;
                let dots = "·".repeat(column.saturating_sub(used).max(1));
                line.push(part(Role::Line, format!(" {dots} ")));
                let words = shorten(words, outcome);
                let space = " ".repeat(outcome.saturating_sub(width(&words)));
                line.push(part(*role, words));
                if counts > 0 {
                    let number = thousands(*hits_here);
                    let percent = percent(*hits_here, total);
                    let number = format!("{space}   {number:>hits$}  {percent:>share$}");
                    line.push(part(Role::Count, number));
                }
            }
            line.retain(|part| !part.text.is_empty());
            line
        };
        self.rows.iter().map(line).collect()
    }

    /// Returns the findings that the tree does not show.
    fn findings(&self) -> Vec<Vec<Part>> {
        let rules = self.rules;
        let mut lines = Vec::new();
        if !rules.never_chosen.is_empty() {
            let names = rules.never_chosen.iter().map(|name| words::name(name));
            lines.extend(self.finding("Never chosen: ", names));
        }
        let times = |hits: Hits| match hits {
            0 => String::new(),
            hits => format!(" ({})", thousands(hits)),
        };
        if !rules.unknown_tracers.is_empty() {
            let names = rules.unknown_tracers.iter();
            let names = names.map(|(name, hits)| format!("{}{}", words::name(name), times(*hits)));
            lines.extend(self.finding("Unknown tracers: ", names));
        }
        if !rules.failures.is_empty() {
            let reasons = rules.failures.iter().map(|(cause, reason, hits)| {
                let outcome = Outcome::Fallback {
                    cause: cause.clone(),
                    reason: reason.clone(),
                };
                format!("{outcome}{}", times(*hits))
            });
            lines.extend(self.finding("Errors: ", reasons));
        }
        if !lines.is_empty() {
            lines.insert(0, Vec::new());
        }
        lines
    }

    /// Formats a list after its heading, with line breaks between items.
    fn finding(&self, heading: &str, items: impl Iterator<Item = String>) -> Vec<Vec<Part>> {
        const MOST: usize = 20;
        let mut items: Vec<String> = items.collect();
        if items.len() > MOST {
            let more = items.split_off(MOST).len();
            items.push(format!("{} more", thousands(more as u64)));
        }
        let indent = " ".repeat(width(heading));
        let lines = broken(&items, self.columns - width(heading));
        let line = |(place, line): (usize, String)| {
            let lead = if place == 0 { heading } else { &indent };
            vec![part(Role::Note, lead), part(Role::Answer, line)]
        };
        lines.into_iter().enumerate().map(line).collect()
    }
}

/// Breaks a list into as few lines as possible.
fn broken(parts: &[String], room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (place, item) in parts.iter().enumerate() {
        let comma = if place + 1 < parts.len() { "," } else { "" };
        let item = format!("{}{comma}", shorten(item, room.saturating_sub(1)));
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(&item) <= room => {
                line.push(' ');
                line.push_str(&item);
            }
            _ => lines.push(item),
        }
    }
    lines
}

fn part(role: Role, text: impl Into<String>) -> Part {
    Part {
        role,
        text: text.into(),
    }
}
