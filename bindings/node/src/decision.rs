//! A decision as a JavaScript object.

use napi_derive::napi;
use spanmux_core::{Origin, Selection};
use spanmux_embed::Tracers;

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
        let reason = selection.reason();
        let failure = reason.failure();
        let number = tracers.number_of(selection);
        Self {
            tracer: selection.tracer_name().map(str::to_owned),
            selector: selection.selector_name().map(str::to_owned),
            digest: selection
                .selector()
                .and_then(|selector| selector.digest())
                .map(str::to_owned),
            fallback: failure.map(|failure| failure.cause().as_str()),
            cause: reason.cause().map(|cause| cause.as_str()),
            reason: match failure {
                Some(failure) => failure.to_string(),
                None => reason.to_string(),
            },
            cached: selection.origin() == Origin::Cached,
            generation: number.map(|(generation, _)| generation as f64),
            number: number.map(|(_, number)| number),
        }
    }
}
