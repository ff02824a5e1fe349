//! Tests that a document names as `module::test` in backticks.

use std::path::Path;

use crate::folder_of;

/// The directories of test modules.
const PLACES: [&str; 14] = [
    "suites",
    "../host/spanmux/tests/ai",
    "../host/spanmux/tests/delivery",
    "../host/spanmux/tests/exporters",
    "../host/spanmux/tests/otel",
    "../host/spanmux/tests/config",
    "../host/core/src",
    "../host/component/src",
    "../host/explain/src",
    "../host/export/src",
    "../host/otel/src",
    "../host/genai/src",
    "../host/config/src",
    "../cli/tests",
];

/// Returns the tests in the last cell of each row of a Markdown table. Empty for a row that names
/// none.
pub fn in_last_cells(table: &str) -> Vec<(&str, Vec<&str>)> {
    let rows = table.lines().filter(|line| line.starts_with("| "));
    rows.filter_map(|row| {
        let cell = row.rsplit('|').nth(1)?;
        Some((row, cell.split('`').skip(1).step_by(2).collect()))
    })
    .collect()
}

/// Returns `true` if a test of this name exists.
pub fn is_there(test: &str) -> bool {
    let Some((module, name)) = test.rsplit_once("::") else {
        return false;
    };
    let module = module.replace("::", "/");
    let holds = |path: &Path| {
        let source = std::fs::read_to_string(path).unwrap_or_default();
        source.contains(&format!("#[test]\nfn {name}()"))
            || source.contains(&format!("#[test]\n    fn {name}()"))
    };
    let is_module =
        |module: &Path| holds(&module.with_extension("rs")) || holds(&module.join("main.rs"));
    // `component::engine::…` is in `host/component/src/engine.rs`.
    let in_crate = module.split_once('/').is_some_and(|(name, rest)| {
        is_module(&folder_of("../host").join(name).join("src").join(rest))
    });
    in_crate
        || PLACES
            .iter()
            .any(|place| is_module(&folder_of(place).join(&module)))
}
