//! Tests that setting an attribute replaces its value, and that each key leaves once.

use opentelemetry::trace::{Span, SpanBuilder, Status, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::SpanData;
use spanmux::exporters::Exporter;
use spanmux::otel::{RoutingTracerProvider, TracerConfig};

use crate::support::{CARRIERS, Fleet, attribute, run};

/// Returns all values of a key.
fn values(span: &SpanData, key: &str) -> Vec<String> {
    let of = span.attributes.iter().filter(|kv| kv.key.as_str() == key);
    of.map(|kv| kv.value.to_string()).collect()
}

fn only(fleet: &Fleet) -> SpanData {
    let mut spans = fleet.spans("a");
    assert_eq!(spans.len(), 1);
    spans.remove(0)
}

#[test]
fn last_value_of_an_attribute_leaves_when_it_is_set_again() {
    for fleet in CARRIERS.map(Fleet::by) {
        let mut span = fleet
            .provider
            .tracer("shop")
            .start_with_context("root", &run("a"));
        for tokens in 0..200 {
            span.set_attribute(KeyValue::new("tokens", tokens));
            span.set_attributes([KeyValue::new("reason", "stop"), KeyValue::new("model", "m")]);
        }
        span.end();
        let span = only(&fleet);
        assert_eq!(values(&span, "tokens"), ["199"]);
        assert_eq!(values(&span, "reason"), ["stop"]);
        assert_eq!(values(&span, "model"), ["m"]);
        assert_eq!(span.dropped_attributes_count, 0);
    }
}

#[test]
fn last_value_of_an_attribute_is_used_when_it_is_given_twice_at_the_start() {
    let fleet = Fleet::new();
    let tracer = fleet.provider.tracer("shop");
    let many = (0..300).map(|n| KeyValue::new("tokens", n));
    let builder = SpanBuilder::from_name("root").with_attributes(many);
    let root = run("a").with_span(tracer.build_with_context(builder.clone(), &run("a")));
    drop(tracer.build_with_context(builder, &root));
    root.span().end();
    for span in fleet.spans("a") {
        assert_eq!(values(&span, "tokens"), ["299"]);
        assert_eq!(span.dropped_attributes_count, 0);
    }
}

#[test]
fn attributes_beyond_the_limit_are_counted_once_for_each_key() {
    let fleet = Fleet::new();
    let mut span = fleet
        .provider
        .tracer("shop")
        .start_with_context("root", &run("a"));
    for _ in 0..3 {
        for n in 0..140 {
            span.set_attribute(KeyValue::new(format!("key{n}"), n));
        }
    }
    span.end();
    let span = only(&fleet);
    assert_eq!(span.attributes.len(), 128);
    // The attributes that explain the selection are there too.
    let own = span
        .attributes
        .iter()
        .filter(|kv| kv.key.as_str().starts_with("key"));
    assert_eq!(own.count() as u32 + span.dropped_attributes_count, 140);
}

#[test]
fn copied_attribute_gives_way_to_the_one_of_the_span() {
    for at_start in [true, false] {
        let fleet = Fleet::with(|builder| {
            builder
                .copy_to_spans(["tracer"])
                .copy_to_root_spans(["tracer"])
        });
        let tracer = fleet.provider.tracer("shop");
        let mut root = SpanBuilder::from_name("root");
        if at_start {
            root = root.with_attributes([KeyValue::new("tracer", "mine")]);
        }
        let mut span = tracer.build_with_context(root, &run("a"));
        if !at_start {
            span.set_attribute(KeyValue::new("tracer", "mine"));
        }
        let cx = run("a").with_span(span);
        let mut child = tracer.start_with_context("child", &cx);
        child.set_attribute(KeyValue::new("tracer", "mine"));
        child.end();
        drop(tracer.start_with_context("copied", &cx));
        cx.span().end();
        for span in fleet.spans("a") {
            let expected = if span.name == "copied" { "a" } else { "mine" };
            assert_eq!(values(&span, "tracer"), [expected], "{}", span.name);
        }
    }
}

#[test]
fn reserved_attribute_that_is_set_by_hand_is_ignored() {
    let fleet = Fleet::new();
    let tracer = fleet.provider.tracer("shop");
    let by_hand = [
        "spanmux.tracer",
        "spanmux.selector",
        "spanmux.fallback",
        "spanmux.inbound",
    ];
    let attributes = by_hand.map(|key| KeyValue::new(key, "by hand"));
    let builder = SpanBuilder::from_name("root").with_attributes(attributes.clone());
    let root = run("a").with_span(tracer.build_with_context(builder.clone(), &run("a")));
    root.span().set_attributes(attributes.clone());
    let mut child = tracer.build_with_context(builder, &root);
    child.set_attributes(attributes);
    child.set_attribute(KeyValue::new("spanmux.mine", 1));
    child.end();
    root.span().end();
    let spans = fleet.spans("a");
    assert_eq!(values(&spans[1], "spanmux.tracer"), ["a"]);
    assert_eq!(values(&spans[1], "spanmux.selector"), ["by-key"]);
    assert_eq!(values(&spans[1], "spanmux.fallback"), [""; 0]);
    assert_eq!(values(&spans[0], "spanmux.tracer"), [""; 0]);
    assert_eq!(values(&spans[0], "spanmux.mine"), ["1"]);
}

/// An attribute that was given at the start and is set again.
#[test]
fn start_attribute_is_replaced_in_a_configured_tracer() {
    let file =
        std::env::temp_dir().join(format!("spanmux-attributes-{}.jsonl", std::process::id()));
    let _missing = std::fs::remove_file(&file);
    let config = TracerConfig::file(&file).exporter(Exporter::discard());
    let provider = RoutingTracerProvider::builder()
        .tracer("only", config)
        .build()
        .unwrap();
    let builder = SpanBuilder::from_name("root").with_attributes([KeyValue::new("state", "first")]);
    let mut span = provider
        .tracer("shop")
        .build_with_context(builder, &Context::new());
    span.set_attribute(KeyValue::new("state", "second"));
    span.set_attribute(KeyValue::new("state", "last"));
    span.end();
    provider.shutdown().into_result().unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(text.matches("\"state\"").count(), 1, "{text}");
    assert!(
        text.contains("\"last\"") && !text.contains("first"),
        "{text}"
    );
}

#[test]
fn span_that_unwinds_fails_with_the_error_type_panic() {
    for fleet in CARRIERS.map(Fleet::by) {
        let tracer = fleet.provider.tracer("shop");
        let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            tracer.in_span_with_context("root", &run("a"), |cx| {
                let mut failed = tracer.start_with_context("failed", &cx);
                failed.set_status(Status::error("mine"));
                let mut named = tracer.start_with_context("named", &cx);
                named.set_attribute(KeyValue::new("error.type", "mine"));
                let _open = (failed, named);
                panic!("a bug");
            })
        }));
        assert!(unwound.is_err());
        let spans = fleet.spans("a");
        let find = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
        assert_eq!(find("root").status, Status::error("panic"));
        assert_eq!(values(find("root"), "error.type"), ["panic"]);
        assert_eq!(find("failed").status, Status::error("mine"));
        assert_eq!(attribute(find("failed"), "error.type"), None);
        assert_eq!(find("named").status, Status::error("panic"));
        assert_eq!(values(find("named"), "error.type"), ["mine"]);
    }
}

