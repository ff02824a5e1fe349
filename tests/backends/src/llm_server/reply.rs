//! The answers of the model.
//!
//! # Source
//! <https://platform.openai.com/docs/api-reference/chat>

use serde_json::{Value, json};

use crate::plan::{CHAT_MODEL, EMBEDDING_MODEL, Usage};

/// The tools that the model calls in parallel, if they are offered.
pub const TOOLS: [&str; 2] = ["search_orders", "check_stock"];
/// The beginning of a prompt, before the number of its run.
pub const RUN_PREFIX: &str = "run ";

const ANSWER: [&str; 3] = ["Your order ", "is on ", "its way."];

/// The answer to one request for a completion.
pub struct Reply {
    id: String,
    run: u32,
    /// 0 for the first answer of a run.
    pub turn: u32,
    calls_tools: bool,
    usage: Value,
}

impl Reply {
    /// Calls the tools first, and answers once it has their results.
    pub fn to(request: &Value) -> Self {
        let messages = request["messages"]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        let answered = messages.iter().any(|message| message["role"] == "tool");
        let offered = request["tools"]
            .as_array()
            .is_some_and(|tools| !tools.is_empty());
        let run = messages
            .iter()
            .find_map(|message| run_of(&message["content"]));
        let run = run.unwrap_or_default();
        let turn = u32::from(answered);
        Self {
            id: format!("chatcmpl-{run}-{turn}"),
            run,
            turn,
            calls_tools: offered && !answered,
            usage: counted(Usage::of_turn(run, turn)),
        }
    }

    /// Returns the complete answer.
    pub fn whole(&self) -> Value {
        let message = if self.calls_tools {
            json!({"role": "assistant", "content": null, "tool_calls": self.tool_calls()})
        } else {
            json!({"role": "assistant", "content": ANSWER.concat()})
        };
        json!({
            "id": self.id,
            "object": "chat.completion",
            "created": 1_756_000_000,
            "model": CHAT_MODEL.response,
            "choices": [{"index": 0, "message": message, "finish_reason": self.finish_reason()}],
            "usage": self.usage,
        })
    }

    /// Returns the answer as a stream: its text in pieces, the finish reason, and the usage.
    pub fn pieces(&self) -> Vec<Value> {
        let said = if self.calls_tools {
            vec![json!({"role": "assistant", "tool_calls": self.tool_calls()})]
        } else {
            ANSWER.iter().map(|text| json!({"content": text})).collect()
        };
        let mut pieces: Vec<_> = said
            .into_iter()
            .map(|delta| self.piece(json!([{"index": 0, "delta": delta, "finish_reason": null}])))
            .collect();
        let end = json!([{"index": 0, "delta": {}, "finish_reason": self.finish_reason()}]);
        pieces.push(self.piece(end));
        let mut last = self.piece(json!([]));
        last["usage"] = self.usage.clone();
        pieces.push(last);
        pieces
    }

    fn piece(&self, choices: Value) -> Value {
        json!({
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": 1_756_000_000,
            "model": CHAT_MODEL.response,
            "choices": choices,
        })
    }

    fn tool_calls(&self) -> Value {
        let arguments = json!({"customer": self.run}).to_string();
        let calls = TOOLS.iter().enumerate().map(|(index, name)| {
            json!({
                "index": index,
                "id": format!("call-{}-{index}", self.id),
                "type": "function",
                "function": {"name": name, "arguments": arguments},
            })
        });
        calls.collect()
    }

    fn finish_reason(&self) -> &'static str {
        if self.calls_tools {
            "tool_calls"
        } else {
            "stop"
        }
    }
}

/// Returns a vector for each text.
pub fn embeddings(request: &Value) -> Value {
    let texts = match &request["input"] {
        Value::Array(texts) => texts.as_slice(),
        text => std::slice::from_ref(text),
    };
    let run = texts.iter().find_map(run_of).unwrap_or_default();
    let tokens = Usage::of_embedding(run).input;
    let vector = |index| json!({"object": "embedding", "index": index, "embedding": [0.5, 0.25]});
    json!({
        "object": "list",
        "model": EMBEDDING_MODEL.response,
        "data": (0..texts.len()).map(vector).collect::<Value>(),
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    })
}

fn counted(usage: Usage) -> Value {
    let total = usage.input.unwrap_or_default() + usage.output.unwrap_or_default();
    json!({
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": total,
        "prompt_tokens_details": {"cached_tokens": usage.cached},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    })
}

/// Returns the number of the run at the beginning of a prompt. The content is a text or a list of
/// parts.
fn run_of(content: &Value) -> Option<u32> {
    if let Value::Array(parts) = content {
        return parts.iter().find_map(|part| run_of(&part["text"]));
    }
    let number = content.as_str()?.strip_prefix(RUN_PREFIX)?;
    number.split(':').next()?.parse().ok()
}
