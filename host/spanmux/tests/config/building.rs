//! Building a provider from a file and the parts that code provides.

use std::path::Path;

use opentelemetry::trace::{Tracer as _, TracerProvider as _};
use opentelemetry_sdk::trace::SdkTracerProvider;
use spanmux::config::{ConfigBuilder, LoadedSelectors};
use spanmux::otel::Sampling;
use spanmux::{Choice, CompileCache, MAX_TRACERS, selector_fn};

use crate::support::Folder;

const TRACERS: &str = "service = 'shop'\n[tracers.a]\nexporter.type = 'discard'\n";

/// A folder with three selectors, one of which fails to load.
fn folder() -> Folder {
    let folder = Folder::new();
    let live = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../selectors");
    for name in ["20-tenant.wasm", "50-environment.wasm"] {
        let bytes = std::fs::read(live.join(name)).unwrap();
        folder.write(&format!("selectors/{name}"), bytes);
    }
    folder.write("selectors/30-broken.wasm", "not a component");
    folder
}

fn selectors(more: &str) -> String {
    format!(
        "{TRACERS}[selectors]\ndirectory = 'selectors'\n{more}\n[selectors.limits]\nengines = 1\n"
    )
}

/// A builder for the file, with the native selectors `one` and `two`.
fn builder(folder: &Folder, text: &str) -> ConfigBuilder {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
    folder
        .builder(text)
        .cache(CompileCache::in_directory(cache))
        .native_selector(selector_fn("one", |_, _| Choice::Abstain))
        .native_selector(selector_fn("two", |_, _| Choice::Abstain))
}

fn names(loaded: &LoadedSelectors) -> Vec<String> {
    let names = loaded.chain.selectors().map(|one| one.name().to_owned());
    names.collect()
}

#[test]
fn chain_follows_configured_order() {
    let folder = folder();
    let files = "20-tenant 30-broken 50-environment";
    for (more, expected) in [
        ("", format!("one two {files}")),
        ("order = ['*']", format!("one two {files}")),
        ("order = ['*', 'two']", format!("one {files} two")),
        (
            "order = ['50-environment', 'one']",
            "two 50-environment one 20-tenant 30-broken".to_owned(),
        ),
        (
            "order = ['two', '50-environment', '*', 'one']",
            "two 50-environment 20-tenant 30-broken one".to_owned(),
        ),
        (
            "native = ['one']\nmodes = { 20-tenant = 'fresh' }",
            format!("one two {files}"),
        ),
        (
            "unavailable = 'skip'\norder = ['30-broken', '*']",
            "one two 20-tenant 50-environment".to_owned(),
        ),
    ] {
        let loaded = builder(&folder, &selectors(more)).load_selectors().unwrap();
        assert_eq!(names(&loaded).join(" "), expected, "{more}");
        let failed = loaded.report.unwrap();
        assert_eq!(failed.failed().count(), 1, "{more}: it is reported");
    }
}

#[test]
fn mismatches_of_file_and_code_are_reported_together() {
    let folder = folder();
    let text = selectors(
        "native = ['one', 'three']\norder = ['50-environments', '*']\n\
         modes = { one = 'fresh', 20-tenants = 'stateful' }\nunavailable = 'error'",
    );
    let text = format!(
        "{text}[tracers.own]\ntype = 'provided'\n[tracers.b]\nexporter.type = 'discard'\n\
         sampling.custom = 'paying'\n"
    );
    let builder = builder(&folder, &text)
        .tracer("a", SdkTracerProvider::builder())
        .sampling("payin", Sampling::Never);
    let broken = "30-broken.wasm: ";
    let said = folder.fails(builder);
    let said: Vec<&str> = said.lines().collect();
    let expected = [
        "spanmux.toml:2:10: tracers.a: code provides a tracer \"a\" too; set `type = \
         \"provided\"` here or rename one of them",
        "spanmux.toml:12:10: tracers.own: code must provide this tracer; call `tracer(\"own\", \
         …)` before `build`",
        "spanmux.toml:16:10: tracers.b.sampling.custom: sampling \"paying\" is not registered; \
         call `sampling(\"paying\", …)` before `build`; did you mean \"payin\"? Available: payin",
        "spanmux.toml:6:18: selectors.native[1]: native selector \"three\" is not registered; \
         call `native_selector` with it before `build`",
        "spanmux.toml:7:10: selectors.order[0]: no selector is named \"50-environments\"; did \
         you mean \"50-environment\"? Available: one, two, 20-tenant, 30-broken, 50-environment. \
         List a selector that code registers in `native`",
        "spanmux.toml:8:26: selectors.modes.20-tenants: no selector file is named \
         \"20-tenants\"; did you mean \"20-tenant\"? Available: 20-tenant, 30-broken, \
         50-environment",
        "spanmux.toml:8:11: selectors.modes.one: the selector is native; only components have a mode",
    ];
    assert_eq!(said[..expected.len()], expected);
    let last = said[expected.len()];
    let place = "spanmux.toml:9:1: selectors.unavailable: failed to load selectors/";
    assert!(last.starts_with(&format!("{place}{broken}")), "{last}");
    assert_eq!(said.len(), expected.len() + 1);
}

#[test]
fn limits_of_file_apply_to_its_selectors() {
    let folder = folder();
    let text = selectors("").replace("engines = 1", "engines = 1\ncomponent_bytes = 100");
    let loaded = builder(&folder, &text).load_selectors().unwrap();
    let report = loaded.report.unwrap();
    assert_eq!(report.failed().count(), 3, "all are larger: {report:?}");
}

