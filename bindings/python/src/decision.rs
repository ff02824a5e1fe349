//! A decision as a Python object.

use pyo3::prelude::*;
use pyo3::types::PyString;
use spanmux_core::{Origin, Selection};

/// The decision for one trace.
#[pyclass(frozen, module = "spanmux")]
pub(crate) struct Decision {
    /// The name of the tracer that receives the trace, or `None` if the list of tracers is empty.
    #[pyo3(get)]
    tracer: Option<Py<PyString>>,
    /// The name of the selector that decided, or `None` if all abstained.
    #[pyo3(get)]
    selector: Option<Py<PyString>>,
    /// The SHA-256 digest of the selector's file, or `None` for a Python function.
    #[pyo3(get)]
    digest: Option<Py<PyString>>,
    /// `None`, or the cause for which the trace goes to the fallback tracer: `unknown_tracer`,
    /// `forbidden_tracer`, `failed`, `trapped`, `out_of_budget`, `overloaded`, `suspended`, `unavailable`, `host`,
    /// `incomplete_context`.
    #[pyo3(get)]
    fallback: Option<&'static str>,
    /// `None` if a selector chose the tracer. Otherwise the cause: that of `fallback`, or
    /// `abstained`, `no_selector` or `no_tracers`.
    #[pyo3(get)]
    cause: Option<&'static str>,
    /// The reason as a sentence.
    #[pyo3(get)]
    reason: Py<PyString>,
    /// `True` if a selector chose the tracer.
    #[pyo3(get)]
    chosen: bool,
    /// `True` if the decision was cached and no component ran.
    #[pyo3(get)]
    cached: bool,
}

impl Decision {
    pub(crate) fn new(py: Python<'_>, selection: &Selection<()>) -> Self {
        // The same few names occur again and again, so Python keeps one object for each.
        let interned = |text: &str| PyString::intern(py, text).unbind();
        let selector = selection.selector();
        let reason = selection.reason();
        let failure = reason.failure();
        Self {
            tracer: selection.tracer_name().map(interned),
            selector: selection.selector_name().map(interned),
            digest: selector.and_then(|one| one.digest()).map(interned),
            fallback: failure.map(|failure| failure.cause().as_str()),
            cause: reason.cause().map(|cause| cause.as_str()),
            reason: match failure {
                // The text can be different each time, and is not interned.
                Some(failure) => PyString::new(py, &failure.to_string()).unbind(),
                None => interned(&reason.to_string()),
            },
            chosen: reason.cause().is_none(),
            cached: selection.origin() == Origin::Cached,
        }
    }
}

#[pymethods]
impl Decision {
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let tracer = self.tracer.bind_borrowed_or_none(py);
        let reason = self.reason.bind(py).repr()?;
        Ok(format!("<Decision tracer={tracer} reason={reason}>"))
    }
}

/// Formats an optional text as Python does.
trait Shown {
    fn bind_borrowed_or_none(&self, py: Python<'_>) -> String;
}

impl Shown for Option<Py<PyString>> {
    fn bind_borrowed_or_none(&self, py: Python<'_>) -> String {
        let shown = self.as_ref().map(|text| text.bind(py).repr());
        match shown {
            Some(Ok(text)) => text.to_string(),
            _ => "None".to_owned(),
        }
    }
}
