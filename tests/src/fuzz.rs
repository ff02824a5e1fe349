//! Fuzz targets: functions of arbitrary bytes, each of which must terminate without violating the
//! properties of every input. The fuzzer in `fuzz/` and the suite `fuzzing` run them.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::OnceLock;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::{TraceContextExt as _, Tracer as _, TracerProvider as _};
use spanmux::config::{Config, ConfigError};
use spanmux::delivery::DiskBuffer;
use spanmux::exporters::{Exporter, OtlpExporter};
use spanmux::otel::internal::safe_end;
use spanmux::otel::{Inbound, Outbound, RoutingTracerProvider, TracerConfig};
use spanmux::redaction::Redaction;
use spanmux::{
    Budget, Choice, ContextLimits, Decision, Fallback, Mode, Origin, RuntimeContext, Selector,
    SelectorHost, TracerNames, Value,
};

use crate::{TRACERS, component, host_within, limits, text};

/// A function of arbitrary bytes.
pub type Target = fn(&[u8]);

/// All targets by name.
pub const TARGETS: [(&str, Target); 7] = [
    ("carrier", carrier),
    ("config", config),
    ("context", context),
    ("decision_cache", decision_cache),
    ("disk_buffer", disk_buffer),
    ("loader", loader),
    ("redaction", redaction),
];

/// Splits a text after its first line. Returns `None` if the bytes are not text.
fn lines(bytes: &[u8]) -> Option<(&str, &str)> {
    let text = std::str::from_utf8(bytes).ok()?;
    Some(text.split_once('\n').unwrap_or(("", text)))
}

/// A key in the first line and JSON after it: an accepted context is bounded, answers consistently,
/// and is equal when it is built again.
pub fn context(bytes: &[u8]) {
    let Some((key, json)) = lines(bytes) else {
        return;
    };
    let small = ContextLimits::default().keys(16).bytes(512).depth(4);
    for limits in [ContextLimits::default(), small] {
        let Ok(context) = RuntimeContext::from_json_within(json, limits) else {
            continue;
        };
        assert!(context.len() <= limits.keys);
        let again = context.to_builder().build();
        let (view, again) = (context.view(), again.view());
        let keys = view.keys();
        assert!(keys.is_sorted(), "{keys:?}");
        for key in keys.iter().map(String::as_str).chain([key]) {
            let answer = view.get(key);
            assert_eq!(view.contains(key), answer.is_some(), "{key:?}");
            assert_eq!(
                format!("{answer:?}"),
                format!("{:?}", again.get(key)),
                "{key:?}"
            );
            assert_eq!(view.text(key), answer.and_then(Value::as_text), "{key:?}");
            let bucket = view.bucket(key, "salt", 7);
            assert!(bucket.is_none_or(|bucket| bucket < 7), "{key:?}");
            assert_eq!(bucket, again.bucket(key, "salt", 7), "{key:?}");
            if let Some(Value::Json(json)) = answer {
                let text = format!("{{\"x\":{json}}}");
                let same = RuntimeContext::from_json(&text).expect("our own text");
                let same = format!("{:?}", same.view().get("x"));
                assert_eq!(same, format!("{answer:?}"));
            }
        }
    }
}

