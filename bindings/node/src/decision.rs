//! A decision as a JavaScript object.

use napi_derive::napi;
use spanmux_core::{Cause, Selection};
use spanmux_embed::{Decided, Tracers};

/// The decision for one trace.
#[napi(object, object_from_js = false)]
pub struct NativeDecision {
    pub tracer: Option<String>,
    pub selector: Option<String>,
    pub digest: Option<String>,
    pub fallback: Option<&'static str>,
    pub cause: Option<&'static str>,
    pub reason: String,
    pub cached: bool,
    /// The generation of the asked keys, or `None` if there is none.
    pub generation: Option<f64>,
    /// The number that equal decisions of a list share within the generation.
    pub number: Option<u32>,
}

impl NativeDecision {
    pub(crate) fn new(tracers: &Tracers, selection: &Selection<()>) -> Self {
        let decided = Decided::from(selection);
        let number = tracers.number_of(selection);
        Self {
            fallback: decided.fallback().map(Cause::as_str),
            cause: decided.cause.map(Cause::as_str),
            tracer: decided.tracer,
            selector: decided.selector,
            digest: decided.digest,
            reason: decided.reason,
            cached: decided.cached,
            generation: number.map(|(generation, _)| generation as f64),
            number: number.map(|(_, number)| number),
        }
    }
}
