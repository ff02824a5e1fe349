//! Test cases: runtime contexts with the expected decisions.

mod file;
#[cfg(test)]
mod tests;

use spanmux::{Cause, RuntimeContext, Selection};

/// The contents of a file of test cases.
#[derive(Debug)]
pub(crate) struct Cases {
    /// The available tracers, the default first.
    pub(crate) tracers: Vec<String>,
    /// The tracer for failed decisions. Defaults to the default tracer.
    pub(crate) fallback: Option<String>,
    pub(crate) cases: Vec<Case>,
}

/// A test case.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    /// The line of the file on which it starts.
    pub(crate) line: usize,
    pub(crate) context: RuntimeContext,
    /// The context as given in the file.
    pub(crate) json: serde_json::Value,
    /// The tracers of this case, if they differ from those of the file.
    pub(crate) tracers: Option<Vec<String>>,
    pub(crate) expected: Expected,
}

/// The expected result of a case. Every field that is set must match.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    /// The tracer that receives the trace. It must be chosen by a selector if no cause is set.
    pub(crate) tracer: Option<String>,
    /// The fallback cause.
    pub(crate) cause: Option<Cause>,
    /// A substring of the reason.
    pub(crate) reason: Option<String>,
    /// The selector that decided.
    pub(crate) selector: Option<String>,
}

/// The actual result of a case.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) tracer: Option<String>,
    pub(crate) cause: Option<&'static str>,
    pub(crate) reason: Option<String>,
    pub(crate) selector: Option<String>,
}

/// A field whose actual value differs from the expected value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) what: &'static str,
    pub(crate) expected: String,
    pub(crate) got: String,
}

/// The cause shown when a selector chose the tracer.
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
    /// Returns the differences from the expected result, empty if the case passed.
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
