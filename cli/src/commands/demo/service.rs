//! A small AI service that embeds the library. It creates AI spans with Spanmux's builders and
//! other spans with OpenTelemetry, and attaches a runtime context to each run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use opentelemetry::Context;
use opentelemetry::trace::{Span as _, SpanKind, Tracer as _};
use serde_json::json;
use spanmux::RuntimeContext;
use spanmux::genai::{Ai, AiParent, AiSpan, AiSpanBuilder, AiSpanKind, RunStatus, ToolCall, Usage};
use spanmux::otel::{RoutingTracer, RuntimeContextExt as _};
use tokio::task::{JoinSet, spawn, spawn_blocking};

/// One request to the service.
pub(crate) struct Run {
    work: Work,
    context: RuntimeContext,
}

#[derive(Clone, Copy)]
enum Work {
    HealthCheck,
    Agent,
    Workflow,
}

/// Returns a fixed sequence of requests. Their properties repeat with different periods, so that
/// all combinations occur.
pub(crate) fn runs(count: u32) -> Result<Vec<Run>> {
    (0..count as usize).map(run).collect()
}

fn run(number: usize) -> Result<Run> {
    fn pick<T: Copy>(from: &[T], number: usize) -> T {
        from[number % from.len()]
    }
    let environment = pick(
        &["production", "staging", "production", "development", "qa"],
        number,
    );
    let tenants = ["globex", "acme", "hooli", "stranger", "umbrella"];
    let tenant = (number % 7 > 2).then(|| pick(&tenants, number / 2));
    let tier = pick(&["pro", "free", "team", "enterprise"], number / 3);
    let region = pick(
        &[
            Some("eu-west-1"),
            Some("us-east-1"),
            Some("eu-central-1"),
            None,
        ],
        number / 8,
    );

    let mut context = RuntimeContext::builder()
        .set("environment", environment)
        .set_json(
            "user",
            &json!({"id": format!("user-{number}"), "tier": tier}),
        );
    if let Some(tenant) = tenant {
        context = context.set("tenant", tenant);
    }
    if let Some(region) = region {
        context = context.set("region", region);
    }
    Ok(Run {
        work: match number % 9 {
            4 => Work::HealthCheck,
            7 => Work::Workflow,
            _ => Work::Agent,
        },
        context: context.build(),
    })
}

/// The service. Cloning is cheap; each request uses its own clone.
#[derive(Clone)]
pub(crate) struct Service {
    ai: Ai,
    tracer: Arc<RoutingTracer>,
    started: Arc<AtomicU64>,
}

impl Service {
    pub(crate) fn new(tracer: RoutingTracer) -> Self {
        Self {
            ai: Ai::new(tracer.clone()),
            tracer: Arc::new(tracer),
            started: Arc::default(),
        }
    }

    /// Returns the number of spans that it has started.
    pub(crate) fn spans_started(&self) -> u64 {
        self.started.load(Ordering::Relaxed)
    }

    /// Answers all requests concurrently on the runtime's threads.
    pub(crate) async fn answer_all(&self, runs: Vec<Run>) -> Result<()> {
        let mut answers = JoinSet::new();
        for run in runs {
            let service = self.clone();
            answers.spawn(async move { service.answer(run).await });
        }
        while let Some(answer) = answers.join_next().await {
            answer??;
        }
        Ok(())
    }

    async fn answer(&self, run: Run) -> Result<()> {
        // The only line that a service adds. All spans below are routed by this runtime context.
        let context = Context::new().with_runtime_context(run.context);
        match run.work {
            Work::HealthCheck => {
                self.ordinary(&context, "GET /healthz", SpanKind::Server);
                Ok(())
            }
            Work::Agent => self.agent(&context).await,
            Work::Workflow => self.workflow(&context).await,
        }
    }

    /// Runs an agent that calls the model, then two tools concurrently, then the model again.
    async fn agent(&self, context: &Context) -> Result<()> {
        let agent = self.ai.agent_run("shop-assistant").under(context);
        let agent = self.start(agent.span_kind(SpanKind::Server));
        self.model(&agent, Usage::new(812, 96)).await;
        let tools = ["search_orders", "check_stock"].map(|name| {
            let (service, tool) = (self.clone(), self.start(agent.tool_call(name)));
            spawn(async move { service.tool(tool).await })
        });
        for tool in tools {
            tool.await?;
        }
        self.model(&agent, Usage::new(1_340, 211).cached(812)).await;
        agent.finish_reason("stop");
        Ok(())
    }

    /// Runs a workflow with two steps on the runtime and one on a separate thread.
    async fn workflow(&self, context: &Context) -> Result<()> {
        // Matches `selectors/contexts.jsonl` instead of the semantic conventions.
        let workflow = self.ai.workflow_run("refund").span_name("workflow refund");
        let workflow = self.start(workflow.under(context));
        for name in ["validate", "decide"] {
            let step = self.start(workflow.workflow_step(name));
            self.model(&step, Usage::new(402, 33)).await;
            step.finish(RunStatus::Success);
        }
        let (service, step) = (self.clone(), self.start(workflow.workflow_step("book")));
        spawn_blocking(move || {
            service.ordinary(step.context(), "INSERT refunds", SpanKind::Client);
            step.finish(RunStatus::Success);
        })
        .await?;
        workflow.finish(RunStatus::Success);
        Ok(())
    }

    async fn model(&self, parent: &impl AiParent, usage: Usage) {
        let call = parent.generation("gpt-5-mini").provider("openai");
        let call = self.start(call);
        // Lets other requests run, so that traces overlap.
        tokio::task::yield_now().await;
        call.usage(usage);
        call.finish_reason("stop");
    }

    async fn tool(&self, tool: AiSpan<ToolCall>) {
        tokio::task::yield_now().await;
        self.ordinary(tool.context(), "SELECT", SpanKind::Client);
    }

    fn start<K: AiSpanKind>(&self, span: AiSpanBuilder<K>) -> AiSpan<K> {
        self.started.fetch_add(1, Ordering::Relaxed);
        span.start()
    }

    /// Starts a span as a library without AI instrumentation does.
    fn ordinary(&self, parent: &Context, name: &'static str, kind: SpanKind) {
        self.started.fetch_add(1, Ordering::Relaxed);
        let builder = self.tracer.span_builder(name).with_kind(kind);
        builder.start_with_context(&*self.tracer, parent).end();
    }
}
