//! Tests that `Debug`, errors and log events show no secret.

use std::io::{self, Write};
use std::sync::Arc;

use parking_lot::Mutex;
use spanmux::exporters::{Exporter, OtlpExporter};
use tracing_subscriber::fmt::MakeWriter;

use crate::collector::{Answer, Collector};
use crate::presets::{Row, SECRET, grpc_rows, http_rows};
use crate::process::alone;
use crate::support::{PATIENT, end_spans, send, tracer};

fn rows() -> Vec<Row> {
    http_rows().into_iter().chain(grpc_rows()).collect()
}

/// Checks that the text contains neither the secret nor its encoded form.
fn assert_hidden(row: &Row, text: &str) {
    assert!(!text.contains(SECRET), "{}: {text}", row.url);
    for token in row
        .headers
        .iter()
        .filter_map(|(_, value)| value.strip_prefix("Basic "))
    {
        assert!(!text.contains(token), "{}: {text}", row.url);
    }
}

#[test]
fn debug_output_hides_secrets() {
    for row in rows() {
        assert_hidden(&row, &format!("{:?}", row.exporter));
        assert_hidden(
            &row,
            &format!("{:#?}", Exporter::from(row.exporter.clone())),
        );
        let config = spanmux::otel::TracerConfig::new()
            .service_name("shop")
            .exporter(row.exporter.clone());
        assert_hidden(&row, &format!("{config:?}"));
    }
}

#[test]
fn address_in_debug_output_hides_the_query() {
    let url = format!("https://host.example/v1/traces?key={SECRET}");
    let exporter = OtlpExporter::http(&*url).origin(url);
    let text = format!("{exporter:?} {:?}", Exporter::from(exporter.clone()));
    assert!(!text.contains(SECRET), "{text}");
}

/// The message of the tracer after a backend refused a span with this body.
fn message_after(body: String, exporter: impl FnOnce(String) -> OtlpExporter) -> String {
    let collector = Collector::answering([Answer::Status(401, "", body.into_bytes())]);
    let tracer = tracer(exporter(collector.origin()), PATIENT);
    end_spans(&tracer, 1);
    tracer.force_flush().unwrap_err().to_string()
}

#[test]
fn echoed_secret_is_hidden_at_each_position() {
    let key = "super-secret-key-0123456789";
    for before in [0, 150, 174, 180, 199] {
        let body = format!("{}{key} rest", "x".repeat(before));
        let said = message_after(body, |url| OtlpExporter::http(url).header("x-api-key", key));
        assert!(said.contains("401"), "{said}");
        assert!(!said.contains("su"), "{said}");
    }
}

#[test]
fn echoed_secret_of_the_query_is_hidden() {
    let said = message_after(format!("wrong key {SECRET}"), |url| {
        OtlpExporter::http_to(format!("{url}/in?key={SECRET}"))
    });
    assert!(said.contains("wrong key ***"), "{said}");
}

#[test]
fn errors_hide_secrets() {
    let build = |exporter: OtlpExporter| {
        let config = spanmux::otel::TracerConfig::new()
            .service_name("shop")
            .exporter(exporter);
        let error = config.build().unwrap_err();
        format!("{error} {error:?}")
    };
    for row in rows() {
        let broken = format!("{SECRET}\n");
        assert_hidden(
            &row,
            &build(row.exporter.clone().header("x-broken", broken)),
        );
        let with_user = format!("https://user:{SECRET}@host.example");
        assert_hidden(&row, &build(row.exporter.clone().origin(with_user)));
        let with_query = format!("host.example/?key={SECRET}");
        assert_hidden(&row, &build(row.exporter.clone().origin(with_query)));
        let proxy = format!("no url {SECRET}");
        assert_hidden(&row, &build(row.exporter.clone().proxy(proxy)));
    }
    let with_query = OtlpExporter::http_to(format!("https://host.example/in?key={SECRET}"));
    let shown = with_query.endpoint().unwrap();
    assert_eq!(shown, "https://host.example/in?***");
}

/// A log in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock())).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

fn send_by_each_preset(log: &Log) {
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(log.clone())
        .try_init()
        .unwrap();
    for row in http_rows() {
        // The backend echoes the key.
        let echo: String = row.headers.iter().map(|(_, value)| *value).collect();
        // An exporter hides only its own secrets. It cannot know the key of another
        // exporter, or decode a header that the user wrote.
        let made_basic = row.exporter.name() != "otlp" && echo.contains("Basic ");
        let is_key = |value: &str| value.strip_prefix("Bearer ").unwrap_or(value) == SECRET;
        let has_key = row.headers.iter().any(|(_, value)| is_key(value)) || made_basic;
        let key = if has_key { SECRET } else { "none" };
        let body = format!("wrong key {key} or {echo}").into_bytes();
        let collector = Collector::answering([Answer::Status(401, "", body)]);
        let exporter = row.exporter.clone().origin(collector.origin());
        assert_eq!(send(exporter, 1, PATIENT).lost(), 1, "{}", row.url);
    }
    #[cfg(feature = "grpc")]
    for row in grpc_rows() {
        let collector = crate::grpc_collector::GrpcCollector::start();
        let exporter = row.exporter.clone().origin(collector.origin());
        assert_eq!(send(exporter, 1, PATIENT).delivered, 1, "{}", row.url);
    }
}

/// Captures the events of all crates at all levels. The log is process-wide, because
/// exporters have their own threads.
#[test]
fn log_events_hide_secrets() {
    alone("secrets::log_events_hide_secrets", &[], || {
        let log = Log::default();
        send_by_each_preset(&log);
        let text = log.take();
        for row in rows() {
            assert_hidden(&row, &text);
        }
        // The log of the HTTP client contains all bytes, in lines of sixteen.
        assert!(!text.contains("ureq"), "{text}");
        let collector = Collector::start();
        ureq::post(collector.origin()).send(SECRET).unwrap();
        assert!(
            log.take().contains("ureq_proto"),
            "the log does not capture `ureq`"
        );
    });
}
