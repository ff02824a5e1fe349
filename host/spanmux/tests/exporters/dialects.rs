//! One agent run as each backend receives it: spans of this library, of an OpenInference library,
//! of OpenLLMetry, and a plain client span.

use std::collections::BTreeMap;

use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, SpanBuilder, Tracer as _, TracerProvider as _};
use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use serde_json::json;
use spanmux::exporters::{
    Braintrust, BraintrustParent, DatadogIntake, Dialect, Exporter, LangSmith, Langfuse, Mlflow,
    OtlpExporter, Phoenix,
};
use spanmux::genai::{Ai, AiOptions, Document, Usage};
use spanmux::otel::{RoutingTracerProvider, TracerConfig};
use spanmux::redaction::SpanFilter;

use crate::collector::Collector;

type Attributes = BTreeMap<String, String>;

fn shown(value: &AnyValue) -> String {
    match value.value.as_ref().unwrap() {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        Value::DoubleValue(number) => number.to_string(),
        Value::BoolValue(flag) => flag.to_string(),
        Value::ArrayValue(list) => {
            let all: Vec<_> = list.values.iter().map(shown).collect();
            format!("{all:?}")
        }
        other => panic!("{other:?}"),
    }
}

/// Records the run, and returns the attributes of each span as the backend received them.
fn run(
    exporter: impl Into<OtlpExporter>,
    dialect: Option<Dialect>,
    filter: SpanFilter,
) -> BTreeMap<String, Attributes> {
    run_with(exporter, dialect, |exporter| exporter.filter(filter))
}

fn run_with(
    exporter: impl Into<OtlpExporter>,
    dialect: Option<Dialect>,
    settings: impl FnOnce(Exporter) -> Exporter,
) -> BTreeMap<String, Attributes> {
    let collector = Collector::start();
    let exporter = settings(Exporter::from(exporter.into().origin(collector.origin())));
    let mut config = TracerConfig::new()
        .exporter(exporter)
        .resource("deployment.environment.name", "staging")
        .resource("service.version", "1.2");
    if let Some(dialect) = dialect {
        config = config.dialect(dialect);
    }
    let provider = RoutingTracerProvider::builder()
        .service_name("shop")
        .tracer("llm", config)
        .build()
        .unwrap();
    let ai = Ai::with_options(
        provider.tracer("shop"),
        AiOptions::new().capture_content(true),
    );
    let agent = ai
        .agent_run("assistant")
        .session("s-1")
        .user("u-1")
        .tags(["beta", "eu"])
        .input("Where is order 17?")
        .start();
    let call = agent
        .generation("gpt-5-mini")
        .provider("openai")
        .prompt("support", "3")
        .temperature(0.5)
        .input("Where is order 17?")
        .start();
    call.usage(Usage::new(812, 96).cached(512).reasoning(40));
    call.finish_reason("stop");
    call.first_token();
    call.output("It was shipped.");
    call.end();
    let tool = agent
        .tool_call("search_orders")
        .arguments(json!({"id": 17}))
        .start();
    tool.result(json!({"state": "shipped"}));
    tool.end();
    let search = agent.retrieval("faq").query("refund").start();
    search.documents([Document::new("d-1").content("A week.")]);
    search.end();
    let others = provider.tracer("other");
    let cx = agent.context().clone();
    let start = |name: &'static str, attributes: &[(&'static str, &'static str)]| {
        let attributes = attributes.iter();
        let attributes: Vec<_> = attributes
            .map(|(key, value)| KeyValue::new(*key, *value))
            .collect();
        let builder = SpanBuilder::from_name(name).with_attributes(attributes);
        others.build_with_context(builder, &cx).end();
    };
    start(
        "openinference",
        &[
            ("openinference.span.kind", "LLM"),
            ("llm.model_name", "claude"),
            ("llm.token_count.prompt", "10"),
            ("llm.input_messages.0.message.role", "user"),
            ("llm.input_messages.0.message.content", "Hello"),
        ],
    );
    start(
        "traceloop",
        &[
            ("llm.request.type", "chat"),
            ("gen_ai.system", "mistral"),
            ("gen_ai.usage.prompt_tokens", "11"),
            ("gen_ai.prompt.0.role", "user"),
            ("gen_ai.prompt.0.content", "Hello"),
        ],
    );
    start("GET", &[("http.request.method", "GET")]);
    agent.output("It was shipped.");
    agent.end();
    drop(cx);
    provider.force_flush().into_result().unwrap();
    let mut spans = BTreeMap::new();
    for received in collector.received() {
        let resources = received.message().resource_spans.into_iter();
        for span in resources
            .flat_map(|of| of.scope_spans)
            .flat_map(|scope| scope.spans)
        {
            let attributes = span.attributes.iter();
            let attributes =
                attributes.map(|of| (of.key.clone(), shown(of.value.as_ref().unwrap())));
            spans.insert(span.name.clone(), attributes.collect());
        }
    }
    spans
}

