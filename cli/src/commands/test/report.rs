//! Reports the results of a run as text and as JSON.

use std::path::Path;

use serde_json::{Value, json};

use super::{CaseRun, Run};
use crate::commands::entries;
use crate::coverage::Coverage;
use crate::printer::Printer;

/// Prints each case, the differences of failed cases, and the coverage.
pub(super) fn print(run: &Run<'_>, cases: &Path, printer: &Printer) {
    printer.heading(run.title.display());
    for result in &run.results {
        if result.differences.is_empty() {
            printer.passed(&result.case.name)
        } else {
            print_failure(result, cases, printer)
        }
    }
    let failed = run.failed();
    let passed = run.results.len() - failed;
    printer.line(format_args!("{passed} passed, {failed} failed"));
    print_coverage(run, printer);
}

fn print_failure(result: &CaseRun<'_>, cases: &Path, printer: &Printer) {
    let case = result.case;
    let place = format!("{}, line {}", cases.display(), case.line);
    printer.failed(format_args!("{} ({place})", case.name));
    printer.line(format_args!("    context   {}", entries(&case.json)));
    for difference in &result.differences {
        let what = difference.what;
        printer.line(format_args!("    {what:<9} - {}", difference.expected));
        printer.line(format_args!("              + {}", difference.got));
    }
    for asked in &result.asked {
        printer.line(format_args!(
            "    {} asked {}; {}",
            asked.selector,
            asked.line(),
            asked.answer(&result.tracers)
        ));
    }
}

fn print_coverage(run: &Run<'_>, printer: &Printer) {
    for coverage in &run.coverage {
        let reached = coverage.branches - coverage.missed.len();
        printer.faint(format_args!(
            "{}: cases reach {reached} of {} discovered branches",
            coverage.selector, coverage.branches
        ));
        for missed in &coverage.missed {
            printer.line(format_args!(
                "  not reached: {} → {}",
                missed.branch, missed.ends
            ));
        }
    }
    if !run.unchosen.is_empty() {
        printer.faint("tracers not chosen by any case");
    }
    for name in &run.unchosen {
        let chooses = |coverage: &&Coverage| coverage.chooses.iter().any(|chosen| chosen == name);
        printer.line(match run.coverage.iter().find(chooses) {
            Some(coverage) => format!("  {name}: {} can choose it", coverage.selector),
            None => format!("  {name}: no discovered branch chooses it"),
        });
    }
}

/// Returns the JSON object for a run.
pub(super) fn json(run: &Run<'_>) -> Value {
    let failed = run.failed();
    json!({
        "selectors": run.path,
        "passed": run.results.len() - failed,
        "failed": failed,
        "cases": run.results.iter().map(case).collect::<Vec<_>>(),
        "coverage": run.coverage,
        "unchosen_tracers": run.unchosen,
    })
}

fn case(result: &CaseRun<'_>) -> Value {
    let differences = result.differences.iter().map(|difference| {
        json!({"what": difference.what, "expected": difference.expected, "got": difference.got})
    });
    json!({
        "name": result.case.name,
        "line": result.case.line,
        "passed": result.differences.is_empty(),
        "differences": differences.collect::<Vec<_>>(),
        "tracer": result.got.tracer,
        "cause": result.got.cause,
        "reason": result.got.reason,
        "selector": result.got.selector,
        "fuel": result.fuel,
        "context": result.case.json,
    })
}
