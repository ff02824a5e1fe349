//! The fields of a span, and their names in each dialect. No other module defines them.
//!
//! # Source
//! `open-telemetry/semantic-conventions-genai` v0.1.0 and the conventions 1.41.0 before it,
//! OpenInference's `spec/semantic_conventions.md`, the names that Langfuse and LangSmith document for
//! OpenTelemetry, and those of OpenLLMetry (Traceloop).

use opentelemetry::Value;

use super::Dialect;

/// The type of a field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    /// An integer, or a number that a library recorded with a fraction.
    Integer,
    Number,
    Flag,
    Texts,
    /// JSON text of an object or a list.
    Json,
}

/// A field with its names. Where a dialect has several names, all of them are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) id: Id,
    pub(super) title: &'static str,
    pub(super) shape: Shape,
    pub(super) gen_ai: &'static [&'static str],
    pub(super) open_inference: &'static [&'static str],
    pub(super) langfuse: &'static [&'static str],
    pub(super) langsmith: &'static [&'static str],
    /// Names that are only read.
    pub(super) older: &'static [&'static str],
}

impl Field {
    /// Returns all names, those of the current conventions first.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        let lists = [
            self.gen_ai,
            self.open_inference,
            self.langfuse,
            self.langsmith,
            self.older,
        ];
        lists.into_iter().flatten().copied()
    }
}

macro_rules! fields {
    ($($id:ident $title:literal $shape:ident
        gen_ai $gen_ai:tt open_inference $open_inference:tt langfuse $langfuse:tt
        langsmith $langsmith:tt older $older:tt;)*) => {
        /// The identifier of a field: its position in [`FIELDS`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Id { $($id),* }

        /// The table of fields.
        pub(super) const FIELDS: &[Field] = &[$(Field {
            id: Id::$id,
            title: $title,
            shape: Shape::$shape,
            gen_ai: &$gen_ai,
            open_inference: &$open_inference,
            langfuse: &$langfuse,
            langsmith: &$langsmith,
            older: &$older,
        }),*];
    };
}

