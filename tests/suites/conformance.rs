//! The committed reference selectors in five languages: their decisions, their size, and that they
//! contain no paths of the build machine. `selectors/languages/conformance` builds every language
//! from source and runs the same cases.

use std::fs;
use std::path::PathBuf;

use spanmux::{CompileTier, Origin, SelectorHost};
use spanmux_tests::conformance::{Matrix, Subject, Suite, outcome};
use spanmux_tests::{folder_of, host, limits};

/// Maximum size of a committed component, in bytes.
const LARGEST: usize = 20_000;

const LANGUAGES: [&str; 5] = ["assemblyscript", "c", "rust", "wat", "zig"];

fn component(language: &str) -> Vec<u8> {
    let folder: PathBuf = folder_of("conformance/components");
    let file = folder.join(language).with_added_extension("wasm");
    fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

#[test]
fn every_language_matches_the_case_table() {
    let host = host();
    let load = |language: &&str| Subject::load(&host, language, &component(language));
    let subjects: Vec<Subject> = LANGUAGES.iter().map(load).collect();
    let matrix = Matrix::of(&Suite::read(), &subjects);
    println!("{matrix}");
    assert!(matrix.rows.len() >= 60, "{} rows", matrix.rows.len());
    assert_eq!(matrix.failures(), Vec::<String>::new());
}

#[test]
fn wrong_answer_fails_with_language_and_case() {
    let mut suite = Suite::read();
    suite.cases.truncate(2);
    suite.cases[1].expect = "chose datadog".to_owned();
    let subject = Subject::load(&host(), "wat", &component("wat"));
    let matrix = Matrix::of(&suite, &[subject]);
    let failures = matrix.failures();
    assert_eq!(
        failures,
        [r#"wat, development: "chose console" came in place of "chose datadog""#]
    );
}

#[test]
fn outdated_documented_difference_fails() {
    let mut suite = Suite::read();
    suite.cases.retain(|case| case.name == "a mistake");
    suite.differences[0].languages = vec!["wat".to_owned()];
    let subject = Subject::load(&host(), "wat", &component("wat"));
    let failures = Matrix::of(&suite, &[subject]).failures();
    assert_eq!(failures.len(), 1);
    assert!(failures[0].contains("which is documented"), "{failures:?}");
}

#[test]
fn components_are_small_and_contain_no_build_paths() {
    for language in LANGUAGES {
        let bytes = component(language);
        assert!(
            bytes.len() < LARGEST,
            "{language} has {} bytes",
            bytes.len()
        );
        let text = String::from_utf8_lossy(&bytes);
        for word in [
            "/home",
            "/root",
            "/tmp/",
            "/Users/",
            ".cargo",
            "registry",
            "crates.io",
        ] {
            assert!(!text.contains(word), "{language} holds {word:?}");
        }
    }
}

/// The engine counts fuel in the code of the guest, before it compiles that.
#[test]
fn decisions_and_fuel_are_the_same_however_components_are_compiled() {
    let host = |tier| {
        let builder = SelectorHost::builder().limits(limits()).compile_tier(tier);
        builder.build().unwrap()
    };
    let hosts = [CompileTier::Optimized, CompileTier::Fast].map(host);
    let suite = Suite::read();
    let mut fuel = 0;
    for language in LANGUAGES {
        let bytes = component(language);
        let subjects = hosts
            .each_ref()
            .map(|host| Subject::load(host, language, &bytes));
        for case in suite.cases.iter().filter(|case| case.is_for(language)) {
            let [optimized, fast] = subjects.each_ref().map(|subject| {
                let (answer, decision) = outcome(subject.fresh(), case);
                let Origin::Run(cost) = decision.origin else {
                    panic!("not a run: {decision:?}");
                };
                (answer, cost.fuel)
            });
            assert_eq!(optimized, fast, "{language}, {}", case.name);
            fuel += fast.1;
        }
    }
    assert!(fuel > 100_000, "{fuel}");
}
