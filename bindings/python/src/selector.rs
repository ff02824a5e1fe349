//! Python functions as selectors.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};
use spanmux_core::{Choice, ContextView, Selector, TracerNames, Value};

/// A function that receives the context as a `dict` and the names of the tracers as a `list`, and
/// returns a name or `None`.
pub(crate) struct PythonSelector {
    pub(crate) name: String,
    pub(crate) function: Py<PyAny>,
}

impl Selector for PythonSelector {
    fn name(&self) -> &str {
        &self.name
    }

    fn decide(&self, context: &ContextView<'_>, tracers: &TracerNames) -> Choice {
        // Without an interpreter, the process is ending.
        let called = Python::try_attach(|py| self.call(py, context, tracers));
        match called {
            Some(Ok(Some(name))) => tracers.choose(&name),
            Some(Ok(None)) => Choice::Abstain,
            Some(Err(error)) => Choice::failed(error.to_string()),
            None => Choice::failed("the interpreter is shutting down"),
        }
    }
}

impl PythonSelector {
    fn call(
        &self,
        py: Python<'_>,
        context: &ContextView<'_>,
        tracers: &TracerNames,
    ) -> PyResult<Option<String>> {
        let names = PyList::new(py, tracers.as_slice())?;
        let answer = self.function.call1(py, (facts(py, context)?, names))?;
        let answer = answer.bind(py);
        if answer.is_none() {
            return Ok(None);
        }
        match answer.cast::<PyString>() {
            Ok(name) => Ok(Some(name.to_str()?.to_owned())),
            Err(_) => Err(pyo3::exceptions::PyTypeError::new_err(format!(
                "the selector must return a str or None, not {}",
                answer.get_type().name()?
            ))),
        }
    }
}

/// Returns the context as a `dict`.
fn facts<'py>(py: Python<'py>, context: &ContextView<'_>) -> PyResult<Bound<'py, PyDict>> {
    let facts = PyDict::new(py);
    for key in context.keys() {
        let value = match context.get(&key) {
            None => continue,
            Some(Value::Null) => py.None().into_bound(py),
            Some(Value::Boolean(boolean)) => boolean.into_pyobject(py)?.to_owned().into_any(),
            Some(Value::Integer(integer)) => integer.into_pyobject(py)?.into_any(),
            Some(Value::Float(float)) => float.into_pyobject(py)?.into_any(),
            Some(Value::Text(text)) => PyString::new(py, text).into_any(),
            Some(Value::Json(text)) => py.import("json")?.call_method1("loads", (text,))?,
        };
        facts.set_item(key, value)?;
    }
    Ok(facts)
}
