//! A small AI service, as an embedder would write it: it starts spans through
//! OpenTelemetry, and all that it knows of Spanway is how to attach a run's
//! runtime context.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use opentelemetry::trace::{SpanKind, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue};
use serde_json::json;
use spanway::RuntimeContext;
use spanway::otel::{RoutingTracer, RuntimeContextExt as _};
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

/// The requests of a day, the same each time: their properties repeat with
/// different periods, so that they meet in all combinations.
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
        context: context.build()?,
    })
}

/// The service. Cheap to clone; each request works on its own clone.
#[derive(Clone)]
pub(crate) struct Service {
    tracer: Arc<RoutingTracer>,
    started: Arc<AtomicU64>,
}

impl Service {
    pub(crate) fn new(tracer: RoutingTracer) -> Self {
        Self {
            tracer: Arc::new(tracer),
            started: Arc::default(),
        }
    }

    /// How many spans it has started.
    pub(crate) fn spans_started(&self) -> u64 {
        self.started.load(Ordering::Relaxed)
    }

    /// Answers all requests at once, on the runtime's threads.
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
        // The one line that a service adds: whatever is traced below is routed by
        // what is known of this run.
        let context = Context::new().with_runtime_context(run.context);
        match run.work {
            Work::HealthCheck => {
                self.span(&context, "GET /healthz", SpanKind::Server, []);
                Ok(())
            }
            Work::Agent => self.agent(&context).await,
            Work::Workflow => self.workflow(&context).await,
        }
    }

    /// An agent: it asks the model, calls two tools side by side, asks again.
    async fn agent(&self, context: &Context) -> Result<()> {
        let agent = self.span(
            context,
            "invoke_agent shop-assistant",
            SpanKind::Server,
            [
                KeyValue::new("gen_ai.operation.name", "invoke_agent"),
                KeyValue::new("gen_ai.agent.name", "shop-assistant"),
            ],
        );
        self.model(&agent, 812, 96).await;
        let tools = ["search_orders", "check_stock"].map(|name| {
            let (service, agent) = (self.clone(), agent.clone());
            spawn(async move { service.tool(&agent, name).await })
        });
        for tool in tools {
            tool.await?;
        }
        self.model(&agent, 1_340, 211).await;
        Ok(())
    }

    /// A workflow: two steps on the runtime, one on a thread of its own.
    async fn workflow(&self, context: &Context) -> Result<()> {
        let workflow = self.span(context, "workflow refund", SpanKind::Internal, []);
        for step in ["validate", "decide"] {
            let step = self.span(&workflow, step, SpanKind::Internal, []);
            self.model(&step, 402, 33).await;
        }
        let service = self.clone();
        spawn_blocking(move || {
            let step = service.span(&workflow, "book", SpanKind::Internal, []);
            service.span(&step, "INSERT refunds", SpanKind::Client, []);
        })
        .await?;
        Ok(())
    }

    async fn model(&self, parent: &Context, input: i64, output: i64) {
        let _call = self.span(
            parent,
            "chat gpt-5-mini",
            SpanKind::Client,
            [
                KeyValue::new("gen_ai.operation.name", "chat"),
                KeyValue::new("gen_ai.request.model", "gpt-5-mini"),
                KeyValue::new("gen_ai.usage.input_tokens", input),
                KeyValue::new("gen_ai.usage.output_tokens", output),
            ],
        );
        // Other requests go on here, so that traces overlap.
        tokio::task::yield_now().await;
    }

    async fn tool(&self, parent: &Context, name: &'static str) {
        let tool = self.span(
            parent,
            &format!("execute_tool {name}"),
            SpanKind::Internal,
            [
                KeyValue::new("gen_ai.operation.name", "execute_tool"),
                KeyValue::new("gen_ai.tool.name", name),
            ],
        );
        tokio::task::yield_now().await;
        self.span(&tool, "SELECT", SpanKind::Client, []);
    }

    /// Starts a span below `parent`. It ends when the last clone of the context
    /// that is returned is dropped.
    fn span<const N: usize>(
        &self,
        parent: &Context,
        name: &str,
        kind: SpanKind,
        attributes: [KeyValue; N],
    ) -> Context {
        self.started.fetch_add(1, Ordering::Relaxed);
        let span = self
            .tracer
            .span_builder(name.to_owned())
            .with_kind(kind)
            .with_attributes(attributes)
            .start_with_context(&*self.tracer, parent);
        parent.with_span(span)
    }
}
