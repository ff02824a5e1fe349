//! AI spans with a routing provider: every trace stays in one tracer.

use opentelemetry::trace::{SpanId, TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, global};
use spanmux::genai::{Ai, AiContextExt};

use crate::support::{CARRIERS, Fleet, run, value};

#[test]
fn children_follow_their_ai_span() {
    for carrier in CARRIERS {
        let fleet = Fleet::new(carrier);
        let (ai, tracer) = (fleet.ai(), fleet.provider.tracer("db"));
        let agent = ai.agent_run("a").under(&run("other")).start();
        let tool = agent.tool_call("t").start();
        // An ordinary span, in a context that asks for another tracer.
        tracer.in_span_with_context("SELECT", tool.context(), |_context| {});
        {
            let _current = tool.attach();
            tracer.in_span("UPDATE", |_context| {});
            ai.generation("m").start().end();
        }
        tool.generic("elsewhere")
            .under(&run("default"))
            .start()
            .end();
        drop((tool, agent));
        assert_eq!(fleet.counts(), [1, 5]);
        assert_eq!(fleet.asked(), 2);
        let spans = fleet.spans("other");
        let root = spans.last().unwrap();
        assert_eq!(value(root, "spanmux.tracer").as_deref(), Some("other"));
        for span in &spans {
            let whole = span.span_context.trace_id() == root.span_context.trace_id();
            assert!(whole, "{}", span.name);
        }
    }
}

#[test]
fn root_starts_a_new_trace_and_keeps_inherited_attributes() {
    let fleet = Fleet::new(true);
    let ai = fleet.ai();
    let context = run("other").with_session("s-1");
    let first = ai.agent_run("a").under(&context).start();
    let second = first
        .agent_run("b")
        .as_root()
        .link(first.span_context())
        .start();
    assert_ne!(
        first.span_context().trace_id(),
        second.span_context().trace_id()
    );
    drop((second, first));
    let spans = fleet.spans("other");
    assert_eq!(spans.len(), 2);
    assert_eq!(value(&spans[0], "session.id").as_deref(), Some("s-1"));
    assert_eq!(spans[0].links.len(), 1);
    assert_eq!(spans[0].parent_span_id, SpanId::INVALID);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_and_threads_follow_the_tracer_of_their_root() {
    for carrier in CARRIERS {
        let fleet = Fleet::new(carrier);
        let ai = fleet.ai();
        let agent = ai.agent_run("a").under(&run("other")).start();
        let tools: Vec<_> = (0..8)
            .map(|_| {
                let tool = agent.tool_call("t").start();
                tokio::spawn(async move {
                    tokio::task::yield_now().await;
                    tool.generation("m").start().end();
                    tool.end();
                })
            })
            .collect();
        for tool in tools {
            tool.await.unwrap();
        }
        let step = agent.workflow_step("s").start();
        std::thread::spawn(move || step.generic("g").start().end())
            .join()
            .unwrap();
        drop(agent);
        assert_eq!(fleet.counts(), [0, 19]);
        assert_eq!(fleet.asked(), 1);
    }
}

/// No other test sets the global provider.
#[test]
fn global_tracer_routes_ai_spans() {
    let fleet = Fleet::new(true);
    global::set_tracer_provider(fleet.provider.clone());
    let ai = Ai::new(global::tracer("shop"));
    let agent = ai.agent_run("a").under(&run("other")).start();
    agent.generation("m").start().end();
    drop(agent);
    assert_eq!(fleet.counts(), [0, 2]);
}

#[test]
fn nothing_starts_when_telemetry_is_suppressed() {
    let fleet = Fleet::new(true);
    let quiet = Context::new().with_telemetry_suppressed();
    let agent = fleet.ai().agent_run("a").under(&quiet).start();
    assert!(!agent.is_recording());
    assert!(!agent.context().span().span_context().is_valid());
    drop(agent);
    assert_eq!((fleet.counts(), fleet.asked()), (vec![0, 0], 0));
}
