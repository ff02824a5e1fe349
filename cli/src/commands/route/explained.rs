//! Prints the questions, answers and results of one selection.

use serde_json::{Value, json};
use spanmux::{LoadedFile, Reason, Selection, TracerNames};

use crate::printer::Printer;
use crate::transcript::Asked;

/// Prints the questions, answers and decision of each selector.
pub(super) fn print(asked: &[Asked], tracers: &TracerNames, printer: &Printer) {
    for asked in asked {
        printer.line(format_args!("  {}", asked.selector));
        for line in asked.lines() {
            printer.line(format_args!("    asked {line}"));
        }
        printer.line(format_args!("    {}", asked.answer(tracers)));
    }
}

/// Prints the tracer that receives the trace, and the reason why the chain ended.
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
    let tracer = selection.tracer_name().unwrap_or("no tracer");
    let selector = selection.selector_name().unwrap_or_default();
    let why = match selection.reason() {
        Reason::Chosen => format!("{selector} is the first selector that chose a tracer"),
        Reason::Failed(why) => {
            format!("{selector} ended the chain with a failure: {why}")
        }
        why => format!("the default tracer, because {why}"),
    };
    printer.line(format_args!("  → {tracer}: {why}"));
}

/// Returns the questions, answers and decision of each selector as JSON.
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
