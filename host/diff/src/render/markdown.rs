//! A comparison as Markdown, for a comment on a pull request.

use spanmux_core::explanation::printable;

use super::{SHOWN, contexts, more};
use crate::comparison::{Allowed, Change, Comparison};

impl Comparison {
    /// Formats the comparison as Markdown. Texts of contexts and files are in code spans, where they
    /// can neither add markup nor mention anyone.
    pub fn to_markdown(&self, allowed: &[Allowed]) -> String {
        let mut page = format!(
            "## Trace routing: {} → {}\n\n{} {}\n",
            code(&self.old),
            code(&self.new),
            self.verdict(),
            allowance(self, allowed),
        );
        page.push_str(&format!("Selectors: {}\n", code(&self.files())));
        for change in &self.changes {
            page.push_str(&self.change_in_markdown(change, allowed));
        }
        page.push_str("\n<details><summary>What was explored and what was not</summary>\n\n");
        for sentence in self.explored() {
            page.push_str(&format!("- {}\n", code(&sentence)));
        }
        page.push_str("\nNot explored:\n\n");
        for sentence in self.not_explored() {
            page.push_str(&format!("- {}\n", code(&sentence)));
        }
        page.push_str("\n</details>\n");
        page
    }

    fn change_in_markdown(&self, change: &Change, allowed: &[Allowed]) -> String {
        let mark = if change.is_allowed(allowed) {
            " (allowed)"
        } else {
            ""
        };
        let mut section = format!(
            "\n### {} → {}{mark}\n\n{} made up",
            code(&change.from.to_string()),
            code(&change.to.to_string()),
            contexts(change.contexts),
        );
        section.push_str(&self.given_share(change).unwrap_or_default());
        section.push_str(".\n\n");
        for difference in change.differences.iter().take(SHOWN) {
            section.push_str(&format!(
                "- {}, e.g. {}\n",
                code(&difference.condition.to_string()),
                code(&difference.example())
            ));
        }
        for given in change.given.iter().take(SHOWN) {
            let (label, context) = given.line();
            section.push_str(&format!("- {}: {}\n", code(&label), code(&context)));
        }
        let hidden = [change.differences.len(), change.given.len()].map(more);
        for more in hidden.into_iter().flatten() {
            section.push_str(&format!("- {more}\n"));
        }
        section
    }
}

fn allowance(comparison: &Comparison, allowed: &[Allowed]) -> &'static str {
    if comparison.is_same() || allowed.is_empty() {
        ""
    } else if comparison.is_allowed(allowed) {
        "Every difference is allowed."
    } else {
        "Not every difference is allowed."
    }
}

/// Formats a text as a code span whose fence is longer than any run of backticks in it.
fn code(text: &str) -> String {
    let text = printable(text);
    let runs = text.split(|character| character != '`').map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or_default() + 1);
    // A span that begins or ends with a backtick needs a space, which is not shown.
    let space = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{space}{text}{space}{fence}")
}

#[cfg(test)]
mod tests {
    use super::code;

    #[test]
    fn code_span_is_longer_than_any_fence_in_its_text() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("`@all` | <b>"), "`` `@all` | <b> ``");
        assert_eq!(code("a```b\n# c"), "````a```b\\n# c````");
    }
}
