//! A comparison as lines of text.

use spanmux_core::explanation::printable;
use spanmux_explain::{Part, Role, Text};

use super::{SHOWN, contexts, more};
use crate::comparison::{Allowed, Change, Comparison, Verdict};

impl Comparison {
    /// Formats the comparison for a terminal. Changes that a pattern allows are marked.
    pub fn text(&self, allowed: &[Allowed]) -> Text {
        let mut lines = vec![
            vec![part(
                Role::Title,
                format!("{} → {}", printable(&self.old), printable(&self.new)),
            )],
            vec![part(Role::Note, self.files())],
            vec![part(Role::Note, self.verdict())],
        ];
        let mut tracers = Vec::new();
        for change in &self.changes {
            lines.push(Vec::new());
            self.change(change, allowed, &mut tracers, &mut lines);
        }
        for (heading, sentences) in self.extent() {
            if !sentences.is_empty() {
                lines.push(Vec::new());
                lines.push(vec![part(Role::Question, heading)]);
            }
            for sentence in sentences {
                lines.push(vec![part(Role::Note, format!("  {sentence}"))]);
            }
        }
        Text { lines }
    }

    fn change<'a>(
        &self,
        change: &'a Change,
        allowed: &[Allowed],
        tracers: &mut Vec<&'a str>,
        lines: &mut Vec<Vec<Part>>,
    ) {
        let mut heading = vec![
            verdict(&change.from, tracers),
            part(Role::Line, " → "),
            verdict(&change.to, tracers),
            part(Role::Count, format!("   {}", contexts(change.contexts))),
        ];
        let given = self.given_share(change);
        heading.extend(given.map(|given| part(Role::Count, given)));
        if change.is_allowed(allowed) {
            heading.push(part(Role::Note, "   allowed"));
        }
        lines.push(heading);
        for difference in change.differences.iter().take(SHOWN) {
            let condition = printable(&difference.condition.to_string());
            lines.push(vec![part(Role::Answer, format!("  {condition}"))]);
            let example = format!("    e.g. {}", difference.example());
            lines.push(vec![part(Role::Note, example)]);
        }
        if let Some(more) = more(change.differences.len()) {
            lines.push(vec![part(Role::Note, format!("  {more}"))]);
        }
        for given in change.given.iter().take(SHOWN) {
            let (label, context) = given.line();
            lines.push(vec![
                part(Role::Answer, format!("  {label}")),
                part(Role::Note, format!("  {context}")),
            ]);
        }
        if let Some(more) = more(change.given.len()) {
            lines.push(vec![part(Role::Note, format!("  {more} given"))]);
        }
    }
}

fn verdict<'a>(verdict: &'a Verdict, tracers: &mut Vec<&'a str>) -> Part {
    let role = match verdict {
        Verdict::Tracer(name) => {
            let known = tracers.iter().position(|known| known == name);
            Role::Tracer(known.unwrap_or_else(|| {
                tracers.push(name);
                tracers.len() - 1
            }))
        }
        Verdict::Abstained => Role::Abstains,
        Verdict::Failed(_) => Role::Fallback,
    };
    part(role, verdict.to_string())
}

fn part(role: Role, text: impl Into<String>) -> Part {
    Part {
        role,
        text: text.into(),
    }
}
