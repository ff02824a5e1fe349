//! Merges failures whose reasons differ only in the middle.

use super::Outcome;
use super::rules::Rule;

/// Replaces the words in which two reasons differ.
const ELSE: &str = "…";

/// Returns the common form of two failures, if their reasons differ only in the middle: ``
/// `tenant` is null, not text `` and `` `tenant` is an integer, not text `` become ``
/// `tenant` is … not text ``.
pub(super) fn template(a: &Rule, b: &Rule) -> Option<Outcome> {
    let (a_cause, a_reason) = failure(a)?;
    let (b_cause, b_reason) = failure(b)?;
    if a_cause != b_cause {
        return None;
    }
    Some(Outcome::Fallback {
        cause: a_cause.to_owned(),
        reason: common(a_reason, b_reason)?,
    })
}

fn failure(rule: &Rule) -> Option<(&str, &str)> {
    match rule {
        Rule::Decides {
            outcome: outcome @ Outcome::Fallback { cause, reason },
            ..
        } if outcome.unknown_tracer().is_none() => Some((cause, reason)),
        _ => None,
    }
}

/// Returns the common form of two reasons. At least half of the words must be equal, and
/// both the beginning and the end must match.
pub(super) fn common(a: &str, b: &str) -> Option<String> {
    let a: Vec<&str> = a.split(' ').collect();
    let b: Vec<&str> = b.split(' ').collect();
    let same = |(a, b): &(&&str, &&str)| a == b;
    let head = a.iter().zip(&b).take_while(same).count();
    let (a_rest, b_rest) = (&a[head..], &b[head..]);
    let tail = a_rest.iter().rev().zip(b_rest.iter().rev());
    let tail = tail.take_while(same).count();
    let enough = head > 0 && tail > 0 && (head + tail) * 2 >= a.len().max(b.len());
    if !enough {
        return None;
    }
    let words = a[..head].iter().chain([&ELSE]);
    let words: Vec<&str> = words.chain(&a[a.len() - tail..]).copied().collect();
    Some(words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_merge_when_only_the_middle_differs() {
        for (a, b, expected) in [
            (
                "`tenant` is null, not text",
                "`tenant` is an integer, not text",
                Some("`tenant` is … not text"),
            ),
            (
                "`tenant` is … not text",
                "`tenant` is a boolean, not text",
                Some("`tenant` is … not text"),
            ),
            ("`tenant` is empty", "`tenant` is null, not text", None),
            ("a", "b", None),
            ("", "", None),
        ] {
            assert_eq!(common(a, b).as_deref(), expected, "{a} / {b}");
        }
    }
}
