//! The attribute names of both dialects. No other module defines them.
//!
//! # Source
//! The names come from the OpenTelemetry semantic conventions 1.41.0, the last release that
//! contains those for GenAI and MCP, from `open-telemetry/semantic-conventions-genai` v0.1.0, which
//! renamed some of them, and from OpenInference's
//! `spec/semantic_conventions.md`. Release 1.42.0, of the crate
//! `opentelemetry-semantic-conventions` 0.33.1, has the same names and marks them as moved.
//! Langfuse documents its own attributes under "Attribute mapping" on its OpenTelemetry
//! page.

/// The names of one attribute in both dialects. Empty where a dialect defines none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    pub(super) gen_ai: &'static str,
    pub(super) open_inference: &'static str,
}

const fn key(gen_ai: &'static str, open_inference: &'static str) -> Key {
    Key {
        gen_ai,
        open_inference,
    }
}

pub(super) const fn gen_ai(name: &'static str) -> Key {
    key(name, "")
}

pub(super) const fn open_inference(name: &'static str) -> Key {
    key("", name)
}

/// Creates a key that has the same name in both dialects, or that neither dialect defines.
const fn same(name: &'static str) -> Key {
    key(name, name)
}

pub(super) const OPERATION: Key = gen_ai("gen_ai.operation.name");
pub(super) const SPAN_KIND: Key = open_inference("openinference.span.kind");

// Session and user.
pub(super) const CONVERSATION: Key = gen_ai("gen_ai.conversation.id");
pub(super) const SESSION: Key = same("session.id");
pub(super) const USER: Key = same("user.id");
pub(super) const TAGS: Key = same("tag.tags");
pub(super) const METADATA: Key = same("metadata");

// Agents and workflows.
pub(super) const AGENT_ID: Key = gen_ai("gen_ai.agent.id");
pub(super) const AGENT_NAME: Key = key("gen_ai.agent.name", "agent.name");
pub(super) const AGENT_DESCRIPTION: Key = gen_ai("gen_ai.agent.description");
pub(super) const AGENT_VERSION: Key = gen_ai("gen_ai.agent.version");
pub(super) const AGENT_MAX_STEPS: Key = same("spanmux.agent.max_steps");
// The conventions v0.1.0 renamed these to the second name. Backends read one or the other.
pub(super) const WORKFLOW_NAME: Key = gen_ai("gen_ai.workflow.name");
pub(super) const WORKFLOW_AGENT_NAME: Key = gen_ai("gen_ai.agent.name");
pub(super) const WORKFLOW_ID: Key = same("spanmux.workflow.id");
pub(super) const STEP_ID: Key = same("spanmux.workflow.step.id");

// Models.
pub(super) const PROVIDER: Key = key("gen_ai.provider.name", "llm.provider");
pub(super) const MODEL: Key = key("gen_ai.request.model", "llm.model_name");
pub(super) const RESPONSE_MODEL: Key = key("gen_ai.response.model", "llm.response.model_name");
pub(super) const RESPONSE_ID: Key = gen_ai("gen_ai.response.id");
pub(super) const FINISH_REASONS: Key = gen_ai("gen_ai.response.finish_reasons");
pub(super) const FINISH_REASON: Key = open_inference("llm.finish_reason");
pub(super) const TIME_TO_FIRST_CHUNK: Key = gen_ai("gen_ai.response.time_to_first_chunk");
pub(super) const OUTPUT_TYPE: Key = gen_ai("gen_ai.output.type");
pub(super) const STREAM: Key = gen_ai("gen_ai.request.stream");
pub(super) const TEMPERATURE: Key = gen_ai("gen_ai.request.temperature");
pub(super) const TOP_P: Key = gen_ai("gen_ai.request.top_p");
pub(super) const TOP_K: Key = gen_ai("gen_ai.request.top_k");
pub(super) const MAX_TOKENS: Key = gen_ai("gen_ai.request.max_tokens");
pub(super) const FREQUENCY_PENALTY: Key = gen_ai("gen_ai.request.frequency_penalty");
pub(super) const PRESENCE_PENALTY: Key = gen_ai("gen_ai.request.presence_penalty");
pub(super) const SEED: Key = gen_ai("gen_ai.request.seed");
pub(super) const STOP_SEQUENCES: Key = gen_ai("gen_ai.request.stop_sequences");
pub(super) const CHOICE_COUNT: Key = gen_ai("gen_ai.request.choice.count");
pub(super) const REASONING_LEVEL: Key = gen_ai("gen_ai.request.reasoning.level");
pub(super) const PROMPT_NAME: Key = gen_ai("gen_ai.prompt.name");
pub(super) const PROMPT_VERSION: Key = key("gen_ai.prompt.version", "llm.prompt_template.version");
pub(super) const TOOL_DEFINITIONS: Key = gen_ai("gen_ai.tool.definitions");
pub(super) const SERVER_ADDRESS: Key = same("server.address");
pub(super) const SERVER_PORT: Key = same("server.port");

