//! The AI service that is traced: some of its work goes through the agent of a
//! library, and for some it starts its spans itself.

use anyhow::{Result, ensure};
use opentelemetry::Context;
use opentelemetry::trace::{SpanKind, TraceContextExt as _};
use spanway::otel::RuntimeContextExt as _;
use tokio::task::{spawn, spawn_blocking, yield_now};
use tracing::{Instrument as _, Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::agent::RigAgent;
use crate::llm_server::RUN_PREFIX;
use crate::plan::Usage;
use crate::runs::Run;
use crate::spans::Spans;
use crate::work::Work;

/// Cheap to clone; each run works on its own clone.
#[derive(Clone)]
pub struct Service {
    spans: Spans,
    agent: RigAgent,
}

impl Service {
    pub fn new(spans: Spans, base_url: &str) -> Self {
        let agent = RigAgent::new(base_url, spans.clone());
        Self { spans, agent }
    }

    /// Answers a request, and gives the id of its trace.
    pub async fn answer(&self, run: &Run) -> Result<String> {
        // The one line that a service adds: whatever is traced below is routed by
        // what is known of this run.
        let context = Context::new().with_runtime_context(run.context.clone());
        let trace = match run.work {
            Work::Ask | Work::AskStreamed | Work::Search => self.through_rig(run, context).await?,
            Work::Agent => self.agent(run.number, &context).await?,
            Work::Workflow => self.workflow(run.number, &context).await?,
            Work::HealthCheck => {
                let (name, _) = run.work.root();
                trace_of(&self.spans.plain(&context, name, SpanKind::Server))
            }
        };
        ensure!(
            trace.bytes().any(|digit| digit != b'0'),
            "a trace without an id"
        );
        Ok(trace)
    }

    /// The service starts the span of the request as services do that use
    /// `tracing`, and the library everything below.
    async fn through_rig(&self, run: &Run, context: Context) -> Result<String> {
        let span = {
            let _attached = context.attach();
            request_span(run.work)
        };
        let trace = trace_of(&span.context());
        let prompt = format!("{RUN_PREFIX}{}: where is my order?", run.number);
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

    /// An agent: it asks the model, calls two tools side by side, asks again.
    async fn agent(&self, run: u32, context: &Context) -> Result<String> {
        let agent = self.spans.agent(context, "refunds");
        self.chat(&agent, run, 0).await;
        let tools = ["search_orders", "check_stock"].map(|name| {
            let (spans, agent) = (self.spans.clone(), agent.clone());
            spawn(async move {
                let tool = spans.tool(&agent, name);
                yield_now().await;
                spans.plain(&tool, "SELECT", SpanKind::Client);
            })
        });
        for tool in tools {
            tool.await?;
        }
        self.chat(&agent, run, 1).await;
        Ok(trace_of(&agent))
    }

    /// A workflow: two steps on the runtime, one on a thread of its own.
    async fn workflow(&self, run: u32, context: &Context) -> Result<String> {
        let workflow = self
            .spans
            .plain(context, "workflow refund", SpanKind::Internal);
        for (turn, step) in (0..).zip(["validate", "decide"]) {
            let step = self.spans.plain(&workflow, step, SpanKind::Internal);
            self.chat(&step, run, turn).await;
        }
        let trace = trace_of(&workflow);
        let spans = self.spans.clone();
        spawn_blocking(move || {
            let step = spans.plain(&workflow, "book", SpanKind::Internal);
            spans.plain(&step, "INSERT refunds", SpanKind::Client);
        })
        .await?;
        Ok(trace)
    }

    async fn chat(&self, parent: &Context, run: u32, turn: u32) {
        let _call = self.spans.chat(parent, Usage::of_turn(run, turn));
        // Other requests go on here, so that traces overlap.
        yield_now().await;
    }
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
