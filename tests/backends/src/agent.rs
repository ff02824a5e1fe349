//! A third-party client: an agent of the library `rig`, which emits `gen_ai` spans through
//! `tracing` and does not know Spanmux.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};
use futures::StreamExt as _;
use opentelemetry::Context;
use opentelemetry::trace::{SpanKind, TraceContextExt as _};
use rig::agent::MultiTurnStreamItem;
use rig::providers::openai::{OpenAI, OpenAIConfig, Route};
use rig::tool::PortableTool;
use rig::{Agent, AgentBuilder};
use serde_json::{Value, json};

use crate::plan::{CHAT_MODEL, EMBEDDING_MODEL};
use crate::spans::Spans;

/// The agent and its client.
#[derive(Clone)]
pub struct RigAgent {
    agent: Agent,
    client: OpenAI,
    traces: Traces,
}

/// The trace in which a tool was called, by run.
type Traces = Arc<Mutex<BTreeMap<u64, String>>>;

impl RigAgent {
    /// Creates an agent whose model answers at `base_url` and whose tools start `spans`.
    pub fn new(base_url: &str, spans: Spans) -> Self {
        let mut config = OpenAIConfig::new("not-a-key").with_route(Route::Chat);
        config.base_url = base_url.to_owned();
        let client = config.client();
        let traces = Traces::default();
        let tool_traces = traces.clone();
        let agent = AgentBuilder::new(client.completion(CHAT_MODEL.request))
            .name("shop-assistant")
            .preamble("You answer customers of a shop.")
            .tool(SearchOrders)
            .tool(CheckStock {
                spans,
                traces: tool_traces,
            })
            .default_max_turns(4)
            .build();
        Self {
            agent,
            client,
            traces,
        }
    }

    /// Sends a prompt and waits for the complete answer.
    pub async fn ask(&self, prompt: String) -> Result<()> {
        let answer = self.agent.prompt(prompt).tool_concurrency(2).await?;
        ensure!(!answer.output().is_empty(), "the agent said nothing");
        Ok(())
    }

    /// Sends a prompt and follows the streamed answer.
    pub async fn ask_streamed(&self, prompt: String) -> Result<()> {
        let mut answer = self.agent.prompt(prompt).tool_concurrency(2).stream();
        let mut last = None;
        while let Some(item) = answer.next().await {
            if let MultiTurnStreamItem::FinalResponse(response) = item? {
                last = Some(response);
            }
        }
        let last = last.context("the stream ended without an answer")?;
        ensure!(!last.output().is_empty(), "the agent said nothing");
        Ok(())
    }

    /// Returns the trace of a run, as recorded by a tool that it called.
    pub fn trace_of(&self, run: u32) -> Result<String> {
        let traces = self.traces.lock().unwrap_or_else(PoisonError::into_inner);
        let trace = traces.get(&u64::from(run)).cloned();
        trace.with_context(|| format!("no tool was called for run {run}"))
    }

    /// Requests the embedding of a text.
    pub async fn embed(&self, text: &str) -> Result<()> {
        let model = self.client.embedding(EMBEDDING_MODEL.request, None);
        let embedding = model.embed_text(text).await?;
        ensure!(!embedding.vec.is_empty(), "the vector is empty");
        Ok(())
    }
}

struct SearchOrders;

/// A tool that queries a database, whose client starts spans through OpenTelemetry.
struct CheckStock {
    spans: Spans,
    traces: Traces,
}

impl PortableTool for SearchOrders {
    const NAME: &'static str = "search_orders";
    type Args = Value;
    type Output = Value;
    type Error = Infallible;

    fn description(&self) -> String {
        "The open orders of a customer".to_owned()
    }

    fn parameters(&self) -> Value {
        of_a_customer()
    }

    async fn call(&self, customer: Value) -> Result<Value, Infallible> {
        Ok(json!({"of": customer, "orders": ["o-1", "o-2"]}))
    }
}

impl PortableTool for CheckStock {
    const NAME: &'static str = "check_stock";
    type Args = Value;
    type Output = Value;
    type Error = Infallible;

    fn description(&self) -> String {
        "Whether what a customer ordered is in stock".to_owned()
    }

    fn parameters(&self) -> Value {
        of_a_customer()
    }

    async fn call(&self, of: Value) -> Result<Value, Infallible> {
        let span = self
            .spans
            .ordinary(&Context::current(), "SELECT", SpanKind::Client);
        let trace = span.span().span_context().trace_id().to_string();
        let mut traces = self.traces.lock().unwrap_or_else(PoisonError::into_inner);
        traces.insert(of["customer"].as_u64().unwrap_or_default(), trace);
        Ok(json!({"in_stock": true}))
    }
}

fn of_a_customer() -> Value {
    json!({
        "type": "object",
        "properties": {"customer": {"type": "integer"}},
        "required": ["customer"],
    })
}
