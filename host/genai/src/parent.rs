//! Parents of AI spans.

use std::borrow::Cow;

use opentelemetry::Context;

use super::ai::Ai;
use super::builder::AiSpanBuilder;
use super::kind::AiSpanKind;
use super::span::AiSpan;
use super::{
    AgentRun, Embedding, Generation, Generic, McpToolCall, ModelStep, Retrieval, ToolCall,
    WorkflowRun, WorkflowStep,
};

/// Defines the methods, so that they are inherent on each type and also belong to the
/// trait.
macro_rules! starting_methods {
    ($($vis:tt)?) => {
        /// Begins a run of an agent in this process.
        $($vis)? fn agent_run(&self, name: impl Into<String>) -> AiSpanBuilder<AgentRun> {
            AgentRun::builder(self.ai(), self.parent_context(), name.into())
        }

        /// Begins a call of a generative model.
        $($vis)? fn generation(&self, model: impl Into<String>) -> AiSpanBuilder<Generation> {
            Generation::builder(self.ai(), self.parent_context(), model.into())
        }

        /// Begins one step of a generation with several steps, given its number.
        $($vis)? fn model_step(&self, number: u32) -> AiSpanBuilder<ModelStep> {
            ModelStep::builder(self.ai(), self.parent_context(), number)
        }

        /// Begins a call of a tool.
        $($vis)? fn tool_call(&self, tool: impl Into<String>) -> AiSpanBuilder<ToolCall> {
            ToolCall::builder(self.ai(), self.parent_context(), tool.into())
        }

        /// Begins a call of a tool of an MCP server.
        $($vis)? fn mcp_tool_call(&self, tool: impl Into<String>) -> AiSpanBuilder<McpToolCall> {
            McpToolCall::builder(self.ai(), self.parent_context(), tool.into())
        }

        /// Begins a run of a workflow.
        $($vis)? fn workflow_run(&self, name: impl Into<String>) -> AiSpanBuilder<WorkflowRun> {
            WorkflowRun::builder(self.ai(), self.parent_context(), name.into())
        }

        /// Begins a step of a workflow.
        $($vis)? fn workflow_step(&self, name: impl Into<String>) -> AiSpanBuilder<WorkflowStep> {
            WorkflowStep::builder(self.ai(), self.parent_context(), name.into())
        }

        /// Begins a call of an embedding model.
        $($vis)? fn embedding(&self, model: impl Into<String>) -> AiSpanBuilder<Embedding> {
            Embedding::builder(self.ai(), self.parent_context(), model.into())
        }

        /// Begins a search in a data source, such as a vector store or an index.
        $($vis)? fn retrieval(&self, data_source: impl Into<String>) -> AiSpanBuilder<Retrieval> {
            Retrieval::builder(self.ai(), self.parent_context(), data_source.into())
        }

        /// Begins any other span. The name should be one of a few.
        $($vis)? fn generic(&self, name: impl Into<Cow<'static, str>>) -> AiSpanBuilder<Generic> {
            Generic::builder(self.ai(), self.parent_context(), name.into())
        }
    };
}

/// Starts AI spans below the current context. The [module](super) describes how each kind
/// is written.
impl Ai {
    starting_methods!(pub);
}

/// Starts AI spans below this span.
impl<K: AiSpanKind> AiSpan<K> {
    starting_methods!(pub);
}

/// A value that AI spans start from: an [`Ai`], below the current context, or an
/// [`AiSpan`], below that span.
///
/// Both have the methods of this trait themselves. Import it only for functions that
/// accept either.
///
/// # Examples
/// ```
/// use spanmux::genai::{Ai, AiParent, RunStatus};
/// # use opentelemetry::trace::TracerProvider;
/// # let ai = Ai::new(opentelemetry_sdk::trace::SdkTracerProvider::default().tracer("shop"));
///
/// fn decide(parent: &impl AiParent) {
///     parent.generation("gpt-5-mini").provider("openai").start().end();
/// }
///
/// let refund = ai.workflow_run("refund").start();
/// let step = refund.workflow_step("decide").start();
/// decide(&step);
/// step.finish(RunStatus::Success);
/// refund.finish(RunStatus::Suspended);
/// decide(&ai);
/// ```
pub trait AiParent {
    /// Returns the handle with the tracer and the options.
    fn ai(&self) -> &Ai;

    /// Returns the parent context.
    fn parent_context(&self) -> Context;

    starting_methods!();
}
