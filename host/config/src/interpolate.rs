//! Environment variables: replaces `${NAME}` in a string.

use std::fmt;

/// Looks up a variable.
pub(super) type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A string with its variables replaced.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Filled {
    pub(super) text: String,
    /// `true` if any part came from the environment.
    pub(super) from_environment: bool,
}

/// Replaces `${NAME}` and `${NAME:-default}`, and turns `$${` into a literal `${`. The
/// default applies if the variable is unset or empty, as in a shell. A dollar sign before
/// any other character is literal.
pub(super) fn fill(written: &str, look_up: Lookup<'_>) -> Result<Filled, Unfilled> {
    let mut text = String::with_capacity(written.len());
    let mut from_environment = false;
    let mut rest = written;
    while let Some(at) = rest.find("${") {
        if let Some(before) = rest[..at].strip_suffix('$') {
            text.push_str(before);
            text.push_str("${");
            rest = &rest[at + 2..];
            continue;
        }
        text.push_str(&rest[..at]);
        let Some((inner, after)) = rest[at + 2..].split_once('}') else {
            return Err(Unfilled::Open);
        };
        text.push_str(&variable(inner, look_up)?);
        from_environment = true;
        rest = after;
    }
    text.push_str(rest);
    Ok(Filled {
        text,
        from_environment,
    })
}

fn variable(inner: &str, look_up: Lookup<'_>) -> Result<String, Unfilled> {
    let (name, default) = match inner.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inner, None),
    };
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    let other = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !name.starts_with(first) || !name.chars().all(other) {
        return Err(Unfilled::Name(name.to_owned()));
    }
    let value = look_up(name).filter(|value| default.is_none() || !value.is_empty());
    value
        .or_else(|| default.map(str::to_owned))
        .ok_or_else(|| Unfilled::Missing(name.to_owned()))
}

/// An invalid or unset variable reference.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unfilled {
    Missing(String),
    Name(String),
    Open,
}

impl fmt::Display for Unfilled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(
                f,
                "environment variable `{name}` is not set; set it or provide a default with \
                 `${{{name}:-DEFAULT}}`"
            ),
            Self::Name(name) => write!(
                f,
                "invalid environment variable name {name:?}; use letters, digits and \
                 underscores, or write `$${{` for a literal `${{`"
            ),
            Self::Open => f.write_str(
                "`${` is not closed; write `${NAME}` for an environment variable, or `$${` for a \
                 literal `${`",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn look_up(name: &str) -> Option<String> {
        match name {
            "A" => Some("a".to_owned()),
            "EMPTY" => Some(String::new()),
            "TRICK" => Some("${A}".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn fill_replaces_variables() {
        for (written, text, from_environment) in [
            ("plain", "plain", false),
            ("", "", false),
            ("${A}", "a", true),
            ("x${A}y${A}z", "xayaz", true),
            ("${EMPTY}", "", true),
            ("${EMPTY:-d}", "d", true),
            ("${NONE:-d}", "d", true),
            ("${NONE:-}", "", true),
            ("${A:-d}", "a", true),
            ("${NONE:-a:-b}", "a:-b", true),
            ("$${A}", "${A}", false),
            ("$$${A}", "$${A}", false),
            ("$A $ $$", "$A $ $$", false),
            ("}", "}", false),
            // Values from the environment are not expanded again.
            ("${TRICK}", "${A}", true),
        ] {
            let filled = fill(written, &look_up).unwrap();
            assert_eq!(
                (filled.text.as_str(), filled.from_environment),
                (text, from_environment),
                "{written}"
            );
        }
    }

    #[test]
    fn fill_reports_invalid_references() {
        for (written, unfilled) in [
            ("${NONE}", Unfilled::Missing("NONE".to_owned())),
            ("${}", Unfilled::Name(String::new())),
            ("${a b}", Unfilled::Name("a b".to_owned())),
            ("${1A}", Unfilled::Name("1A".to_owned())),
            ("${A", Unfilled::Open),
            ("${A} ${", Unfilled::Open),
        ] {
            assert_eq!(fill(written, &look_up), Err(unfilled), "{written}");
        }
    }
}
