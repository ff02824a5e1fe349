//! Token usage of agents, which includes that of their calls.

use opentelemetry_sdk::trace::SpanData;

use super::fields::Id;
use super::kinds::Kind;

/// The fields of usage and cost.
const USAGE: [Id; 11] = [
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

/// Removes the usage of an agent, for a backend that adds up the usage of all spans. This happens
/// before the usage of dropped spans is added to their ancestors, because that is not counted
/// elsewhere.
pub(super) fn remove(span: &mut SpanData) {
    if is_agent(span) {
        span.attributes.retain(|of| !is_usage(of.key.as_str()));
    }
}

fn is_usage(key: &str) -> bool {
    let is_candidate = key.starts_with("gen_ai.usage.")
        || key.starts_with("llm.")
        || key.starts_with("spanmux.cost.");
    is_candidate
        && USAGE
            .iter()
            .any(|id| id.field().names().any(|name| name == key))
}

fn is_agent(span: &SpanData) -> bool {
    let of = |id: Id| id.field().names();
    span.attributes.iter().any(|attribute| {
        let key = attribute.key.as_str();
        let kind: fn(&str) -> Option<&'static Kind> = if of(Id::Operation).any(|name| name == key) {
            Kind::of_operation
        } else if of(Id::OpenInferenceKind).any(|name| name == key) {
            Kind::of_open_inference
        } else if of(Id::TraceloopKind).any(|name| name == key) {
            Kind::of_traceloop
        } else {
            return false;
        };
        kind(&attribute.value.as_str()).is_some_and(Kind::is_agent)
    })
}