fields! {
    // The trace.
    // Where a span has only one of session and conversation, it is the other as well.
    Session "session" Text
        gen_ai ["session.id"] open_inference ["session.id"] langfuse ["session.id"]
        langsmith ["langsmith.metadata.session_id"]
        older ["langfuse.session.id", "traceloop.association.properties.session_id"];
    Conversation "conversation" Text
        gen_ai ["gen_ai.conversation.id"] open_inference [] langfuse []
        langsmith ["langsmith.metadata.thread_id"] older [];
    User "user" Text
        gen_ai ["user.id"] open_inference ["user.id"] langfuse ["user.id"]
        langsmith ["langsmith.metadata.user_id"]
        older ["langfuse.user.id", "traceloop.association.properties.user_id"];
    Tags "tags" Texts
        gen_ai ["tag.tags"] open_inference ["tag.tags"] langfuse ["langfuse.trace.tags"]
        langsmith ["langsmith.span.tags"] older [];
    Environment "environment" Text
        gen_ai [] open_inference [] langfuse ["langfuse.environment"]
        langsmith ["langsmith.metadata.environment"] older [];
    Release "release" Text
        gen_ai [] open_inference [] langfuse ["langfuse.release"]
        langsmith ["langsmith.metadata.revision_id"] older [];
    Metadata "metadata" Json
        gen_ai ["metadata"] open_inference ["metadata"] langfuse [] langsmith [] older [];

    // The kind is translated by `kinds`.
    Operation "operation" Text
        gen_ai ["gen_ai.operation.name"] open_inference [] langfuse [] langsmith []
        older ["llm.request.type"];
    OpenInferenceKind "kind" Text
        gen_ai [] open_inference ["openinference.span.kind"] langfuse [] langsmith [] older [];
    TraceloopKind "kind of Traceloop" Text
        gen_ai [] open_inference [] langfuse [] langsmith [] older ["traceloop.span.kind"];
    LangfuseKind "kind of Langfuse" Text
        gen_ai [] open_inference [] langfuse ["langfuse.observation.type"] langsmith [] older [];
    LangSmithKind "kind of LangSmith" Text
        gen_ai [] open_inference [] langfuse [] langsmith ["langsmith.span.kind"] older [];

    Step "step" Text
        gen_ai [] open_inference [] langfuse [] langsmith []
        older ["spanmux.model.step", "spanmux.workflow.step.id"];

    // Agents, workflows and tools.
    Entity "entity of Traceloop" Text
        gen_ai [] open_inference [] langfuse [] langsmith [] older ["traceloop.entity.name"];
    AgentName "agent" Text
        gen_ai ["gen_ai.agent.name"] open_inference ["agent.name"] langfuse [] langsmith []
        older [];
    ToolName "tool" Text
        gen_ai ["gen_ai.tool.name"] open_inference ["tool.name"] langfuse [] langsmith []
        older [];
    ToolDescription "description of the tool" Text
        gen_ai ["gen_ai.tool.description"] open_inference ["tool.description"] langfuse []
        langsmith [] older [];
    ToolCall "id of the tool call" Text
        gen_ai ["gen_ai.tool.call.id"] open_inference ["tool.id"] langfuse [] langsmith []
        older [];

    // Models.
    Provider "provider" Text
        gen_ai ["gen_ai.provider.name"] open_inference ["llm.provider"] langfuse []
        langsmith ["gen_ai.system"] older ["llm.system", "llm.vendor"];
    Model "model" Text
        gen_ai ["gen_ai.request.model"] open_inference ["llm.model_name"]
        langfuse ["langfuse.observation.model.name"] langsmith []
        older ["llm.request.model"];
    EmbeddingModel "model of embeddings" Text
        gen_ai [] open_inference ["embedding.model_name"] langfuse [] langsmith [] older [];
    ResponseModel "model of the response" Text
        gen_ai ["gen_ai.response.model"] open_inference ["llm.response.model_name"] langfuse []
        langsmith [] older ["llm.response.model"];
    FinishReasons "finish reasons" Texts
        gen_ai ["gen_ai.response.finish_reasons"] open_inference [] langfuse [] langsmith []
        older [];
    FinishReason "finish reason" Text
        gen_ai [] open_inference ["llm.finish_reason"] langfuse [] langsmith []
        older ["llm.response.finish_reason"];
    FirstChunk "time to first chunk" Number
        gen_ai ["gen_ai.response.time_to_first_chunk"] open_inference [] langfuse []
        langsmith [] older ["gen_ai.server.time_to_first_token"];
    CompletionStart "start of the completion" Text
        gen_ai [] open_inference [] langfuse ["langfuse.observation.completion_start_time"]
        langsmith [] older [];
    PromptName "name of the prompt" Text
        gen_ai ["gen_ai.prompt.name"] open_inference []
        langfuse ["langfuse.observation.prompt.name"]
        langsmith ["langsmith.metadata.prompt_name"] older ["traceloop.prompt.key"];
    PromptVersion "version of the prompt" Text
        gen_ai ["gen_ai.prompt.version"] open_inference ["llm.prompt_template.version"]
        langfuse ["langfuse.observation.prompt.version"]
        langsmith ["langsmith.metadata.prompt_version"] older ["traceloop.prompt.version"];

    // Parameters. OpenInference has them in one JSON text: see `parameters`.
    Temperature "temperature" Number
        gen_ai ["gen_ai.request.temperature"] open_inference [] langfuse [] langsmith []
        older ["llm.temperature"];
    TopP "top p" Number
        gen_ai ["gen_ai.request.top_p"] open_inference [] langfuse [] langsmith []
        older ["llm.top_p"];
    TopK "top k" Integer
        gen_ai ["gen_ai.request.top_k"] open_inference [] langfuse [] langsmith []
        older ["llm.top_k"];
    MaxTokens "maximum of tokens" Integer
        gen_ai ["gen_ai.request.max_tokens"] open_inference [] langfuse [] langsmith []
        older ["llm.request.max_tokens"];
    FrequencyPenalty "frequency penalty" Number
        gen_ai ["gen_ai.request.frequency_penalty"] open_inference [] langfuse [] langsmith []
        older ["llm.frequency_penalty"];
    PresencePenalty "presence penalty" Number
        gen_ai ["gen_ai.request.presence_penalty"] open_inference [] langfuse [] langsmith []
        older ["llm.presence_penalty"];
    Seed "seed" Integer
        gen_ai ["gen_ai.request.seed"] open_inference [] langfuse [] langsmith [] older [];
    Choices "number of choices" Integer
        gen_ai ["gen_ai.request.choice.count"] open_inference [] langfuse [] langsmith []
        older [];
    StopSequences "stop sequences" Texts
        gen_ai ["gen_ai.request.stop_sequences"] open_inference [] langfuse [] langsmith []
        older ["llm.chat.stop_sequences"];
    Stream "stream" Flag
        gen_ai ["gen_ai.request.stream"] open_inference [] langfuse [] langsmith []
        older ["llm.is_streaming"];
    ReasoningLevel "reasoning level" Text
        gen_ai ["gen_ai.request.reasoning.level"] open_inference [] langfuse [] langsmith []
        older ["gen_ai.request.reasoning_effort"];
    Dimensions "dimensions" Integer
        gen_ai ["gen_ai.embeddings.dimension.count"] open_inference [] langfuse [] langsmith []
        older [];
    EncodingFormats "encoding formats" Texts
        gen_ai ["gen_ai.request.encoding_formats"] open_inference [] langfuse [] langsmith []
        older [];
    Parameters "parameters" Json
        gen_ai [] open_inference ["llm.invocation_parameters"] langfuse [] langsmith [] older [];
    EmbeddingParameters "parameters of embeddings" Json
        gen_ai [] open_inference ["embedding.invocation_parameters"] langfuse [] langsmith []
        older [];

    // Tokens and cost.
    InputTokens "input tokens" Integer
        gen_ai ["gen_ai.usage.input_tokens"] open_inference ["llm.token_count.prompt"]
        langfuse [] langsmith []
        older ["gen_ai.usage.prompt_tokens", "llm.usage.prompt_tokens"];
    OutputTokens "output tokens" Integer
        gen_ai ["gen_ai.usage.output_tokens"] open_inference ["llm.token_count.completion"]
        langfuse [] langsmith []
        older ["gen_ai.usage.completion_tokens", "llm.usage.completion_tokens"];
    TotalTokens "total tokens" Integer
        gen_ai [] open_inference ["llm.token_count.total"] langfuse [] langsmith []
        older ["gen_ai.usage.total_tokens", "llm.usage.total_tokens"];
    CacheReadTokens "tokens read from the cache" Integer
        gen_ai ["gen_ai.usage.cache_read.input_tokens"]
        open_inference ["llm.token_count.prompt_details.cache_read"] langfuse [] langsmith []
        older ["gen_ai.usage.cache_read_input_tokens"];
    CacheWriteTokens "tokens written to the cache" Integer
        gen_ai [
            "gen_ai.usage.cache_write.input_tokens",
            "gen_ai.usage.cache_creation.input_tokens"
        ]
        open_inference ["llm.token_count.prompt_details.cache_write"] langfuse [] langsmith []
        older ["gen_ai.usage.cache_creation_input_tokens"];
    ReasoningTokens "reasoning tokens" Integer
        gen_ai ["gen_ai.usage.reasoning.output_tokens"]
        open_inference ["llm.token_count.completion_details.reasoning"] langfuse []
        langsmith ["gen_ai.usage.details.reasoning_tokens"]
        older ["gen_ai.usage.reasoning_tokens"];
    AudioInputTokens "audio tokens of the input" Integer
        gen_ai ["gen_ai.usage.audio.input_tokens"]
        open_inference ["llm.token_count.prompt_details.audio"] langfuse [] langsmith [] older [];
    AudioOutputTokens "audio tokens of the output" Integer
        gen_ai ["gen_ai.usage.audio.output_tokens"]
        open_inference ["llm.token_count.completion_details.audio"] langfuse [] langsmith []
        older [];
    Cost "cost" Number
        gen_ai ["gen_ai.usage.cost"] open_inference ["llm.cost.total"] langfuse [] langsmith []
        older [];
    InputCost "cost of the input" Number
        gen_ai ["spanmux.cost.input"] open_inference ["llm.cost.prompt"] langfuse []
        langsmith [] older [];
    OutputCost "cost of the output" Number
        gen_ai ["spanmux.cost.output"] open_inference ["llm.cost.completion"] langfuse []
        langsmith [] older [];
    CostDetails "details of the cost" Json
        gen_ai [] open_inference [] langfuse ["langfuse.observation.cost_details"] langsmith []
        older [];

    // Content is translated by `content`.
    Instructions "instructions" Json
        gen_ai ["gen_ai.system_instructions"] open_inference [] langfuse [] langsmith []
        older [];
    InputMessages "input messages" Json
        gen_ai ["gen_ai.input.messages"] open_inference [] langfuse [] langsmith [] older [];
    OutputMessages "output messages" Json
        gen_ai ["gen_ai.output.messages"] open_inference [] langfuse [] langsmith [] older [];
    Arguments "arguments of a tool" Json
        gen_ai ["gen_ai.tool.call.arguments"] open_inference [] langfuse [] langsmith []
        older [];
    Result "result of a tool" Json
        gen_ai ["gen_ai.tool.call.result"] open_inference [] langfuse [] langsmith [] older [];
    Query "query" Text
        gen_ai ["gen_ai.retrieval.query.text"] open_inference [] langfuse [] langsmith []
        older [];
    Documents "documents" Json
        gen_ai ["gen_ai.retrieval.documents"] open_inference [] langfuse [] langsmith []
        older [];
    ToolDefinitions "tools" Json
        gen_ai ["gen_ai.tool.definitions"] open_inference [] langfuse [] langsmith [] older [];
    Input "input" Text
        gen_ai [] open_inference ["input.value"] langfuse ["langfuse.observation.input"]
        langsmith ["input.value"] older ["traceloop.entity.input"];
    InputType "type of the input" Text
        gen_ai [] open_inference ["input.mime_type"] langfuse [] langsmith [] older [];
    Output "output" Text
        gen_ai [] open_inference ["output.value"] langfuse ["langfuse.observation.output"]
        langsmith ["output.value"] older ["traceloop.entity.output"];
    OutputType "type of the output" Text
        gen_ai [] open_inference ["output.mime_type"] langfuse [] langsmith [] older [];
}

