//! The answers that a difference depends on, as a condition for a reader.

use std::collections::BTreeMap;
use std::fmt;

use spanmux_core::explanation::{Answer, Question};

use crate::joint::Entries;
use crate::variants::UNKNOWN;

/// Maximum number of answers in a text. The others are counted.
const SHOWN: usize = 8;

/// The answers of a context on which a difference depends: for each question, those that lead to
/// the same change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Condition {
    /// The questions with their answers. Empty if the empty context shows the difference.
    pub answers: Vec<(Question, Vec<Answer>)>,
}

impl Condition {
    /// Creates the condition of one smallest context from the questions of both policies.
    pub(crate) fn of(path: &[(Question, Answer)], example: &Entries) -> Self {
        let matters = |key: &str| {
            let holds = |entry: &String| {
                key == entry
                    || key
                        .strip_prefix(entry.as_str())
                        .is_some_and(|rest| rest.starts_with('.'))
            };
            example.keys().any(holds)
        };
        // The bucket of an identifier matters, and a value more than its presence.
        let class = |question: &Question| match question {
            Question::Bucket { .. } => 0,
            Question::Get { .. } => 1,
            Question::Has { .. } | Question::Keys => 2,
        };
        let key = |question: &Question| match question {
            Question::Get { key } | Question::Has { key } | Question::Bucket { key, .. } => {
                Some(key.clone())
            }
            Question::Keys => None,
        };
        let mut best: BTreeMap<String, u8> = BTreeMap::new();
        for (question, _) in path {
            if let Some(key) = key(question).filter(|key| matters(key)) {
                let best = best.entry(key).or_insert(u8::MAX);
                *best = (*best).min(class(question));
            }
        }
        let mut answers: Vec<(Question, Vec<Answer>)> = Vec::new();
        for (question, answer) in path {
            let best = key(question).and_then(|key| best.get(&key).copied());
            let known = answers.iter().any(|(known, _)| known == question);
            if best == Some(class(question)) && !known {
                answers.push((question.clone(), vec![answer.clone()]));
            }
        }
        answers.sort_by(|(one, _), (other, _)| one.cmp(other));
        Self { answers }
    }

    /// Returns a text that is equal for conditions that differ only in the answers at one place.
    fn without(&self, place: usize) -> String {
        let rest = self.answers.iter().enumerate();
        let rest =
            rest.map(|(at, (question, answers))| (question, (at != place).then_some(answers)));
        format!("{:?}", rest.collect::<Vec<_>>())
    }

    fn add(&mut self, place: usize, other: Self) {
        let more = other.answers.into_iter().nth(place);
        if let (Some((_, answers)), Some((_, more))) = (self.answers.get_mut(place), more) {
            for answer in more {
                if !answers.iter().any(|known| known.is(&answer)) {
                    answers.push(answer);
                }
            }
        }
    }
}

/// Merges conditions that differ only in the answers to one question. Each keeps its first
/// companion.
pub(crate) fn merge<T>(mut conditions: Vec<(Condition, T)>) -> Vec<(Condition, T)> {
    let deepest = conditions
        .iter()
        .map(|(condition, _)| condition.answers.len())
        .max()
        .unwrap_or_default();
    for place in 0..deepest {
        let mut merged: Vec<(Condition, T)> = Vec::new();
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        for (condition, companion) in conditions {
            if place >= condition.answers.len() {
                merged.push((condition, companion));
                continue;
            }
            match places.get(&condition.without(place)) {
                Some(&at) => merged[at].0.add(place, condition),
                None => {
                    places.insert(condition.without(place), merged.len());
                    merged.push((condition, companion));
                }
            }
        }
        conditions = merged;
    }
    conditions
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.answers.is_empty() {
            return f.write_str("any other context");
        }
        for (place, (question, answers)) in self.answers.iter().enumerate() {
            if place > 0 {
                f.write_str(" and ")?;
            }
            write!(f, "{question} is {}", Answers(answers))?;
        }
        Ok(())
    }
}

