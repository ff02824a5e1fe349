//! A comparison as JSON, for programs.

use serde_json::{Value, json};
use spanmux_core::explanation::{Answer, Question};

use crate::comparison::{Allowed, Change, Comparison, Difference, Verdict};

impl Comparison {
    /// Converts the comparison to one JSON object. Nothing is omitted.
    ///
    /// # Format
    /// Future versions may add members. Existing members stay unchanged.
    ///
    /// ```text
    /// comparison = { old: text, new: text, same: boolean, allowed: boolean, identical: boolean,
    ///                complete: boolean, changes: [change], selectors: [group],
    ///                combined: number, combinations_left: number, given: number,
    ///                undetermined: number, not_explored: [text] }
    /// change     = { from: verdict, to: verdict, allowed: boolean, contexts: number,
    ///                differences: [difference], given: [{ label: text, context: object }] }
    /// verdict    = { tracer: text } | { cause: text }
    /// difference = { condition: text, when: [{ question: text, key: text | null,
    ///                answers: [text] }], example: object }
    /// group      = { status: text, old: [text], new: [text], words: number, contexts: number,
    ///                left: number, sampled: boolean }
    /// ```
    pub fn to_json(&self, allowed: &[Allowed]) -> Value {
        let changes = self.changes.iter().map(|each| change(each, allowed));
        let groups = self.groups.iter().map(|group| {
            json!({
                "status": group.status.as_str(),
                "old": group.old,
                "new": group.new,
                "words": group.words,
                "contexts": group.contexts,
                "left": group.left,
                "sampled": group.sampled,
            })
        });
        json!({
            "old": self.old,
            "new": self.new,
            "same": self.is_same(),
            "allowed": self.is_allowed(allowed),
            "identical": self.identical,
            "complete": self.is_complete(),
            "changes": changes.collect::<Vec<_>>(),
            "selectors": groups.collect::<Vec<_>>(),
            "combined": self.combined,
            "combinations_left": self.combinations_left,
            "given": self.given,
            "undetermined": self.undetermined,
            "not_explored": self.not_explored(),
        })
    }
}

fn change(change: &Change, allowed: &[Allowed]) -> Value {
    let given = change.given.iter();
    let given = given.map(|given| json!({"label": given.label, "context": given.context}));
    json!({
        "from": verdict(&change.from),
        "to": verdict(&change.to),
        "allowed": change.is_allowed(allowed),
        "contexts": change.contexts,
        "differences": change.differences.iter().map(difference).collect::<Vec<_>>(),
        "given": given.collect::<Vec<_>>(),
    })
}

fn verdict(verdict: &Verdict) -> Value {
    match verdict {
        Verdict::Tracer(name) => json!({"tracer": name}),
        Verdict::Abstained => json!({"cause": "abstained"}),
        Verdict::Failed(cause) => json!({"cause": cause}),
    }
}

fn difference(difference: &Difference) -> Value {
    let when = difference.condition.answers.iter();
    let when = when.map(|(question, answers)| {
        let (kind, key) = match question {
            Question::Get { key } => ("get", Some(key)),
            Question::Has { key } => ("has", Some(key)),
            Question::Bucket { key, .. } => ("bucket", Some(key)),
            Question::Keys => ("keys", None),
        };
        let answers: Vec<String> = answers.iter().map(Answer::to_string).collect();
        json!({"question": kind, "key": key, "answers": answers})
    });
    json!({
        "condition": difference.condition.to_string(),
        "when": when.collect::<Vec<_>>(),
        "example": difference.example,
    })
}
