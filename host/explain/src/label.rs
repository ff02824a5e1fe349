//! Labels of branches: the answers that lead there.

use super::rules::Seen;
use super::words::{count, width};
use super::{Answer, Question};

/// Maximum number of text answers that a branch lists. Beyond it, the branch gives examples.
const LISTED: usize = 4;
/// Maximum number of other answers that a branch lists: null, numbers, JSON, absence.
const KINDS: usize = 6;
/// Number of examples in place of a full list.
const EXAMPLES: usize = 2;
/// Maximum size of the full list in a tooltip, in bytes.
const FULL_BYTES: usize = 1_000;

/// The label of a branch's answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Label {
    /// The parts, to be joined with commas. A line may break between them.
    pub parts: Vec<String>,
    /// All answers, up to a readable length. `None` if the parts already list all of them.
    pub full: Option<String>,
}

impl Label {
    /// Returns the label on one line.
    pub fn line(&self) -> String {
        self.parts.join(", ")
    }
}

/// Creates the label of a branch. `others` are the answers of its siblings: a range or a
/// common prefix is used only if no sibling falls into it.
pub(super) fn label<'a>(
    question: &Question,
    seen: &[Seen],
    others: impl FnOnce() -> Vec<&'a Answer>,
) -> Label {
    if let Question::Bucket { buckets, .. } = question {
        return shares(seen, &others(), *buckets);
    }
    // Other answers are listed in full if possible: each is a case of its own, not an
    // example.
    let (texts, rest): (Vec<_>, Vec<_>) = seen
        .iter()
        .map(|seen| &seen.answer)
        .partition(|answer| matches!(answer, Answer::Text(_)));
    if texts.len() <= LISTED && rest.len() <= KINDS {
        return Label {
            parts: seen.iter().map(|seen| seen.answer.to_string()).collect(),
            full: None,
        };
    }
    let mut parts: Vec<String> = Vec::new();
    if texts.len() <= LISTED {
        parts.extend(texts.iter().map(ToString::to_string));
    } else {
        let (examples, more) = texts.split_at(EXAMPLES);
        parts.extend(examples.iter().map(ToString::to_string));
        parts.push(match beginning(&texts, &others()) {
            Some(beginning) => format!("{} more \"{beginning}…\"", more.len()),
            None => count(more.len() as u64, "more text", "more texts"),
        });
    }
    if rest.len() <= KINDS {
        parts.extend(rest.iter().map(ToString::to_string));
    } else {
        let absent = rest.last().filter(|last| ***last == Answer::Absent);
        let rest = &rest[..rest.len() - usize::from(absent.is_some())];
        let (examples, more) = rest.split_at(EXAMPLES.min(rest.len()));
        parts.extend(examples.iter().map(ToString::to_string));
        parts.push(format!("{} more", more.len()));
        parts.extend(absent.map(ToString::to_string));
    }
    Label {
        parts,
        full: Some(full(seen)),
    }
}

/// Returns the common prefix of these texts, if no sibling has it.
fn beginning(texts: &[&Answer], others: &[&Answer]) -> Option<String> {
    fn text<'a>(answer: &&'a Answer) -> Option<&'a str> {
        match answer {
            Answer::Text(text) => Some(text),
            _ => None,
        }
    }
    let mut texts = texts.iter().filter_map(text);
    let mut common = texts.next()?;
    for other in texts {
        let same = common.chars().zip(other.chars());
        let bytes = same.take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8());
        common = &common[..bytes.sum()];
    }
    let taken = others
        .iter()
        .filter_map(text)
        .any(|other| other.starts_with(common));
    let readable = common.chars().all(|c| !c.is_control() && c != '"') && width(common) >= 2;
    (readable && !taken).then(|| super::words::printable(common))
}

