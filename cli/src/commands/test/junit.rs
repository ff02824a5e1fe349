//! Writes a JUnit XML report for continuous integration.

use std::fs::File;
use std::path::Path;

use anyhow::{Context as _, Result};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{CaseRun, Run};
use crate::untrusted::one_line;

/// Writes one test suite for each run.
pub(super) fn write(file: &Path, cases: &Path, runs: &[Run<'_>]) -> Result<()> {
    let mut report = Report::new("spanmux test");
    report.add_test_suites(runs.iter().map(|run| suite(run, cases)));
    let place = || format!("cannot write {}", file.display());
    report
        .serialize(File::create(file).with_context(place)?)
        .with_context(place)
}

fn suite(run: &Run<'_>, cases: &Path) -> TestSuite {
    let name = one_line(run.path.display());
    let mut suite = TestSuite::new(name.clone());
    suite.set_time(run.results.iter().map(|result| result.took).sum());
    suite.add_test_cases(run.results.iter().map(|result| case(result, &name, cases)));
    suite
}

fn case(result: &CaseRun<'_>, selectors: &str, cases: &Path) -> TestCase {
    let status = if result.differences.is_empty() {
        TestCaseStatus::success()
    } else {
        failure(result, cases)
    };
    let mut case = TestCase::new(one_line(&result.case.name), status);
    case.set_classname(selectors).set_time(result.took);
    case
}

fn failure(result: &CaseRun<'_>, cases: &Path) -> TestCaseStatus {
    let differences = result.differences.iter().map(|difference| {
        let (expected, got) = (&difference.expected, &difference.got);
        format!("{}: expected {expected}, got {got}", difference.what)
    });
    let differences: Vec<String> = differences.collect();
    let asked = result.asked.iter().map(|asked| {
        let (line, answer) = (asked.line(), asked.answer(&result.tracers));
        format!("{} asked {line}; {answer}", asked.selector)
    });
    let place = format!("{}, line {}", cases.display(), result.case.line);
    let whole = [place, format!("context: {}", result.case.json)].into_iter();
    let whole: Vec<String> = whole
        .chain(differences.iter().cloned())
        .chain(asked)
        .map(one_line)
        .collect();
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status
        .set_message(one_line(differences.join("; ")))
        .set_description(whole.join("\n"));
    status
}