/// A configuration in either format: it is valid, or each mistake has its line.
pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    for read in [Config::from_toml, Config::from_json] {
        match read(text) {
            Ok(config) => assert!(!format!("{config:?}").is_empty()),
            Err(error @ ConfigError::Invalid(_)) => {
                assert!(!error.problems().is_empty());
                let lines = text.lines().count().max(1);
                for problem in error.problems() {
                    assert!((1..=lines + 1).contains(&problem.line), "{problem:?}");
                }
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

/// A file: it is refused, or decides within its fuel, always the same.
pub fn loader(bytes: &[u8]) {
    static HOST: OnceLock<SelectorHost> = OnceLock::new();
    let host = HOST.get_or_init(|| {
        host_within(
            limits()
                .component_bytes(64 << 10)
                .memory_bytes(2 << 20)
                .fuel(100_000),
        )
    });
    let Ok(selector) = host.load("fuzz", bytes) else {
        return;
    };
    let selector = selector.with_mode(Mode::Fresh);
    let context = RuntimeContext::builder().set("environment", "test").build();
    let decisions = [(); 2].map(|()| crate::decide(&selector, &context));
    for decision in &decisions {
        if let Origin::Run(cost) = decision.origin {
            assert!(cost.fuel <= 100_000, "{decision:?}");
        }
    }
    assert!(is_same(&decisions[0], &decisions[1]), "{decisions:?}");
}

/// The depth at which a stack ends depends on more than the answers.
fn is_same(one: &Decision, other: &Decision) -> bool {
    let stack = Choice::Fallback(Fallback::OutOfBudget(Budget::Stack));
    one.choice == other.choice || one.choice == stack || other.choice == stack
}

/// A program for the guest `random-program`, and contexts: cached decisions equal those of fresh
/// runs.
pub fn decision_cache(bytes: &[u8]) {
    static HOST: OnceLock<SelectorHost> = OnceLock::new();
    let host = HOST.get_or_init(|| {
        host_within(
            limits()
                .memory_bytes(2 << 20)
                .fuel(200_000)
                // Small, so that many entries are evicted.
                .cached_answers(64)
                .cached_bytes(32 << 10),
        )
    });
    let Some((length, rest)) = bytes.split_first() else {
        return;
    };
    let (program, contexts) = rest.split_at(rest.len().min(usize::from(*length) * 4));
    let data: String = program.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let file = component(&text("guests", "random-program").replace("the program", &data));
    let selector = host.load("fuzz", &file).expect("the guest");
    let fresh = selector.with_mode(Mode::Fresh);
    let names = TracerNames::new(TRACERS);
    let contexts: Vec<RuntimeContext> = contexts.chunks(6).take(24).map(small_context).collect();
    for context in contexts.iter().chain(&contexts) {
        let expected = fresh.decision(&context.view(), &names);
        let found = selector.decision(&context.view(), &names);
        assert!(is_same(&expected, &found), "{expected:?} and not {found:?}");
    }
}

/// Few keys with few values, so that they recur.
fn small_context(bytes: &[u8]) -> RuntimeContext {
    const KEYS: [&str; 4] = ["tenant", "environment", "user", "user.tier"];
    let mut builder = RuntimeContext::builder();
    for (key, byte) in KEYS.iter().zip(bytes) {
        builder = match byte % 8 {
            0 => builder,
            1 => builder.set(key, byte & 8 == 0),
            2 => builder.set(key, i64::from(byte / 8)),
            3 => builder.set(key, f64::from(*byte) / 16.0),
            4 => builder.set_json(key, &serde_json::json!({ "tier": byte / 8 })),
            _ => builder.set(key, ["acme", "test", "gold"][usize::from(byte / 8 % 3)]),
        };
    }
    builder.build()
}

/// The headers of a request.
const HEADERS: [&str; 3] = ["traceparent", "tracestate", "baggage"];

/// Headers of a request: `traceparent`, `tracestate` and `baggage`, one line each, and any further
/// headers of the same names, line by line. The root always goes to a registered
/// tracer, and the headers that are sent on are valid, within the limits, and stay the same in the
/// next process.
pub fn carrier(bytes: &[u8]) {
    static PROVIDER: OnceLock<RoutingTracerProvider> = OnceLock::new();
    let provider = PROVIDER.get_or_init(|| {
        let nowhere = || {
            TracerConfig::new()
                .service_name("fuzz")
                .exporter(Exporter::discard())
        };
        let builder = RoutingTracerProvider::builder()
            .inbound(Inbound::FollowBoth)
            .outbound(Outbound::TracestateAndBaggage)
            .baggage_keys(["tenant"])
            .copy_to_spans(["tenant"]);
        let builder = TRACERS
            .into_iter()
            .fold(builder, |builder, name| builder.tracer(name, nowhere()));
        builder.build().expect("a provider")
    });
    let text = String::from_utf8_lossy(bytes);
    let lines = HEADERS.into_iter().cycle().zip(text.lines()).enumerate();
    // After the first three lines, an empty one is not a header.
    let lines = lines.filter(|(place, (_, value))| *place < 3 || !value.is_empty());
    let headers = Headers(lines.map(|(_, header)| header).collect());
    let before = provider.registry().counts().total() + inbound(provider);
    let incoming = provider.propagator().extract(&headers);
    passes_on(provider, &incoming);
    let tracer = provider.tracer("fuzz");
    let root = incoming.with_span(tracer.start_with_context("root", &incoming));
    let onwards = passes_on(provider, &root);
    assert!(onwards["tracestate"].starts_with("spanmux="), "{onwards:?}");
    drop(tracer.start_with_context("child", &root));
    let after = provider.registry().counts().total() + inbound(provider);
    assert_eq!(
        after,
        before + 1,
        "{headers:?} is selected once, or followed once"
    );
    assert_eq!(provider.dropped().total(), 0);
}

/// Several headers, of which some have the same name.
#[derive(Debug)]
struct Headers<'a>(Vec<(&'static str, &'a str)>);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.get_all(key)?.first().copied()
    }

    fn keys(&self) -> Vec<&str> {
        HEADERS.to_vec()
    }

    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        let named = self.0.iter().filter(|(name, _)| *name == key);
        let values: Vec<&str> = named.map(|(_, value)| *value).collect();
        (!values.is_empty()).then_some(values)
    }
}

