//! Reads the parts of Markdown documents that tests check: code blocks, links and headings.

/// A code block.
#[derive(Debug)]
pub struct CodeBlock<'a> {
    /// The text after the opening fence, such as `rust,no_run`.
    pub info: &'a str,
    /// The lines between the fences.
    pub code: String,
}

/// Returns the code blocks of a document.
pub fn code_blocks(text: &str) -> Vec<CodeBlock<'_>> {
    let mut blocks = Vec::new();
    let mut open: Option<CodeBlock<'_>> = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), open.as_mut()) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(info), None) => {
                let code = String::new();
                open = Some(CodeBlock { info, code });
            }
            (None, Some(block)) => {
                block.code.push_str(line);
                block.code.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

/// Returns the lines outside of code blocks.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// Returns the destinations of all links and images of a document, without titles.
pub fn links(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for line in prose(text) {
        let mut rest = line;
        while let Some((_, after)) = rest.split_once("](") {
            let Some((destination, after)) = after.split_once(')') else {
                break;
            };
            found.extend(destination.split_whitespace().next());
            rest = after;
        }
    }
    found
}

/// Returns the anchors of all headings, as GitHub and mdBook derive them.
pub fn anchors(text: &str) -> Vec<String> {
    let headings = prose(text).filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = title
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}
