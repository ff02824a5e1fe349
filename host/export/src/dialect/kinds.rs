//! The kinds of AI spans in each dialect.

use super::Dialect;
use super::edit::Edit;
use super::fields::Id;
use super::found::{self, Found};

/// A kind, with its name in each dialect. `""` where a dialect has none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    /// The operations of the GenAI conventions; the first is written.
    pub(super) operations: &'static [&'static str],
    pub(super) open_inference: &'static str,
    pub(super) langfuse: &'static str,
    pub(super) langsmith: &'static str,
    /// The values of `traceloop.span.kind`.
    pub(super) traceloop: &'static [&'static str],
}

const fn kind(
    operations: &'static [&'static str],
    open_inference: &'static str,
    langfuse: &'static str,
    langsmith: &'static str,
    traceloop: &'static [&'static str],
) -> Kind {
    Kind {
        operations,
        open_inference,
        langfuse,
        langsmith,
        traceloop,
    }
}

const LLM: &[&str] = &["chat", "text_completion", "generate_content", "completion"];
const EMBEDDING: &[&str] = &["embeddings", "embedding"];
const AGENT: &[&str] = &["invoke_agent", "create_agent"];

/// The table of kinds. The first row that matches is used.
#[rustfmt::skip]
pub(super) const KINDS: &[Kind] = &[
    kind(LLM, "LLM", "generation", "llm", &[]),
    kind(EMBEDDING, "EMBEDDING", "embedding", "embedding", &[]),
    kind(&["execute_tool"], "TOOL", "tool", "tool", &["tool"]),
    kind(AGENT, "AGENT", "agent", "chain", &["agent"]),
    kind(&["invoke_workflow"], "CHAIN", "chain", "chain", &["workflow"]),
    kind(&["retrieval"], "RETRIEVER", "retriever", "retriever", &[]),
    kind(&[], "CHAIN", "chain", "chain", &["task"]),
    kind(&["rerank"], "RERANKER", "retriever", "retriever", &[]),
    kind(&[], "GUARDRAIL", "guardrail", "chain", &[]),
    kind(&[], "EVALUATOR", "evaluator", "chain", &[]),
    kind(&[], "PROMPT", "span", "prompt", &[]),
];

/// A step of a run: a kind without an operation.
const STEP: usize = 6;

impl Kind {
    /// Returns the kind of a span. `None` for a span of no AI library.
    pub(super) fn of_span(found: &Found<'_>) -> Option<&'static Self> {
        let named = |id, of: fn(&str) -> Option<&'static Self>| found.text(id).and_then(of);
        let is_step = |ids: &[Id]| ids.iter().any(|id| found.value(*id).is_some());
        let has_messages = [
            found::INPUT_MESSAGES,
            found::OUTPUT_MESSAGES,
            found::PROMPTS,
            found::COMPLETIONS,
            found::OLDER_PROMPTS,
            found::OLDER_COMPLETIONS,
        ];
        named(Id::Operation, Self::of_operation)
            .or_else(|| named(Id::OpenInferenceKind, Self::of_open_inference))
            .or_else(|| named(Id::TraceloopKind, Self::of_traceloop))
            .or_else(|| named(Id::LangfuseKind, Self::of_langfuse))
            .or_else(|| is_step(&[Id::Step]).then(Self::step))
            .or_else(|| {
                let is_llm = has_messages.iter().any(|prefix| found.has_numbered(prefix));
                is_llm.then(|| Self::of_operation("chat")).flatten()
            })
            .or_else(|| {
                // An operation that the table does not have is a step as well.
                let step = [
                    Id::Operation,
                    Id::Input,
                    Id::Output,
                    Id::InputMessages,
                    Id::OutputMessages,
                ];
                is_step(&step).then(Self::step)
            })
    }

    /// Writes the kind under the names of the dialect.
    pub(super) fn write(&'static self, edit: &mut Edit<'_>) {
        let operation = self.operation();
        let names = [
            (Id::Operation, operation, edit.dialect.has_gen_ai()),
            (
                Id::OpenInferenceKind,
                self.open_inference,
                edit.dialect.has_open_inference(),
            ),
            (
                Id::LangfuseKind,
                self.langfuse,
                edit.dialect == Dialect::Langfuse,
            ),
            (
                Id::LangSmithKind,
                self.langsmith,
                edit.dialect == Dialect::LangSmith,
            ),
        ];
        for (id, name, is_written) in names {
            if is_written && !name.is_empty() {
                edit.write(id, name, None);
            }
        }
        // Another operation or kind than that of this row is a fact of its own.
        match edit.dialect {
            Dialect::OpenInference if edit.found.text(Id::Operation) == Some(operation) => {
                edit.remove_all(Id::Operation);
            }
            Dialect::GenAi if !operation.is_empty() => {
                let text = edit.found.text(Id::OpenInferenceKind);
                if text.is_some_and(|text| self.is_open_inference(text)) {
                    edit.remove_all(Id::OpenInferenceKind);
                }
            }
            _ => {}
        }
    }

    pub(super) fn of_operation(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.operations.contains(&name))
    }

    /// Returns the kind with this name in OpenInference. `CHAIN` is any step.
    pub(super) fn of_open_inference(name: &str) -> Option<&'static Self> {
        let name = name.trim();
        if name.eq_ignore_ascii_case("CHAIN") {
            return Some(&KINDS[STEP]);
        }
        KINDS.iter().find(|kind| kind.is_open_inference(name))
    }

    pub(super) fn of_traceloop(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.traceloop.contains(&name))
    }

    pub(super) fn of_langfuse(name: &str) -> Option<&'static Self> {
        if name == "chain" {
            return Some(&KINDS[STEP]);
        }
        KINDS
            .iter()
            .find(|kind| kind.langfuse == name && name != "span")
    }

    /// Returns the kind of a span without a name of its own.
    pub(super) fn step() -> &'static Self {
        &KINDS[STEP]
    }

    pub(super) fn operation(&self) -> &'static str {
        self.operations.first().copied().unwrap_or("")
    }

    /// Returns `true` for the name of this kind in OpenInference.
    pub(super) fn is_open_inference(&self, name: &str) -> bool {
        self.open_inference.eq_ignore_ascii_case(name.trim())
    }

    pub(super) fn is_llm(&self) -> bool {
        self.open_inference == "LLM"
    }

    pub(super) fn is_agent(&self) -> bool {
        self.open_inference == "AGENT"
    }

    pub(super) fn is_embedding(&self) -> bool {
        self.open_inference == "EMBEDDING"
    }

    pub(super) fn is_tool(&self) -> bool {
        self.open_inference == "TOOL"
    }

    pub(super) fn is_retriever(&self) -> bool {
        self.open_inference == "RETRIEVER"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn step_is_a_chain_without_an_operation() {
        assert_eq!(Kind::step().open_inference, "CHAIN");
        assert_eq!(Kind::step().operation(), "");
        assert_eq!(Kind::of_operation("chat").unwrap().langfuse, "generation");
        assert_eq!(Kind::of_open_inference("agent").unwrap().langsmith, "chain");
        assert_eq!(
            Kind::of_traceloop("workflow").unwrap().operation(),
            "invoke_workflow"
        );
        assert!(Kind::of_langfuse("span").is_none());
        assert!(Kind::of_open_inference("UNKNOWN").is_none());
    }
}
