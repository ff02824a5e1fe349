//! The rules as JSON, for programs.

use serde_json::{Value, json};

use super::rules::{Branch, Rule, Rules};
use super::{Answer, Outcome, Question};

impl Rules {
    /// Converts the rules to one JSON object. Nothing is omitted.
    ///
    /// # Format
    /// Future versions may add members. Existing members stay unchanged.
    ///
    /// ```text
    /// rules    = { selector: text, digest: text | null, tracers: [text],
    ///              hits: number, runs: number, edges: number, bytes: number,
    ///              chosen: [{ tracer: text, hits: number }], abstained: number | null,
    ///              never_chosen: [text],
    ///              unknown_tracers: [{ name: text, hits: number }],
    ///              failures: [{ cause: text, reason: text, hits: number }],
    ///              tree: rule | null }
    /// rule     = { hits: number, asks: question, branches: [branch] }
    ///          | { hits: number, decides: outcome }
    ///          | { hits: number, goes_on: true }
    /// question = { question: "get" | "has", key: text }
    ///          | { question: "keys" }
    ///          | { question: "bucket", key: text, salt: text, buckets: number }
    /// branch   = { label: text, answers: [answer], then: rule }
    /// answer   = { type: "absent" | "null", hits: number }
    ///          | { type: "boolean" | "integer" | "float" | "text" | "json" | "has" | "keys" | "share",
    ///              value: any, hits: number }
    /// outcome  = { outcome: "tracer", tracer: text }
    ///          | { outcome: "abstains" }
    ///          | { outcome: "fallback", cause: text, reason: text, unknown_tracer?: text }
    /// ```
    ///
    /// The text of `json` is JSON text. A float that JSON cannot represent is text. `cause`
    /// is one of the words of [`Cause::as_str`](spanmux_core::Cause::as_str).
    pub fn to_json(&self) -> Value {
        json!({
            "selector": self.selector,
            "digest": self.digest,
            "tracers": self.tracers,
            "hits": self.hits,
            "runs": self.runs,
            "edges": self.edges,
            "bytes": self.bytes,
            "chosen": self.chosen.iter()
                .map(|(name, hits)| json!({"tracer": name, "hits": hits}))
                .collect::<Vec<_>>(),
            "abstained": self.abstained,
            "never_chosen": self.never_chosen,
            "unknown_tracers": self.unknown_tracers.iter()
                .map(|(name, hits)| json!({"name": name, "hits": hits}))
                .collect::<Vec<_>>(),
            "failures": self.failures.iter()
                .map(|(cause, reason, hits)| {
                    json!({"cause": cause, "reason": reason, "hits": hits})
                })
                .collect::<Vec<_>>(),
            "tree": self.root.as_ref().map(rule),
        })
    }
}

fn rule(rule_: &Rule) -> Value {
    match rule_ {
        Rule::Asks {
            question,
            branches,
            hits,
        } => json!({
            "hits": hits,
            "asks": self::question(question),
            "branches": branches.iter().map(branch).collect::<Vec<_>>(),
        }),
        Rule::Decides { outcome, hits } => json!({
            "hits": hits,
            "decides": self::outcome(outcome),
        }),
        Rule::GoesOn { hits } => json!({"hits": hits, "goes_on": true}),
    }
}

fn branch(branch: &Branch) -> Value {
    let answers = branch.answers.iter().map(|seen| {
        let mut answer = answer(&seen.answer);
        answer["hits"] = seen.hits.into();
        answer
    });
    json!({
        "label": branch.label.line(),
        "answers": answers.collect::<Vec<_>>(),
        "then": rule(&branch.then),
    })
}

fn question(question: &Question) -> Value {
    match question {
        Question::Get { key } => json!({"question": "get", "key": key}),
        Question::Has { key } => json!({"question": "has", "key": key}),
        Question::Keys => json!({"question": "keys"}),
        Question::Bucket { key, salt, buckets } => {
            json!({"question": "bucket", "key": key, "salt": salt, "buckets": buckets})
        }
    }
}

fn answer(answer: &Answer) -> Value {
    match answer {
        Answer::Absent => json!({"type": "absent"}),
        Answer::Null => json!({"type": "null"}),
        Answer::Boolean(value) => json!({"type": "boolean", "value": value}),
        Answer::Integer(value) => json!({"type": "integer", "value": value}),
        Answer::Float(value) if value.is_finite() => json!({"type": "float", "value": value}),
        Answer::Float(value) => json!({"type": "float", "value": value.to_string()}),
        Answer::Text(value) => json!({"type": "text", "value": value}),
        Answer::Json(value) => json!({"type": "json", "value": value}),
        Answer::Has(value) => json!({"type": "has", "value": value}),
        Answer::Keys(value) => json!({"type": "keys", "value": value}),
        Answer::Share(value) => json!({"type": "share", "value": value}),
    }
}

fn outcome(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Tracer(name) => json!({"outcome": "tracer", "tracer": name}),
        Outcome::Abstains => json!({"outcome": "abstains"}),
        Outcome::Fallback { cause, reason } => {
            let mut value = json!({"outcome": "fallback", "cause": cause, "reason": reason});
            if let Some(name) = outcome.unknown_tracer() {
                value["unknown_tracer"] = name.into();
            }
            value
        }
    }
}
