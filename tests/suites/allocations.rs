//! Counts allocations: the operations that the documentation calls allocation-free do not allocate.

use std::sync::Arc;

use allocation_counter::measure;
use opentelemetry::trace::{Span as _, SpanBuilder, TraceContextExt as _, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, TracerProviderBuilder};
use spanmux::otel::{RoutingTracerProvider, RuntimeContextExt as _};
use spanmux::redaction::Redaction;
use spanmux::{
    Chain, Choice, Origin, Reason, RootSpan, RuntimeContext, Selector, TracerNames, TracerRegistry,
    selector_fn,
};

fn context() -> RuntimeContext {
    RuntimeContext::from_json(
        r#"{"environment":"production","user":{"id":"u-3","tier":"gold"},"tags":[1,2],"n":7}"#,
    )
    .unwrap()
}

/// Returns the number of allocations of `run` after one warm-up call.
fn allocations(run: impl Fn()) -> u64 {
    run();
    measure(run).count_total
}

#[test]
fn count_detects_an_allocation() {
    assert!(allocations(|| drop(std::hint::black_box(vec![1_u8; 100]))) > 0);
}

#[test]
fn questions_allocate_nothing() {
    let context = context();
    let attributes = || RuntimeContext::from_json(r#"{"http.route":"/chat"}"#).unwrap();
    let span = RootSpan::new("POST /chat", "server", &attributes);
    let view = context.view_with_span(&span);
    for key in [
        "environment",
        "user",
        "user.tier",
        "tags",
        "n",
        "missing",
        "user.missing.too",
    ] {
        let asked = || {
            std::hint::black_box((
                view.get(key),
                view.contains(key),
                view.bucket(key, "salt", 100),
            ));
        };
        assert_eq!(allocations(asked), 0, "{key}");
    }
    for key in ["span.name", "span.kind", "span.http.route", "span.missing"] {
        let asked = || {
            std::hint::black_box(view.text(key));
        };
        assert_eq!(allocations(asked), 0, "{key}");
    }
}

#[test]
fn borrowed_span_attributes_are_not_copied() {
    let context = context();
    let attributes = RuntimeContext::from_json(r#"{"http.route":"/chat","n":[1]}"#).unwrap();
    let asked = || {
        let span = RootSpan::with_attributes("POST /chat", "server", &attributes);
        let view = context.view_with_span(&span);
        assert_eq!(view.text("span.http.route"), Some("/chat"));
        assert!(view.contains("span.n") && !view.contains("span.missing"));
    };
    assert_eq!(allocations(asked), 0);
}

#[test]
fn span_attributes_are_not_read_without_a_question() {
    let context = context();
    let attributes = || -> RuntimeContext { panic!("read") };
    let span = RootSpan::new("POST /chat", "server", &attributes);
    let view = context.view_with_span(&span);
    assert_eq!(view.text("span.name"), Some("POST /chat"));
    assert_eq!(view.text("span.kind"), Some("server"));
    assert_eq!(view.text("environment"), Some("production"));
}

#[test]
fn native_selection_allocates_nothing() {
    let registry = TracerRegistry::<()>::new();
    for number in 0..100 {
        registry.register(format!("tracer-{number}"), ()).unwrap();
    }
    let selectors: [Arc<dyn Selector>; 2] = [
        Arc::new(selector_fn("abstains", |_, _| Choice::Abstain)),
        Arc::new(selector_fn(
            "decides",
            |context, tracers: &TracerNames| match context.text("user.tier") {
                Some("gold") => tracers.choose("tracer-77"),
                _ => Choice::Abstain,
            },
        )),
    ];
    registry.set_selectors(Chain::from_iter(selectors));
    let context = context();
    let select = || {
        let selection = registry.select(&context.view());
        assert_eq!(selection.tracer_name(), Some("tracer-77"));
        assert_eq!(selection.selector_name(), Some("decides"));
        assert!(selection.tracer().is_some() && *selection.reason() == Reason::Chosen);
    };
    assert_eq!(allocations(select), 0);

    // Selecting the default tracer does not allocate either.
    let empty = RuntimeContext::empty();
    let select = || drop(registry.select(&empty.view()));
    assert_eq!(allocations(select), 0);
}

/// Returns a registry of a hundred tracers behind the example selectors, whose caches already
/// contain the context.
fn cached(names: &[&str], context: &RuntimeContext) -> TracerRegistry<()> {
    let registry = TracerRegistry::<()>::new();
    for name in ["langfuse", "datadog", "console", "candidate", "discard"] {
        registry.register(name, ()).unwrap();
    }
    for number in 0..95 {
        registry.register(format!("tracer-{number}"), ()).unwrap();
    }
    let host = spanmux_tests::host();
    let selectors = names.iter().map(|name| {
        let file = spanmux_tests::folder_of("../selectors").join(format!("{name}.wasm"));
        Arc::new(host.load_file(&file).unwrap()) as Arc<dyn Selector>
    });
    registry.set_selectors(Chain::from_iter(selectors));
    drop(registry.select(&context.view()));
    registry
}

#[test]
fn cached_selection_allocates_nothing() {
    let context = RuntimeContext::from_json(
        r#"{"environment":"staging","tenant":"globex","user":{"id":"u-1","tier":"pro"}}"#,
    )
    .unwrap();
    for names in [
        &["50-environment"][..],
        &[
            "10-health-checks",
            "20-tenant",
            "30-rollout",
            "40-tier-region",
            "50-environment",
        ],
    ] {
        let registry = cached(names, &context);
        let attributes = RuntimeContext::empty();
        let select = || {
            let span = RootSpan::with_attributes("POST /chat", "server", &attributes);
            let selection = registry.select(&context.view_with_span(&span));
            assert_eq!(selection.tracer_name(), Some("datadog"));
            assert_eq!(selection.selector_name(), Some("50-environment"));
            assert_eq!(selection.origin(), Origin::Cached);
        };
        // Cache the decision for this context and span first.
        let span = RootSpan::with_attributes("POST /chat", "server", &attributes);
        drop(registry.select(&context.view_with_span(&span)));
        assert_eq!(allocations(select), 0, "{names:?}");
    }
}

#[test]
fn lookup_among_many_answers_allocates_only_the_result() {
    let guest = spanmux_tests::guest("asker");
    let asker = spanmux_tests::host().load("asker", &guest).unwrap();
    let names = TracerNames::new(["get", "user"]);
    let contexts: Vec<_> = (0..500)
        .map(|user| RuntimeContext::builder().set("user", user).build())
        .collect();
    for context in &contexts {
        asker.decision(&context.view(), &names);
    }
    // The selector answers with a name that no tracer has. The result owns that name and a box,
    // because it is not a plain choice: two allocations.
    for context in [&contexts[0], &contexts[499]] {
        let decide = || {
            let decision = asker.decision(&context.view(), &names);
            assert_eq!(decision.origin, Origin::Cached);
        };
        assert_eq!(allocations(decide), 2);
    }
}

/// Returns the number of allocations for a root span and for a child span.
fn spans_of(tracer: &impl Tracer<Span: Send + Sync + 'static>) -> [u64; 2] {
    let cx = Context::new().with_runtime_context(context());
    let root = || {
        let own = [KeyValue::new("http.route", "/chat"), KeyValue::new("n", 7)];
        let builder = SpanBuilder::from_name("root").with_attributes(own);
        tracer.build_with_context(builder, &cx)
    };
    let parent = cx.with_span(root());
    let child = || tracer.start_with_context("child", &parent).end();
    [allocations(|| drop(root())), allocations(child)]
}

#[test]
fn routing_allocates_only_the_attributes_of_the_reason() {
    let samplers = [Sampler::AlwaysOn, Sampler::AlwaysOff];
    for sampler in samplers {
        let sdk = || SdkTracerProvider::builder().with_sampler(sampler.clone());
        let routed = |add: &dyn Fn(TracerProviderBuilder) -> spanmux::otel::TracerSource| {
            let by_route = selector_fn("by-route", |context, tracers: &TracerNames| match context
                .text("span.http.route")
            {
                Some("/chat") => tracers.choose("only"),
                _ => Choice::failed("the root's attributes are read"),
            });
            let provider = RoutingTracerProvider::builder()
                .tracer("only", add(sdk()))
                .selectors(Chain::from(by_route))
                .build()
                .unwrap();
            let spans = spans_of(&provider.tracer("shop"));
            assert_eq!(
                provider.registry().counts().chosen,
                provider.registry().counts().total()
            );
            spans
        };
        let bare = spans_of(&sdk().build().tracer("shop"));
        // One allocation more: the attribute list is rebuilt with the reason in front.
        assert_eq!(
            routed(&|sdk| sdk.into()),
            [bare[0] + 1, bare[1]],
            "{sampler:?}"
        );
        // For comparison, the cost of routing to an existing SDK provider.
        let [root, child] = routed(&|sdk| sdk.build().into());
        assert!(root > bare[0] + 1 && child > bare[1], "{root} {child}");
    }
}

#[test]
fn redaction_of_texts_without_secrets_allocates_nothing() {
    let redaction = Redaction::default();
    let messages = r#"[{"role":"user","parts":[{"type":"text","content":"Where is order 17?"}]}]"#;
    for (key, text) in [
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.input.messages", messages),
        ("url.full", "https://example.com:8080/a?page=2&max_tokens=5"),
        ("log", "12:30:45 level=info msg=\"done\" n: 5, author: x"),
    ] {
        let redact = || {
            std::hint::black_box(redaction.redact(key, text));
        };
        assert_eq!(allocations(redact), 0, "{key}");
    }
}

#[test]
fn building_a_context_of_twenty_keys_allocates_three_times() {
    let entries: Vec<(String, String)> = (0..20)
        .map(|number| (format!("key.{number}"), format!("value {number}")))
        .collect();
    let build = |context: RuntimeContext, entries: &[(String, String)]| {
        let start = context.to_builder();
        let set = entries
            .iter()
            .fold(start, |builder, (key, value)| builder.set(key, value));
        set.build()
    };
    let empty = RuntimeContext::empty();
    let allocated = allocations(|| {
        let start = RuntimeContext::builder();
        let set = entries
            .iter()
            .fold(start, |builder, (key, value)| builder.set(key, value));
        drop(std::hint::black_box(set.build()));
    });
    assert_eq!(allocated, 3);
    // As many for a request that extends the context of its service.
    let service = build(empty, &entries);
    let request = [("tenant", "acme"), ("tier", "gold"), ("user", "u-3")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()));
    let extended = allocations(|| drop(std::hint::black_box(build(service.clone(), &request))));
    assert_eq!(extended, 3);
}
