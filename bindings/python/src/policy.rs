//! A policy as a Python object.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::create_exception;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{PyDict, PyType};
use spanmux_component::{CompileCache, Limits, WatchStatus, WatchedFile};
use spanmux_core::{ContextView, PendingSelection, RootSpan, RuntimeContext, Selection};
use spanmux_embed::{Policy as Live, PolicyError as OpenError, Tracers};

use crate::context;
use crate::decision::Decision;
use crate::event;
use crate::facts::{Facts, Held};
use crate::known::KnownDecisions;
use crate::selector::PythonSelector;

create_exception!(
    spanmux,
    PolicyError,
    pyo3::exceptions::PyException,
    "A policy cannot be opened: the path, a component or the configuration is wrong."
);

/// Live selectors that decide which tracer receives a trace.
#[pyclass(frozen, subclass, weakref, module = "spanmux")]
pub(crate) struct Policy {
    live: Live,
    known: KnownDecisions,
}

#[pymethods]
impl Policy {
    // Keyword arguments of Python.
    #[allow(clippy::too_many_arguments)]
    #[new]
    #[pyo3(signature = (path, *, watch = true, lock = None, limits = None, cache = None, selectors = None, on_event = None, small = None))]
    fn new(
        py: Python<'_>,
        path: PathBuf,
        watch: bool,
        lock: Option<PathBuf>,
        limits: Option<&Bound<'_, PyDict>>,
        cache: Option<PathBuf>,
        selectors: Option<Vec<(String, Py<PyAny>)>>,
        on_event: Option<Py<PyAny>>,
        small: Option<bool>,
    ) -> PyResult<Self> {
        let mut builder = Live::builder(path).watch(watch);
        if let Some(lock) = lock {
            builder = builder.lock(lock);
        }
        if let Some(limits) = limits {
            builder = builder.limits(self::limits(limits)?);
        }
        if let Some(small) = small {
            builder = builder.small(small);
        }
        if let Some(cache) = cache {
            builder = builder.cache(CompileCache::in_directory(cache));
        }
        for (name, function) in selectors.into_iter().flatten() {
            if !function.bind(py).is_callable() {
                return Err(PyTypeError::new_err(format!(
                    "the selector {name:?} is not callable"
                )));
            }
            builder = builder.native_selector(PythonSelector { name, function });
        }
        if let Some(function) = on_event {
            if !function.bind(py).is_callable() {
                return Err(PyTypeError::new_err("on_event is not callable"));
            }
            builder = builder.on_event(event::callback(function));
        }
        let live = py.detach(|| builder.open()).map_err(open_error)?;
        let known = KnownDecisions::default();
        Ok(Self { live, known })
    }

    /// Decides one trace.
    ///
    /// `span` is the root span that is about to start: its name, its kind in lower case, and its
    /// attributes.
    #[pyo3(signature = (context, tracers, default = None, fallback = None, *, span = None))]
    fn decide(
        &self,
        py: Python<'_>,
        context: Option<&Bound<'_, PyAny>>,
        tracers: Vec<PyBackedStr>,
        default: Option<&str>,
        fallback: Option<&str>,
        span: Option<Root<'_>>,
    ) -> PyResult<Py<Decision>> {
        let names = tracers.iter().map(|name| &**name);
        let tracers = self.live.tracers(names, default, fallback);
        let tracers = tracers.map_err(|error| PyValueError::new_err(error.to_string()))?;
        self.decision(py, context, span.as_ref(), &tracers)
    }

    /// Returns a list of tracers, for which a decision costs less.
    #[pyo3(name = "_tracers", signature = (names, default = None, fallback = None))]
    fn tracers(
        this: &Bound<'_, Self>,
        names: Vec<PyBackedStr>,
        default: Option<&str>,
        fallback: Option<&str>,
    ) -> PyResult<TracerList> {
        let names = names.iter().map(|name| &**name);
        let tracers = this.get().live.tracers(names, default, fallback);
        let tracers = tracers.map_err(|error| PyValueError::new_err(error.to_string()))?;
        let policy = this.clone().unbind();
        Ok(TracerList { policy, tracers })
    }

    /// Shows the learned rules.
    #[pyo3(signature = (tracers = None, *, format = "text"))]
    fn explain(&self, tracers: Option<Vec<PyBackedStr>>, format: &str) -> PyResult<String> {
        let format = format.parse().map_err(PyValueError::new_err)?;
        let list = match &tracers {
            None => None,
            Some(names) => {
                let names = names.iter().map(|name| &**name);
                let list = self.live.tracers(names, None, None);
                Some(list.map_err(|error| PyValueError::new_err(error.to_string()))?)
            }
        };
        Ok(self.live.explain(list.as_deref(), format))
    }

    /// Returns the status of the watched directory, or `None`.
    fn status<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        self.live
            .status()
            .map(|status| shown(py, &status))
            .transpose()
    }

    /// The names of the live selectors in order.
    #[getter]
    fn selectors(&self) -> Vec<String> {
        let chain = self.live.chain();
        chain.selectors().map(|one| one.name().to_owned()).collect()
    }

    /// Stops watching. Decisions continue with the last live selectors.
    fn close(&self, py: Python<'_>) {
        py.detach(|| self.live.close());
    }

    fn __enter__(this: Py<Self>) -> Py<Self> {
        this
    }

    fn __exit__(
        &self,
        py: Python<'_>,
        _kind: Option<&Bound<'_, PyType>>,
        _error: Option<&Bound<'_, PyAny>>,
        _traceback: Option<&Bound<'_, PyAny>>,
    ) {
        self.close(py);
    }

    fn _before_fork(&self, py: Python<'_>) {
        py.detach(|| self.live.before_fork());
    }

    fn _after_fork(&self, is_child: bool) -> PyResult<()> {
        Ok(self.live.after_fork(is_child)?)
    }
}

