//! A decision as plain values.

use std::time::Duration;

use spanmux_core::{Cause, Origin, Selection};

/// A decision that belongs to no registry and can be sent to another thread.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decided {
    /// The name of the tracer, or `None` if the caller has none.
    pub tracer: Option<String>,
    /// The name of the selector that decided, or `None` if all abstained.
    pub selector: Option<String>,
    /// The SHA-256 digest of its file in hexadecimal, or `None` for native code.
    pub digest: Option<String>,
    /// The cause, or `None` if a selector chose the tracer.
    pub cause: Option<Cause>,
    /// The reason as a sentence.
    pub reason: String,
    /// `true` if the decision was cached.
    pub cached: bool,
    /// The time that components ran for the decision. Zero if none did.
    pub took: Duration,
}

impl From<&Selection<()>> for Decided {
    fn from(selection: &Selection<()>) -> Self {
        let selector = selection.selector();
        let origin = selection.origin();
        Self {
            tracer: selection.tracer_name().map(str::to_owned),
            selector: selection.selector_name().map(str::to_owned),
            digest: selector.and_then(|one| one.digest()).map(str::to_owned),
            cause: selection.reason().cause(),
            reason: selection.reason().to_string(),
            cached: origin == Origin::Cached,
            took: match origin {
                Origin::Run(cost) => cost.took,
                _ => Duration::ZERO,
            },
        }
    }
}

impl Decided {
    /// Returns the cause if the decision failed and the trace goes to the fallback tracer.
    pub fn fallback(&self) -> Option<Cause> {
        self.cause.filter(|cause| cause.is_failure())
    }
}