// Neither dialect has attributes for a model step. Its tokens are part of the generation's:
// under the usual names, a backend would count them twice.
pub(super) const MODEL_STEP: Key = same("spanmux.model.step");
pub(super) const STEP_FINISH_REASON: Key = same("spanmux.model.step.finish_reason");
pub(super) const STEP_INPUT_TOKENS: Key = same("spanmux.model.step.input_tokens");
pub(super) const STEP_OUTPUT_TOKENS: Key = same("spanmux.model.step.output_tokens");

// Tokens.
pub(super) const INPUT_TOKENS: Key = key("gen_ai.usage.input_tokens", "llm.token_count.prompt");
pub(super) const OUTPUT_TOKENS: Key =
    key("gen_ai.usage.output_tokens", "llm.token_count.completion");
pub(super) const TOTAL_TOKENS: Key = open_inference("llm.token_count.total");
pub(super) const CACHE_READ_TOKENS: Key = key(
    "gen_ai.usage.cache_read.input_tokens",
    "llm.token_count.prompt_details.cache_read",
);
pub(super) const CACHE_WRITE_TOKENS: Key = key(
    "gen_ai.usage.cache_creation.input_tokens",
    "llm.token_count.prompt_details.cache_write",
);
pub(super) const CACHE_WRITE_TOKENS_RENAMED: Key = gen_ai("gen_ai.usage.cache_write.input_tokens");
pub(super) const REASONING_TOKENS: Key = key(
    "gen_ai.usage.reasoning.output_tokens",
    "llm.token_count.completion_details.reasoning",
);

/// The input and the output tokens of each modality: text, image, audio.
pub(super) const MODALITY_TOKENS: [[Key; 2]; 3] = [
    [
        gen_ai("gen_ai.usage.text.input_tokens"),
        gen_ai("gen_ai.usage.text.output_tokens"),
    ],
    [
        gen_ai("gen_ai.usage.image.input_tokens"),
        gen_ai("gen_ai.usage.image.output_tokens"),
    ],
    [
        key(
            "gen_ai.usage.audio.input_tokens",
            "llm.token_count.prompt_details.audio",
        ),
        key(
            "gen_ai.usage.audio.output_tokens",
            "llm.token_count.completion_details.audio",
        ),
    ],
];

// Cost. The GenAI conventions have no attribute for it; `gen_ai.usage.cost` is common.
pub(super) const COST: Key = key("gen_ai.usage.cost", "llm.cost.total");
pub(super) const INPUT_COST: Key = key("spanmux.cost.input", "llm.cost.prompt");
pub(super) const OUTPUT_COST: Key = key("spanmux.cost.output", "llm.cost.completion");

// Tools.
pub(super) const TOOL_NAME: Key = key("gen_ai.tool.name", "tool.name");
pub(super) const TOOL_DESCRIPTION: Key = key("gen_ai.tool.description", "tool.description");
pub(super) const TOOL_CALL_ID: Key = key("gen_ai.tool.call.id", "tool.id");
pub(super) const TOOL_TYPE: Key = gen_ai("gen_ai.tool.type");
pub(super) const MCP_METHOD: Key = same("mcp.method.name");
pub(super) const MCP_SESSION: Key = same("mcp.session.id");
pub(super) const MCP_PROTOCOL: Key = same("mcp.protocol.version");
pub(super) const MCP_SERVER: Key = same("spanmux.mcp.server");
pub(super) const JSONRPC_ID: Key = same("jsonrpc.request.id");
pub(super) const TRANSPORT: Key = same("network.transport");

// Embeddings and retrieval.
pub(super) const EMBEDDING_MODEL: Key = key("gen_ai.request.model", "embedding.model_name");
pub(super) const DIMENSIONS: Key = gen_ai("gen_ai.embeddings.dimension.count");
pub(super) const ENCODING_FORMATS: Key = gen_ai("gen_ai.request.encoding_formats");
pub(super) const RETRIEVAL_TOP_K: Key = gen_ai("gen_ai.retrieval.top_k");
pub(super) const DATA_SOURCE: Key = gen_ai("gen_ai.data_source.id");

