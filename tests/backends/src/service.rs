//! The traced AI service: part of its work goes through the agent of a library, and for the rest it
//! starts spans itself.

use anyhow::{Result, ensure};
use opentelemetry::Context;
use opentelemetry::context::FutureExt as _;
use opentelemetry::trace::{SpanKind, TraceContextExt as _};
use spanmux::genai::{AiParent, AiSpan, AiSpanKind, RunStatus};
use spanmux::otel::RuntimeContextExt as _;
use tokio::task::{spawn, spawn_blocking, yield_now};
use tracing::{Instrument as _, Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::agent::RigAgent;
use crate::gate::Gate;
use crate::llm_server::RUN_PREFIX;
use crate::plan::Usage;
use crate::runs::Run;
use crate::spans::Spans;
use crate::work::Work;

/// Cloning is cheap. Each run works on a clone of its own.
#[derive(Clone)]
pub struct Service {
    spans: Spans,
    agent: RigAgent,
    gate: Gate,
}

impl Service {
    pub fn new(spans: Spans, base_url: &str, gate: Gate) -> Self {
        let agent = RigAgent::new(base_url, spans.clone());
        Self { spans, agent, gate }
    }

    /// Answers a request and returns the id of its trace.
    pub async fn answer(&self, run: &Run) -> Result<String> {
        // The one line that a service adds: all spans below are routed by this runtime context.
        let context = Context::new().with_runtime_context(run.context.clone());
        let trace = match run.work {
            Work::Ask | Work::AskStreamed | Work::Search => self.through_rig(run, context).await?,
            Work::AskAlone => self.through_rig_alone(run, context).await?,
            Work::Agent => self.agent(run.number, &context).await?,
            Work::Workflow => self.workflow(run.number, &context).await?,
            Work::HealthCheck => {
                let (name, _) = run.work.root();
                trace_of(&self.spans.ordinary(&context, name, SpanKind::Server))
            }
        };
        ensure!(
            trace.bytes().any(|digit| digit != b'0'),
            "a trace without an id"
        );
        Ok(trace)
    }

    /// The service starts the span of the request with `tracing`, and the library starts everything
    /// below.
    async fn through_rig(&self, run: &Run, context: Context) -> Result<String> {
        let span = {
            let _attached = context.attach();
            request_span(run.work)
        };
        let trace = trace_of(&span.context());
        let prompt = prompt(run);
        let work = async {
            match run.work {
                Work::AskStreamed => self.agent.ask_streamed(prompt).await,
                Work::Search => self.agent.embed(&prompt).await,
                _ => self.agent.ask(prompt).await,
            }
        };
        work.instrument(span).await?;
        Ok(trace)
    }

    /// The service starts no span of its own: only the runtime context is set.
    async fn through_rig_alone(&self, run: &Run, context: Context) -> Result<String> {
        self.agent.ask(prompt(run)).with_context(context).await?;
        self.agent.trace_of(run.number)
    }

    /// An agent: calls the model, a local tool and an MCP tool in parallel, and the model again.
    async fn agent(&self, run: u32, context: &Context) -> Result<String> {
        let spans = &self.spans;
        let agent = spans.start(spans.ai.agent_run("refunds").under(context));
        self.chat(&agent, run, 0).await;
        let here = spans.start(agent.tool_call("search_orders"));
        let there = spans.start(agent.mcp_tool_call("check_stock").server_name("stock"));
        let tools = [
            spawn(self.clone().tool(here)),
            spawn(self.clone().tool(there)),
        ];
        for tool in tools {
            tool.await?;
        }
        self.chat(&agent, run, 1).await;
        Ok(agent.span_context().trace_id().to_string())
    }

    async fn chat(&self, parent: &impl AiParent, run: u32, turn: u32) {
        if turn > 0 {
            self.gate.pass().await;
        }
        self.spans.chat(parent, Usage::of_turn(run, turn));
        // Other requests continue here, so that traces overlap.
        yield_now().await;
    }

    async fn tool<K: AiSpanKind>(self, tool: AiSpan<K>) {
        yield_now().await;
        self.spans
            .ordinary(tool.context(), "SELECT", SpanKind::Client);
    }

    /// A workflow: two steps on the runtime, and one on a thread of its own.
    async fn workflow(&self, run: u32, context: &Context) -> Result<String> {
        let spans = &self.spans;
        let workflow = spans.start(spans.ai.workflow_run("refund").under(context));
        for (turn, name) in (0..).zip(["validate", "decide"]) {
            let step = spans.start(workflow.workflow_step(name));
            let search = spans.start(step.retrieval("policies").top_k(3));
            spans.embedding(&search, Usage::of_embedding(run));
            search.end();
            self.chat(&step, run, turn).await;
            step.finish(RunStatus::Success);
        }
        let (spans, step) = (spans.clone(), spans.start(workflow.workflow_step("book")));
        spawn_blocking(move || {
            spans.ordinary(step.context(), "INSERT refunds", SpanKind::Client);
            step.finish(RunStatus::Success);
        })
        .await?;
        Ok(workflow.span_context().trace_id().to_string())
    }
}

fn prompt(run: &Run) -> String {
    format!("{RUN_PREFIX}{}: where is my order?", run.number)
}

fn request_span(work: Work) -> Span {
    let (name, kind) = work.root();
    match work {
        Work::Search => info_span!("request", otel.name = name, otel.kind = kind),
        _ => info_span!(
            "invoke_agent",
            otel.name = name,
            otel.kind = kind,
            gen_ai.operation.name = "invoke_agent",
            gen_ai.agent.name = "shop-assistant",
        ),
    }
}

fn trace_of(context: &Context) -> String {
    context.span().span_context().trace_id().to_string()
}