#[test]
fn tracers_of_file_precede_tracers_of_code() {
    let folder = Folder::new();
    let file = "service = 'shop'\ndefault = '9'\nfallback = 'a'\n[tracers.b]\nexporter.type = \
                'discard'\n[tracers.10]\ntype = 'provided'\n[tracers.9]\nexporter.type = \
                'discard'\n[tracers.a]\nexporter.type = 'discard'";
    let provider = folder
        .builder(file)
        .tracer("more", SdkTracerProvider::builder())
        .tracer("10", SdkTracerProvider::builder())
        .native_selector(selector_fn("fails", |_, tracers| tracers.choose("nobody")))
        .build()
        .unwrap();
    let registry = provider.registry();
    assert_eq!(registry.names().as_slice(), ["b", "10", "9", "a", "more"]);
    assert_eq!(registry.default_tracer().unwrap().0, "9");
    let selection = registry.select(&spanmux::RuntimeContext::empty().view());
    assert_eq!(selection.tracer_name(), Some("a"), "the fallback");
}

#[test]
fn file_exporter_writes_relative_to_configuration() {
    let folder = Folder::new();
    let text = "[tracers.a]\nservice = 'shop'\nresource = { 'deployment.environment.name' = \
                'test', replicas = 3 }\nexporters = [{ type = 'file', path = 'one.jsonl' }, { type \
                = 'file', path = 'two.jsonl', filter = { drop_names = ['quiet'] } }]";
    let provider = folder.builder(text).build().unwrap();
    let tracer = provider.tracer("test");
    tracer.in_span("loud", |_| {});
    tracer.in_span("quiet", |_| {});
    let report = provider.shutdown();
    assert!(report.failed.is_empty(), "{report:?}");
    let read = |name: &str| std::fs::read_to_string(folder.path(name)).unwrap();
    let one = read("one.jsonl");
    for word in [
        "loud",
        "quiet",
        "shop",
        "deployment.environment.name",
        "replicas",
    ] {
        assert!(one.contains(word), "{word}: {one}");
    }
    let two = read("two.jsonl");
    assert!(two.contains("loud") && !two.contains("quiet"), "{two}");
}

#[test]
fn failed_tracer_is_named() {
    let folder = Folder::new();
    let text = "[tracers.a]\nservice = 's'\nexporter = { type = 'file', path = 'no/spans.jsonl' }";
    let error = folder.builder(text).build().unwrap_err();
    assert_eq!(error.to_string(), "failed to build tracer \"a\"");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(
        folder
            .shown(&cause)
            .contains("no/spans.jsonl\" for appending spans"),
        "{cause}"
    );
}

/// The exporter receives the content of the file and rejects text that is not PEM.
#[test]
fn ca_certificates_are_read_from_file() {
    let folder = Folder::new();
    let text = "[tracers.a]\nservice = 's'\n\
                exporter = { type = 'otlp', endpoint = 'https://c', ca_certificates = 'own.pem' }";
    folder.write(
        "own.pem",
        "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n",
    );
    folder.builder(text).build().unwrap();
    folder.write("own.pem", "no PEM");
    let error = folder.builder(text).build().unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(
        cause.contains("not PEM text with a `BEGIN CERTIFICATE` line"),
        "{cause}"
    );
}

#[test]
fn certificate_in_der_is_reported_with_the_command_that_converts_it() {
    let folder = Folder::new();
    let text = "[tracers.a]\nservice = 's'\n\
                exporter = { type = 'otlp', endpoint = 'https://c', ca_certificates = 'own.der' }";
    let path = folder.path("own.der");
    for (bytes, remedy) in [
        (
            &[0x30, 0x82, 0xff][..],
            "convert it with `openssl x509 -inform der -in ",
        ),
        (&[0xff][..], "is not text; name a PEM file"),
    ] {
        std::fs::write(&path, bytes).unwrap();
        let error = folder.read("spanmux.toml", text).unwrap_err().to_string();
        assert!(error.contains(remedy), "{error}");
    }
}

#[test]
fn watched_directory_keeps_configured_order() {
    let folder = folder();
    let text = selectors("order = ['50-environment', 'two', '*', 'one']\nunavailable = 'skip'");
    let (provider, watched) = builder(&folder, &text).watch().unwrap();
    let watched = watched.unwrap();
    let asked = || {
        let chain = provider.registry().selectors();
        let names = chain.selectors().map(|one| one.name().to_owned());
        names.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(asked(), "50-environment two 20-tenant one");

    let tenant = std::fs::read(folder.path("selectors/20-tenant.wasm")).unwrap();
    folder.write("selectors/10-new.wasm", tenant);
    std::fs::remove_file(folder.path("selectors/50-environment.wasm")).unwrap();
    let patience = std::time::Duration::from_secs(60);
    let is_there = |status: &spanmux::WatchStatus| {
        status.file("10-new").is_some() && status.file("50-environment").is_none()
    };
    assert!(watched.wait_until(patience, is_there).is_some());
    // The status is updated before the chain is replaced.
    let deadline = std::time::Instant::now() + patience;
    while asked() != "two 10-new 20-tenant one" {
        assert!(std::time::Instant::now() < deadline, "{}", asked());
        std::thread::yield_now();
    }

    let bare = folder.builder(TRACERS).watch().unwrap();
    assert!(bare.1.is_none(), "no directory to watch");
}

#[test]
fn tracer_beyond_the_limit_of_the_registry_is_named() {
    let folder = Folder::new();
    let own = SdkTracerProvider::default();
    let mut builder = folder.builder(TRACERS);
    // The file has one tracer, so the last of these is one too many.
    for number in 1..=MAX_TRACERS {
        builder = builder.tracer(format!("own-{number}"), own.clone());
    }
    let message = builder.build().unwrap_err().to_string();
    for part in [&*format!("\"own-{MAX_TRACERS}\""), "6000", "MAX_TRACERS"] {
        assert!(message.contains(part), "{message}");
    }
}