// Content.
pub(super) const INSTRUCTIONS: Key = gen_ai("gen_ai.system_instructions");
pub(super) const INPUT_MESSAGES: Key = gen_ai("gen_ai.input.messages");
pub(super) const OUTPUT_MESSAGES: Key = gen_ai("gen_ai.output.messages");
pub(super) const ARGUMENTS: Key = gen_ai("gen_ai.tool.call.arguments");
pub(super) const RESULT: Key = gen_ai("gen_ai.tool.call.result");
pub(super) const QUERY: Key = gen_ai("gen_ai.retrieval.query.text");
pub(super) const DOCUMENTS: Key = gen_ai("gen_ai.retrieval.documents");

/// The attributes of inputs and outputs. `generic` is for values without an attribute in the
/// GenAI conventions. The backends read OpenInference's attribute there as well.
#[derive(Clone, Copy, Debug)]
pub(super) struct ValueKeys {
    pub(super) specific: Key,
    pub(super) generic: Key,
    pub(super) mime_type: Key,
}

pub(super) const INPUT: ValueKeys = ValueKeys {
    specific: open_inference("input.value"),
    generic: same("input.value"),
    mime_type: same("input.mime_type"),
};
pub(super) const OUTPUT: ValueKeys = ValueKeys {
    specific: open_inference("output.value"),
    generic: same("output.value"),
    mime_type: same("output.mime_type"),
};

// The prefixes of OpenInference's numbered attributes.
pub(super) const LLM_INPUT_MESSAGES: &str = "llm.input_messages";
pub(super) const LLM_OUTPUT_MESSAGES: &str = "llm.output_messages";
pub(super) const LLM_TOOLS: &str = "llm.tools";
pub(super) const EMBEDDINGS: &str = "embedding.embeddings";
pub(super) const RETRIEVED: &str = "retrieval.documents";

// Errors.
pub(super) const ERROR_TYPE: &str = "error.type";
pub(super) const EXCEPTION: &str = "exception";
pub(super) const EXCEPTION_TYPE: &str = "exception.type";
pub(super) const EXCEPTION_MESSAGE: &str = "exception.message";

// Late signals.
pub(super) const EVALUATION: &str = "gen_ai.evaluation.result";
pub(super) const EVALUATION_NAME: Key =
    key("gen_ai.evaluation.name", "evaluations.0.evaluation.name");
pub(super) const EVALUATION_VALUE: Key = key(
    "gen_ai.evaluation.score.value",
    "evaluations.0.evaluation.score",
);
pub(super) const EVALUATION_LABEL: Key = key(
    "gen_ai.evaluation.score.label",
    "evaluations.0.evaluation.label",
);
pub(super) const EVALUATION_EXPLANATION: Key = key(
    "gen_ai.evaluation.explanation",
    "evaluations.0.evaluation.explanation",
);
pub(super) const ANNOTATOR: Key = open_inference("evaluations.0.evaluation.annotator_kind");

// Only Langfuse reads these.
pub(super) const LANGFUSE_TAGS: &str = "langfuse.trace.tags";
pub(super) const LANGFUSE_COMPLETION_START: &str = "langfuse.observation.completion_start_time";

#[cfg(test)]
#[allow(deprecated)] // The crate deprecates all of GenAI because the conventions moved.
mod tests {
    use opentelemetry_semantic_conventions::attribute as convention;

    use super::*;

