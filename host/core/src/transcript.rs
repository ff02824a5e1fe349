//! The transcript of one run.

use crate::context::{self, ContextView, Value};
use crate::decision::{Choice, Decision};
use crate::explanation::{Answer, Outcome, Question};
use crate::tracer_names::TracerNames;

/// The questions, answers and decision of one run of a selector.
#[derive(Clone, Debug, PartialEq)]
pub struct Transcript {
    /// The questions with their answers in order. `None` for a decision that depends on anything
    /// else, such as one that ran out of time.
    pub questions: Option<Vec<(Question, Answer)>>,
    /// The decision, which is that of a fresh run.
    pub decision: Decision,
}

impl Transcript {
    /// Creates the transcript of a run on this context.
    #[doc(hidden)]
    pub fn of(
        asked: Option<&[context::Question]>,
        view: &ContextView<'_>,
        decision: Decision,
    ) -> Self {
        let answered = |question: &context::Question| {
            let question = Question::of(question);
            let answer = question.answer(view);
            (question, answer)
        };
        Self {
            questions: asked.map(|asked| asked.iter().map(answered).collect()),
            decision,
        }
    }

    /// Returns the outcome of the decision for these tracers, which must be those of the run.
    pub fn outcome(&self, tracers: &TracerNames) -> Outcome {
        Outcome::of(&self.decision.choice, tracers)
    }
}

impl Outcome {
    /// Converts a choice among these tracers.
    pub fn of(choice: &Choice, tracers: &TracerNames) -> Self {
        match choice {
            Choice::Tracer(index) => {
                Self::Tracer(tracers.name(*index).unwrap_or_default().to_owned())
            }
            Choice::Abstain => Self::Abstains,
            Choice::Fallback(fallback) => Self::Fallback {
                cause: fallback.cause().as_str().to_owned(),
                reason: fallback.to_string(),
            },
        }
    }
}

impl Question {
    /// Converts a question of the contract.
    pub(crate) fn of(question: &context::Question) -> Self {
        match question {
            context::Question::Get(key) => Self::Get {
                key: key.as_str().to_owned(),
            },
            context::Question::Has(key) => Self::Has {
                key: key.as_str().to_owned(),
            },
            context::Question::Bucket { key, salt, buckets } => Self::Bucket {
                key: key.as_str().to_owned(),
                salt: salt.to_string(),
                buckets: *buckets,
            },
            context::Question::Keys => Self::Keys,
        }
    }

    /// Returns the answer of a context.
    pub fn answer(&self, view: &ContextView<'_>) -> Answer {
        match self {
            Self::Get { key } => match view.get(key) {
                None => Answer::Absent,
                Some(Value::Null) => Answer::Null,
                Some(Value::Boolean(boolean)) => Answer::Boolean(boolean),
                Some(Value::Integer(integer)) => Answer::Integer(integer),
                Some(Value::Float(float)) => Answer::Float(float),
                Some(Value::Text(text)) => Answer::Text(text.to_owned()),
                Some(Value::Json(text)) => Answer::Json(text.to_owned()),
            },
            Self::Has { key } => Answer::Has(view.contains(key)),
            Self::Keys => Answer::Keys(view.keys()),
            Self::Bucket { key, salt, buckets } => view
                .bucket(key, salt, *buckets)
                .map_or(Answer::Absent, Answer::Share),
        }
    }
}

impl Answer {
    /// Compares answers as the decision cache does: floats are equal if their bits are equal.
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits(),
            _ => self == other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::RuntimeContext;

    #[test]
    fn transcript_contains_every_answer_in_order() {
        let context = RuntimeContext::builder()
            .set("tier", "pro")
            .set("score", f64::NAN)
            .build();
        let asked = [
            context::Question::get("tier".into()),
            context::Question::has("region".into()),
            context::Question::get("score".into()),
            context::Question::bucket("tier".into(), "s".into(), 1),
            context::Question::Keys,
        ];
        let decision = Decision {
            choice: Choice::failed("no region"),
            origin: crate::Origin::Native,
        };
        let transcript = Transcript::of(Some(&asked), &context.view(), decision);
        let answers: Vec<String> = transcript
            .questions
            .iter()
            .flatten()
            .map(|(question, answer)| format!("{question}? {answer}"))
            .collect();
        assert_eq!(
            answers,
            [
                "tier? \"pro\"",
                "has region? no",
                "score? NaN",
                "bucket of tier (1 shares, salt \"s\")? 0",
                "which keys? score + tier"
            ]
        );
        assert!(Answer::Float(f64::NAN).is(&Answer::Float(f64::NAN)));
        let outcome = transcript.outcome(&TracerNames::new(["a"]));
        assert_eq!(outcome.to_string(), "failed: no region");
    }
}