/// A span that is started and ended while the thread unwinds did not fail.
#[test]
fn span_of_a_cleanup_during_a_panic_does_not_fail() {
    struct Cleanup<'a>(&'a Fleet);
    impl Drop for Cleanup<'_> {
        fn drop(&mut self) {
            let tracer = self.0.provider.tracer("shop");
            tracer.in_span_with_context("cleanup", &run("a"), |_| {});
        }
    }
    let fleet = Fleet::new();
    let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _cleanup = Cleanup(&fleet);
        panic!("a bug");
    }));
    assert!(unwound.is_err());
    assert_eq!(only(&fleet).status, Status::Unset);
}

#[cfg(feature = "layer")]
mod of_tracing {
    use super::*;
    use tracing_subscriber::layer::SubscriberExt;

    fn traced(fleet: &Fleet, go: impl FnOnce()) {
        let subscriber = tracing_subscriber::registry().with(fleet.provider.layer());
        let _run = run("a").attach();
        tracing::subscriber::with_default(subscriber, go);
    }

    #[test]
    fn field_that_is_recorded_twice_leaves_once() {
        let fleet = Fleet::new();
        traced(&fleet, || {
            let span = tracing::info_span!("root", early = 1, late = tracing::field::Empty);
            span.record("early", 2);
            let entered = span.enter();
            span.record("late", 1);
            span.record("late", 512);
            drop(entered);
        });
        let span = only(&fleet);
        assert_eq!(values(&span, "early"), ["2"]);
        assert_eq!(values(&span, "late"), ["512"]);
    }

    #[test]
    fn span_of_tracing_that_unwinds_fails() {
        let fleet = Fleet::new();
        traced(&fleet, || {
            let unwound = std::panic::catch_unwind(|| {
                tracing::info_span!("root").in_scope(|| panic!("a bug"));
            });
            assert!(unwound.is_err());
        });
        assert_eq!(only(&fleet).status, Status::error("panic"));
        assert_eq!(values(&only(&fleet), "error.type"), ["panic"]);
    }
}
