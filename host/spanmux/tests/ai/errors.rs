//! The ends of AI spans: errors, statuses and dropped handles.

use std::error::Error;
use std::fmt;

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanId, Status};
use opentelemetry_sdk::trace::SpanData;
use spanmux::genai::{AiOptions, RunStatus};

use crate::support::{ai, shown, spans, value};

#[derive(Debug)]
struct Outer(std::num::ParseIntError);

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such order")
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

fn exceptions(span: &SpanData) -> Vec<Vec<String>> {
    let events = span.events.iter().filter(|event| event.name == "exception");
    events.map(|event| shown(&event.attributes)).collect()
}

#[test]
fn error_is_recorded_as_the_conventions_define() {
    let (ai, exporter) = ai(AiOptions::new());
    let error = Outer("x".parse::<u32>().unwrap_err());
    let message = "no such order: invalid digit found in string";
    ai.tool_call("a").start().fail(&error);
    ai.tool_call("b").start().fail::<dyn Error>(&error);
    ai.tool_call("c").start().fail_as("timeout", "too late");
    ai.mcp_tool_call("d")
        .start()
        .fail_with_tool_error("no city");
    let rows = [
        (concat!("ai::errors", "::Outer"), message),
        ("_OTHER", message),
        ("timeout", "too late"),
        ("tool_error", "no city"),
    ];
    for (span, (kind, message)) in spans(&exporter).iter().zip(rows) {
        assert_eq!(span.status, Status::error(message));
        assert_eq!(value(span, "error.type").as_deref(), Some(kind));
        let exception = [
            format!("exception.message={message}"),
            format!("exception.type={kind}"),
        ];
        assert_eq!(exceptions(span), [exception]);
    }
}

#[test]
fn handled_error_does_not_fail_the_span() {
    let (ai, exporter) = ai(AiOptions::new());
    let tool = ai.tool_call("a").start();
    tool.error(&Outer("x".parse::<u32>().unwrap_err()));
    tool.end();
    let spans = spans(&exporter);
    assert_eq!(spans[0].status, Status::Unset);
    assert_eq!(value(&spans[0], "error.type"), None);
    assert_eq!(exceptions(&spans[0]).len(), 1);
}

#[test]
fn run_records_its_status() {
    let (ai, exporter) = ai(AiOptions::new());
    ai.workflow_run("w").start().finish(RunStatus::Failed);
    ai.workflow_step("s").start().fail_as("timeout", "too late");
    ai.workflow_step("s").start().finish(RunStatus::Canceled);
    ai.workflow_step("s").start().end();
    let shown: Vec<_> = spans(&exporter)
        .iter()
        .map(|span| {
            let status = value(span, "spanmux.workflow.status");
            let step = value(span, "spanmux.workflow.step.status");
            (status.or(step), span.status.clone())
        })
        .collect();
    let word = |word: &str| Some(word.to_owned());
    assert_eq!(
        shown,
        [
            (word("failed"), Status::error("failed")),
            (word("failed"), Status::error("too late")),
            (word("canceled"), Status::Unset),
            (None, Status::Unset),
        ]
    );
}

#[test]
fn handle_ends_its_span_once_when_its_context_outlives_it() {
    let (ai, exporter) = ai(AiOptions::new());
    let run = ai.agent_run("a").start();
    let context = run.context().clone();
    let ids = run.span_context();
    run.event("paused", vec![KeyValue::new("why", "approval")]);
    run.attribute(KeyValue::new("own", 1));
    run.link(ids.clone(), Vec::new());
    drop(run);
    assert_eq!(spans(&exporter).len(), 1);
    let late = ai.generic("late").under(&context).start();
    drop(late);
    drop(context);
    let spans = spans(&exporter);
    assert_eq!(spans.len(), 2);
    assert_eq!(spans[0].parent_span_id, SpanId::INVALID);
    assert_eq!(spans[0].events.iter().next().unwrap().name, "paused");
    assert_eq!(spans[0].links.iter().next().unwrap().span_context, ids);
    assert_eq!(value(&spans[0], "own").as_deref(), Some("1"));
    assert_eq!(spans[1].parent_span_id, ids.span_id());
}
