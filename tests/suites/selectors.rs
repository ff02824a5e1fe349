//! The committed example selectors: their decisions, their properties, and that they contain no
//! paths of the build machine.
//!
//! `SPANMUX_SELECTORS` names another directory with the same selectors, built by another toolchain.
//! Their bytes may differ, but not their behaviour.

use std::path::PathBuf;

use spanmux::{
    Fallback, LoadReport, Reason, RootSpan, RuntimeContext, Selector as _, SelectorsDirectory,
    TracerRegistry,
};
use spanmux_tests::{folder_of, host};
use wasmparser::{Parser, Payload};

const TRACERS: [&str; 9] = [
    "langfuse",
    "langfuse-eu",
    "datadog",
    "tenant-acme",
    "tenant-umbrella",
    "candidate",
    "quarantine",
    "console",
    "discard",
];

fn directory() -> PathBuf {
    match std::env::var_os("SPANMUX_SELECTORS") {
        Some(directory) => directory.into(),
        None => folder_of("../selectors"),
    }
}

fn load() -> LoadReport {
    let report = SelectorsDirectory::new(directory(), host()).load().unwrap();
    let failed: Vec<_> = report.failed().collect();
    assert!(failed.is_empty(), "{failed:?}");
    report
}

fn registry(tracers: &[&str]) -> TracerRegistry<()> {
    let registry = TracerRegistry::new();
    for name in tracers {
        registry.register(*name, ()).unwrap();
    }
    registry.set_selectors(load().chain());
    registry
}

#[test]
fn five_selectors_load_in_the_order_of_their_names() {
    let report = load();
    let names: Vec<&str> = report.loaded().map(|selector| selector.name()).collect();
    assert_eq!(
        names,
        [
            "10-health-checks",
            "20-tenant",
            "30-rollout",
            "40-tier-region",
            "50-environment"
        ]
    );
}

/// Span name, context, tracer, selector, failure.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
    Reason,
);

#[test]
fn every_selector_decides_as_documented() {
    let rows: [Row; 14] = [
        (
            "GET /healthz",
            r#"{"tenant":"acme"}"#,
            "discard",
            Some("10-health-checks"),
            Reason::Chosen,
        ),
        (
            "POST /chat",
            r#"{"tenant":"acme"}"#,
            "tenant-acme",
            Some("20-tenant"),
            Reason::Chosen,
        ),
        (
            "POST /chat",
            r#"{"tenant":"umbrella"}"#,
            "tenant-umbrella",
            Some("20-tenant"),
            Reason::Chosen,
        ),
        (
            "POST /chat",
            r#"{"tenant":"stranger"}"#,
            "quarantine",
            Some("20-tenant"),
            Reason::Chosen,
        ),
        (
            "POST /chat",
            r#"{"tenant":7}"#,
            "langfuse",
            Some("20-tenant"),
            Reason::Failed(Box::new(Fallback::Failed(
                "`tenant` is an integer, not text".to_owned(),
            ))),
        ),
        (
            "POST /chat",
            r#"{"user":{"id":"u-3","tier":"free"}}"#,
            "candidate",
            Some("30-rollout"),
            Reason::Chosen,
        ),
        (
            "POST /chat",
            r#"{"user":{"id":"u-1","tier":"free"}}"#,
            "datadog",
            Some("40-tier-region"),
            Reason::Chosen,
        ),
        (
            "POST /chat",
            r#"{"tenant":"globex","user":{"tier":"enterprise"},"region":"eu-west-1"}"#,
            "langfuse-eu",
            Some("40-tier-region"),
            Reason::Chosen,
        ),
        (
            "POST /chat",
            r#"{"user.tier":"enterprise"}"#,
            "langfuse",
            Some("40-tier-region"),
            Reason::Failed(Box::new(Fallback::Failed("`region` is missing".to_owned()))),
        ),
        (
            "POST /chat",
            r#"{"environment":"production"}"#,
            "langfuse",
            Some("50-environment"),
            Reason::Chosen,
        ),
        (
            "POST /chat",
            r#"{"environment":"staging"}"#,
            "datadog",
            Some("50-environment"),
            Reason::Chosen,
        ),
        (
            "POST /chat",
            r#"{"environment":"development"}"#,
            "console",
            Some("50-environment"),
            Reason::Chosen,
        ),
        (
            "POST /chat",
            r#"{"environment":"qa"}"#,
            "langfuse",
            None,
            Reason::Abstained,
        ),
        ("POST /chat", "{}", "langfuse", None, Reason::Abstained),
    ];
    let registry = registry(&TRACERS);
    for (span, context, tracer, selector, reason) in rows {
        let context = RuntimeContext::from_json(context).unwrap();
        let span = RootSpan::new(span, "server", &RuntimeContext::empty);
        let selection = registry.select(&context.view_with_span(&span));
        assert_eq!(
            selection.tracer_name(),
            Some(tracer),
            "{context:?}: {selection:?}"
        );
        assert_eq!(selection.selector_name(), selector, "{context:?}");
        assert_eq!(selection.reason(), &reason, "{context:?}");
    }
}

#[test]
fn missing_promised_tracer_is_a_failure() {
    let registry = registry(&["console", "quarantine"]);
    registry.set_fallback(Some("quarantine")).unwrap();
    let context = RuntimeContext::from_json(r#"{"tenant":"acme","environment":"development"}"#);
    let selection = registry
        .select(&context.unwrap().view())
        .fallback()
        .cloned();
    assert_eq!(
        selection,
        Some(Fallback::UnknownTracer("tenant-acme".to_owned()))
    );
}

#[test]
fn components_are_small_import_only_the_contract_and_start_with_one_page() {
    for selector in load().loaded() {
        let name = selector.name();
        assert_eq!(
            selector.imports(),
            ["spanmux:selector/runtime-context@0.1.0"],
            "{name}"
        );
        assert!(
            selector.file_bytes() < 16_000,
            "{name} has {} bytes",
            selector.file_bytes()
        );

        let bytes = std::fs::read(directory().join(name).with_added_extension("wasm")).unwrap();
        let mut memories = 0;
        for payload in Parser::new(0).parse_all(&bytes) {
            if let Payload::MemorySection(section) = payload.unwrap() {
                for memory in section {
                    let memory = memory.unwrap();
                    assert_eq!(memory.initial, 1, "{name} has more than a page");
                    memories += 1;
                }
            }
        }
        assert_eq!(memories, 1, "{name}");
    }
}

/// Searches for what `strings` would show: paths and host names of the build machine.
#[test]
fn components_contain_no_build_paths() {
    let hostname = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let home = std::env::var("HOME").unwrap_or_default();
    let mut forbidden = vec![
        "/home",
        "/root",
        "/tmp/",
        "/Users/",
        "registry/src",
        ".cargo",
        "crates.io",
    ];
    // A short name could occur by chance.
    forbidden.extend(
        [hostname.trim(), &home]
            .into_iter()
            .filter(|name| name.len() > 4),
    );
    for selector in load().loaded() {
        let name = selector.name();
        let bytes = std::fs::read(directory().join(name).with_added_extension("wasm")).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        for word in &forbidden {
            assert!(!text.contains(word), "{name} holds \"{word}\"");
        }
    }
}
