//! Compares the documents with the code: figures with constants, tables with enums, links with
//! files. The Rust code of the README and of the guide is compiled as doctests of this crate.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use spanmux::config::Config;
use spanmux::{Cause, ContextLimits, Limits, MAX_NAME_BYTES, MAX_TRACER_BYTES, MAX_TRACERS};
use spanmux_tests::{folder_of, markdown, named};

fn root() -> PathBuf {
    folder_of("..")
}

/// Reads a document by its path from the root of the repository.
fn document(path: &str) -> String {
    let read = fs::read_to_string(root().join(path));
    read.unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Collects the Markdown files below a folder, as paths from the root of the repository. Build
/// output and installed tools are skipped; links to folders are not followed.
fn markdown_files(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join(folder)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = format!("{folder}/{name}");
        if entry.file_type().unwrap().is_dir() {
            if !["target", "node_modules", ".venv"].contains(&name.as_str()) {
                found.extend(markdown_files(&path));
            }
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
    found
}

#[test]
fn readme_fits_on_the_front_page() {
    let bytes = document("README.md").len();
    assert!(
        bytes <= 9_000,
        "README.md has {bytes} bytes; move details to docs/guide/"
    );
}

#[test]
fn summary_lists_every_chapter_once() {
    let summary = document("docs/guide/SUMMARY.md");
    let listed = markdown::links(&summary);
    let chapters: BTreeSet<String> = markdown_files("docs/guide")
        .into_iter()
        .map(|path| path["docs/guide/".len()..].to_owned())
        .filter(|name| name != "SUMMARY.md")
        .collect();
    let distinct: BTreeSet<String> = listed.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(distinct, chapters);
    assert_eq!(listed.len(), chapters.len(), "a chapter is listed twice");
}

/// Every Rust block of the README and of the guide is a doctest of this crate.
#[test]
fn rust_code_of_the_guide_is_compiled() {
    let compiled = fs::read_to_string(folder_of("src/lib.rs")).unwrap();
    let mut documents = markdown_files("docs/guide");
    documents.push("README.md".to_owned());
    let mut blocks = 0;
    for path in documents {
        let text = document(&path);
        let all = markdown::code_blocks(&text);
        let rust = all.iter().filter(|block| block.info.starts_with("rust"));
        for block in rust {
            let options = block.info.strip_prefix("rust").unwrap();
            assert!(
                ["", ",no_run"].contains(&options),
                "{path}: ```{}",
                block.info
            );
            let line = format!(" = \"{path}\";");
            assert!(
                compiled.contains(&line),
                "{path} is not compiled in tests/src/lib.rs"
            );
            blocks += 1;
        }
    }
    assert!(blocks >= 10, "{blocks}");
}

/// The README and the guide show the same selector, which `.ci/newcomer` builds and runs.
#[test]
fn first_selector_is_the_same_in_readme_and_guide() {
    let source = |path: &str| {
        let text = document(path);
        let blocks = markdown::code_blocks(&text);
        let is_selector = |code: &str| code.contains("spanmux_guest::export!(select);");
        let mut selectors = blocks.into_iter().filter(|block| is_selector(&block.code));
        selectors.next().unwrap().code
    };
    assert_eq!(source("README.md"), source("docs/guide/selectors.md"));
}

#[test]
fn relative_links_lead_to_files_and_headings() {
    let mut documents: Vec<String> = fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".md"))
        .collect();
    for folder in [
        "docs",
        "guest-sdk",
        "templates",
        "selectors",
        "wit",
        "tests/conformance",
    ] {
        documents.extend(markdown_files(folder));
    }
    assert!(documents.len() > 40, "{documents:?}");
    let mut broken = Vec::new();
    for path in &documents {
        let text = document(path);
        for link in markdown::links(&text) {
            if link.contains("://") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => root().join(path),
                file => root().join(path).parent().unwrap().join(file),
            };
            let found = target.exists() && (anchor.is_empty() || has_anchor(&target, anchor));
            if !found {
                broken.push(format!("{path}: {link}"));
            }
        }
    }
    assert!(broken.is_empty(), "broken links:\n{}", broken.join("\n"));
}

