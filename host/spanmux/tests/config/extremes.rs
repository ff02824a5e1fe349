//! Extreme numbers and durations in every setting: an error that names the key, or a provider.

use spanmux::config::Config;

/// The settings with a number.
const NUMBERS: [&str; 38] = [
    "tracers.a.batch.queue",
    "tracers.a.batch.size",
    "tracers.a.limits.length",
    "tracers.a.limits.depth",
    "tracers.a.limits.items",
    "tracers.a.limits.attributes",
    "tracers.a.limits.events",
    "tracers.a.limits.links",
    "tracers.a.max_open_spans",
    "tracers.a.sampling.ratio",
    "tracers.a.exporter.spill.max_bytes",
    "tracers.a.exporter.spill.max_files",
    "tracers.f.exporter.max_bytes",
    "tracers.f.exporter.keep",
    "selectors.limits.component_bytes",
    "selectors.limits.memory_bytes",
    "selectors.limits.table_elements",
    "selectors.limits.instances",
    "selectors.limits.memories",
    "selectors.limits.tables",
    "selectors.limits.stack_bytes",
    "selectors.limits.fuel",
    "selectors.limits.answer_bytes",
    "selectors.limits.message_bytes",
    "selectors.limits.printed_bytes",
    "selectors.limits.sandboxes",
    "selectors.limits.engines",
    "selectors.limits.selectors",
    "selectors.limits.compile_threads",
    "selectors.limits.cached_answers",
    "selectors.limits.cached_bytes",
    "selectors.limits.suspend_after",
    "tracers.a.exporter.timeout",
    "tracers.a.batch.every",
    "tracers.a.batch.timeout",
    "tracers.a.exporter.spill.max_age",
    "selectors.limits.wall_clock",
    "selectors.limits.admission_wait",
];

const VALUES: [&str; 13] = [
    "0",
    "-1",
    "1",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "18446744073709551615",
    "1e308",
    "nan",
    "'0s'",
    "'18446744073709551615s'",
    "'9999999999999 years'",
    "'365 days'",
];

fn file(folder: &std::path::Path, key: &str, value: &str) -> String {
    let folder = folder.display();
    format!(
        "service = 's'
         selectors.directory = '{folder}/selectors'
         tracers.a.exporter.type = 'otlp'
         tracers.a.exporter.endpoint = 'http://127.0.0.1:9'
         tracers.a.exporter.spill.directory = '{folder}/buffer'
         tracers.f.exporter.type = 'file'
         tracers.f.exporter.path = '{folder}/f.jsonl'
         {key} = {value}
        "
    )
}

#[test]
fn extreme_values_are_errors_or_make_a_provider() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("selectors")).unwrap();
    let mut built = 0;
    for key in NUMBERS {
        for value in VALUES {
            let text = file(folder.path(), key, value);
            match Config::from_toml(&text) {
                Ok(config) => {
                    // Large limits of selectors may be more than this machine has.
                    if let Ok(provider) = config.builder().build() {
                        drop(provider.shutdown());
                        built += 1;
                    }
                }
                Err(error) => {
                    let message = error.to_string();
                    let named = message
                        .lines()
                        .all(|line| line.contains(&format!(" {key}: ")));
                    assert!(named, "{key} = {value}: {message}");
                }
            }
        }
    }
    assert!(
        built >= NUMBERS.len(),
        "only {built} of the files are valid"
    );
}

#[test]
fn too_large_value_names_the_maximum() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("selectors")).unwrap();
    for (key, value, message) in [
        (
            "tracers.a.exporter.timeout",
            "'18446744073709551615s'",
            "duration \"18446744073709551615s\" is too long; the maximum is 365 days",
        ),
        (
            "tracers.a.limits.events",
            "4294967296",
            "4294967296 is not between 1 and 4294967295",
        ),
        (
            "tracers.f.exporter.keep",
            "9223372036854775807",
            "9223372036854775807 is not between 0 and 1000",
        ),
    ] {
        let error = Config::from_toml(&file(folder.path(), key, value)).unwrap_err();
        assert!(error.to_string().ends_with(message), "{error}");
    }
}
