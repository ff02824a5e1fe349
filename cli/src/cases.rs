//! Cases: contexts, and what selectors must decide for them.

mod file;
#[cfg(test)]
mod tests;

use spanmux::{Cause, RuntimeContext, Selection};

/// What a file of cases holds.
#[derive(Debug)]
pub(crate) struct Cases {
    /// The available tracers, the default first.
    pub(crate) tracers: Vec<String>,
    /// Where failed decisions go; without it to the default.
    pub(crate) fallback: Option<String>,
    pub(crate) cases: Vec<Case>,
}

/// One case.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    /// The line of the file that it begins on.
    pub(crate) line: usize,
    pub(crate) context: RuntimeContext,
    /// The context as it was given.
    pub(crate) json: serde_json::Value,
    /// The tracers of this case, where they are others than the file's.
    pub(crate) tracers: Option<Vec<String>>,
    pub(crate) expected: Expected,
}

/// What must come of a case: everything that is named.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    /// The tracer that receives the trace: chosen, unless a cause is named.
    pub(crate) tracer: Option<String>,
    /// Why no tracer was chosen.
    pub(crate) cause: Option<Cause>,
    /// A part of the reason.
    pub(crate) reason: Option<String>,
    /// The selector that decided.
    pub(crate) selector: Option<String>,
}

/// What came of a case.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) tracer: Option<String>,
    pub(crate) cause: Option<&'static str>,
    pub(crate) reason: Option<String>,
    pub(crate) selector: Option<String>,
}

/// One thing that is not as it was expected.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) what: &'static str,
    pub(crate) expected: String,
    pub(crate) got: String,
}

/// What stands where a tracer was chosen.
const CHOSEN: &str = "chosen";
const NONE: &str = "none";

impl Got {
    pub(crate) fn of(selection: &Selection<()>) -> Self {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Self {
            tracer: owned(selection.tracer_name()),
            cause: selection.reason().cause().map(|cause| cause.as_str()),
            reason: selection
                .reason()
                .cause()
                .map(|_| selection.reason().to_string()),
            selector: owned(selection.selector_name()),
        }
    }
}

impl Expected {
    /// What is not as it was expected; nothing if the case passed.
    pub(crate) fn differences(&self, got: &Got) -> Vec<Difference> {
        let chosen = self.tracer.as_ref().map(|_| CHOSEN);
        let cause = self.cause.map(Cause::as_str).or(chosen);
        let mut differences = Vec::new();
        let mut compare = |what, expected: Option<&str>, got: Option<&str>, holds: bool| {
            if let (Some(expected), false) = (expected, holds) {
                differences.push(Difference {
                    what,
                    expected: expected.to_owned(),
                    got: got.unwrap_or(NONE).to_owned(),
                });
            }
        };
        let (tracer, wanted) = (got.tracer.as_deref(), self.tracer.as_deref());
        compare("tracer", wanted, tracer, tracer == wanted);
        let said = Some(got.cause.unwrap_or(CHOSEN));
        compare("cause", cause, said, said == cause);
        let (reason, wanted) = (got.reason.as_deref(), self.reason.as_deref());
        let held = reason.is_some_and(|reason| wanted.is_some_and(|part| reason.contains(part)));
        compare("reason", wanted, reason, held);
        let (selector, wanted) = (got.selector.as_deref(), self.selector.as_deref());
        compare("selector", wanted, selector, selector == wanted);
        differences
    }
}
