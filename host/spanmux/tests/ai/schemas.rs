//! Recorded messages match their schemas, also after they were truncated.
//!
//! # Source
//! The rules of `gen-ai-input-messages.json`, `gen-ai-output-messages.json` and
//! `gen-ai-system-instructions.json` of the GenAI conventions 1.41.0, as types that accept nothing
//! else.

use opentelemetry_sdk::trace::SpanData;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use spanmux::genai::{AiOptions, ContentLimits, Dialect, Message};
use spanmux::redaction::AttributeLimits;

use crate::support::{ai, spans, value};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    role: String,
    parts: Vec<Part>,
    #[allow(dead_code)]
    finish_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Output {
    role: String,
    parts: Vec<Part>,
    finish_reason: String,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Part {
    Text {
        content: String,
    },
    Reasoning {
        content: String,
    },
    ToolCall {
        id: String,
        name: String,
        arguments: Value,
    },
    ToolCallResponse {
        id: String,
        response: Value,
    },
    Blob {
        modality: String,
        mime_type: String,
        content: String,
    },
    Uri {
        modality: String,
        mime_type: String,
        uri: String,
    },
    File {
        modality: String,
        mime_type: String,
        file_id: String,
    },
}

fn read<T: DeserializeOwned>(span: &SpanData, key: &str) -> Vec<T> {
    let text = value(span, key).unwrap_or_else(|| panic!("{key} is missing"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{key}: {error}: {text}"))
}

/// A conversation with a part of every type.
fn conversation(text: &str) -> Vec<Message> {
    let rows: Vec<Value> = (0..40)
        .map(|row| json!({"row": row, "text": text}))
        .collect();
    vec![
        Message::system(text),
        Message::user(text)
            .base64(
                "image",
                "image/png",
                text.replace(|c: char| !c.is_ascii(), "A"),
            )
            .uri("audio", "audio/mp3", "https://example.com/a.mp3")
            .file("image", "image/png", "file-1"),
        Message::assistant(text).reasoning(text).tool_call(
            "call-1",
            "search",
            json!({"query": text, "rows": rows}),
        ),
        Message::tool("call-1", json!(rows)),
        Message::tool("call-2", json!(text)),
        Message::assistant(text),
    ]
}

/// Records a conversation as the input and as the output of a generation.
fn record(limits: ContentLimits, text: &str) -> SpanData {
    let options = AiOptions::new()
        .dialect(Dialect::Both)
        .capture_content(true)
        .limits(limits);
    let (ai, exporter) = ai(options);
    let call = ai
        .generation("m")
        .instructions(text)
        .tools(["search", "book"])
        .input(conversation(text))
        .start();
    call.output(conversation(text));
    call.end();
    spans(&exporter).remove(0)
}

/// Checks all messages of a span. Returns the number of parts.
fn check(span: &SpanData) -> usize {
    let mut parts = 0;
    for message in read::<Input>(span, "gen_ai.input.messages") {
        assert!(!message.role.is_empty());
        parts += message.parts.len();
    }
    for key in ["gen_ai.output.messages", "output.value"] {
        for message in read::<Output>(span, key) {
            assert!(!message.role.is_empty() && !message.finish_reason.is_empty());
            parts += message.parts.len();
        }
    }
    parts + read::<Part>(span, "gen_ai.system_instructions").len()
}

/// Records the same conversation within many limits, the default ones first.
fn records() -> Vec<SpanData> {
    let text = "äöü \"quoted\" \n".repeat(100);
    let mut spans = vec![record(ContentLimits::new(), &text)];
    for bytes in [0, 1, 40, 200, 1_000, 5_000, 20_000] {
        for (items, depth) in [(0, 0), (1, 3), (2, 5), (256, 16)] {
            for text_bytes in [0, 10, 500, 50_000] {
                let limits = ContentLimits::new()
                    .total_bytes(bytes)
                    .text_bytes(text_bytes)
                    .items(items)
                    .depth(depth);
                spans.push(record(limits, &text));
            }
        }
    }
    spans
}

#[test]
fn messages_match_their_schemas_for_any_limits() {
    let spans = records();
    assert!(check(&spans[0]) > 30);
    for span in spans {
        let parts = check(&span);
        assert!(parts >= 4, "{parts}");
    }
}

/// The attributes for which the conventions have a schema.
const WITH_SCHEMA: [&str; 4] = [
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.definitions",
];

/// Runs in `tests/backends/run`, which installs Phoenix.
#[test]
#[ignore = "needs a Python with Phoenix, named by SPANMUX_PHOENIX_PYTHON"]
fn messages_match_the_models_of_phoenix() {
    let python = std::env::var("SPANMUX_PHOENIX_PYTHON").unwrap();
    let mut lines = Vec::new();
    for span in records() {
        for key in WITH_SCHEMA {
            let value = value(&span, key).unwrap_or_else(|| panic!("{key} is missing"));
            lines.push(json!({"key": key, "value": value}).to_string());
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("messages.jsonl");
    std::fs::write(&file, lines.join("\n")).unwrap();
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/backends/validate_messages.py"
    );
    let mut command = std::process::Command::new(python);
    let done = command.arg(script).arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    let counted = String::from_utf8(done.stdout).unwrap();
    assert_eq!(counted.trim(), lines.len().to_string());
}

#[test]
fn oversized_media_become_a_text_with_type_and_size() {
    let text = "iVBORw0KGgoAAAAN".repeat(100);
    let limits = ContentLimits::new().text_bytes(1_000);
    let span = record(limits, &text);
    let shown = format!(
        "{:?}",
        read::<Input>(&span, "gen_ai.input.messages")[1].parts
    );
    assert!(shown.contains("…[image/png, 1200 bytes]"), "{shown}");
    assert!(!shown.contains("Blob"), "{shown}");
    let url = "llm.input_messages.2.message.contents.0.message_content.image.image.url";
    assert_eq!(
        value(&span, url).as_deref(),
        Some("…[image/png, 1200 bytes]")
    );
    let whole = record(ContentLimits::new(), "iVBORw0KGgoAAAAN");
    let url = value(&whole, url);
    assert_eq!(
        url.as_deref(),
        Some("data:image/png;base64,iVBORw0KGgoAAAAN")
    );
    let parts = &read::<Input>(&whole, "gen_ai.input.messages")[1].parts;
    assert!(matches!(&parts[1], Part::Blob { content, .. } if content.starts_with("iVBOR")));
}

/// The finish reason of a span completes its output, whichever is recorded first.
#[test]
fn output_messages_have_a_finish_reason() {
    let (ai, exporter) = ai(AiOptions::new().capture_content(true));
    let first = ai.generation("m").start();
    first.finish_reason("length");
    first.output("cut off");
    drop(first);
    let second = ai.generation("m").start();
    second.output("cut off");
    second.finish_reason("length");
    drop(second);
    let run = ai.agent_run("a").start();
    run.output(Message::assistant("x").finish_reason("content_filter"));
    run.finish_reason("length");
    drop(run);
    let unknown = ai.generation("m").start();
    unknown.output([
        Message::assistant("").tool_call("1", "t", json!({})),
        Message::assistant("done"),
    ]);
    drop(unknown);
    let reasons: Vec<Vec<String>> = spans(&exporter)
        .iter()
        .map(|span| read::<Output>(span, "gen_ai.output.messages"))
        .map(|list| {
            list.into_iter()
                .map(|message| message.finish_reason)
                .collect()
        })
        .collect();
    assert_eq!(
        reasons,
        [
            vec!["length"],
            vec!["length"],
            vec!["content_filter"],
            vec!["tool_call", "stop"]
        ]
    );
}

/// The limits of an exporter truncate messages of any library.
#[test]
fn exported_messages_match_their_schemas_for_any_length() {
    use opentelemetry::trace::{SpanBuilder, Tracer as _, TracerProvider as _};
    use opentelemetry_sdk::trace::InMemorySpanExporter;
    use spanmux::exporters::Exporter;
    use spanmux::otel::TracerConfig;

    let text = "some text \"quoted\" \n".repeat(200);
    let span = record(ContentLimits::new(), &text);
    let attributes = span.attributes.clone();
    for length in [150, 400, 1_000, 5_000, 20_000, 131_072] {
        let exporter = InMemorySpanExporter::default();
        let tracer = TracerConfig::new()
            .service_name("shop")
            .limits(AttributeLimits::new().length(length))
            .exporter(Exporter::custom(exporter.clone()))
            .build()
            .unwrap();
        let builder = SpanBuilder::from_name("chat m").with_attributes(attributes.clone());
        drop(tracer.provider().tracer("library").build(builder));
        tracer.force_flush().unwrap();
        let exported = spans(&exporter).remove(0);
        assert!(check(&exported) >= 4, "{length}");
        for key in ["gen_ai.input.messages", "gen_ai.output.messages"] {
            let text = value(&exported, key).unwrap();
            assert!(text.chars().count() <= length, "{length}: {key}");
            let is_cut = value(&span, key).unwrap() != text;
            assert_eq!(text.contains("…["), is_cut, "{length}: {key}");
        }
        tracer.shutdown().unwrap();
    }
}
