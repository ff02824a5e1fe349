//! The committed schema for editors equals the one that validates files.

use std::path::Path;

use serde_json::Value;
use spanmux::config::Config;

/// `spanmux config schema` regenerates the committed file.
#[test]
fn committed_schema_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/spanmux.schema.json");
    let committed: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let made: Value = serde_json::from_str(&Config::schema()).unwrap();
    assert!(
        committed == made,
        "regenerate it: cargo run -- config schema > docs/spanmux.schema.json"
    );
}

/// The validation supports only these JSON Schema keywords. Another keyword would apply only
/// in editors.
#[test]
fn schema_has_only_supported_keywords() {
    const KNOWN: [&str; 24] = [
        "$defs",
        "$ref",
        "$schema",
        "additionalProperties",
        "const",
        "description",
        "examples",
        "format",
        "items",
        "maximum",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "oneOf",
        "pattern",
        "patternProperties",
        "properties",
        "required",
        "title",
        "type",
        "unevaluatedProperties",
        "writeOnly",
        "x-spanmux",
    ];
    fn look(schema: &Value) {
        let Some(object) = schema.as_object() else {
            return;
        };
        for (word, value) in object {
            assert!(KNOWN.contains(&word.as_str()), "{word} in {schema}");
            match word.as_str() {
                "$defs" | "properties" | "patternProperties" => {
                    value.as_object().unwrap().values().for_each(look)
                }
                "oneOf" => value.as_array().unwrap().iter().for_each(look),
                "items" | "additionalProperties" => look(value),
                _ => {}
            }
        }
    }
    look(&serde_json::from_str(&Config::schema()).unwrap());
}

/// The file in the module documentation is valid and builds.
#[test]
fn annotated_file_is_valid() {
    let folder = crate::support::Folder::new();
    let live = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../selectors");
    for (name, file) in [
        ("10-health-checks", "10-health-checks"),
        ("60-takes-turns", "50-environment"),
    ] {
        let bytes = std::fs::read(live.join(file).with_extension("wasm")).unwrap();
        folder.write(&format!("selectors/{name}.wasm"), bytes);
    }
    let host = spanmux::SelectorHost::new(spanmux::Limits::default()).unwrap();
    let loaded = spanmux::SelectorsDirectory::new(folder.path("selectors"), host).load();
    let lock = spanmux::SelectorsLock::of(&loaded.unwrap());
    folder.write("selectors.lock", lock.to_string());
    let path = folder.write(
        "spanmux.toml",
        include_str!("../../../config/src/annotated.toml"),
    );
    let config = Config::from_file_with(path, |name| Some(format!("the {name}"))).unwrap();
    assert!(config.warnings().is_empty(), "{:?}", config.warnings());
    let provider = config
        .builder()
        .tracer(
            "own",
            opentelemetry_sdk::trace::SdkTracerProvider::builder(),
        )
        .native_selector(spanmux::selector_fn("by-tenant", |_, _| {
            spanmux::Choice::Abstain
        }))
        .build()
        .unwrap();
    let names = provider.registry().names();
    assert_eq!(
        names.as_slice(),
        ["langfuse", "datadog", "debug", "own", "quarantine"]
    );
    assert!(provider.registry().contains("own"));
}
