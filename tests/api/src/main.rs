//! Lists the public API of the crates of Spanmux, one line for each item.
//!
//! usage: spanmux-api JSON OUT
//!
//! Reads the JSON that rustdoc wrote to the directory `JSON` and writes one text file for each
//! listed crate to the directory `OUT`. `api/check` runs rustdoc and compares the files with the
//! committed ones.
//!
//! rustdoc does not expand a re-export of another crate's item. The listing of the facade is
//! therefore assembled from those of the member crates: every re-export of the facade gives a
//! path in a member crate another name, and the lines below that path are listed with it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

const FACADE: &str = "spanmux";
/// The crates that the facade re-exports.
const MEMBERS: [&str; 7] = [
    "spanmux-component",
    "spanmux-config",
    "spanmux-core",
    "spanmux-explain",
    "spanmux-export",
    "spanmux-genai",
    "spanmux-otel",
];
/// Listed with their own paths. The other crates are used through the facade only.
const CRATES: [&str; 2] = ["spanmux-core", "spanmux-guest"];
/// Auto traits and markers that nobody can promise or use.
const UNLISTED_TRAITS: [&str; 6] = [
    "core::marker::Freeze",
    "core::marker::StructuralPartialEq",
    "core::marker::Unpin",
    "core::marker::UnsafeUnpin",
    "core::panic::unwind_safe::RefUnwindSafe",
    "core::panic::unwind_safe::UnwindSafe",
];

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [json, out] = &arguments[..] else {
        bail!("usage: spanmux-api JSON OUT");
    };
    let (json, out) = (Path::new(json), Path::new(out));
    let public = public_paths(json)?;
    for name in CRATES {
        write(out, name, &listing(json, name, &public)?)?;
    }
    write(out, FACADE, &facade(json, &public)?)
}

fn write(out: &Path, name: &str, lines: &[String]) -> Result<()> {
    let file = out.join(format!("{name}.txt"));
    fs::write(&file, lines.join("\n") + "\n").with_context(|| format!("{}", file.display()))
}

/// The lines of one crate, as `public-api` orders them: each type with its impls below it.
fn listing(json: &Path, name: &str, public: &Names) -> Result<Vec<String>> {
    let file = json.join(format!("{}.json", name.replace('-', "_")));
    let api = public_api::Builder::from_rustdoc_json(&file)
        .omit_blanket_impls(true)
        .build()
        .with_context(|| format!("{}", file.display()))?;
    let mut lines = Vec::new();
    let mut in_foreign_impl = false;
    for item in api.items() {
        let line = renamed(&item.to_string(), public);
        if let Some(header) = Header::parse(&line) {
            in_foreign_impl = header.of.is_some_and(|of| !of.starts_with(FACADE));
            let of = header.of.map(|of| of.trim_start_matches('!'));
            if of.is_some_and(|of| UNLISTED_TRAITS.contains(&of)) {
                continue;
            }
        } else if in_foreign_impl && line.contains(" fn ") {
            // The trait is in another crate and says which functions it has.
            continue;
        } else if is_definition(&line) {
            in_foreign_impl = false;
        }
        lines.push(line);
    }
    Ok(lines)
}

/// Tests for the first line of a type, a trait or a module. It ends the impls before it.
fn is_definition(line: &str) -> bool {
    ["struct", "enum", "union", "trait", "mod", "macro"]
        .iter()
        .any(|kind| line.contains(&format!("pub {kind} ")))
}

/// The first line of an impl.
struct Header<'a> {
    of: Option<&'a str>,
    on: &'a str,
}

impl<'a> Header<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let rest = line
            .strip_prefix("impl")
            .or_else(|| line.strip_prefix("unsafe impl"))?;
        let rest = match rest.strip_prefix('<') {
            Some(generics) => &generics[closing(generics)..],
            None => rest,
        };
        let rest = rest.split(" where ").next()?.trim_start();
        Some(match rest.split_once(" for ") {
            Some((of, on)) => Self { of: Some(of), on },
            None => Self { of: None, on: rest },
        })
    }
}

/// The index after the bracket that closes a list of generic parameters.
fn closing(generics: &str) -> usize {
    let mut depth = 1;
    let mut previous = ' ';
    for (index, character) in generics.char_indices() {
        match character {
            '<' => depth += 1,
            // Not the arrow of a function type.
            '>' if previous != '-' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return index + 1;
        }
        previous = character;
    }
    generics.len()
}

