#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::cargo::{Package, Toolchain, artifact};
use super::{BuildOptions, build, component, tidy, write_whole};

fn message(error: &anyhow::Error) -> String {
    format!("{error:#}")
}

/// Returns the error of a build in a folder with these files.
fn refused(files: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
    }
    message(&build(folder.path(), &BuildOptions::default()).unwrap_err())
}

#[test]
fn build_fails_when_folder_has_no_package() {
    let refusal = refused(&[]);
    assert!(
        refusal.contains("neither a selector.toml nor a Cargo.toml"),
        "{refusal}"
    );

    let workspace = Path::new("/here/Cargo.toml");
    let Err(error) = Package::find(&metadata(&json!(null)), Path::new("."), workspace) else {
        panic!("expected an error for a workspace manifest");
    };
    assert!(message(&error).contains("a workspace without a root package"));
}

#[test]
fn build_explains_crate_type_when_package_is_not_a_cdylib() {
    let refusal = refused(&[
        (
            "Cargo.toml",
            "[package]\nname = \"plain\"\nedition = \"2024\"\n[workspace]\n",
        ),
        ("src/lib.rs", ""),
    ]);
    assert!(refusal.contains("`plain` is not a `cdylib`"), "{refusal}");
    assert!(refusal.contains("crate-type = [\"cdylib\"]"), "{refusal}");
}

#[test]
fn missing_target_is_reported_with_its_remedy() {
    let toolchain = Toolchain::read(Path::new(".")).unwrap();
    let refusal = message(&toolchain.require("wasm32-nowhere").unwrap_err());
    assert!(
        refusal.contains("rustup target add wasm32-nowhere"),
        "{refusal}"
    );
}

fn metadata(settings: &serde_json::Value) -> serde_json::Value {
    json!({
        "workspace_root": "/here",
        "target_directory": "/here/target",
        "packages": [{
            "name": "tenant",
            "manifest_path": "/here/tenant/Cargo.toml",
            "source": null,
            "targets": [{ "crate_types": ["cdylib"] }],
            "metadata": { "spanmux": settings },
        }],
    })
}

fn find(settings: &serde_json::Value) -> anyhow::Result<Package> {
    let manifest = Path::new("/here/tenant/Cargo.toml");
    Package::find(&metadata(settings), Path::new("tenant"), manifest)
}

#[test]
fn package_metadata_sets_the_output_path() {
    assert_eq!(find(&json!(null)).unwrap().output, None);
    let package = find(&json!({ "output": "../20-tenant.wasm", "stack-bytes": 65536 })).unwrap();
    let output = package.folder.join(package.output.unwrap());
    assert_eq!(tidy(&output), Path::new("20-tenant.wasm"));
}

#[test]
fn stack_size_is_rejected_when_not_a_number() {
    let Err(error) = find(&json!({ "stack-bytes": "64 KiB" })) else {
        panic!("expected an error for a string");
    };
    assert!(message(&error).contains("stack-bytes"));
}

#[test]
fn artifact_returns_the_file_of_the_package() {
    let line = |manifest: &str, file: &str| {
        json!({
            "reason": "compiler-artifact",
            "manifest_path": manifest,
            "filenames": [file.replace("wasm", "d"), file],
        })
        .to_string()
    };
    let messages = [
        "not JSON".to_owned(),
        line("/there/Cargo.toml", "/target/other.wasm"),
        line("/here/Cargo.toml", "/target/tenant.wasm"),
        json!({ "reason": "build-finished", "success": true }).to_string(),
    ]
    .join("\n");
    assert_eq!(
        artifact(&messages, Path::new("/here/Cargo.toml")),
        Some(PathBuf::from("/target/tenant.wasm"))
    );
    assert_eq!(
        artifact(&messages, Path::new("/elsewhere/Cargo.toml")),
        None
    );
}

#[test]
fn from_build_rejects_modules_that_are_not_selectors() {
    let module = wat::parse_str(r#"(module (func (export "select")))"#).unwrap();
    let refusal = message(&component::from_build(&module, None).unwrap_err());
    assert!(
        refusal.contains("in Rust: `spanmux_guest::export!(select)`"),
        "{refusal}"
    );

    let refusal = message(&component::from_build(b"select", None).unwrap_err());
    assert!(refusal.contains("not WebAssembly"), "{refusal}");
}

#[test]
fn from_build_returns_a_component_unchanged() {
    let component = wat::parse_str(
        r#"(component $named
             (instance $empty)
             (export "spanmux:selector/selection@0.1.0" (instance $empty)))"#,
    )
    .unwrap();
    assert_eq!(component::from_build(&component, None).unwrap(), component);
}

/// Returns the initial and maximum size of each memory in the slim module.
fn slim_memories(text: &str) -> Vec<(u64, Option<u64>)> {
    let bytes = component::slim(&wat::parse_str(text).unwrap()).unwrap();
    assert!(
        !bytes.windows(5).any(|window| window == b"debug"),
        "the names are removed"
    );
    wasmparser::Parser::new(0)
        .parse_all(&bytes)
        .filter_map(|payload| match payload.unwrap() {
            wasmparser::Payload::MemorySection(memories) => Some(memories),
            _ => None,
        })
        .flatten()
        .map(|memory| {
            memory
                .map(|memory| (memory.initial, memory.maximum))
                .unwrap()
        })
        .collect()
}

#[test]
fn slim_fixes_a_memory_that_never_grows() {
    let text = r#"(module $debug (@custom "debug" "x") (memory 2) (func $debug memory.size drop))"#;
    assert_eq!(slim_memories(text), [(2, Some(2))]);
    let text = "(module (memory 2) (func i32.const 1 memory.grow drop))";
    assert_eq!(slim_memories(text), [(2, None)]);
}

#[test]
fn without_names_copies_inner_parts_and_removes_outer_names() {
    let text = r#"
      (component $debug
        (core module $first (memory (export "memory") 1) (func $inner))
        (component $second (core module $third (func $inner)))
        (core instance $made (instantiate $first))
        (export "first" (core module $first)))"#;
    let named = wat::parse_str(text).unwrap();
    let unnamed = component::without_names(&named).unwrap();
    assert!(unnamed.len() < named.len());
    assert!(!unnamed.windows(5).any(|window| window == b"debug"));
    assert!(unnamed.windows(5).any(|window| window == b"inner"));
    wasmparser::Validator::new().validate_all(&unnamed).unwrap();
}

#[test]
fn write_whole_replaces_the_file_atomically() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("10-tenant.wasm");
    write_whole(&output, b"first").unwrap();
    write_whole(&output, b"second").unwrap();
    assert_eq!(fs::read(&output).unwrap(), b"second");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

    let error = write_whole(&folder.path().join("absent/10-tenant.wasm"), b"").unwrap_err();
    assert!(message(&error).contains("cannot write"));
}
