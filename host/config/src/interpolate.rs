//! References in a string: replaces `${NAME}` with the value of an environment variable, and
//! `${file:PATH}` with the contents of a file.

use std::fmt;
use std::path::{Path, PathBuf};

use super::secret_file::{self, Unreadable};

/// Looks up a variable.
pub(super) type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The sources of the values of references.
#[derive(Clone, Copy)]
pub(super) struct Outside<'a> {
    pub(super) look_up: Lookup<'a>,
    /// The base of relative paths.
    pub(super) directory: &'a Path,
}

/// A string with its references replaced.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Filled {
    pub(super) text: String,
    /// `true` if any part came from the environment or from a file.
    pub(super) from_outside: bool,
}

/// Replaces `${NAME}`, `${NAME:-default}` and `${file:PATH}`, and turns `$${` into a literal
/// `${`. The default applies if the variable is unset or empty, as in a shell, or if the file does
/// not exist or is empty. A dollar sign before any other character is literal.
pub(super) fn fill(written: &str, outside: Outside<'_>) -> Result<Filled, Unfilled> {
    let mut text = String::with_capacity(written.len());
    let mut from_outside = false;
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
        text.push_str(&value(inner, outside)?);
        from_outside = true;
        rest = after;
    }
    text.push_str(rest);
    Ok(Filled { text, from_outside })
}

fn value(inner: &str, outside: Outside<'_>) -> Result<String, Unfilled> {
    let (name, default) = match inner.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inner, None),
    };
    let found = if let Some(path) = name.strip_prefix("file:") {
        match secret_file::read(&outside.directory.join(path)) {
            Ok(text) => Some(text),
            Err(Unreadable::Missing) if default.is_some() => None,
            Err(problem) => return Err(Unfilled::File(path.into(), problem)),
        }
    } else if is_name(name) {
        (outside.look_up)(name)
    } else {
        return Err(Unfilled::Name(inner.to_owned()));
    };
    found
        .filter(|value| default.is_none() || !value.is_empty())
        .or_else(|| default.map(str::to_owned))
        .ok_or_else(|| Unfilled::Missing(name.to_owned()))
}

/// Returns `true` for the name of an environment variable.
pub(super) fn is_name(name: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    let other = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.starts_with(first) && name.chars().all(other)
}

/// A reference that is invalid or has no value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unfilled {
    Missing(String),
    Name(String),
    File(PathBuf, Unreadable),
    Open,
}

impl fmt::Display for Unfilled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(
                f,
                "environment variable `{name}` is not set or is not UTF-8 text; set it or provide \
                 a default with `${{{name}:-DEFAULT}}`"
            ),
            Self::Name(inner) => not_a_name(f, inner),
            Self::File(path, problem) => write!(f, "the file {path:?} {problem}"),
            Self::Open => f.write_str(
                "`${` is not closed; write `${NAME}` for an environment variable, or `$${` for a \
                 literal `${`",
            ),
        }
    }
}

/// Explains a reference without the name of a variable. Other programs write some of them.
fn not_a_name(f: &mut fmt::Formatter<'_>, inner: &str) -> fmt::Result {
    let (source, rest) = inner.split_once(':').unwrap_or(("", inner));
    let name = rest.split(':').next().unwrap_or_default();
    if source.eq_ignore_ascii_case("env") && is_name(name) {
        return write!(
            f,
            "`${{{inner}}}` is the form of another program; write `${{{name}}}` for an environment \
             variable"
        );
    }
    if is_name(source) && !rest.starts_with(['?', '=', '+']) {
        return write!(
            f,
            "unknown source {source:?} in `${{{inner}}}`; write `${{NAME}}` for an environment \
             variable or `${{file:PATH}}` for a file"
        );
    }
    write!(
        f,
        "invalid environment variable name {inner:?}; use letters, digits and underscores, \
         `${{NAME:-DEFAULT}}` for a default, or write `$${{` for a literal `${{`"
    )
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

    fn outside(directory: &Path) -> Outside<'_> {
        Outside {
            look_up: &look_up,
            directory,
        }
    }

    #[test]
    fn fill_replaces_references() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("key"), "f\n").unwrap();
        std::fs::write(folder.path().join("nothing"), "\n").unwrap();
        for (written, text, from_outside) in [
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
            ("${file:key}", "f", true),
            ("Bearer ${file:key}!", "Bearer f!", true),
            ("${file:key:-d}", "f", true),
            ("${file:absent:-d}", "d", true),
            ("${file:nothing:-d}", "d", true),
            ("${file:nothing}", "", true),
            ("$${file:key}", "${file:key}", false),
        ] {
            let filled = fill(written, outside(folder.path())).unwrap();
            assert_eq!(
                (filled.text.as_str(), filled.from_outside),
                (text, from_outside),
                "{written}"
            );
        }
    }

    #[test]
    fn fill_reports_invalid_references() {
        let folder = tempfile::tempdir().unwrap();
        for (written, unfilled) in [
            ("${NONE}", Unfilled::Missing("NONE".to_owned())),
            ("${}", Unfilled::Name(String::new())),
            ("${a b}", Unfilled::Name("a b".to_owned())),
            ("${1A}", Unfilled::Name("1A".to_owned())),
            ("${env:A}", Unfilled::Name("env:A".to_owned())),
            ("${A", Unfilled::Open),
            ("${A} ${", Unfilled::Open),
            (
                "${file:absent}",
                Unfilled::File("absent".into(), Unreadable::Missing),
            ),
            (
                "${file:.:-d}",
                Unfilled::File(".".into(), Unreadable::NotAFile),
            ),
        ] {
            let filled = fill(written, outside(folder.path()));
            assert_eq!(filled, Err(unfilled), "{written}");
        }
    }

    #[test]
    fn message_names_the_remedy_of_a_foreign_reference() {
        for (written, remedy) in [
            ("${env:A}", "write `${A}`"),
            ("${ENV:A}", "write `${A}`"),
            ("${env:A:default}", "write `${A}`"),
            ("${vault:secret/a}", "unknown source \"vault\""),
            ("${A:?unset}", "`${NAME:-DEFAULT}` for a default"),
            ("${{ A }}", "use letters, digits"),
            ("${ A }", "use letters, digits"),
        ] {
            let message = fill(written, outside(Path::new("")))
                .unwrap_err()
                .to_string();
            assert!(message.contains(remedy), "{written}: {message}");
        }
    }
}
