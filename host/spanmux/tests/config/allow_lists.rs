//! The tracers that a selector may choose, from a file.

use std::path::Path;

use spanmux::config::ConfigBuilder;
use spanmux::{Cause, Chain, CompileCache, RuntimeContext, TracerRegistry, selector_fn};

use crate::support::Folder;

const TRACERS: &str = "service = 'shop'
fallback = 'quarantine'
tracers.langfuse.exporter.type = 'discard'
tracers.tenant-acme.exporter.type = 'discard'
tracers.quarantine.exporter.type = 'discard'
";

fn folder() -> Folder {
    let folder = Folder::new();
    let live = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../selectors");
    let bytes = std::fs::read(live.join("20-tenant.wasm")).unwrap();
    folder.write("selectors/20-tenant.wasm", bytes);
    folder
}

fn text(more: &str) -> String {
    format!("{TRACERS}[selectors]\ndirectory = 'selectors'\nlimits.engines = 1\n{more}\n")
}

fn builder(folder: &Folder, more: &str) -> ConfigBuilder {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
    folder
        .builder(&text(more))
        .cache(CompileCache::in_directory(cache))
}

/// Returns the tracer and the cause for the tenant `acme`.
fn route(chain: Chain) -> (String, Option<Cause>) {
    let registry = TracerRegistry::<()>::new();
    for name in ["langfuse", "tenant-acme", "quarantine"] {
        registry.register(name, ()).unwrap();
    }
    registry.set_fallback(Some("quarantine")).unwrap();
    registry.set_selectors(chain);
    let context = RuntimeContext::builder().set("tenant", "acme").build();
    let selection = registry.select(&context.view());
    let tracer = selection.tracer_name().unwrap().to_owned();
    (tracer, selection.reason().cause())
}

#[test]
fn file_restricts_a_selector() {
    let folder = folder();
    let load = |more: &str| route(builder(&folder, more).load_selectors().unwrap().chain);
    let table = "[selectors.\"20-tenant.wasm\"]\n";
    let chosen = ("tenant-acme".to_owned(), None);
    let refused = ("quarantine".to_owned(), Some(Cause::ForbiddenTracer));
    assert_eq!(load(""), chosen);
    assert_eq!(
        load(&format!("{table}tracers = ['tenant-*', 'quarantine']")),
        chosen
    );
    assert_eq!(
        load(&format!("{table}tracers = ['langfuse', 'quarantine']")),
        refused
    );
}

#[test]
fn watched_selectors_are_restricted() {
    let folder = folder();
    let more = "[selectors.\"20-tenant.wasm\"]\ntracers = ['langfuse']";
    let (sender, chains) = std::sync::mpsc::channel();
    let builder = builder(&folder, more);
    let watched = builder.watch_selectors(move |chain| sender.send(chain).unwrap());
    let cause = route(chains.recv().unwrap()).1;
    assert_eq!(cause, Some(Cause::ForbiddenTracer));
    drop(watched.unwrap());
}

#[test]
fn mistakes_name_the_place_and_the_remedy() {
    for (more, expected) in [
        (
            "[selectors.\"20-tenant.wasm\"]\ntracers = ['tenant-?', 'langfuse', '']",
            "spanmux.toml:10:12: selectors.\"20-tenant.wasm\".tracers[0]: the pattern \"tenant-?\" \
             contains '?'; the only wildcard is `*`, for any number of characters\n\
             spanmux.toml:10:36: selectors.\"20-tenant.wasm\".tracers[2]: a pattern must not be \
             empty; remove it",
        ),
        (
            "[selectors.\"20-tenant.wasm\"]\ntracers = []",
            "spanmux.toml:10:11: selectors.\"20-tenant.wasm\".tracers: the list is empty and would \
             refuse every tracer; list at least one name or pattern, such as \"tenant-*\"",
        ),
        (
            "[selectors.\"20-tenant.wasm\"]\ntracers = 'langfuse'",
            "spanmux.toml:10:11: selectors.\"20-tenant.wasm\".tracers: expected an array, found a \
             string",
        ),
        (
            "[selectors.\"20-tenant.wasm\"]\ntracer = ['langfuse']",
            "spanmux.toml:9:12: selectors.\"20-tenant.wasm\": missing key \"tracers\": The names of \
             the tracers that the selector may choose\n\
             spanmux.toml:10:1: selectors.\"20-tenant.wasm\".tracer: unknown key; did you mean \
             \"tracers\"? Available: tracers",
        ),
        (
            "[selectors.20-tenant]\ntracers = ['langfuse']",
            "spanmux.toml:9:12: selectors.20-tenant: unknown key; the table of a selector has its \
             file name: \"20-tenant.wasm\"",
        ),
    ] {
        let folder = folder();
        let said = folder.read("spanmux.toml", &text(more)).expect_err(more);
        assert_eq!(folder.shown(said), expected, "{more}");
    }
}

#[test]
fn unknown_key_of_the_selectors_suggests_the_nearest() {
    let folder = folder();
    for (wrong, right) in [
        ("[selectors]\ndirektory = 'selectors'", "directory"),
        // A table, as that of a selector's file.
        ("[selectors.limit]\nfuel = 1", "limits"),
    ] {
        let text = format!("{TRACERS}{wrong}\n");
        let said = folder.read("spanmux.toml", &text).unwrap_err().to_string();
        let expected = format!("unknown key; did you mean \"{right}\"?");
        assert!(said.contains(&expected), "{said}");
    }
}

#[test]
fn list_for_a_file_that_does_not_exist_is_an_error() {
    let folder = folder();
    let more = "[selectors.\"20-tenants.wasm\"]\ntracers = ['langfuse']";
    assert_eq!(
        folder.fails(builder(&folder, more)),
        "spanmux.toml:9:12: selectors.\"20-tenants.wasm\": no selector file is named \
         \"20-tenants.wasm\"; did you mean \"20-tenant.wasm\"? Available: 20-tenant.wasm"
    );
    let native = builder(&folder, "[selectors.\"own.wasm\"]\ntracers = ['langfuse']")
        .native_selector(selector_fn("own", |_, tracers| tracers.choose("langfuse")));
    let said = folder.fails(native);
    assert!(
        said.contains("\"own\" is native; restrict it in code"),
        "{said}"
    );
}

#[test]
fn pattern_without_a_tracer_is_a_warning() {
    let folder = folder();
    let more = "[selectors.\"20-tenant.wasm\"]\ntracers = ['tenant-*', 'tenent-*', 'langfuze']";
    let config = folder.read("spanmux.toml", &text(more)).unwrap();
    let warnings: Vec<String> = config
        .warnings()
        .iter()
        .map(|it| folder.shown(it))
        .collect();
    assert_eq!(
        warnings,
        [
            "spanmux.toml:10:24: selectors.\"20-tenant.wasm\".tracers[1]: no tracer of this file \
             matches \"tenent-*\"; did you mean \"tenant-acme\"? Available: langfuse, tenant-acme, quarantine",
            "spanmux.toml:10:36: selectors.\"20-tenant.wasm\".tracers[2]: no tracer is named \
             \"langfuze\"; did you mean \"langfuse\"? Available: langfuse, tenant-acme, quarantine",
        ]
    );
}
