//! Compares the dependencies between the crates with the table in ARCHITECTURE.md.
//!
//! Cargo enforces the arrows themselves: a crate cannot use another that its manifest does not
//! list. `deny.toml` and the `clippy.toml` of each crate enforce what a crate may use of others'.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn quoted(cell: &str) -> BTreeSet<String> {
    let words = cell.split('`').skip(1).step_by(2);
    words.map(str::to_owned).collect()
}

/// Each crate of the table with the crates that it may depend on.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `host/"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').collect();
        let folder = quoted(cells[0]).pop_first().unwrap();
        (folder, quoted(cells[2]))
    })
    .collect()
}

/// Each crate in `host/` with the crates of this workspace that it depends on.
fn declared() -> BTreeMap<String, BTreeSet<String>> {
    let mut crates = BTreeMap::new();
    for entry in fs::read_dir(root().join("host")).unwrap() {
        let folder = entry.unwrap().path();
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let manifest: toml::Table = manifest.parse().unwrap();
        let ours = manifest["dependencies"].as_table().unwrap().keys();
        let ours = ours.filter_map(|name| name.strip_prefix("spanmux-").map(str::to_owned));
        let name = folder.file_name().unwrap().to_str().unwrap();
        crates.insert(format!("host/{name}"), ours.collect());
    }
    crates
}

#[test]
fn documented_arrows_are_those_of_the_manifests() {
    assert_eq!(documented(), declared());
}

#[test]
fn every_crate_but_the_facade_has_a_list_of_disallowed_methods() {
    for folder in declared().into_keys().filter(|name| name != "host/spanmux") {
        let list = fs::read_to_string(root().join(&folder).join("clippy.toml")).unwrap();
        let list: toml::Table = list.parse().unwrap();
        let methods = list["disallowed-methods"].as_array().unwrap();
        let paths: BTreeSet<&str> = methods
            .iter()
            .filter_map(|method| method["path"].as_str())
            .collect();
        assert!(paths.contains("std::env::var"), "{folder}");
        assert!(paths.contains("std::process::exit"), "{folder}");
    }
}

#[test]
fn unsafe_code_is_in_one_file() {
    fn visit(folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                visit(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs")
                && fs::read_to_string(&path)
                    .unwrap()
                    .contains("allow(unsafe_code")
            {
                let inside = path.strip_prefix(root()).unwrap();
                found.push(inside.display().to_string());
            }
        }
    }
    let mut found = Vec::new();
    for folder in ["host", "guest-sdk/rust", "cli", "examples"] {
        visit(&root().join(folder), &mut found);
    }
    assert_eq!(found, ["guest-sdk/rust/src/arena.rs"]);
}

/// Returns the packages that a build of `spanmux-embed` with these arguments contains.
fn packages_of_embed(arguments: &[&str]) -> BTreeSet<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let tree = std::process::Command::new(cargo)
        .args(["tree", "--offline", "--package", "spanmux-embed", "--edges"])
        .args(["normal", "--prefix", "none", "--format", "{p}"])
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(tree.status.success(), "{tree:?}");
    let text = String::from_utf8(tree.stdout).unwrap();
    let names = text.lines().filter_map(|line| line.split(' ').next());
    names.map(str::to_owned).collect()
}

#[test]
fn selectors_of_a_configuration_file_need_no_opentelemetry() {
    let needs = |packages: &BTreeSet<String>| {
        let named = |name: &&String| name.starts_with("opentelemetry") || *name == "ureq";
        packages.iter().filter(named).cloned().collect::<Vec<_>>()
    };
    let whole = packages_of_embed(&[]);
    assert!(needs(&whole).len() > 2, "the check can fail: {whole:?}");
    let selectors = packages_of_embed(&["--no-default-features"]);
    assert!(selectors.contains("spanmux-config"), "{selectors:?}");
    assert_eq!(needs(&selectors), Vec::<String>::new());
}