fn has_anchor(file: &Path, anchor: &str) -> bool {
    let text = fs::read_to_string(file).unwrap();
    markdown::anchors(&text).iter().any(|known| known == anchor)
}

/// Each term of the glossary is defined once, in alphabetical order.
#[test]
fn glossary_is_sorted_and_has_no_duplicates() {
    let page = document("docs/glossary.md");
    let terms: Vec<String> = page
        .lines()
        .filter_map(|line| Some(line.strip_prefix("**")?.split_once("**")?.0.to_lowercase()))
        .collect();
    assert!(terms.len() > 40, "{terms:?}");
    for pair in terms.windows(2) {
        assert!(pair[0] < pair[1], "{pair:?}");
    }
}

#[test]
fn table_of_limits_matches_the_defaults() {
    let chapter = document("docs/guide/limits.md");
    let rows: BTreeMap<&str, &str> = chapter
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| `")?.split('|');
            let name = cells.next()?.trim().strip_suffix('`')?;
            Some((name, cells.next()?.trim()))
        })
        .collect();
    // New fields need a row, too.
    let all = format!("{:?}", Limits::default());
    let fields: Vec<&str> = all
        .split(['{', ','])
        .filter_map(|part| Some(part.split_once(':')?.0.trim()))
        .collect();
    assert!(fields.len() >= 22, "{all}");
    for field in fields {
        assert!(rows.contains_key(field), "`{field}` has no row");
    }
    let Limits {
        component_bytes,
        memory_bytes,
        table_elements,
        instances,
        memories,
        tables,
        stack_bytes,
        fuel,
        wall_clock,
        answer_bytes,
        message_bytes,
        printed_bytes,
        sandboxes,
        admission_wait,
        engines,
        selectors,
        compile_threads,
        cached_answers,
        cached_bytes,
        suspend_after,
        suspend_first,
        suspend_longest,
        ..
    } = Limits::default();
    for (name, value) in [
        ("component_bytes", component_bytes.to_string()),
        ("memory_bytes", memory_bytes.to_string()),
        ("table_elements", table_elements.to_string()),
        ("instances", instances.to_string()),
        ("memories", memories.to_string()),
        ("tables", tables.to_string()),
        ("stack_bytes", stack_bytes.to_string()),
        ("fuel", fuel.to_string()),
        ("wall_clock", format!("{} ms", wall_clock.as_millis())),
        ("answer_bytes", answer_bytes.to_string()),
        ("message_bytes", message_bytes.to_string()),
        ("printed_bytes", printed_bytes.to_string()),
        (
            "admission_wait",
            format!("{} ms", admission_wait.as_millis()),
        ),
        ("selectors", selectors.to_string()),
        ("cached_answers", cached_answers.to_string()),
        ("cached_bytes", cached_bytes.to_string()),
        ("suspend_after", suspend_after.to_string()),
        ("suspend_first", format!("{} ms", suspend_first.as_millis())),
        (
            "suspend_longest",
            format!("{} ms", suspend_longest.as_millis()),
        ),
        (
            "sandboxes",
            format!("{} per core, at least 4", Limits::SANDBOXES_PER_CORE),
        ),
        (
            "engines",
            format!("1 per core, at most {}", Limits::ENGINES),
        ),
        (
            "compile_threads",
            format!("1 per core, at most {}", Limits::COMPILE_THREADS),
        ),
    ] {
        assert_eq!(
            rows.get(name),
            Some(&value.as_str()),
            "`{name}` in docs/guide/limits.md"
        );
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    assert_eq!(sandboxes, (cores * 2).max(4));
    assert_eq!((engines, compile_threads), (cores.min(4), cores.min(4)));
}

#[test]
fn table_of_context_limits_matches_the_defaults() {
    let chapter = document("docs/guide/limits.md");
    let limits = ContextLimits::default();
    for (name, value) in [
        ("keys", limits.keys),
        ("bytes", limits.bytes),
        ("depth", limits.depth),
        ("name", MAX_NAME_BYTES),
        ("tracers", MAX_TRACERS),
        ("names", MAX_TRACER_BYTES),
    ] {
        let row = format!("| {name} | {value} |");
        assert!(chapter.contains(&row), "{row}");
    }
}

