//! What AI spans start from.

use std::borrow::Cow;

use opentelemetry::Context;

use super::ai::Ai;
use super::builder::AiSpanBuilder;
use super::{
    AgentRun, Embedding, Generation, Generic, McpToolCall, ModelStep, Retrieval, ToolCall,
    WorkflowRun, WorkflowStep,
};

/// What AI spans start from: an [`Ai`], below the current context, or another AI span,
/// below that. The [module](super) says how each kind is written.
///
/// # Examples
/// ```
/// use spanmux::genai::{Ai, AiParent, RunStatus};
/// # use opentelemetry::trace::TracerProvider;
/// # let ai = Ai::new(opentelemetry_sdk::trace::SdkTracerProvider::default().tracer("shop"));
///
/// let refund = ai.workflow_run("refund").start();
/// let decide = refund.workflow_step("decide").start();
/// decide.generation("gpt-5-mini").provider("openai").start().end();
/// decide.finish(RunStatus::Success);
/// refund.finish(RunStatus::Suspended);
/// ```
pub trait AiParent {
    /// How spans are written, and by which tracer.
    fn ai(&self) -> &Ai;

    /// The context below which they start.
    fn parent_context(&self) -> Context;

    /// A run of an agent in this process.
    fn agent_run(&self, name: impl Into<String>) -> AiSpanBuilder<AgentRun> {
        AgentRun::builder(self.ai(), self.parent_context(), name.into())
    }

    /// A call of a model that generates.
    fn generation(&self, model: impl Into<String>) -> AiSpanBuilder<Generation> {
        Generation::builder(self.ai(), self.parent_context(), model.into())
    }

    /// One step of a generation that has several, by its number.
    fn model_step(&self, number: u32) -> AiSpanBuilder<ModelStep> {
        ModelStep::builder(self.ai(), self.parent_context(), number)
    }

    /// A call of a tool.
    fn tool_call(&self, tool: impl Into<String>) -> AiSpanBuilder<ToolCall> {
        ToolCall::builder(self.ai(), self.parent_context(), tool.into())
    }

    /// A call of a tool at an MCP server.
    fn mcp_tool_call(&self, tool: impl Into<String>) -> AiSpanBuilder<McpToolCall> {
        McpToolCall::builder(self.ai(), self.parent_context(), tool.into())
    }

    /// A run of a workflow.
    fn workflow_run(&self, name: impl Into<String>) -> AiSpanBuilder<WorkflowRun> {
        WorkflowRun::builder(self.ai(), self.parent_context(), name.into())
    }

    /// A step of a workflow.
    fn workflow_step(&self, name: impl Into<String>) -> AiSpanBuilder<WorkflowStep> {
        WorkflowStep::builder(self.ai(), self.parent_context(), name.into())
    }

    /// A call of a model that embeds.
    fn embedding(&self, model: impl Into<String>) -> AiSpanBuilder<Embedding> {
        Embedding::builder(self.ai(), self.parent_context(), model.into())
    }

    /// A search in a data source: a vector store, an index.
    fn retrieval(&self, data_source: impl Into<String>) -> AiSpanBuilder<Retrieval> {
        Retrieval::builder(self.ai(), self.parent_context(), data_source.into())
    }

    /// Anything else, by its name, which should be one of few.
    fn generic(&self, name: impl Into<Cow<'static, str>>) -> AiSpanBuilder<Generic> {
        Generic::builder(self.ai(), self.parent_context(), name.into())
    }
}
