//! AI spans: agent runs, model calls, tool calls and workflows.
//!
//! [`Ai`] starts them with any OpenTelemetry tracer. Each AI span can start child spans. A
//! handle ends its span when it is dropped.
//!
//! ```
//! # use opentelemetry::trace::TracerProvider;
//! # let tracer = opentelemetry_sdk::trace::SdkTracerProvider::default().tracer("shop");
//! use serde_json::json;
//! use spanmux::genai::{Ai, AiOptions, Dialect, Usage};
//!
//! let options = AiOptions::new().dialect(Dialect::Both).capture_content(true);
//! let ai = Ai::with_options(tracer, options);
//!
//! let run = ai
//!     .agent_run("shop-assistant")
//!     .session("s-17")
//!     .user("u-3")
//!     .input("Where is order 17?")
//!     .start();
//! let call = run
//!     .generation("gpt-5-mini")
//!     .provider("openai")
//!     .temperature(0.2)
//!     .input("Where is order 17?")
//!     .start();
//! call.usage(Usage::new(812, 96).cached(512));
//! call.finish_reason("tool_call");
//! call.end();
//! let tool = run.tool_call("search_orders").arguments(json!({"id": 17})).start();
//! tool.result(json!({"state": "shipped"}));
//! tool.end();
//! run.output("It was shipped.");
//! ```
//!
//! # Span attributes
//! Span names, span kinds and the attributes of [`Dialect::GenAi`] follow the OpenTelemetry
//! semantic conventions **1.41.0**, the last release that contains those for GenAI. Attributes
//! that `semantic-conventions-genai` **v0.1.0** renamed are recorded under both names:
//! `gen_ai.usage.cache_write.input_tokens`, `gen_ai.retrieval.top_k`, and `gen_ai.agent.name` of
//! workflows. Prompts, the reasoning level and tokens by modality are those of v0.1.0.
//! [`Dialect::OpenInference`] records OpenInference's attributes instead, and
//! [`Dialect::Both`] records both. Attributes that neither defines begin with `spanmux.`.
//!
//! | method of [`AiParent`] | span name | kind | GenAI | OpenInference |
//! |---|---|---|---|---|
//! | [`agent_run`](Ai::agent_run) | `invoke_agent NAME` | internal; client if [remote](AiSpanBuilder::remote) | `gen_ai.operation.name` = `invoke_agent`, `gen_ai.agent.name` `.id` `.description` `.version`, `gen_ai.request.model`, `gen_ai.provider.name`, `gen_ai.tool.definitions`, `gen_ai.response.finish_reasons` | `AGENT`, `agent.name`, `llm.model_name`, `llm.provider`, `llm.tools.N.tool.name` |
//! | [`generation`](Ai::generation) | `chat MODEL` | client | `gen_ai.operation.name` = `chat`, `gen_ai.request.model` and the parameters `gen_ai.request.*`, `gen_ai.prompt.name` `.version`, `gen_ai.provider.name`, `server.*`, `gen_ai.output.type`, `gen_ai.usage.*`, `spanmux.cost.*`, `gen_ai.response.model` `.id` `.finish_reasons` `.time_to_first_chunk` | `LLM`, `llm.model_name`, `llm.provider`, `llm.invocation_parameters`, `llm.token_count.*`, `llm.cost.*`, `llm.prompt_template.version`, `llm.response.model_name`, `llm.finish_reason`, `llm.tools.N.tool.name` |
//! | [`model_step`](Ai::model_step) | `model_step` | internal | none: `spanmux.model.step`, `.finish_reason`, `.input_tokens`, `.output_tokens` | `CHAIN`, the same |
//! | [`tool_call`](Ai::tool_call) | `execute_tool NAME` | internal | `gen_ai.operation.name` = `execute_tool`, `gen_ai.tool.name` `.type` `.description` `.call.id` | `TOOL`, `tool.name`, `tool.id`, `tool.description` |
//! | [`mcp_tool_call`](Ai::mcp_tool_call) | `tools/call NAME` | client | the same, `mcp.method.name` = `tools/call`, `mcp.session.id`, `mcp.protocol.version`, `jsonrpc.request.id`, `network.transport`, `server.*`, `spanmux.mcp.server` | `TOOL`, the same |
//! | [`workflow_run`](Ai::workflow_run) | `invoke_workflow NAME` | internal | `gen_ai.operation.name` = `invoke_workflow`, `gen_ai.workflow.name`, `gen_ai.agent.name`, `spanmux.workflow.id` `.status` | `CHAIN`, `spanmux.workflow.*` |
//! | [`workflow_step`](Ai::workflow_step) | `NAME` | internal | none: `spanmux.workflow.step.id` `.status` | `CHAIN`, the same |
//! | [`embedding`](Ai::embedding) | `embeddings MODEL` | client | `gen_ai.operation.name` = `embeddings`, `gen_ai.request.model`, `gen_ai.provider.name`, `gen_ai.embeddings.dimension.count`, `gen_ai.request.encoding_formats`, `gen_ai.usage.input_tokens` | `EMBEDDING`, `embedding.model_name`, `embedding.invocation_parameters`, `llm.token_count.prompt` |
//! | [`retrieval`](Ai::retrieval) | `retrieval SOURCE` | client | `gen_ai.operation.name` = `retrieval`, `gen_ai.data_source.id`, `gen_ai.provider.name`, `gen_ai.request.top_k`, `gen_ai.retrieval.top_k` | `RETRIEVER` |
//! | [`generic`](Ai::generic) | `NAME` | internal | none | `CHAIN` |
//!
//! Every span of either dialect has `session.id` (and `gen_ai.conversation.id`), `user.id`
//! and `tag.tags`, if the root or a [context](AiContextExt) sets them. Langfuse reads the
//! session and the user from these attributes. For its tags, see [`AiOptions::langfuse`].
//!
//! # Content
//! Content (prompts, completions, arguments, results, documents) is **not recorded** by
//! default. [`AiOptions::capture_content`] enables it, and a trace can still [hide](Hidden)
//! its input, its output or both. [`ContentLimits`] truncate long or deeply nested content.
//! Content is recorded after the start of the span, so that no selector and no sampler sees
//! it.
//!
//! | content | GenAI | OpenInference |
//! |---|---|---|
//! | instructions | `gen_ai.system_instructions` | for a generation: `llm.input_messages.0.message.*` |
//! | messages | `gen_ai.input.messages`, `gen_ai.output.messages` | `input.value`, `output.value`; for a generation also `llm.input_messages.N.message.*`, `llm.output_messages.N.message.*` |
//! | arguments and results of tools | `gen_ai.tool.call.arguments`, `gen_ai.tool.call.result` | `input.value`, `output.value` |
//! | query and documents | `gen_ai.retrieval.query.text`, `gen_ai.retrieval.documents` | `input.value`, `retrieval.documents.N.document.*` |
//! | embedded texts | `input.value` | `input.value`, `embedding.embeddings.N.embedding.text` |
//! | inputs and outputs of workflows, steps and generic spans | `input.value`, `output.value` | the same |
//!
//! # Errors
//! [`AiSpan::fail`] ends a span with an error status, `error.type` and an `exception`
//! event, as the conventions define.
//!
//! # Limits
//! At most [`AiOptions::max_open_spans`] handles of one [`Ai`] are open at once. Further
//! spans do nothing and are [counted](OpenSpans), so that leaked handles cannot fill the
//! memory.
//!
//! # Late signals
//! [`LateSignals`] sends scores, feedback and links to the tracer that has the trace.

mod agent;
#[allow(clippy::module_inception)]
mod ai;
mod attributes;
mod builder;
mod embedding;
mod failure;
mod generation;
mod generic;
mod inherited;
mod keys;
mod kind;
mod late;
mod limits;
mod mcp;
mod message;
mod messages;
mod open;
mod options;
mod parent;
mod retrieval;
mod span;
mod status;
mod step;
mod tool;
mod tracer;
mod usage;
mod workflow;

pub use agent::AgentRun;
pub use ai::Ai;
pub use builder::AiSpanBuilder;
pub use embedding::Embedding;
pub use generation::Generation;
pub use generic::Generic;
pub use inherited::{AiContextExt, Hidden};
pub use kind::AiSpanKind;
pub use late::{LateSignals, Score};
pub use limits::ContentLimits;
pub use mcp::McpToolCall;
pub use message::Message;
pub use messages::Messages;
pub use open::OpenSpans;
pub use options::{AiOptions, Dialect};
pub use parent::AiParent;
pub use retrieval::{Document, Retrieval};
pub use span::AiSpan;
pub use status::RunStatus;
pub use step::ModelStep;
pub use tool::ToolCall;
pub use usage::{Modality, Usage};
pub use workflow::{WorkflowRun, WorkflowStep};
