//! Token usage of agents, which includes that of their calls.

use opentelemetry::trace::SpanKind;
use opentelemetry_sdk::trace::SpanData;

use super::fields::USAGE;
use super::found::{Found, Names};
use super::kinds::Kind;

/// Removes the usage of an agent, for a backend that adds up the usage of all spans. This happens
/// before the usage of dropped spans is added to their ancestors, because that is not counted
/// elsewhere. The calls of a remote agent may be recorded elsewhere, so its usage stays.
pub(super) fn remove(span: &mut SpanData, names: &Names) {
    let has_usage = || span.attributes.iter().any(|of| is_usage(of.key.as_str()));
    if span.span_kind == SpanKind::Client || !has_usage() {
        return;
    }
    let found = Found::new(names, &span.attributes);
    if Kind::of_span(&found).is_some_and(Kind::is_agent) {
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