    #[test]
    fn names_match_the_conventions() {
        for (ours, theirs) in [
            (OPERATION, convention::GEN_AI_OPERATION_NAME),
            (CONVERSATION, convention::GEN_AI_CONVERSATION_ID),
            (SESSION, convention::SESSION_ID),
            (USER, convention::USER_ID),
            (AGENT_ID, convention::GEN_AI_AGENT_ID),
            (AGENT_NAME, convention::GEN_AI_AGENT_NAME),
            (AGENT_DESCRIPTION, convention::GEN_AI_AGENT_DESCRIPTION),
            (AGENT_VERSION, convention::GEN_AI_AGENT_VERSION),
            (WORKFLOW_NAME, convention::GEN_AI_WORKFLOW_NAME),
            (PROVIDER, convention::GEN_AI_PROVIDER_NAME),
            (MODEL, convention::GEN_AI_REQUEST_MODEL),
            (RESPONSE_MODEL, convention::GEN_AI_RESPONSE_MODEL),
            (RESPONSE_ID, convention::GEN_AI_RESPONSE_ID),
            (FINISH_REASONS, convention::GEN_AI_RESPONSE_FINISH_REASONS),
            (
                TIME_TO_FIRST_CHUNK,
                convention::GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK,
            ),
            (OUTPUT_TYPE, convention::GEN_AI_OUTPUT_TYPE),
            (STREAM, convention::GEN_AI_REQUEST_STREAM),
            (TEMPERATURE, convention::GEN_AI_REQUEST_TEMPERATURE),
            (TOP_P, convention::GEN_AI_REQUEST_TOP_P),
            (TOP_K, convention::GEN_AI_REQUEST_TOP_K),
            (MAX_TOKENS, convention::GEN_AI_REQUEST_MAX_TOKENS),
            (
                FREQUENCY_PENALTY,
                convention::GEN_AI_REQUEST_FREQUENCY_PENALTY,
            ),
            (
                PRESENCE_PENALTY,
                convention::GEN_AI_REQUEST_PRESENCE_PENALTY,
            ),
            (SEED, convention::GEN_AI_REQUEST_SEED),
            (STOP_SEQUENCES, convention::GEN_AI_REQUEST_STOP_SEQUENCES),
            (CHOICE_COUNT, convention::GEN_AI_REQUEST_CHOICE_COUNT),
            (TOOL_DEFINITIONS, convention::GEN_AI_TOOL_DEFINITIONS),
            (SERVER_ADDRESS, convention::SERVER_ADDRESS),
            (SERVER_PORT, convention::SERVER_PORT),
            (INPUT_TOKENS, convention::GEN_AI_USAGE_INPUT_TOKENS),
            (OUTPUT_TOKENS, convention::GEN_AI_USAGE_OUTPUT_TOKENS),
            (
                CACHE_READ_TOKENS,
                convention::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
            ),
            (
                CACHE_WRITE_TOKENS,
                convention::GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS,
            ),
            (
                REASONING_TOKENS,
                convention::GEN_AI_USAGE_REASONING_OUTPUT_TOKENS,
            ),
            (TOOL_NAME, convention::GEN_AI_TOOL_NAME),
            (TOOL_DESCRIPTION, convention::GEN_AI_TOOL_DESCRIPTION),
            (TOOL_CALL_ID, convention::GEN_AI_TOOL_CALL_ID),
            (TOOL_TYPE, convention::GEN_AI_TOOL_TYPE),
            (MCP_METHOD, convention::MCP_METHOD_NAME),
            (MCP_SESSION, convention::MCP_SESSION_ID),
            (MCP_PROTOCOL, convention::MCP_PROTOCOL_VERSION),
            (JSONRPC_ID, convention::JSONRPC_REQUEST_ID),
            (TRANSPORT, convention::NETWORK_TRANSPORT),
            (EMBEDDING_MODEL, convention::GEN_AI_REQUEST_MODEL),
            (DIMENSIONS, convention::GEN_AI_EMBEDDINGS_DIMENSION_COUNT),
            (
                ENCODING_FORMATS,
                convention::GEN_AI_REQUEST_ENCODING_FORMATS,
            ),
            (DATA_SOURCE, convention::GEN_AI_DATA_SOURCE_ID),
            (INSTRUCTIONS, convention::GEN_AI_SYSTEM_INSTRUCTIONS),
            (INPUT_MESSAGES, convention::GEN_AI_INPUT_MESSAGES),
            (OUTPUT_MESSAGES, convention::GEN_AI_OUTPUT_MESSAGES),
            (ARGUMENTS, convention::GEN_AI_TOOL_CALL_ARGUMENTS),
            (RESULT, convention::GEN_AI_TOOL_CALL_RESULT),
            (QUERY, convention::GEN_AI_RETRIEVAL_QUERY_TEXT),
            (DOCUMENTS, convention::GEN_AI_RETRIEVAL_DOCUMENTS),
            (EVALUATION_NAME, convention::GEN_AI_EVALUATION_NAME),
            (EVALUATION_VALUE, convention::GEN_AI_EVALUATION_SCORE_VALUE),
            (EVALUATION_LABEL, convention::GEN_AI_EVALUATION_SCORE_LABEL),
            (
                EVALUATION_EXPLANATION,
                convention::GEN_AI_EVALUATION_EXPLANATION,
            ),
        ] {
            assert_eq!(ours.gen_ai, theirs);
        }
        assert_eq!(ERROR_TYPE, convention::ERROR_TYPE);
        assert_eq!(EXCEPTION_TYPE, convention::EXCEPTION_TYPE);
        assert_eq!(EXCEPTION_MESSAGE, convention::EXCEPTION_MESSAGE);
    }
}