/// The lines of the facade: its own, and those of what it re-exports.
fn facade(json: &Path, public: &Names) -> Result<Vec<String>> {
    let re_exports = re_exports(json, FACADE)?;
    let names: Names = re_exports
        .into_iter()
        .map(|item| (item.source, item.public))
        .collect();
    let own = listing(json, FACADE, public)?.into_iter();
    let mut lines: Vec<String> = own.filter(|line| !line.starts_with("pub use ")).collect();
    for member in MEMBERS {
        let mut listed = false;
        for line in listing(json, member, public)? {
            let line = renamed(&line, &names);
            let item = match Header::parse(&line) {
                Some(header) => first_path(header.on).or_else(|| first_path(header.of?)),
                None => first_path(&line),
            };
            // A function of an impl on a type of another crate belongs to the line before it.
            if let Some(path) = item {
                listed = path == FACADE;
            }
            if listed {
                lines.push(line);
            }
        }
    }
    Ok(lines)
}

/// Paths and what they are renamed to.
type Names = BTreeMap<String, String>;

/// A re-export: where the item is defined, the path in the `use`, and its new path.
struct ReExport {
    defined: Option<String>,
    source: String,
    public: String,
}

/// Every re-export in the public modules of a crate.
fn re_exports(json: &Path, name: &str) -> Result<Vec<ReExport>> {
    let file = json.join(format!("{name}.json"));
    let text = fs::read(&file).with_context(|| format!("{}", file.display()))?;
    let document: Value = serde_json::from_slice(&text)?;
    let mut found = Vec::new();
    let mut modules = vec![(document["root"].to_string(), name.to_owned())];
    while let Some((module, path)) = modules.pop() {
        let items = &document["index"][&module]["inner"]["module"]["items"];
        for id in items.as_array().context("a module has no items")? {
            let id = id.to_string();
            let item = &document["index"][&id];
            let used = &item["inner"]["use"];
            if let (Some(source), Some(name)) = (used["source"].as_str(), used["name"].as_str()) {
                let target = used["id"].to_string();
                let local = document["index"][&target]["inner"].get("module");
                let is_glob = used["is_glob"] == true;
                if is_glob && local.is_none() {
                    bail!("{path}: a glob re-export of {source} cannot be listed; name its items");
                }
                let defined = document["paths"][&target]["path"].as_array();
                let defined = defined.map(|path| {
                    let names: Vec<&str> = path.iter().filter_map(Value::as_str).collect();
                    names.join("::")
                });
                let public = if is_glob {
                    path.clone()
                } else {
                    format!("{path}::{name}")
                };
                if local.is_some() {
                    modules.push((target, public.clone()));
                }
                found.push(ReExport {
                    defined,
                    source: source.to_owned(),
                    public,
                });
            } else if item["inner"].get("module").is_some() {
                let name = item["name"].as_str().context("a module has no name")?;
                modules.push((id, format!("{path}::{name}")));
            }
        }
    }
    Ok(found)
}

/// The public paths of items that a crate defines in a private module. rustdoc writes the path of
/// the definition where another crate uses such an item.
fn public_paths(json: &Path) -> Result<Names> {
    let mut names = Names::new();
    for member in MEMBERS {
        let member = member.replace('-', "_");
        for item in re_exports(json, &member)? {
            match item.defined {
                Some(path) if crate_of(&path) == Some(&member) => names.insert(path, item.public),
                _ => continue,
            };
        }
    }
    Ok(names)
}

fn is_path_character(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == ':'
}

/// The crate of a path, if it is one of ours.
fn crate_of(path: &str) -> Option<&str> {
    let name = path.split("::").next()?;
    (name == FACADE || name.starts_with("spanmux_")).then_some(name)
}

/// The crate of the first path in one of our crates.
fn first_path(text: &str) -> Option<&str> {
    text.split(|character| !is_path_character(character))
        .filter(|word| word.contains("::") || *word == FACADE)
        .find_map(crate_of)
}

/// The line with every path that is re-exported, or lies below one that is, under its new name.
fn renamed(line: &str, names: &Names) -> String {
    let mut result = String::with_capacity(line.len());
    let mut rest = line;
    while !rest.is_empty() {
        let end = rest
            .find(|character| !is_path_character(character))
            .unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        result.push_str(&renamed_path(word, names));
        let next = after.find(is_path_character).unwrap_or(after.len());
        result.push_str(&after[..next]);
        rest = &after[next..];
    }
    result
}

fn renamed_path(path: &str, names: &Names) -> String {
    let mut known = path;
    loop {
        if let Some(name) = names.get(known) {
            return format!("{name}{}", &path[known.len()..]);
        }
        match known.rsplit_once("::") {
            Some((parent, _)) => known = parent,
            None => return path.to_owned(),
        }
    }
}
