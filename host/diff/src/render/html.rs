//! A comparison as a self-contained HTML page.

use spanmux_core::explanation::printable;

use super::{SHOWN, contexts, more};
use crate::comparison::{Allowed, Change, Comparison, Verdict};

/// The style of the page, for light and dark screens, narrow ones and paper.
const STYLE: &str = include_str!("style.css");

impl Comparison {
    /// Formats the comparison as one HTML page that loads nothing: no scripts, fonts or pictures.
    pub fn to_html(&self, allowed: &[Allowed]) -> String {
        let title = format!("{} → {}", escaped(&self.old), escaped(&self.new));
        let mut body = format!(
            "<h1>{title}</h1>\n<p>{} {}</p>\n",
            escaped(&self.verdict()),
            escaped(&self.files())
        );
        for change in &self.changes {
            body.push_str(&self.change_in_html(change, allowed));
        }
        for (heading, sentences) in self.extent() {
            let items: String = sentences
                .iter()
                .map(|sentence| format!("<li>{}</li>\n", escaped(sentence)))
                .collect();
            if !items.is_empty() {
                body.push_str(&format!("<h2>{heading}</h2>\n<ul>\n{items}</ul>\n"));
            }
        }
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <meta http-equiv=\"Content-Security-Policy\" \
             content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
             <title>Trace routing: {title}</title>\n<style>\n{STYLE}</style>\n</head>\n\
             <body>\n<main>\n{body}</main>\n</body>\n</html>\n"
        )
    }

    fn change_in_html(&self, change: &Change, allowed: &[Allowed]) -> String {
        let mark = if change.is_allowed(allowed) {
            " <span class=\"allowed\">allowed</span>"
        } else {
            ""
        };
        let given = self.given_share(change).unwrap_or_default();
        let mut rows = String::new();
        for difference in change.differences.iter().take(SHOWN) {
            rows.push_str(&row(
                &difference.condition.to_string(),
                &difference.example(),
            ));
        }
        for given in change.given.iter().take(SHOWN) {
            let (label, context) = given.line();
            rows.push_str(&row(&label, &context));
        }
        let hidden = [change.differences.len(), change.given.len()].map(more);
        let hidden: String = hidden
            .into_iter()
            .flatten()
            .map(|more| format!("<p>{more}</p>\n"))
            .collect();
        format!(
            "<section>\n<h2>{} <span class=\"arrow\">→</span> {}{mark}</h2>\n\
             <p>{} made up{given}</p>\n<div class=\"scroll\" tabindex=\"0\">\n<table>\n\
             <thead><tr><th scope=\"col\">condition</th><th scope=\"col\">example</th></tr></thead>\n\
             <tbody>\n{rows}</tbody>\n</table>\n</div>\n{hidden}</section>\n",
            verdict(&change.from),
            verdict(&change.to),
            contexts(change.contexts),
        )
    }
}

fn row(condition: &str, example: &str) -> String {
    format!(
        "<tr><td>{}</td><td><code>{}</code></td></tr>\n",
        escaped(condition),
        escaped(example)
    )
}

fn verdict(verdict: &Verdict) -> String {
    let class = match verdict {
        Verdict::Tracer(_) => "tracer",
        Verdict::Abstained => "abstained",
        Verdict::Failed(_) => "failed",
    };
    let text = escaped(&verdict.to_string());
    format!("<span class=\"{class}\">{text}</span>")
}

/// Escapes a text so that no character of it is read as markup or hides itself.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in printable(text).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