/// Checks and returns the headers with which a context leaves the process.
fn passes_on(provider: &RoutingTracerProvider, context: &Context) -> HashMap<String, String> {
    let propagator = provider.propagator();
    let mut headers = HashMap::new();
    propagator.inject_context(context, &mut headers);
    let limits = [
        ("traceparent", 55, 1),
        ("tracestate", 32 * (256 + 1 + 256 + 1), 32),
        ("baggage", 8192, 64),
    ];
    for (name, bytes, members) in limits {
        let header = headers.get(name).map_or("", String::as_str);
        assert!(header.len() <= bytes, "{headers:?}");
        assert!(header.split(',').count() <= members, "{headers:?}");
        let is_visible = |byte: u8| matches!(byte, 0x20..=0x7e);
        assert!(header.bytes().all(is_visible), "{headers:?}");
    }
    let next = propagator.extract(&headers);
    let (sent, received) = (context.span(), next.span());
    let (sent, received) = (sent.span_context(), received.span_context());
    assert_eq!(received.trace_id(), sent.trace_id(), "{headers:?}");
    assert_eq!(received.span_id(), sent.span_id(), "{headers:?}");
    let mut again = HashMap::new();
    propagator.inject_context(&next, &mut again);
    assert_eq!(again, headers, "the headers stay the same");
    headers
}

/// A file in the directory of a disk buffer: the bytes themselves, and a file with a valid header
/// and checksum that claims the number in the first eight bytes. The next process opens it, counts
/// its spans, and sends it or sets it aside.
pub fn disk_buffer(bytes: &[u8]) {
    static BACKEND: OnceLock<String> = OnceLock::new();
    let backend = BACKEND.get_or_init(accepting);
    for file in [bytes.to_vec(), with_header(bytes)] {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join(format!("{:020}.spill", 3));
        std::fs::write(&path, &file).expect("a file");
        let buffer = DiskBuffer::new(folder.path());
        let exporter = Exporter::otlp(OtlpExporter::http(backend)).disk_buffer(buffer);
        let config = TracerConfig::new().service_name("fuzz").exporter(exporter);
        let tracer = config.build().expect("a tracer");
        let counts = || tracer.delivery()[0].1.clone();
        let found = counts();
        assert!(found.recovered <= file.len() as u64 / 2, "{found:?}");
        let _ = tracer.shutdown_with_timeout(Duration::from_secs(60));
        let done = counts();
        assert_eq!(done.recovered, done.delivered + done.lost(), "{done:?}");
        assert_eq!(done.recovered, found.recovered, "{done:?}");
        assert!(!path.exists(), "sent or set aside");
    }
}

