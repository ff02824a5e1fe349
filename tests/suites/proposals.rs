//! WebAssembly proposals that a selector may use. docs/wasmtime.md lists every flag of the
//! validator. For each flag that is off, this suite has a piece of WebAssembly that needs it.

use spanmux::LoadError;
use spanmux_tests::{component, folder_of, host};
use wasmparser::{Validator, WasmFeatures};

/// A flag, and a part of a component that needs it.
const OFF: [(&str, &str); 28] = [
    (
        "CM_IMPLEMENTS",
        "(component (import \"x\" (implements \"a:b/c\") (instance)))",
    ),
    (
        "COMPACT_IMPORTS",
        "(core module (import \"m\" (item \"a\" (func)) (item \"b\" (func))))",
    ),
    (
        "RELAXED_SIMD",
        "(core module (func (param v128 v128) (result v128) (i8x16.relaxed_swizzle (local.get 0) (local.get 1))))",
    ),
    ("THREADS", "(core module (memory 1 1 shared))"),
    (
        "SHARED_EVERYTHING_THREADS",
        "(core module (global (shared i32) (i32.const 0)))",
    ),
    ("TAIL_CALL", "(core module (func $f (return_call $f)))"),
    ("EXCEPTIONS", "(core module (tag $t) (func (throw $t)))"),
    (
        "LEGACY_EXCEPTIONS",
        "(core module (func try catch_all end))",
    ),
    ("MEMORY64", "(core module (memory i64 1))"),
    (
        "GC",
        "(core module (type $s (struct)) (func (drop (struct.new $s))))",
    ),
    ("GC_TYPES", "(core module (func (param externref)))"),
    (
        "FUNCTION_REFERENCES",
        "(core module (type $f (func)) (func (param (ref $f))))",
    ),
    (
        "MEMORY_CONTROL",
        "(core module (memory 1) (func (memory.discard (i32.const 0) (i32.const 0))))",
    ),
    ("CUSTOM_PAGE_SIZES", "(core module (memory 1 (pagesize 1)))"),
    (
        "STACK_SWITCHING",
        "(core module (type $f (func)) (type $c (cont $f)))",
    ),
    (
        "WIDE_ARITHMETIC",
        "(core module (func (param i64 i64) (result i64 i64) (i64.mul_wide_u (local.get 0) (local.get 1))))",
    ),
    (
        "CUSTOM_DESCRIPTORS",
        "(core module (rec (type (descriptor 1) (struct)) (type (describes 0) (struct))))",
    ),
    (
        "CM_VALUES",
        "(component (import \"v\" (value string)) (export \"w\" (value 0)))",
    ),
    ("CM_NESTED_NAMES", "(component (import \"a:b:c/d\" (func)))"),
    ("CM_ASYNC", "(type (stream u8))"),
    (
        "CM_ASYNC_STACKFUL",
        "(core module $m (func (export \"f\"))) (core instance $i (instantiate $m)) (func async (canon lift (core func $i \"f\") async))",
    ),
    (
        "CM_MORE_ASYNC_BUILTINS",
        "(core func (canon subtask.cancel async))",
    ),
    ("CM_THREADING", "(core func (canon thread.index))"),
    ("CM_ERROR_CONTEXT", "(type error-context)"),
    ("CM_FIXED_LENGTH_LISTS", "(type (list u8 4))"),
    (
        "CM_GC",
        "(core module $m (func (export \"f\"))) (core instance $i (instantiate $m)) (func $f (canon lift (core func $i \"f\"))) (core type $t (func)) (core func (canon lower (func $f) gc (core-type $t)))",
    ),
    ("CM_MAP", "(type (map string u8))"),
    ("CM64", "(core func (canon context.get i64 0))"),
];

/// Flags without syntax in the text format, so that no example can be written here.
const WORDLESS: [&str; 1] = ["CM_CANON_NAMES"];

/// Returns a valid selector that contains this text.
fn piece(text: &str) -> Vec<u8> {
    let whole = spanmux_tests::text("guests", "console");
    let with = whole.replacen("(component", &format!("(component {text}"), 1);
    component(&with)
}

fn is_valid(bytes: &[u8], features: WasmFeatures) -> bool {
    let mut validator = Validator::new_with_features(features);
    validator.validate_all(bytes).is_ok()
}

