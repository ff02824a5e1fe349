//! Tests that an attribute that is recorded again replaces its value, with a plain tracer
//! of the SDK and with a routing tracer.

use opentelemetry::trace::Status;
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::SpanData;
use spanmux::genai::{Ai, AiContextExt, AiOptions, RunStatus, Usage};

use crate::support::{Fleet, ai, shown, spans, value};

/// Runs `go` with each kind of tracer and returns the spans.
fn each(go: impl Fn(&Ai)) -> Vec<Vec<SpanData>> {
    let (plain, exporter) = ai(AiOptions::new());
    go(&plain);
    let fleets = [true, false].map(Fleet::new);
    let routed = fleets.map(|fleet| {
        go(&fleet.ai());
        fleet.spans("default")
    });
    [vec![spans(&exporter)], routed.into()].concat()
}

#[test]
fn hundred_updates_of_a_stream_leave_the_last_values() {
    let all = each(|ai| {
        let answer = ai.generation("gpt-5-mini").streaming().start();
        let step = answer.model_step(1).start();
        for tokens in 1..=100 {
            answer.usage(Usage::new(10, tokens).cached(tokens).reasoning(tokens));
            answer.finish_reason(format!("reason {tokens}"));
            answer.response_model(format!("model {tokens}"));
            answer.response_id(format!("id {tokens}"));
            answer.attribute(KeyValue::new("mine", tokens as i64));
            step.usage(Usage::new(10, tokens));
            step.finish_reason(format!("reason {tokens}"));
        }
    });
    for spans in all {
        let span = spans
            .iter()
            .find(|span| span.name.starts_with("chat"))
            .unwrap();
        // This fails if a key occurs twice.
        let _shown = shown(&span.attributes);
        assert_eq!(span.dropped_attributes_count, 0);
        assert_eq!(
            value(span, "gen_ai.usage.output_tokens").as_deref(),
            Some("100")
        );
        assert_eq!(
            value(span, "gen_ai.response.model").as_deref(),
            Some("model 100")
        );
        assert_eq!(
            value(span, "gen_ai.response.finish_reasons").as_deref(),
            Some("[\"reason 100\"]")
        );
        assert_eq!(value(span, "mine").as_deref(), Some("100"));
        assert!(spans.iter().all(|span| !shown(&span.attributes).is_empty()));
    }
}

#[test]
fn attribute_that_is_set_twice_before_the_start_leaves_once() {
    let all = each(|ai| {
        let cx = Context::new().with_session("outer").with_user("outer");
        let answer = ai
            .generation("first")
            .under(&cx)
            .session("inner")
            .provider("first")
            .provider("last")
            .temperature(0.1)
            .temperature(0.2)
            .attribute(KeyValue::new("gen_ai.operation.name", "mine"))
            .attribute(KeyValue::new("session.id", "by hand"))
            .attribute(KeyValue::new("mine", 1))
            .attribute(KeyValue::new("mine", 2));
        answer.start().end();
    });
    for spans in all {
        let span = &spans[0];
        let _shown = shown(&span.attributes);
        assert_eq!(value(span, "gen_ai.provider.name").as_deref(), Some("last"));
        assert_eq!(
            value(span, "gen_ai.operation.name").as_deref(),
            Some("mine")
        );
        assert_eq!(value(span, "mine").as_deref(), Some("2"));
    }
}

#[test]
fn handle_that_unwinds_fails_with_the_error_type_panic() {
    let all = each(|ai| {
        let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let run = ai.workflow_run("refund").start();
            let step = run.workflow_step("decide").start();
            let _tool = step.tool_call("search").start();
            panic!("a bug");
        }));
        assert!(unwound.is_err());
        assert_eq!(ai.open_spans().open, 0);
    });
    for spans in all {
        assert_eq!(spans.len(), 3);
        for span in &spans {
            assert_eq!(span.status, Status::error("panic"), "{}", span.name);
            assert_eq!(value(span, "error.type").as_deref(), Some("panic"));
            let _shown = shown(&span.attributes);
        }
        let statuses = spans.iter().filter(|span| {
            span.attributes
                .iter()
                .any(|kv| kv.value.as_str() == RunStatus::Failed.as_str())
        });
        assert_eq!(statuses.count(), 2, "the workflow and its step");
    }
}

#[test]
fn outcome_of_the_application_is_kept_when_the_handle_unwinds() {
    let all = each(|ai| {
        struct Finishes(Option<spanmux::genai::AiSpan<spanmux::genai::WorkflowRun>>);
        impl Drop for Finishes {
            fn drop(&mut self) {
                self.0.take().unwrap().finish(RunStatus::Canceled);
            }
        }
        let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _run = Finishes(Some(ai.workflow_run("refund").start()));
            panic!("a bug");
        }));
        assert!(unwound.is_err());
    });
    let plain = &all[0][0];
    assert_eq!(plain.status, Status::Unset);
    assert_eq!(value(plain, "error.type"), None);
}
