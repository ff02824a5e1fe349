//! A small traced agent. It calls a model, runs the tool that the model requests, and calls
//! the model again. The model and the database are simulated, and the traces are printed.
//!
//! `cargo run -p spanmux --example agent --no-default-features --features otel`

use std::error::Error;

use opentelemetry::trace::{Tracer, TracerProvider};
use serde_json::{Value, json};
use spanmux::genai::{AgentRun, Ai, AiOptions, AiSpan, Message, Usage};
use spanmux::otel::{RoutingTracer, RoutingTracerProvider, TracerConfig};

fn main() -> Result<(), Box<dyn Error>> {
    let provider = RoutingTracerProvider::builder()
        .service_name("shop")
        .tracer("console", TracerConfig::console())
        .build()?;
    // Content is not recorded by default.
    let options = AiOptions::new().capture_content(true);
    let agent = Agent {
        ai: Ai::with_options(provider.tracer("shop"), options),
        database: provider.tracer("database"),
    };
    agent.answer("s-1", "Where is order 17?", "17");
    agent.answer("s-2", "Where is order x?", "x");
    provider.shutdown().into_result()?;
    Ok(())
}

struct Agent {
    ai: Ai,
    database: RoutingTracer,
}

impl Agent {
    /// Runs the agent once. Each run is a trace, and all spans below follow it.
    fn answer(&self, session: &'static str, question: &str, order: &str) {
        let run = self
            .ai
            .agent_run("shop-assistant")
            .session(session)
            .input(question)
            .start();
        let mut messages = vec![Message::user(question)];
        let asks =
            Message::assistant("").tool_call("call-1", "search_orders", json!({"id": order}));
        messages.push(ask_model(&run, &messages, asks, "tool_call"));
        messages.push(self.search_orders(&run, order));
        let answer = Message::assistant("I have looked it up.");
        run.output(ask_model(&run, &messages, answer, "stop"));
    }

    fn search_orders(&self, run: &AiSpan<AgentRun>, id: &str) -> Message {
        let tool = run
            .tool_call("search_orders")
            .call_id("call-1")
            .arguments(json!({"id": id}))
            .start();
        // An ordinary span becomes a child of the tool call.
        let found =
            self.database
                .in_span_with_context("SELECT orders", tool.context(), |_context| {
                    id.parse::<u32>()
                });
        match found {
            Ok(number) => {
                let order = json!({"id": number, "state": "shipped"});
                tool.result(order.clone());
                Message::tool("call-1", order)
            }
            Err(error) => {
                tool.fail(&error);
                Message::tool("call-1", Value::Null)
            }
        }
    }
}

/// Simulates a model call. A real call would happen after `start`.
fn ask_model(
    run: &AiSpan<AgentRun>,
    messages: &[Message],
    answer: Message,
    finish_reason: &'static str,
) -> Message {
    let call = run
        .generation("gpt-5-mini")
        .provider("openai")
        .temperature(0.2)
        .input(messages.to_vec())
        .start();
    call.usage(Usage::new(812, 96).cached(512));
    call.finish_reason(finish_reason);
    call.output(answer.clone());
    answer
}
