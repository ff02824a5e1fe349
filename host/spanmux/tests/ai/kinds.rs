//! Each kind of AI span, in each dialect, with and without content.

use opentelemetry::trace::SpanKind;
use spanmux::genai::{Ai, AiOptions, Dialect, Score};

use crate::support::{ai, shown, spans};
use crate::{models, runs};

/// One kind: a function that creates its span, and the expected span.
pub(crate) struct Row {
    pub(crate) make: fn(&Ai),
    pub(crate) name: &'static str,
    pub(crate) kind: SpanKind,
    /// Attributes in both dialects.
    pub(crate) both: &'static [&'static str],
    pub(crate) gen_ai: &'static [&'static str],
    pub(crate) open_inference: &'static [&'static str],
    /// Content attributes in both dialects.
    pub(crate) both_content: &'static [&'static str],
    pub(crate) gen_ai_content: &'static [&'static str],
    pub(crate) open_inference_content: &'static [&'static str],
}

/// Returns the attributes that a row expects.
fn expected(row: &Row, dialect: Dialect, content: bool) -> Vec<String> {
    let gen_ai = dialect != Dialect::OpenInference;
    let open_inference = dialect != Dialect::GenAi;
    let mut all = Vec::new();
    for (here, attributes) in [
        (true, row.both),
        (gen_ai, row.gen_ai),
        (open_inference, row.open_inference),
        (content, row.both_content),
        (content && gen_ai, row.gen_ai_content),
        (content && open_inference, row.open_inference_content),
    ] {
        if here {
            all.extend(attributes.iter().map(|text| (*text).to_owned()));
        }
    }
    all.sort_by_key(|text| text.split('=').next().unwrap().to_owned());
    all
}

const DIALECTS: [Dialect; 3] = [Dialect::GenAi, Dialect::OpenInference, Dialect::Both];

#[test]
fn each_kind_has_the_attributes_of_its_dialect() {
    for row in models::rows().into_iter().chain(runs::rows()) {
        for dialect in DIALECTS {
            for content in [false, true] {
                let options = AiOptions::new().dialect(dialect).capture_content(content);
                let (ai, exporter) = ai(options);
                (row.make)(&ai);
                let spans = spans(&exporter);
                let case = format!("{} in {dialect:?}, content {content}", row.name);
                assert_eq!(spans.len(), 1, "{case}");
                assert_eq!(spans[0].name, row.name, "{case}");
                assert_eq!(spans[0].span_kind, row.kind, "{case}");
                let mut shown = shown(&spans[0].attributes);
                for text in &mut shown {
                    if let Some((key, seconds)) = text.split_once("first_chunk=") {
                        assert!(seconds.parse::<f64>().unwrap() >= 0.0);
                        *text = format!("{key}first_chunk=SECONDS");
                    }
                }
                assert_eq!(shown, expected(&row, dialect, content), "{case}");
            }
        }
    }
}

/// An exporter translates each kind to the attributes that the typed spans have in OpenInference.
#[test]
fn exporter_translates_each_kind_to_open_inference() {
    use opentelemetry::trace::TracerProvider as _;
    use opentelemetry_sdk::trace::InMemorySpanExporter;
    use spanmux::exporters::{self, Exporter};
    use spanmux::otel::TracerConfig;

    for row in models::rows().into_iter().chain(runs::rows()) {
        let exporter = InMemorySpanExporter::default();
        let tracer = TracerConfig::new()
            .service_name("shop")
            .exporter(Exporter::custom(exporter.clone()))
            .dialect(exporters::Dialect::OpenInference)
            .build()
            .unwrap();
        let options = AiOptions::new().capture_content(true);
        let ai = Ai::with_options(tracer.provider().tracer("shop"), options);
        (row.make)(&ai);
        tracer.force_flush().unwrap();
        let span = spans(&exporter).remove(0);
        let translated = shown(&span.attributes);
        for text in expected(&row, Dialect::OpenInference, true) {
            let is_there = translated.contains(&text);
            assert!(is_there, "{}: {text} in {translated:#?}", row.name);
        }
        let key = |text: &str| text.split('=').next().unwrap().to_owned();
        let replaced = [
            "gen_ai.operation.name",
            "gen_ai.input.messages",
            "gen_ai.request.model",
        ];
        for text in &translated {
            assert!(!replaced.contains(&&*key(text)), "{}: {text}", row.name);
        }
        tracer.shutdown().unwrap();
    }
}

#[test]
fn builder_overrides_names_and_kinds() {
    let (ai, exporter) = ai(AiOptions::new());
    ai.agent_run("a").remote().start().end();
    ai.generation("m")
        .operation("text_completion")
        .start()
        .end();
    ai.generation("").start().end();
    ai.workflow_run("w")
        .span_name("POST /refunds")
        .span_kind(SpanKind::Server)
        .start()
        .end();
    let spans = spans(&exporter);
    let shown: Vec<_> = spans
        .iter()
        .map(|span| (&*span.name, span.span_kind.clone()))
        .collect();
    assert_eq!(
        shown,
        [
            ("invoke_agent a", SpanKind::Client),
            ("text_completion m", SpanKind::Client),
            ("chat", SpanKind::Client),
            ("POST /refunds", SpanKind::Server),
        ]
    );
}

#[test]
fn langfuse_attributes_are_optional() {
    let (ai, exporter) = ai(AiOptions::new().langfuse(true));
    let run = ai.agent_run("a").tags(["beta"]).start();
    let call = run.generation("m").streaming().start();
    call.first_token();
    drop((call, run));
    let spans = spans(&exporter);
    let own = |place: usize| -> Vec<String> {
        let shown = shown(&spans[place].attributes);
        shown
            .into_iter()
            .filter(|text| text.starts_with("langfuse."))
            .collect()
    };
    let [start, tags] = own(0).try_into().unwrap();
    let (key, time) = start.split_once('=').unwrap();
    assert_eq!(key, "langfuse.observation.completion_start_time");
    assert!(
        time.len() == 24 && time.ends_with('Z') && time.contains('T'),
        "{time}"
    );
    assert_eq!(tags, r#"langfuse.trace.tags=["beta"]"#);
    assert_eq!(own(1), [tags]);
}

#[test]
fn handles_and_scores_are_send_and_sync() {
    fn is_send<T: Send + Sync>(_: &T) {}
    let (ai, _exporter) = ai(AiOptions::new());
    let run = ai.agent_run("a").start();
    is_send(&ai);
    is_send(&run);
    is_send(&Score::new("helpful"));
}
