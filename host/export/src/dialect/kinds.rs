//! The kinds of AI spans in each dialect.

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
