//! Removes content from spans: prompts, messages, tool arguments, results and other payload of AI
//! spans, for a backend that must not have it.

use opentelemetry::KeyValue;
use opentelemetry_sdk::trace::SpanData;

/// Attributes with content: of the GenAI conventions in their present and earlier forms, of
/// OpenInference, and of the SDKs that write their own. Tool definitions are among them, because
/// they are instructions of the application.
const KEYS: [&str; 44] = [
    "ai.prompt",
    "ai.prompt.messages",
    "ai.prompt.tools",
    "ai.response.object",
    "ai.response.reasoning",
    "ai.response.text",
    "ai.response.toolCalls",
    "ai.result.object",
    "ai.result.text",
    "ai.toolCall.args",
    "ai.toolCall.result",
    "ai.value",
    "ai.values",
    "document.content",
    "gen_ai.completion",
    "gen_ai.content.completion",
    "gen_ai.content.prompt",
    "gen_ai.event.content",
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.prompt",
    "gen_ai.retrieval.documents",
    "gen_ai.retrieval.query.text",
    "gen_ai.system_instructions",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "gen_ai.tool.definitions",
    "input.value",
    "langfuse.observation.input",
    "langfuse.observation.output",
    "langfuse.trace.input",
    "langfuse.trace.output",
    "llm.function_call",
    "llm.prompt_template.template",
    "llm.prompt_template.variables",
    "llm.prompts",
    "mlflow.spanInputs",
    "mlflow.spanOutputs",
    "output.value",
    "reranker.query",
    "tool.json_schema",
    "tool.parameters",
    "traceloop.entity.input",
    "traceloop.entity.output",
];

/// Beginnings of numbered and named attributes with content. Each ends at a dot.
const NUMBERED: [&str; 12] = [
    "embedding.embeddings",
    "gen_ai.completion",
    "gen_ai.prompt",
    "llm.choices",
    "llm.completions",
    "llm.input_messages",
    "llm.output_messages",
    "llm.prompts",
    "llm.tools",
    "reranker.input_documents",
    "reranker.output_documents",
    "retrieval.documents",
];

/// Attributes below one of those beginnings that say which prompt it was, without its text.
const FACTS: [&str; 2] = ["gen_ai.prompt.name", "gen_ai.prompt.version"];

/// Events that are content as a whole, in the earlier GenAI conventions. Their attributes are removed.
const EVENTS: [&str; 7] = [
    "gen_ai.assistant.message",
    "gen_ai.choice",
    "gen_ai.content.completion",
    "gen_ai.content.prompt",
    "gen_ai.system.message",
    "gen_ai.tool.message",
    "gen_ai.user.message",
];

fn is_content(key: &str) -> bool {
    let is_numbered = |name: &&str| {
        let rest = key.strip_prefix(*name);
        rest.is_some_and(|rest| rest.starts_with('.'))
    };
    let is_below = NUMBERED.iter().any(is_numbered) && !FACTS.contains(&key);
    is_below || KEYS.binary_search(&key).is_ok()
}

/// Removes content from a span. Returns the number of removed attributes.
pub(super) fn remove(span: &mut SpanData) -> u64 {
    let mut removed = remove_from(&mut span.attributes);
    for event in &mut span.events.events {
        if EVENTS.contains(&&*event.name) {
            removed += event.attributes.len() as u64;
            event.attributes.clear();
        } else {
            removed += remove_from(&mut event.attributes);
        }
    }
    for link in &mut span.links.links {
        removed += remove_from(&mut link.attributes);
    }
    removed
}

fn remove_from(attributes: &mut Vec<KeyValue>) -> u64 {
    let before = attributes.len();
    attributes.retain(|attribute| !is_content(attribute.key.as_str()));
    (before - attributes.len()) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted() {
        assert!(KEYS.is_sorted());
        assert!(NUMBERED.is_sorted());
        assert!(EVENTS.is_sorted());
    }

    #[test]
    fn content_is_told_from_facts() {
        for key in [
            "gen_ai.input.messages",
            "gen_ai.prompt.0.content",
            "llm.input_messages.0.message.content",
            "input.value",
            "retrieval.documents.3.document.content",
            "gen_ai.prompt.variable.city",
            "reranker.query",
            "llm.prompt_template.template",
            "gen_ai.tool.definitions",
            "llm.tools.0.tool.json_schema",
        ] {
            assert!(is_content(key), "{key}");
        }
        for key in [
            "gen_ai.request.model",
            "gen_ai.prompt_name",
            "gen_ai.prompt.name",
            "gen_ai.prompt.version",
            "llm.prompt_template.version",
            "gen_ai.usage.input_tokens",
            "llm.token_count.prompt",
            "input.mime_type",
            "gen_ai.input.messages.count",
            "documentation",
        ] {
            assert!(!is_content(key), "{key}");
        }
    }
}