const CALL: &str = "chat gpt-5-mini";
const AGENT: &str = "invoke_agent assistant";
const TOOL: &str = "execute_tool search_orders";
const SEARCH: &str = "retrieval faq";

#[track_caller]
fn assert_read(spans: &BTreeMap<String, Attributes>, table: &[(&str, &str, &str)]) {
    for (span, key, value) in table {
        let found = spans[*span].get(*key).map(String::as_str);
        assert_eq!(
            found,
            Some(*value),
            "{key} of {span} in {:#?}",
            spans[*span]
        );
    }
}

#[test]
fn langfuse_receives_its_names_on_every_span() {
    let spans = run(Langfuse::new("pk", "sk"), None, SpanFilter::new());
    assert_eq!(spans.len(), 7);
    assert_read(
        &spans,
        &[
            (AGENT, "langfuse.observation.type", "agent"),
            (CALL, "langfuse.observation.type", "generation"),
            (CALL, "langfuse.observation.model.name", "gpt-5-mini"),
            (CALL, "langfuse.observation.prompt.name", "support"),
            (CALL, "langfuse.observation.prompt.version", "3"),
            (TOOL, "langfuse.observation.type", "tool"),
            (TOOL, "langfuse.observation.input", r#"{"id":17}"#),
            (SEARCH, "langfuse.observation.type", "retriever"),
            (SEARCH, "langfuse.observation.input", "refund"),
            ("openinference", "langfuse.observation.type", "generation"),
            ("openinference", "gen_ai.usage.input_tokens", "10"),
            ("traceloop", "gen_ai.usage.input_tokens", "11"),
        ],
    );
    assert!(spans[CALL].contains_key("langfuse.observation.completion_start_time"));
    // Langfuse takes every key below `gen_ai.prompt` for the input.
    let mut keys = spans[CALL].keys();
    assert!(!keys.any(|key| key.starts_with("gen_ai.prompt")));
    for (name, attributes) in &spans {
        for (key, value) in [
            ("session.id", "s-1"),
            ("user.id", "u-1"),
            ("langfuse.trace.tags", r#"["beta", "eu"]"#),
            ("langfuse.environment", "staging"),
            ("langfuse.release", "1.2"),
        ] {
            assert_eq!(
                attributes.get(key).map(String::as_str),
                Some(value),
                "{name}"
            );
        }
    }
}

#[test]
fn langsmith_receives_its_names_on_every_span() {
    let spans = run(LangSmith::new("key"), None, SpanFilter::new());
    assert_read(
        &spans,
        &[
            (AGENT, "langsmith.span.kind", "chain"),
            (CALL, "langsmith.span.kind", "llm"),
            (CALL, "gen_ai.system", "openai"),
            (CALL, "gen_ai.usage.details.reasoning_tokens", "40"),
            (TOOL, "langsmith.span.kind", "tool"),
            (TOOL, "input.value", r#"{"id":17}"#),
            (TOOL, "output.value", r#"{"state":"shipped"}"#),
            (SEARCH, "langsmith.span.kind", "retriever"),
            (SEARCH, "input.value", "refund"),
        ],
    );
    for (name, attributes) in &spans {
        for (key, value) in [
            ("langsmith.metadata.session_id", "s-1"),
            ("langsmith.metadata.thread_id", "s-1"),
            ("langsmith.metadata.user_id", "u-1"),
            ("langsmith.span.tags", "beta, eu"),
        ] {
            assert_eq!(
                attributes.get(key).map(String::as_str),
                Some(value),
                "{name}"
            );
        }
    }
}

#[test]
fn phoenix_and_mlflow_receive_open_inference() {
    let phoenix = run(
        Phoenix::http("http://localhost:6006"),
        None,
        SpanFilter::new(),
    );
    let mlflow = run(
        Mlflow::new("http://localhost:5000", "0"),
        None,
        SpanFilter::new(),
    );
    for spans in [&phoenix, &mlflow] {
        assert_read(
            spans,
            &[
                (AGENT, "openinference.span.kind", "AGENT"),
                (AGENT, "input.value", "Where is order 17?"),
                (AGENT, "output.value", "It was shipped."),
                (CALL, "openinference.span.kind", "LLM"),
                (CALL, "llm.model_name", "gpt-5-mini"),
                (CALL, "llm.token_count.prompt", "812"),
                (CALL, "llm.token_count.total", "908"),
                (CALL, "llm.invocation_parameters", r#"{"temperature":0.5}"#),
                (
                    CALL,
                    "llm.input_messages.0.message.content",
                    "Where is order 17?",
                ),
                (
                    CALL,
                    "llm.output_messages.0.message.content",
                    "It was shipped.",
                ),
                (TOOL, "input.value", r#"{"id":17}"#),
                (TOOL, "tool.name", "search_orders"),
                (SEARCH, "retrieval.documents.0.document.content", "A week."),
                ("openinference", "llm.token_count.prompt", "10"),
                ("traceloop", "openinference.span.kind", "LLM"),
                ("traceloop", "llm.token_count.prompt", "11"),
                ("traceloop", "llm.input_messages.0.message.content", "Hello"),
            ],
        );
        assert_eq!(
            spans["GET"].keys().collect::<Vec<_>>(),
            ["http.request.method"]
        );
    }
    let all = phoenix.values().flat_map(BTreeMap::keys);
    let rest: Vec<_> = all.filter(|key| key.starts_with("gen_ai.")).collect();
    // OpenInference has no names for these.
    assert_eq!(
        rest,
        [
            "gen_ai.prompt.name",
            "gen_ai.response.time_to_first_chunk",
            "gen_ai.data_source.id"
        ]
    );
    assert_eq!(mlflow[CALL]["gen_ai.usage.input_tokens"], "812");
}

#[test]
fn other_llm_backends_receive_the_conventions() {
    let project = BraintrustParent::ProjectName("shop".to_owned());
    let datadog = DatadogIntake::new("datadoghq.com", "key").llm_observability();
    for spans in [
        run(Braintrust::new("key", project), None, SpanFilter::new()),
        run(datadog, None, SpanFilter::new()),
    ] {
        assert_read(
            &spans,
            &[
                (CALL, "gen_ai.usage.input_tokens", "812"),
                ("openinference", "gen_ai.operation.name", "chat"),
                ("openinference", "gen_ai.usage.input_tokens", "10"),
                (
                    "openinference",
                    "gen_ai.input.messages",
                    r#"[{"parts":[{"content":"Hello","type":"text"}],"role":"user"}]"#,
                ),
                ("traceloop", "gen_ai.provider.name", "mistral"),
                ("traceloop", "gen_ai.usage.input_tokens", "11"),
            ],
        );
        assert!(!spans["openinference"].contains_key("llm.model_name"));
    }
}

/// Without a dialect, spans leave as they were recorded. A tracer can set one for any exporter.
#[test]
fn dialect_of_a_tracer_applies_to_any_exporter() {
    let otlp = || OtlpExporter::http("http://localhost:4318");
    let plain = run(otlp(), None, SpanFilter::new());
    assert_eq!(plain["traceloop"]["gen_ai.usage.prompt_tokens"], "11");
    assert_eq!(plain["openinference"].len(), 5);
    let langfuse = run(otlp(), Some(Dialect::Langfuse), SpanFilter::new());
    assert_eq!(langfuse[CALL]["langfuse.observation.type"], "generation");
    let other = run(
        Langfuse::new("pk", "sk"),
        Some(Dialect::OpenInference),
        SpanFilter::new(),
    );
    assert_eq!(other[CALL]["llm.token_count.prompt"], "812");
    assert!(!other[CALL].contains_key("langfuse.observation.type"));
}

/// The usage of a dropped call moves to the agent, whose own usage is left out.
#[test]
fn usage_of_dropped_calls_stays_on_the_agent() {
    let filter = SpanFilter::new().drop_names(["chat *"]);
    let spans = run(Phoenix::http("http://localhost:6006"), None, filter);
    assert!(!spans.contains_key(CALL));
    assert_eq!(spans[AGENT]["llm.token_count.prompt"], "812");
    assert_eq!(spans[AGENT]["llm.token_count.completion"], "96");
}

/// Content is removed under all of its names, before and after the translation.
#[test]
fn destination_without_content_has_none_in_any_dialect() {
    const CONTENT: [&str; 5] = ["order 17", "shipped", "Hello", "refund", "A week"];
    for dialect in [
        Dialect::GenAi,
        Dialect::OpenInference,
        Dialect::Langfuse,
        Dialect::LangSmith,
        Dialect::Both,
    ] {
        let otlp = || OtlpExporter::http("http://localhost:4318");
        let spans = run_with(otlp(), Some(dialect), |exporter| exporter.content(false));
        assert_eq!(spans.len(), 7);
        let call = format!("{:?}", spans[CALL]);
        assert!(call.contains("812"), "{dialect:?}");
        assert!(call.contains("support"), "{dialect:?}: the prompt's name");
        let all = format!("{spans:?}");
        for content in CONTENT {
            assert!(
                !all.contains(content),
                "{content} in {dialect:?}: {spans:#?}"
            );
        }
        let with = format!("{:?}", run(otlp(), Some(dialect), SpanFilter::new()));
        assert!(CONTENT.iter().all(|content| with.contains(content)));
    }
}
