//! Keeps a fork of the process away from code that holds locks.

// The standard library's locks have no global table, whose locks a fork could copy in a locked
// state.
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A gate that decisions pass and that a fork closes: it waits until nobody is inside.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct GateState {
    inside: usize,
    is_closed: bool,
}

impl Gate {
    /// Runs code inside of the gate, once it is open.
    pub(crate) fn pass<R>(&self, code: impl FnOnce() -> R) -> R {
        let mut state = self.wait(|state| state.is_closed);
        state.inside += 1;
        drop(state);
        let _leaves = Leaves(self);
        code()
    }

    /// Closes the gate, and waits until nobody is inside.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        drop(self.wait(|state| state.inside > 0));
    }

    pub(crate) fn open(&self) {
        self.lock().is_closed = false;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, GateState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self, while_: impl FnMut(&mut GateState) -> bool) -> MutexGuard<'_, GateState> {
        let waited = self.changed.wait_while(self.lock(), while_);
        waited.unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leaves the gate, also when the code panics.
struct Leaves<'a>(&'a Gate);

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        self.0.lock().inside -= 1;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::Gate;

    #[test]
    fn close_waits_until_nobody_is_inside() {
        let gate = Gate::default();
        let (leave, left) = mpsc::channel::<()>();
        let (entered, inside) = mpsc::channel();
        let (closed, is_closed) = mpsc::channel();
        thread::scope(|scope| {
            let gate = &gate;
            scope.spawn(move || {
                gate.pass(|| {
                    entered.send(()).unwrap();
                    left.recv().unwrap();
                });
            });
            inside.recv().unwrap();
            scope.spawn(move || {
                gate.close();
                closed.send(()).unwrap();
            });
            assert!(is_closed.try_recv().is_err());
            leave.send(()).unwrap();
            is_closed.recv().unwrap();
        });
        gate.open();
        assert_eq!(gate.pass(|| 7), 7);
    }
}
