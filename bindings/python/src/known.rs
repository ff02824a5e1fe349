//! The objects of learned decisions.
//!
//! To make an object with its texts costs more than a learned decision. A decision is immutable, so
//! equal ones share an object.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use spanmux_core::{Cause, Origin, Selection};

use crate::decision::Decision;

/// More than the tracers of most programs.
const SLOTS: usize = 256;

/// The last learned decisions, each in the slot of its tracer. No Python code runs while it is locked,
/// so the thread keeps the lock of the interpreter, and a fork copies it unlocked.
pub(crate) struct KnownDecisions(Mutex<Box<[Option<Known>]>>);

struct Known {
    tracer: Box<str>,
    selector: Option<Box<str>>,
    digest: Option<Box<str>>,
    cause: Option<Cause>,
    decision: Py<Decision>,
}

impl Known {
    fn is(&self, selection: &Selection<()>) -> bool {
        let selector = selection.selector();
        selection.tracer_name() == Some(&*self.tracer)
            && selection.selector_name() == self.selector.as_deref()
            && selector.and_then(|one| one.digest()) == self.digest.as_deref()
            && selection.reason().cause() == self.cause
    }
}

impl Default for KnownDecisions {
    fn default() -> Self {
        Self(Mutex::new((0..SLOTS).map(|_| None).collect()))
    }
}

impl KnownDecisions {
    /// Returns the object of a selection.
    pub(crate) fn object(
        &self,
        py: Python<'_>,
        selection: &Selection<()>,
    ) -> PyResult<Py<Decision>> {
        let made = || Py::new(py, Decision::new(py, selection));
        // The text of a failure can be different each time.
        let is_learned = selection.origin() == Origin::Cached && selection.fallback().is_none();
        let Some(tracer) = selection.tracer_name().filter(|_| is_learned) else {
            return made();
        };
        let slot = slot(tracer);
        let slots = self.lock();
        let known = slots.get(slot).and_then(Option::as_ref);
        if let Some(known) = known.filter(|known| known.is(selection)) {
            return Ok(known.decision.clone_ref(py));
        }
        // Making and dropping objects can run code of the application.
        drop(slots);
        let decision = made()?;
        let selector = selection.selector();
        let known = Known {
            tracer: tracer.into(),
            selector: selection.selector_name().map(Into::into),
            digest: selector.and_then(|one| one.digest()).map(Into::into),
            cause: selection.reason().cause(),
            decision: decision.clone_ref(py),
        };
        let previous = self
            .lock()
            .get_mut(slot)
            .and_then(|slot| slot.replace(known));
        drop(previous);
        Ok(decision)
    }

    fn lock(&self) -> MutexGuard<'_, Box<[Option<Known>]>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the slot of a name. Names often differ only at their ends.
fn slot(name: &str) -> usize {
    let bytes = name.as_bytes();
    let end = bytes.iter().rev().take(8);
    let end = end.fold(bytes.len() as u64, |sum, byte| {
        sum.rotate_left(8) ^ u64::from(*byte)
    });
    // Multiplicative hashing: the upper bits depend on all others.
    let hash = end.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (hash >> 32) as usize % SLOTS
}
