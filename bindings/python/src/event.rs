//! Calls a Python function with the events of a policy.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use spanmux_component::SelectorEvent;
use spanmux_embed::PolicyEvent;

/// Returns a callback that makes an object of `spanmux.events` of each event. An exception goes to
/// `sys.unraisablehook`.
pub(crate) fn callback(function: Py<PyAny>) -> impl Fn(&PolicyEvent) + Send + Sync + 'static {
    move |event| {
        // Without an interpreter, the process is ending.
        let _ = Python::try_attach(|py| {
            if let Err(error) = call(py, &function, event) {
                error.write_unraisable(py, Some(function.bind(py)));
            }
        });
    }
}

fn call(py: Python<'_>, function: &Py<PyAny>, event: &PolicyEvent) -> PyResult<()> {
    let fields = PyDict::new(py);
    let Some(class) = fields_of(event, &fields)? else {
        return Ok(());
    };
    let class = py.import("spanmux.events")?.getattr(class)?;
    let event = class.call((), Some(&fields))?;
    function.call1(py, (event,)).map(drop)
}

/// Adds the fields of an event, and returns the name of its class. An event that this package does
/// not know has none.
fn fields_of(event: &PolicyEvent, fields: &Bound<'_, PyDict>) -> PyResult<Option<&'static str>> {
    Ok(Some(match event {
        PolicyEvent::Selector(event) => return fields_of_selector(event, fields),
        PolicyEvent::RestartFailed { reason } => {
            fields.set_item("reason", reason)?;
            "RestartFailed"
        }
        PolicyEvent::Missed { count } => {
            fields.set_item("count", count)?;
            "EventsMissed"
        }
        _ => return Ok(None),
    }))
}

fn fields_of_selector(
    event: &SelectorEvent,
    fields: &Bound<'_, PyDict>,
) -> PyResult<Option<&'static str>> {
    Ok(Some(match event {
        SelectorEvent::Loaded {
            selector,
            path,
            digest,
            bytes,
        } => {
            fields.set_item("selector", selector)?;
            fields.set_item("path", path.as_os_str())?;
            fields.set_item("digest", digest)?;
            fields.set_item("bytes", bytes)?;
            "SelectorLoaded"
        }
        SelectorEvent::Refused {
            selector,
            path,
            reason,
            kept,
        } => {
            fields.set_item("selector", selector)?;
            fields.set_item("path", path.as_os_str())?;
            fields.set_item("reason", reason)?;
            fields.set_item("kept", kept)?;
            "SelectorRefused"
        }
        SelectorEvent::Revoked {
            selector,
            path,
            reason,
        } => {
            fields.set_item("selector", selector)?;
            fields.set_item("path", path.as_os_str())?;
            fields.set_item("reason", reason)?;
            "SelectorRevoked"
        }
        SelectorEvent::Removed { selector, path } => {
            fields.set_item("selector", selector)?;
            fields.set_item("path", path.as_os_str())?;
            "SelectorRemoved"
        }
        SelectorEvent::Changed { selectors } => {
            fields.set_item("selectors", selectors)?;
            "ChainChanged"
        }
        SelectorEvent::Unreadable { path, reason } => {
            fields.set_item("path", path.as_os_str())?;
            fields.set_item("reason", reason)?;
            "DirectoryUnreadable"
        }
        SelectorEvent::Suspended {
            selector,
            reason,
            back_off,
        } => {
            fields.set_item("selector", selector)?;
            fields.set_item("reason", reason)?;
            fields.set_item("back_off", back_off.as_secs_f64())?;
            "SelectorSuspended"
        }
        SelectorEvent::Resumed { selector } => {
            fields.set_item("selector", selector)?;
            "SelectorResumed"
        }
        SelectorEvent::Printed { selector, text } => {
            fields.set_item("selector", selector)?;
            fields.set_item("text", text)?;
            "SelectorPrinted"
        }
        SelectorEvent::CacheUnusable { directory, reason } => {
            fields.set_item("directory", directory.as_os_str())?;
            fields.set_item("reason", reason)?;
            "CacheUnusable"
        }
        _ => return Ok(None),
    }))
}
