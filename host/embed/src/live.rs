//! The live chain of a policy, and the lists of tracers that follow it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use spanmux_core::{Chain, Origin, Selection};

use super::fork::Gate;
use super::tracers::TracerList;
use super::{Tracers, TracersError};

/// The lists that a policy keeps although no caller holds them, so that their decisions stay
/// learned between two calls.
const KEPT: usize = 32;

/// A longer run is made without the lock of an interpreter. To release it costs other threads up to
/// a switch interval, which is 5 ms in CPython.
const SHORT_RUN: Duration = Duration::from_micros(500);

/// The state that the watcher of a directory shares with a policy.
#[derive(Debug, Default)]
pub(crate) struct Live {
    state: Mutex<State>,
    has_long_runs: AtomicBool,
    /// Passed by each change of the chain.
    changes: Gate,
}

#[derive(Debug, Default)]
struct State {
    chain: Chain,
    /// Every list in use.
    lists: Vec<Weak<Tracers>>,
    /// The lists that were used last, the latest at the front.
    kept: VecDeque<Arc<Tracers>>,
}

impl Live {
    /// Replaces the chain for every list.
    pub(crate) fn set(&self, chain: Chain) {
        self.changes.pass(|| self.replace(chain));
    }

    fn replace(&self, chain: Chain) {
        let mut state = self.state.lock();
        state.chain = chain;
        state.lists.retain(|list| list.strong_count() > 0);
        for list in state.lists.iter().filter_map(Weak::upgrade) {
            list.set(state.chain.clone());
        }
    }

    /// Keeps the lists unchanged until [`after_fork`](Self::after_fork).
    pub(crate) fn before_fork(&self) {
        self.changes.close();
    }

    pub(crate) fn after_fork(&self) {
        self.changes.open();
    }

    pub(crate) fn chain(&self) -> Chain {
        self.state.lock().chain.clone()
    }

    /// Returns the list that was used last.
    pub(crate) fn last(&self) -> Option<Arc<Tracers>> {
        self.state.lock().kept.front().cloned()
    }

    /// Returns the list with these names, which is made at its first use.
    pub(crate) fn tracers(
        &self,
        names: &[&str],
        default: Option<&str>,
        fallback: Option<&str>,
    ) -> Result<Arc<Tracers>, TracersError> {
        let mut state = self.state.lock();
        let is = |list: &Arc<Tracers>| list.list().is(names, default, fallback);
        let list = match state.kept.iter().position(is) {
            Some(0) => return Ok(Arc::clone(&state.kept[0])),
            Some(place) => state.kept.remove(place),
            None => state.lists.iter().filter_map(Weak::upgrade).find(is),
        };
        let list = match list {
            Some(list) => list,
            None => {
                let list = TracerList {
                    names: names.iter().map(|name| (*name).to_owned()).collect(),
                    default: default.map(str::to_owned),
                    fallback: fallback.map(str::to_owned),
                };
                let made = Arc::new(Tracers::new(list, state.chain.clone())?);
                state.lists.retain(|list| list.strong_count() > 0);
                state.lists.push(Arc::downgrade(&made));
                made
            }
        };
        state.kept.push_front(Arc::clone(&list));
        state.kept.truncate(KEPT);
        Ok(list)
    }

    /// Remembers whether runs are long.
    pub(crate) fn ran(&self, selection: &Selection<()>) {
        if let Origin::Run(cost) = selection.origin() {
            self.has_long_runs
                .store(cost.took > SHORT_RUN, Ordering::Relaxed);
        }
    }

    pub(crate) fn has_long_runs(&self) -> bool {
        self.has_long_runs.load(Ordering::Relaxed)
    }
}
