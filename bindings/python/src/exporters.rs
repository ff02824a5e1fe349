//! The exporters of a configuration file as a Python object.

use std::path::PathBuf;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use spanmux_embed::Exporters as Live;
use spanmux_export::delivery::DeliveryCounts;

use crate::policy::PolicyError;
use crate::span;

/// The tracers of a configuration file with the exporters of the Rust library.
#[pyclass(frozen, module = "spanmux")]
pub(crate) struct Exporters {
    live: Live,
}

/// The name of a tracer, whether the program provides it, the share of recorded traces, and whether
/// the starts of its spans have to be reported.
type Tracer = (String, bool, f64, bool);

#[pymethods]
impl Exporters {
    #[new]
    fn new(
        py: Python<'_>,
        path: PathBuf,
        resource: &Bound<'_, PyAny>,
        provided: Vec<String>,
    ) -> PyResult<Self> {
        let resource = span::attributes(resource)?;
        let live = py.detach(|| Live::open(path, resource, provided));
        let live = live.map_err(|error| PolicyError::new_err(error.to_string()))?;
        Ok(Self { live })
    }

    /// The tracers in order.
    #[getter]
    fn tracers(&self) -> Vec<Tracer> {
        let tracers = self.live.tracers().iter();
        tracers
            .map(|it| (it.name.clone(), it.is_provided, it.share, it.wants_starts))
            .collect()
    }

    /// The name of the default tracer.
    #[getter]
    fn default(&self) -> &str {
        self.live.default_tracer()
    }

    /// The name of the tracer that receives failed decisions.
    #[getter]
    fn fallback(&self) -> &str {
        self.live.fallback()
    }

    /// The settings of the table `[context]`.
    #[getter]
    fn context<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let context = self.live.context();
        let settings = PyDict::new(py);
        settings.set_item("inbound", context.inbound)?;
        settings.set_item("outbound", context.outbound)?;
        settings.set_item("baggage_keys", &context.baggage_keys)?;
        settings.set_item("copy_to_spans", &context.copy_to_spans)?;
        settings.set_item("copy_to_root_spans", &context.copy_to_root_spans)?;
        Ok(settings)
    }

    /// Records that a sampled span starts.
    fn started(&self, tracer: &str, trace_id: u128, span_id: u64) -> PyResult<()> {
        let context = span::context_of(trace_id, span_id);
        let started = self.live.started(tracer, &context);
        started.map_err(|error| PolicyError::new_err(error.to_string()))
    }

    /// Hands a span that has ended to the exporters of a tracer.
    fn ended(&self, tracer: &str, span: &Bound<'_, PyAny>) -> PyResult<()> {
        let ended = self.live.ended(tracer, span::from_python(span)?);
        ended.map_err(|error| PolicyError::new_err(error.to_string()))
    }

    /// Exports the spans of a tracer. Returns the reason if not all of them were delivered in time.
    fn flush(&self, py: Python<'_>, tracer: &str, seconds: f64) -> Option<String> {
        let time = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        py.detach(|| self.live.flush(tracer, time)).err()
    }

    /// Exports the spans of a tracer, and shuts it down.
    fn shut_down(&self, py: Python<'_>, tracer: &str, seconds: f64) -> Option<String> {
        let time = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        py.detach(|| self.live.shut_down(tracer, time)).err()
    }

    /// The delivery counts of this process, by tracer and exporter.
    fn delivery<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let all = PyDict::new(py);
        for (tracer, exporters) in self.live.delivery() {
            let by_exporter = PyDict::new(py);
            for (exporter, counts) in exporters {
                by_exporter.set_item(exporter, shown(py, &counts)?)?;
            }
            all.set_item(tracer, by_exporter)?;
        }
        Ok(all)
    }
}

fn shown<'py>(py: Python<'py>, counts: &DeliveryCounts) -> PyResult<Bound<'py, PyDict>> {
    let shown = PyDict::new(py);
    shown.set_item("ended", counts.ended)?;
    shown.set_item("delivered", counts.delivered)?;
    shown.set_item("retries", counts.retries)?;
    shown.set_item("filtered", counts.filtered)?;
    shown.set_item("sampled_out", counts.sampled_out)?;
    shown.set_item("waiting", counts.waiting)?;
    shown.set_item("buffered", counts.buffered)?;
    shown.set_item("redacted", counts.redacted)?;
    shown.set_item("lost", counts.lost())?;
    Ok(shown)
}