/// Answers in one line: ranges of shares, then texts, then everything else.
struct Answers<'a>(&'a [Answer]);

impl fmt::Display for Answers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shares: Vec<u32> = Vec::new();
        let mut texts = Vec::new();
        let mut others = Vec::new();
        let mut any_text = false;
        for answer in self.0 {
            match answer {
                Answer::Share(share) => shares.push(*share),
                Answer::Text(text) if text == UNKNOWN => any_text = true,
                Answer::Text(text) if !text.is_empty() => texts.push(answer.to_string()),
                other => others.push(other.to_string()),
            }
        }
        let mut parts = ranges(shares);
        // Other words that behave like an unknown one were only tried.
        if any_text {
            parts.push("any other text".to_owned());
        } else {
            parts.extend(texts);
        }
        parts.extend(others);
        let more = parts.len().saturating_sub(SHOWN);
        parts.truncate(SHOWN);
        if more > 0 {
            return write!(f, "{} or {more} more", parts.join(", "));
        }
        match parts.split_last() {
            Some((last, [])) => f.write_str(last),
            Some((last, others)) => write!(f, "{} or {last}", others.join(", ")),
            None => Ok(()),
        }
    }
}

/// Formats numbers as ranges: `0-9`, `12`.
fn ranges(mut numbers: Vec<u32>) -> Vec<String> {
    numbers.sort_unstable();
    numbers.dedup();
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some((_, end)) if end.checked_add(1) == Some(number) => *end = number,
            _ => ranges.push((number, number)),
        }
    }
    let shown = |(from, to): (u32, u32)| {
        if from == to {
            from.to_string()
        } else {
            format!("{from}-{to}")
        }
    };
    ranges.into_iter().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(key: &str) -> Question {
        Question::Get { key: key.into() }
    }

    #[test]
    fn conditions_that_differ_in_one_answer_are_merged() {
        let one = |tenant: &str, region: &str| Condition {
            answers: vec![
                (get("region"), vec![Answer::Text(region.into())]),
                (get("tenant"), vec![Answer::Text(tenant.into())]),
            ],
        };
        let all = [
            ("acme", "eu"),
            ("hooli", "eu"),
            ("acme", "us"),
            ("hooli", "us"),
        ];
        let merged = merge(
            all.iter()
                .map(|(tenant, region)| (one(tenant, region), ()))
                .collect(),
        );
        let texts: Vec<String> = merged.iter().map(|(each, ())| each.to_string()).collect();
        assert_eq!(
            texts,
            ["region is \"eu\" or \"us\" and tenant is \"acme\" or \"hooli\""]
        );
    }

    #[test]
    fn bucket_is_shown_as_ranges_in_place_of_its_identifier() {
        let bucket = Question::Bucket {
            key: "user.id".into(),
            salt: "s".into(),
            buckets: 100,
        };
        let path = [
            (
                Question::Has {
                    key: "user.id".into(),
                },
                Answer::Has(true),
            ),
            (get("user.id"), Answer::Text("id-7".into())),
            (bucket, Answer::Share(3)),
            (get("tenant"), Answer::Absent),
        ];
        let example = Entries::from_iter([("user".to_owned(), serde_json::json!({"id": "id-7"}))]);
        let mut condition = Condition::of(&path, &example);
        assert_eq!(condition.answers.len(), 1);
        condition.answers[0].1 = [7, 3, 4, 5].map(Answer::Share).to_vec();
        assert_eq!(
            condition.to_string(),
            "bucket of user.id (100 shares, salt \"s\") is 3-5 or 7"
        );
        assert_eq!(Condition::default().to_string(), "any other context");
    }

    #[test]
    fn words_like_an_unknown_one_are_not_listed() {
        let texts = ["acme", UNKNOWN, ""].map(|text| Answer::Text(text.into()));
        assert_eq!(Answers(&texts).to_string(), "any other text or \"\"");
        let many: Vec<Answer> = (0..20).map(|n| Answer::Text(format!("w{n}"))).collect();
        assert!(Answers(&many).to_string().ends_with("or 12 more"));
    }
}
