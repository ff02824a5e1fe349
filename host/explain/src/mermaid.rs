//! The rules as a Mermaid flowchart, which code forges render in Markdown.

use std::fmt::Write as _;

use super::colours::{ABSTAINS, Colour, FALLBACK, TRACERS};
use super::prune::{Arm, Node, excerpt};
use super::rules::Rules;
use super::words::{percent, shorten, thousands};
use super::{Hits, Outcome};

/// Maximum length of a text. A chart with longer texts does not fit on a page.
const LONGEST: usize = 60;
/// The width of the thickest edge in pixels, for all decisions.
const WIDEST: f64 = 8.0;

impl Rules {
    /// Formats the rules as a Mermaid `flowchart`, as far as they fit on a page.
    ///
    /// Names and values from contexts and guests are always rendered as text: every
    /// character with a meaning in Mermaid, Markdown or HTML is escaped.
    pub fn to_mermaid(&self) -> String {
        let mut chart = Chart {
            rules: self,
            text: "flowchart LR\n".to_owned(),
            nodes: 0,
            links: 0,
        };
        let _ = writeln!(chart.text, "  %% {}", comment(&self.selector));
        match excerpt(self) {
            Some(root) => {
                chart.node(&root);
            }
            None => chart.text.push_str("  n0[\"No decisions yet\"]\n"),
        }
        chart.classes();
        chart.text
    }
}

struct Chart<'a> {
    rules: &'a Rules,
    text: String,
    nodes: usize,
    links: usize,
}

impl Chart<'_> {
    /// Writes a node and its children. Returns the node's number.
    fn node(&mut self, node: &Node<'_>) -> usize {
        let id = self.nodes;
        self.nodes += 1;
        match node {
            Node::Question {
                question, edges, ..
            } => {
                let words = escape(&shorten(&question.to_string(), LONGEST));
                let _ = writeln!(self.text, "  n{id}([\"{words}?\"]):::question");
                for arm in edges {
                    self.arm(id, arm);
                }
            }
            Node::End { outcome, hits } => {
                let words = escape(&shorten(&outcome.to_string(), LONGEST));
                let class = self.class(outcome);
                let hits = self.hits(*hits);
                let _ = writeln!(self.text, "  n{id}[\"{words}{hits}\"]:::{class}");
            }
            Node::Rest { words, hits } => {
                let hits = self.hits(*hits);
                let words = escape(words);
                let _ = writeln!(self.text, "  n{id}[\"{words}{hits}\"]:::abstains");
            }
        }
        id
    }

    fn arm(&mut self, from: usize, arm: &Arm<'_>) {
        let to = self.node(&arm.then);
        let label = escape(&shorten(&arm.parts.join(", "), LONGEST));
        let _ = writeln!(self.text, "  n{from} -->|\"{label}\"| n{to}");
        let share = match self.rules.hits {
            0 => 0.0,
            all => arm.then.hits() as f64 / all as f64,
        };
        let width = 1.0 + share * (WIDEST - 1.0);
        let link = self.links;
        self.links += 1;
        let _ = writeln!(self.text, "  linkStyle {link} stroke-width:{width:.1}px");
    }

    fn hits(&self, hits: Hits) -> String {
        match self.rules.hits {
            0 => String::new(),
            all => format!("<br/>{} · {}", thousands(hits), percent(hits, all)),
        }
    }

    fn class(&self, outcome: &Outcome) -> String {
        match outcome {
            Outcome::Tracer(name) => {
                let place = self.rules.tracers.iter().position(|tracer| tracer == name);
                format!("tracer{}", place.unwrap_or_default() % TRACERS.len())
            }
            Outcome::Abstains => "abstains".to_owned(),
            Outcome::Fallback { .. } => "fallback".to_owned(),
        }
    }

    fn classes(&mut self) {
        let mut class = |name: &str, colour: &Colour| {
            let Colour { fill, line, ink } = colour;
            let _ = writeln!(
                self.text,
                "  classDef {name} fill:{fill},stroke:{line},color:{ink}"
            );
        };
        class("question", &super::colours::QUESTION.light);
        class("abstains", &ABSTAINS.light);
        class("fallback", &FALLBACK.light);
        for (place, colours) in TRACERS.iter().enumerate().take(self.rules.tracers.len()) {
            class(&format!("tracer{place}"), &colours.light);
        }
    }
}

/// Escapes a text for use between quotes. Letters and digits of any script and harmless
/// punctuation stay. Every other character becomes a numeric character reference.
fn escape(text: &str) -> String {
    if text.is_empty() {
        // Mermaid rejects an empty text.
        return escape("\"\"");
    }
    let mut escaped = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        // At the end of a word, these would start a list or a heading.
        let ends_word = characters.peek().is_none_or(|next| *next == ' ');
        let stays = match character {
            '.' | '-' | ')' => !ends_word,
            ' ' | ',' | ':' | '/' | '_' | '…' | '–' | '(' => true,
            other => other.is_alphanumeric(),
        };
        if stays {
            escaped.push(character);
        } else {
            let _ = write!(escaped, "#{};", u32::from(character));
        }
    }
    escaped
}

/// Formats a comment, which must stay on one line and must not look like a directive.
fn comment(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || " ._-".contains(c);
    let text: String = text
        .chars()
        .map(|c| if plain(c) { c } else { '?' })
        .collect();
    shorten(&text, LONGEST)
}