/// A list of tracers, with its policy.
#[pyclass(frozen, module = "spanmux")]
pub(crate) struct TracerList {
    policy: Py<Policy>,
    tracers: Arc<Tracers>,
}

#[pymethods]
impl TracerList {
    /// Decides one trace, as `Policy.decide` does.
    fn decide(
        &self,
        py: Python<'_>,
        context: Option<&Bound<'_, PyAny>>,
        span: Option<Root<'_>>,
    ) -> PyResult<Py<Decision>> {
        let policy = self.policy.get();
        policy.decision(py, context, span.as_ref(), &self.tracers)
    }
}

impl Policy {
    fn decision(
        &self,
        py: Python<'_>,
        context: Option<&Bound<'_, PyAny>>,
        root: Option<&Root<'_>>,
        tracers: &Tracers,
    ) -> PyResult<Py<Decision>> {
        // A span attribute that cannot be converted is absent, as in every language.
        let attributes = root.map(|(_, _, attributes)| context::attributes(attributes.as_ref()));
        let span = root.zip(attributes.as_ref());
        let span = span.map(|((name, kind, _), attributes)| (&**name, &**kind, attributes));
        let held = context.and_then(Held::of);
        let facts = held.as_ref().and_then(Held::facts);
        let (recalled, context) = match facts {
            Some(facts) => {
                let recalled = recall(&facts, span, tracers);
                if let Ok(selection) = &recalled {
                    return self.known.object(py, selection);
                }
                // A run needs a copy.
                (recalled, facts.to_context())
            }
            None => {
                let context = context::from_python(context);
                let recalled = with(&context, span, |view| tracers.recall(view));
                (recalled, context)
            }
        };
        let pending = match recalled {
            Ok(selection) => return self.known.object(py, &selection),
            Err(pending) => pending,
        };
        // To release the lock of the interpreter costs more than a short run.
        let run = || with(&context, span, |view| pending.run(view));
        let selection = if self.live.has_long_runs() {
            py.detach(|| self.live.outside_of_forks(run))
        } else {
            run()
        };
        self.live.ran(&selection);
        self.known.object(py, &selection)
    }
}

/// The name, the kind and the attributes of a root span.
type Root<'py> = (PyBackedStr, PyBackedStr, Option<Bound<'py, PyAny>>);

/// The parts of a root span.
type Span<'a> = Option<(&'a str, &'a str, &'a RuntimeContext)>;

/// Makes a view, which stays on one thread.
fn with<R>(
    context: &RuntimeContext,
    span: Span<'_>,
    code: impl FnOnce(&ContextView<'_>) -> R,
) -> R {
    match span {
        Some((name, kind, attributes)) => {
            let span = RootSpan::with_attributes(name, kind, attributes);
            code(&context.view_with_span(&span))
        }
        None => code(&context.view()),
    }
}

/// Recalls a decision from facts that are read in place.
fn recall(
    facts: &Facts<'_>,
    span: Span<'_>,
    tracers: &Tracers,
) -> Result<Selection<()>, PendingSelection<()>> {
    match span {
        Some((name, kind, attributes)) => {
            let span = RootSpan::with_attributes(name, kind, attributes);
            tracers.recall(&ContextView::over(facts, Some(&span)))
        }
        None => tracers.recall(&ContextView::over(facts, None)),
    }
}

fn open_error(error: OpenError) -> PyErr {
    PolicyError::new_err(error.to_string())
}

/// Reads limits by the names of the fields of `Limits`. Durations are seconds.
fn limits(given: &Bound<'_, PyDict>) -> PyResult<Limits> {
    let pair = |(name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>)| -> PyResult<(String, f64)> {
        Ok((name.extract()?, value.extract()?))
    };
    let given: Vec<(String, f64)> = given.iter().map(pair).collect::<PyResult<_>>()?;
    let given = given.iter().map(|(name, value)| (name.as_str(), *value));
    spanmux_embed::limits(given).map_err(PyValueError::new_err)
}

fn shown<'py>(py: Python<'py>, status: &WatchStatus) -> PyResult<Bound<'py, PyDict>> {
    let shown = PyDict::new(py);
    let files: PyResult<Vec<_>> = status
        .files
        .iter()
        .map(|file| shown_file(py, file))
        .collect();
    shown.set_item("files", files?)?;
    shown.set_item(
        "trouble",
        status.trouble.as_ref().map(|it| it.reason.as_str()),
    )?;
    shown.set_item("loads", status.loads)?;
    shown.set_item("refusals", status.refusals)?;
    shown.set_item("events", status.events)?;
    Ok(shown)
}

fn shown_file<'py>(py: Python<'py>, file: &WatchedFile) -> PyResult<Bound<'py, PyDict>> {
    let shown = PyDict::new(py);
    shown.set_item("name", &file.name)?;
    shown.set_item("path", &file.path)?;
    shown.set_item("digest", file.active.as_ref().map(|it| it.digest.as_str()))?;
    shown.set_item(
        "refused",
        file.refused.as_ref().map(|it| it.reason.as_str()),
    )?;
    shown.set_item(
        "suspended",
        file.suspended.as_ref().map(|it| it.reason.as_str()),
    )?;
    Ok(shown)
}