/// The fields that are copied under the names of the dialect. All others are translated by their
/// own module.
pub(super) const COPIED: &[Id] = &[
    Id::User,
    Id::Environment,
    Id::Release,
    Id::Metadata,
    Id::AgentName,
    Id::ToolName,
    Id::ToolDescription,
    Id::ToolCall,
    Id::Provider,
    Id::ResponseModel,
    Id::FirstChunk,
    Id::PromptName,
    Id::PromptVersion,
    Id::Temperature,
    Id::TopP,
    Id::TopK,
    Id::MaxTokens,
    Id::FrequencyPenalty,
    Id::PresencePenalty,
    Id::Seed,
    Id::Choices,
    Id::StopSequences,
    Id::Stream,
    Id::ReasoningLevel,
    Id::Dimensions,
    Id::EncodingFormats,
];

/// The fields of usage and cost. They are copied as well.
pub(super) const USAGE: &[Id] = &[
    Id::InputTokens,
    Id::OutputTokens,
    Id::TotalTokens,
    Id::CacheReadTokens,
    Id::CacheWriteTokens,
    Id::ReasoningTokens,
    Id::AudioInputTokens,
    Id::AudioOutputTokens,
    Id::Cost,
    Id::InputCost,
    Id::OutputCost,
];

/// Names that a dialect has for a fact of its own, though they are read for a field.
pub(super) const KEPT: &[(Dialect, &str)] = &[(Dialect::OpenInference, "llm.system")];

impl Id {
    pub(super) fn field(self) -> &'static Field {
        &FIELDS[self as usize]
    }
}

/// Returns a number as an integer, if it has no fraction.
pub(super) fn integer(number: f64) -> Value {
    let whole = number as i64;
    if whole as f64 == number {
        Value::I64(whole)
    } else {
        Value::F64(number)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn each_name_belongs_to_one_field() {
        let mut known = HashMap::new();
        for (position, field) in FIELDS.iter().enumerate() {
            assert_eq!(field.id as usize, position);
            for name in field.names() {
                let other = known.insert(name, field.id);
                assert!(other.is_none_or(|other| other == field.id), "{name}");
            }
        }
        assert!(known.len() > 100);
    }
}