/// Formats shares as ranges. A range may have gaps if no sibling falls into them; the label
/// then gives the number of shares seen.
fn shares(seen: &[Seen], others: &[&Answer], buckets: u32) -> Label {
    let share = |answer: &Answer| match answer {
        Answer::Share(share) => Some(*share),
        _ => None,
    };
    let mut own: Vec<u32> = seen.iter().filter_map(|seen| share(&seen.answer)).collect();
    own.sort_unstable();
    let mut others: Vec<u32> = others.iter().filter_map(|answer| share(answer)).collect();
    others.sort_unstable();

    let mut parts = Vec::new();
    for stretch in own.chunk_by(|&a, &b| {
        let after = others.partition_point(|&other| other < a);
        others.get(after).is_none_or(|&other| other > b)
    }) {
        let (Some(&first), Some(&last)) = (stretch.first(), stretch.last()) else {
            continue;
        };
        let all = u64::from(last - first) + 1 == stretch.len() as u64;
        parts.push(match stretch {
            [one] => one.to_string(),
            [one, two] => format!("{one}, {two}"),
            _ if all => format!("{first}–{last}"),
            _ => format!("{first}–{last} ({} seen)", stretch.len()),
        });
    }
    let mut full = None;
    if parts.len() > LISTED {
        full = Some(self::full(seen));
        let more = parts.split_off(EXAMPLES).len();
        parts.push(format!("{more} more ranges"));
    }
    if let Some(last) = parts.last_mut() {
        last.push_str(&format!(" of {buckets}"));
    }
    let rest = seen.iter().filter(|seen| share(&seen.answer).is_none());
    parts.extend(rest.map(|seen| seen.answer.to_string()));
    Label { parts, full }
}

fn full(seen: &[Seen]) -> String {
    let mut list = String::new();
    for (place, seen_one) in seen.iter().enumerate() {
        if list.len() > FULL_BYTES {
            list.push_str(&format!(" and {} more", seen.len() - place));
            break;
        }
        if place > 0 {
            list.push_str(", ");
        }
        list.push_str(&seen_one.answer.to_string());
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(answers: impl IntoIterator<Item = Answer>) -> Vec<Seen> {
        let seen = |answer| Seen { answer, hits: 1 };
        answers.into_iter().map(seen).collect()
    }

    fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<Answer> {
        texts.into_iter().map(|t| Answer::Text(t.into())).collect()
    }

    fn get(own: Vec<Answer>, others: Vec<Answer>) -> String {
        let question = Question::Get { key: "k".into() };
        label(&question, &seen(own), || others.iter().collect()).line()
    }

    #[test]
    fn label_lists_few_answers() {
        assert_eq!(
            get(texts(["globex", "initech", "hooli"]), vec![]),
            r#""globex", "initech", "hooli""#
        );
    }

    #[test]
    fn label_gives_examples_of_many_answers() {
        let many = || (0..812).map(|n| Answer::Text(format!("u-{n}")));
        assert_eq!(
            get(many().collect(), vec![]),
            r#""u-0", "u-1", 810 more "u-…""#
        );
        // A sibling has the same prefix, so the label must not use it.
        assert_eq!(
            get(many().collect(), texts(["u-admin"])),
            r#""u-0", "u-1", 810 more texts"#
        );
        let mixed = texts(["eu-west-1", "us", "ap", "sa", "me"])
            .into_iter()
            .chain([Answer::Absent, Answer::Null]);
        assert_eq!(
            get(mixed.collect(), vec![]),
            r#""eu-west-1", "us", 3 more texts, absent, null"#
        );
        let numbers = (0..9).map(Answer::Integer).collect();
        assert_eq!(get(numbers, vec![]), "0, 1, 7 more");
    }

    #[test]
    fn shares_form_ranges() {
        let question = Question::Bucket {
            key: "user.id".into(),
            salt: "s".into(),
            buckets: 100,
        };
        let rows: [(&[u32], &[u32], &str); 6] = [
            (&[3, 1, 2, 0], &[4, 5], "0–3 of 100"),
            (&[0, 3, 7], &[10, 99], "0–7 (3 seen) of 100"),
            (&[0, 1, 2, 8, 9, 10], &[5], "0–2, 8–10 of 100"),
            (&[7], &[], "7 of 100"),
            (&[7, 9], &[], "7, 9 of 100"),
            (
                &[0, 2, 4, 6, 8, 10],
                &[1, 3, 5, 7, 9],
                "0, 2, 4 more ranges of 100",
            ),
        ];
        for (own, others, expected) in rows {
            let others: Vec<Answer> = others.iter().copied().map(Answer::Share).collect();
            let label = label(
                &question,
                &seen(own.iter().copied().map(Answer::Share)),
                || others.iter().collect(),
            );
            assert_eq!(label.line(), expected);
        }
    }
}
