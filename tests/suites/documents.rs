//! The documents say what the code does: the figures of the README are those of
//! the constants. Its code is compiled as the doc tests of this crate.

use std::collections::BTreeMap;

use spanmux::config::Config;
use spanmux::{Cause, ContextLimits, Limits, MAX_NAME_BYTES};
use spanmux_tests::{folder_of, named};

fn readme() -> String {
    std::fs::read_to_string(folder_of("../README.md")).unwrap()
}

#[test]
fn the_table_of_limits_is_that_of_the_code() {
    let readme = readme();
    let rows: BTreeMap<&str, &str> = readme
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| `")?.split('|');
            let name = cells.next()?.trim().strip_suffix('`')?;
            Some((name, cells.next()?.trim()))
        })
        .collect();
    // Every field has a row, a new one too.
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
            "`{name}` in the README"
        );
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    assert_eq!(sandboxes, (cores * 2).max(4));
    assert_eq!((engines, compile_threads), (cores.min(4), cores.min(4)));
}

#[test]
fn the_limits_of_a_context_and_of_a_name_are_those_of_the_code() {
    // Lines may break anywhere.
    let text = readme().split_whitespace().collect::<Vec<_>>().join(" ");
    let limits = ContextLimits::default();
    let context = format!(
        "{} keys, {} bytes, {} levels",
        limits.keys, limits.bytes, limits.depth
    );
    assert!(text.contains(&context), "{context}");
    assert!(text.contains(&format!("at most {MAX_NAME_BYTES} bytes")));
}

#[test]
fn every_cause_is_named() {
    let readme = readme();
    for kind in Cause::ALL {
        assert!(
            readme.contains(&format!("`{kind}`")),
            "{kind} is not in the README"
        );
    }
}

/// The configuration of the README is read and built as it stands.
#[test]
fn the_configuration_of_the_readme_is_right() {
    let readme = readme();
    let (_, section) = readme.split_once("## Configure it").unwrap();
    let (_, file) = section.split_once("```toml\n").unwrap();
    let (file, _) = file.split_once("```").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spanmux.toml");
    std::fs::write(&path, file).unwrap();
    let selectors = folder.path().join("selectors");
    std::fs::create_dir(&selectors).unwrap();
    let name = "10-health-checks.wasm";
    let from = folder_of("../selectors").join(name);
    std::fs::copy(from, selectors.join(name)).unwrap();

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

/// Each fault in docs/delivery.md names the test that shows its answer.
#[test]
fn the_tests_that_the_table_of_faults_names_are_there() {
    let page = std::fs::read_to_string(folder_of("../docs/delivery.md")).unwrap();
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

/// Each promise in SECURITY.md has a test behind it, and each test is there.
#[test]
fn no_promise_is_without_its_test() {
    let page = std::fs::read_to_string(folder_of("../SECURITY.md")).unwrap();
    let tables: Vec<&str> = page
        .split("| promise | shown by |\n|---|---|\n")
        .skip(1)
        .map(|rest| rest.split("\n\n").next().unwrap())
        .collect();
    let promises: Vec<_> = tables
        .iter()
        .flat_map(|table| named::in_last_cells(table))
        .collect();
    assert!(promises.len() > 30, "{}", promises.len());
    for (promise, tests) in promises {
        assert!(!tests.is_empty(), "nothing shows: {promise}");
        for test in tests {
            assert!(named::is_there(test), "{test} of: {promise}");
        }
    }
}