/// Each example is valid with all proposals enabled, so that the missing proposal is the reason of
/// the refusal.
#[test]
fn selector_that_uses_a_disabled_proposal_is_refused() {
    let host = host();
    for (flag, text) in OFF {
        let bytes = piece(text);
        assert!(is_valid(&bytes, WasmFeatures::all()), "{flag}");
        let without = WasmFeatures::all().difference(WasmFeatures::from_name(flag).unwrap());
        // The example is also valid as part of GC, which includes this proposal.
        assert_eq!(
            is_valid(&bytes, without),
            flag == "FUNCTION_REFERENCES",
            "{flag}"
        );
        let error = host.load("uses", &bytes).expect_err(flag);
        let refused = matches!(
            error,
            LoadError::Compile { .. } | LoadError::Malformed { .. }
        );
        assert!(refused, "{flag}: {error:?}");
    }
}

#[test]
fn every_disabled_proposal_has_an_example() {
    let page = std::fs::read_to_string(folder_of("../docs/wasmtime.md")).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let off = rows.filter_map(|row| row.split_once("` | off |"));
    let mut off: Vec<&str> = off.map(|(flag, _)| flag).collect();
    let mut pieces: Vec<&str> = OFF
        .into_iter()
        .map(|(flag, _)| flag)
        .chain(WORDLESS)
        .collect();
    off.sort_unstable();
    pieces.sort_unstable();
    assert_eq!(off, pieces);
}

/// Returns the cells of the table below a heading of docs/wasmtime.md.
fn table(heading: &str) -> Vec<Vec<String>> {
    let page = std::fs::read_to_string(folder_of("../docs/wasmtime.md")).unwrap();
    let (_, section) = page.split_once(&format!("## {heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| "));
    let cells = |row: &str| row.split('|').map(|cell| cell.trim().to_owned()).collect();
    rows.skip(1).map(cells).collect()
}

fn manifest(path: &str) -> toml::Table {
    let text = std::fs::read_to_string(folder_of(path)).unwrap();
    text.parse().unwrap()
}

/// Returns the features with which the engine is built.
fn features() -> Vec<String> {
    let workspace = manifest("../Cargo.toml");
    let engine = &workspace["workspace"]["dependencies"]["wasmtime"];
    assert_eq!(engine["default-features"].as_bool(), Some(false));
    let features = engine["features"].as_array().unwrap().iter();
    features
        .map(|one| one.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_compiled_feature_is_documented() {
    let rows = table("What is compiled in");
    let named = rows
        .iter()
        .flat_map(|row| row[0].split('`').skip(1).step_by(2));
    let mut named: Vec<&str> = named.collect();
    let mut features = features();
    named.sort_unstable();
    features.sort_unstable();
    assert_eq!(named, features);
}

type Version = [u32; 3];

fn version(text: &str) -> Version {
    let parts = text.split('.').map(|part| part.parse().unwrap());
    parts.collect::<Vec<_>>().try_into().unwrap()
}

/// Returns the engine version in each lock file that contains it.
fn engines() -> Vec<(&'static str, Version)> {
    let locks = [
        "../Cargo.lock",
        "../benches/Cargo.lock",
        "../fuzz/Cargo.lock",
        "../tests/backends/Cargo.lock",
    ];
    locks
        .map(|lock| {
            let packages = manifest(lock);
            let packages = packages["package"].as_array().unwrap().iter();
            let mut engines = packages.filter(|one| one["name"].as_str() == Some("wasmtime"));
            let engine = engines.next().unwrap();
            assert!(engines.next().is_none(), "{lock}");
            (lock, version(engine["version"].as_str().unwrap()))
        })
        .to_vec()
}

/// Returns `true` if the affected code of an advisory is not used, although its fix is not
/// available.
fn is_kept_off(advisory: &str) -> bool {
    let has = |feature: &str| features().iter().any(|one| one == feature);
    match advisory {
        "GHSA-rc4p-x33f-vpr2" => has("gc"),
        "GHSA-2674-w29h-wqvj" => has("threads"),
        "GHSA-hj27-mpw9-ff4c" => !is_called("get_module_export"),
        _ => false,
    }
}

/// Returns `true` if the module that uses the engine contains this word.
fn is_called(word: &str) -> bool {
    let files = std::fs::read_dir(folder_of("../host/component/src")).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    let sources = paths.filter(|path| path.is_file());
    let mut texts = sources.map(|path| std::fs::read_to_string(path).unwrap());
    texts.any(|text| text.contains(word))
}

/// 48.0.8 is the first version of its line without the advisories that affect us.
#[test]
fn locked_engine_has_no_known_vulnerability() {
    assert!(is_called("get_export_index"), "the check can fail");
    let advisories = table("Advisories");
    assert!(advisories.len() > 10, "{advisories:?}");
    for (lock, engine) in engines() {
        assert!(
            engine[0] == 48 && engine >= [48, 0, 8],
            "{lock}: {engine:?}"
        );
        for row in &advisories {
            let fixed = engine >= version(&row[1]);
            assert!(fixed || is_kept_off(&row[0]), "{lock}: {row:?}");
        }
    }
}
