//! One decision as it went: asked this, got that, answered so.

use serde_json::{Value, json};
use spanmux::{LoadedFile, Reason, Selection, TracerNames};

use crate::printer::Printer;
use crate::transcript::Asked;

/// What each selector asked, was told and answered.
pub(super) fn print(asked: &[Asked], tracers: &TracerNames, printer: &Printer) {
    for asked in asked {
        printer.line(format_args!("  {}", asked.selector));
        for line in asked.lines() {
            printer.line(format_args!("    asked {line}"));
        }
        printer.line(format_args!("    {}", asked.answer(tracers)));
    }
}

/// Who receives the trace, and why nobody else was asked.
pub(super) fn print_end(
    selection: &Selection<()>,
    files: &[LoadedFile],
    asked: &[Asked],
    printer: &Printer,
) {
    let rest = files.iter().skip(asked.len());
    let rest: Vec<String> = rest.map(LoadedFile::name).collect();
    if !rest.is_empty() {
        printer.faint(format_args!("  not asked: {}", rest.join(", ")));
    }
    let tracer = selection.tracer_name().unwrap_or("nobody");
    let selector = selection.selector_name().unwrap_or_default();
    let why = match selection.reason() {
        Reason::Chosen => format!("{selector} chose it, and the first that chooses decides"),
        Reason::Failed(why) => {
            format!("a failure ends the chain, and this is one of {selector}: {why}")
        }
        why => format!("it is the default, and {why}"),
    };
    printer.line(format_args!("  → {tracer}: {why}"));
}

/// The same for a program.
pub(super) fn json(asked: &[Asked], tracers: &TracerNames) -> Value {
    let one = |asked: &Asked| {
        let questions = asked.questions.as_ref().map(|questions| {
            let told = questions.iter().map(|(question, answer)| {
                json!({"question": question.to_string(), "answer": answer.to_string()})
            });
            told.collect::<Vec<_>>()
        });
        json!({
            "selector": asked.selector,
            "questions": questions,
            "answer": asked.answer(tracers),
        })
    };
    asked.iter().map(one).collect()
}
