//! Output of guests is logged with the name of the selector, only for runs, and up to a limit.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use spanmux::{Mode, Origin, Selector as _, SelectorsDirectory, TracerNames};
use spanmux_tests::log::Log;
use spanmux_tests::{
    TRACERS, component, decide, environment, guest, host_within, limits, text, zoo,
};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// Returns the lines about output that `work` writes to the log on this thread.
fn printed(work: impl FnOnce()) -> Vec<String> {
    let log = Log::default();
    let writer = log.clone();
    // With a single subscriber, `tracing` asks the thread that reaches an event first whether
    // anyone is interested, and that may be the thread of another test. A second dispatcher
    // prevents this.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone());
    let guard = subscriber.finish().set_default();
    work();
    drop(guard);
    let text = log.text();
    let about = text
        .lines()
        .filter(|line| line.contains("a selector printed"));
    about.map(str::to_owned).collect()
}

/// A subscriber that records every field of every event without escaping.
#[derive(Clone, Default)]
struct Raw(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> Layer<S> for Raw {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        // The engine logs many events of its own.
        if !event.metadata().target().starts_with("spanmux") {
            return;
        }
        event.record(&mut self.clone());
    }
}

impl Visit for Raw {
    fn record_str(&mut self, _: &Field, value: &str) {
        self.0.lock().unwrap().push(value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

/// Returns a guest that prints these bytes, written as in the text format.
fn shouts(bytes: &str) -> Vec<u8> {
    let data = format!("(data (i32.const 8192) \"{bytes}\") (func (export \"select\")");
    component(&text("zoo", "prints-forever").replacen("(func (export \"select\")", &data, 1))
}

#[test]
fn output_is_logged_with_the_selector_and_only_for_runs() {
    let host = host_within(limits());
    let selector = host.load("50-talks", &guest("wasi")).unwrap();
    let context = environment("production");
    let fresh = selector.with_mode(Mode::Fresh);
    let lines = printed(|| {
        decide(&fresh, &context);
        decide(&fresh, &context);
    });
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].contains("selector=\"50-talks\""), "{lines:?}");
    assert!(lines[0].contains("printed="), "{lines:?}");

    let names = TracerNames::new(TRACERS);
    let lines = printed(|| {
        let origins: Vec<_> = (0..3)
            .map(|_| selector.decision(&context.view(), &names).origin)
            .collect();
        assert!(matches!(
            origins[..],
            [Origin::Run(_), Origin::Cached, Origin::Cached]
        ));
    });
    assert_eq!(lines.len(), 1, "{lines:?}");
}

/// Neither the output of a guest nor the name of its file can write control characters to the log,
/// whatever the subscriber.
#[cfg(unix)]
#[test]
fn output_is_escaped_to_one_line() {
    const NAME: &str = "50-\u{1b}[2J\nname.wasm";
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join(NAME),
        shouts("\\1b[2J\\0aWARN all is lost\\0a\\07"),
    )
    .unwrap();
    std::fs::write(folder.path().join(format!("60{NAME}")), b"no selector").unwrap();
    let raw = Raw::default();
    let told = raw.clone();
    // With a single subscriber, `tracing` asks the thread that reaches an event first whether
    // anyone is interested, and that may be the thread of another test. A second dispatcher
    // prevents this.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let guard = tracing_subscriber::registry().with(raw).set_default();
    let report = SelectorsDirectory::new(folder.path(), host_within(limits())).load();
    let report = report.unwrap();
    for selector in report.loaded() {
        decide(selector, &environment("production"));
    }
    drop(guard);
    let told = told.0.lock().unwrap().clone();
    let said = |word: &str| told.iter().any(|value| value.contains(word));
    assert!(said("all is lost") && said("name"), "{told:?}");
    for value in told {
        assert!(!value.contains(char::is_control), "{value:?}");
    }
    for file in report.files() {
        assert!(!file.name().contains(char::is_control), "{file:?}");
        assert!(!file.place().contains(char::is_control), "{file:?}");
    }
}

#[test]
fn endless_output_is_truncated() {
    let limits = limits().printed_bytes(100);
    let selector = host_within(limits)
        .load("60-shouts", &zoo("prints-forever"))
        .unwrap();
    let fresh = selector.with_mode(Mode::Fresh);
    let lines = printed(|| {
        decide(&fresh, &environment("production"));
    });
    assert_eq!(lines.len(), 1);
    // The output consists of NUL bytes, which are escaped.
    let shown = lines[0]
        .matches("\\0")
        .count()
        .max(lines[0].matches("\\u{0}").count());
    assert_eq!(shown, 100, "{lines:?}");
}
