//! Parents of AI spans.

use std::borrow::Cow;

use opentelemetry::Context;

use super::ai::Ai;
use super::builder::AiSpanBuilder;
use super::{
    AgentRun, Embedding, Generation, Generic, McpToolCall, ModelStep, Retrieval, ToolCall,
    WorkflowRun, WorkflowStep,
};

/// A parent of AI spans: an [`Ai`], which starts them below the current context, or another
/// AI span. The [module](super) documents the attributes of each kind.
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
    /// Returns the handle with the tracer and the options.
    fn ai(&self) -> &Ai;

    /// Returns the parent context.
    fn parent_context(&self) -> Context;

    /// Creates an agent run in this process.
    fn agent_run(&self, name: impl Into<String>) -> AiSpanBuilder<AgentRun> {
        AgentRun::builder(self.ai(), self.parent_context(), name.into())
    }

    /// Creates a call of a generating model.
    fn generation(&self, model: impl Into<String>) -> AiSpanBuilder<Generation> {
        Generation::builder(self.ai(), self.parent_context(), model.into())
    }

    /// Creates one step of a generation with several steps, by its number.
    fn model_step(&self, number: u32) -> AiSpanBuilder<ModelStep> {
        ModelStep::builder(self.ai(), self.parent_context(), number)
    }

    /// Creates a tool call.
    fn tool_call(&self, tool: impl Into<String>) -> AiSpanBuilder<ToolCall> {
        ToolCall::builder(self.ai(), self.parent_context(), tool.into())
    }

    /// Creates a tool call at an MCP server.
    fn mcp_tool_call(&self, tool: impl Into<String>) -> AiSpanBuilder<McpToolCall> {
        McpToolCall::builder(self.ai(), self.parent_context(), tool.into())
    }

    /// Creates a workflow run.
    fn workflow_run(&self, name: impl Into<String>) -> AiSpanBuilder<WorkflowRun> {
        WorkflowRun::builder(self.ai(), self.parent_context(), name.into())
    }

    /// Creates a workflow step.
    fn workflow_step(&self, name: impl Into<String>) -> AiSpanBuilder<WorkflowStep> {
        WorkflowStep::builder(self.ai(), self.parent_context(), name.into())
    }

    /// Creates a call of an embedding model.
    fn embedding(&self, model: impl Into<String>) -> AiSpanBuilder<Embedding> {
        Embedding::builder(self.ai(), self.parent_context(), model.into())
    }

    /// Creates a search in a data source: a vector store, an index.
    fn retrieval(&self, data_source: impl Into<String>) -> AiSpanBuilder<Retrieval> {
        Retrieval::builder(self.ai(), self.parent_context(), data_source.into())
    }

    /// Creates any other span by its name, which should have a low cardinality.
    fn generic(&self, name: impl Into<Cow<'static, str>>) -> AiSpanBuilder<Generic> {
        Generic::builder(self.ai(), self.parent_context(), name.into())
    }
}
