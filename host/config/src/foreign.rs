//! References in the forms of other programs, which are not replaced here.

use super::interpolate::is_name;

/// Returns the remedy for the first reference in the form of another program: `$(NAME)`, `%NAME%`
/// or `{{ NAME }}`.
pub(super) fn remedy(written: &str) -> Option<String> {
    let (found, name) = in_parentheses(written)
        .or_else(|| in_braces(written))
        .or_else(|| in_percent_signs(written))?;
    let name = if is_name(name) { name } else { "NAME" };
    Some(format!(
        "`{found}` is not replaced; write `${{{name}}}` for an environment variable or \
         `${{file:PATH}}` for a file"
    ))
}

/// Finds `$(NAME)`, as in Kubernetes and make.
fn in_parentheses(text: &str) -> Option<(&str, &str)> {
    let begins = text.match_indices("$(").map(|(at, _)| at);
    let mut found = begins.filter_map(|at| {
        let (name, _) = text[at + 2..].split_once(')')?;
        is_name(name).then(|| (&text[at..at + 3 + name.len()], name))
    });
    found.next()
}

/// Finds `{{ NAME }}`, as in templates.
fn in_braces(text: &str) -> Option<(&str, &str)> {
    let at = text.find("{{")?;
    let (inner, _) = text[at + 2..].split_once("}}")?;
    Some((&text[at..at + 4 + inner.len()], inner.trim()))
}

/// Finds `%NAME%`, as on Windows. Lower case could be a URL's escape sequence.
fn in_percent_signs(text: &str) -> Option<(&str, &str)> {
    let is_escape = |name: &str| name.len() == 2 && name.chars().all(|c| c.is_ascii_hexdigit());
    let is_upper = |name: &str| !name.contains(|c: char| c.is_ascii_lowercase());
    let begins = text.match_indices('%').map(|(at, _)| at);
    let mut found = begins.filter_map(|at| {
        let (name, _) = text[at + 1..].split_once('%')?;
        let whole = is_name(name) && is_upper(name) && !is_escape(name);
        whole.then(|| (&text[at..at + 2 + name.len()], name))
    });
    found.next()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn remedy_names_the_variable() {
        for (written, found, variable) in [
            ("$(KEY)", "$(KEY)", "KEY"),
            ("Bearer $(KEY)", "$(KEY)", "KEY"),
            ("%KEY%", "%KEY%", "KEY"),
            ("http://%HOST%:4318", "%HOST%", "HOST"),
            ("{{ KEY }}", "{{ KEY }}", "KEY"),
            ("{{KEY}}", "{{KEY}}", "KEY"),
            ("{{ .Values.key }}", "{{ .Values.key }}", "NAME"),
        ] {
            let remedy = remedy(written).unwrap();
            let begins = format!("`{found}` is not replaced; write `${{{variable}}}` ");
            assert!(remedy.starts_with(&begins), "{written}: {remedy}");
        }
    }

    #[test]
    fn remedy_is_none_for_literal_text() {
        for written in [
            "",
            "$",
            "$()",
            "$(a b)",
            "$(KEY",
            "100%",
            "50% of 20%",
            "%20",
            "%20%41%42",
            "%AA%BB",
            "%2Fa%2F",
            "{KEY}",
            "{{",
            "}}",
            "{{ KEY }",
        ] {
            assert_eq!(remedy(written), None, "{written}");
        }
    }
}