#[test]
fn fallback_causes_are_documented_in_their_section() {
    let chapter = document("docs/guide/fallback-causes.md");
    let (default, fallback) = chapter.split_once("\n## Fallback tracer\n").unwrap();
    for cause in Cause::ALL {
        let section = if cause.is_failure() {
            fallback
        } else {
            default
        };
        assert!(section.contains(&format!("\n| `{cause}` | ")), "{cause}");
    }
}

/// The configuration in the guide is loaded and built without changes.
#[test]
fn configuration_of_the_guide_builds() {
    let chapter = document("docs/guide/configuration.md");
    let blocks = markdown::code_blocks(&chapter);
    let file = &blocks
        .iter()
        .find(|block| block.info == "toml")
        .unwrap()
        .code;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spanmux.toml");
    fs::write(&path, file).unwrap();
    let selectors = folder.path().join("selectors");
    fs::create_dir(&selectors).unwrap();
    let name = "10-health-checks.wasm";
    let from = folder_of("../selectors").join(name);
    fs::copy(from, selectors.join(name)).unwrap();

    let config = Config::from_file_with(&path, |name| Some(format!("the {name}"))).unwrap();
    assert!(config.warnings().is_empty(), "{:?}", config.warnings());
    let abstains = spanmux::selector_fn("by-tenant", |_, _| spanmux::Choice::Abstain);
    let builder = config
        .builder()
        .tracer(
            "own",
            opentelemetry_sdk::trace::SdkTracerProvider::builder(),
        )
        .native_selector(abstains);
    let loaded = builder.load_selectors().unwrap();
    let chain: Vec<&str> = loaded.chain.selectors().map(|one| one.name()).collect();
    assert_eq!(chain, ["10-health-checks", "by-tenant"]);
    let provider = builder.build_with(loaded).unwrap();
    let names = provider.registry().names();
    assert_eq!(
        names.as_slice(),
        ["langfuse", "datadog", "own", "quarantine"]
    );
}

/// Each fault in docs/delivery.md names the test that shows its handling.
#[test]
fn tests_named_in_delivery_guarantees_exist() {
    let page = document("docs/delivery.md");
    let faults = page.split("## Faults").nth(1).unwrap();
    let faults = faults.split("\n## ").next().unwrap();
    let named: Vec<&str> = named::in_last_cells(faults)
        .into_iter()
        .flat_map(|(_, tests)| tests)
        .collect();
    assert!(named.len() > 20, "{named:?}");
    for test in named {
        assert!(named::is_there(test), "{test}");
    }
}

/// Each fault in docs/faults.md names tests that exist.
#[test]
fn tests_named_in_the_list_of_faults_exist() {
    let page = document("docs/faults.md");
    let faults = named::in_last_cells(&page);
    let faults: Vec<_> = faults
        .into_iter()
        .filter(|(fault, _)| !fault.starts_with("| situation "))
        .collect();
    assert!(faults.len() > 40, "{}", faults.len());
    for (fault, tests) in faults {
        assert!(!tests.is_empty(), "no test for: {fault}");
        for test in tests {
            assert!(named::is_there(test), "{test} of: {fault}");
        }
    }
}

/// Each promise in SECURITY.md names at least one test, and each test exists.
#[test]
fn security_promises_have_tests() {
    let page = document("SECURITY.md");
    let tables: Vec<&str> = page
        .split("| promise | tests |\n|---|---|\n")
        .skip(1)
        .map(|rest| rest.split("\n\n").next().unwrap())
        .collect();
    let promises: Vec<_> = tables
        .iter()
        .flat_map(|table| named::in_last_cells(table))
        .collect();
    assert!(promises.len() > 30, "{}", promises.len());
    for (promise, tests) in promises {
        assert!(!tests.is_empty(), "no test for: {promise}");
        for test in tests {
            assert!(named::is_there(test), "{test} of: {promise}");
        }
    }
}