/// Returns a disk buffer file with the request in `bytes`, after the claimed number of spans.
fn with_header(bytes: &[u8]) -> Vec<u8> {
    let (claimed, request) = bytes.split_at(bytes.len().min(8));
    let mut spans = [0; 8];
    spans[..claimed.len()].copy_from_slice(claimed);
    let mut file = b"spanmux1".to_vec();
    file.extend(spans);
    file.extend(0_u64.to_le_bytes());
    file.extend((request.len() as u64).to_le_bytes());
    let sum = xxhash_rust::xxh64::xxh64(&[&file, request].concat(), 0);
    file.extend(sum.to_le_bytes());
    file.extend(request);
    file
}

/// Starts a backend that accepts every request over HTTP. Returns its origin.
fn accepting() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    // The thread ends with the process.
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            accept(stream);
        }
    });
    origin
}

/// Reads one request, answers it and closes the connection.
fn accept(stream: TcpStream) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        if line.trim_end().is_empty() {
            break;
        }
        if let Some(text) = line.strip_prefix("content-length: ") {
            length = text.trim_end().parse().ok()?;
        }
    }
    std::io::copy(&mut reader.take(length), &mut std::io::sink()).ok()?;
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    (&stream).write_all(answer).ok()
}

fn inbound(provider: &RoutingTracerProvider) -> u64 {
    provider.inbound_counts().followed
}

/// The texts around a secret, of which each is recognized in any surroundings.
const PLANTED: [(&str, &str); 14] = [
    (" sk-proj-", " "),
    (" Bearer ", " "),
    ("\"password\":\"", "\""),
    ("'password': '", "'"),
    ("\\\"password\\\":\\\"", "\\\""),
    (" password=", " "),
    ("&password=", "&"),
    ("?X-Amz-Signature=", "&"),
    (" https://user:", "@host "),
    ("\nAuthorization: Token ", "\n"),
    ("\nCookie: session=", "\n"),
    (" --password ", " "),
    ("<password>", "</password>"),
    (
        "\n-----BEGIN PRIVATE KEY-----\n",
        "\n-----END PRIVATE KEY-----\n",
    ),
];

/// The secret that is planted. It is assembled, so that no text here looks like a key.
fn secret() -> String {
    "hunter2Hunter2".repeat(3)
}

/// A byte that selects one of `PLANTED`, a byte for its place, and the text around it: no part
/// of the secret is left, also if the text is JSON, is inside JSON, or is shortened anywhere.
pub fn redaction(bytes: &[u8]) {
    let &[which, place, ref noise @ ..] = bytes else {
        return;
    };
    let noise = String::from_utf8_lossy(noise);
    // A fuzzer learns the secret from the comparison below and writes it where nothing marks it.
    if has_part_of_secret(&noise) {
        return;
    }
    let at = noise.floor_char_boundary(noise.len() * usize::from(place) / 255);
    let (before, after) = noise.split_at(at);
    let (left, right) = PLANTED[usize::from(which) % PLANTED.len()];
    let text = format!("{before}{left}{}{right}{after}", secret());
    let inside = serde_json::json!({"messages": [{"content": text}], "n": 1}).to_string();
    let end = text.len() * usize::from(which) / 255;
    let shortened = text[..safe_end(&text, end)].to_owned() + "…[1 more characters]";
    for text in [text, inside.clone(), inside + "{", shortened] {
        let left = Redaction::default().redact("text", &text);
        assert!(!has_part_of_secret(&left), "{text:?} became {left:?}");
    }
}

fn has_part_of_secret(text: &str) -> bool {
    const PART: usize = 8;
    let secret = secret();
    let mut parts = secret.as_bytes().windows(PART);
    parts.any(|part| text.as_bytes().windows(PART).any(|other| other == part))
}
