//! A policy: live selectors that decide for any list of tracers.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use spanmux_component::{WatchStatus, WatchedDirectory};
use spanmux_core::{Chain, Selection};

use super::builder::PolicyBuilder;
use super::event::PolicyEvent;
use super::explained::explain;
use super::fork::Gate;
use super::live::Live;
use super::{ExplainFormat, PolicyError, Tracers, TracersError};

/// Live selectors that decide for any list of tracers.
///
/// Decisions never fail and never block on I/O or on a compilation. A policy that is
/// [closed](Self::close) keeps deciding with its last selectors.
pub struct Policy {
    live: Arc<Live>,
    watched: Arc<Watched>,
    settings: PolicyBuilder,
    gate: Gate,
}

/// The watch of a policy. `Err` once the policy is closed: a restart that ends later keeps none.
struct Watched(Mutex<Result<Option<WatchedDirectory>, Closed>>);

struct Closed;

impl Watched {
    fn new(watched: Option<WatchedDirectory>) -> Self {
        Self(Mutex::new(Ok(watched)))
    }

    fn replace(&self, watched: Option<WatchedDirectory>) {
        if let Ok(current) = &mut *self.0.lock() {
            *current = watched;
        }
    }
}

impl Policy {
    /// Starts the settings of a policy: a directory of selectors, a component (`.wasm`), or a
    /// configuration file (`.toml`, `.json`), of which only the table `[selectors]` is used.
    pub fn builder(path: impl Into<PathBuf>) -> PolicyBuilder {
        PolicyBuilder::new(path.into())
    }

    pub(crate) fn open(settings: PolicyBuilder) -> Result<Self, PolicyError> {
        let live = Arc::new(Live::default());
        let events = settings.outbox()?;
        let watched = settings.clone().open_into(&live, events.as_ref())?;
        Ok(Self {
            live,
            watched: Arc::new(Watched::new(watched)),
            settings,
            gate: Gate::default(),
        })
    }

    /// Returns the tracers with these names. The first one is the default, unless `default` names
    /// another one. `fallback` receives failed decisions, and is the default if it is `None`.
    ///
    /// Equal lists share one value, which follows the live selectors.
    ///
    /// # Errors
    /// Returns [`TracersError`] if a name is invalid, repeated or unknown, or if the list exceeds a
    /// limit.
    ///
    /// # Cost
    /// Compares the names with the list that was used last. Keep the value to save that.
    pub fn tracers<'n>(
        &self,
        names: impl IntoIterator<Item = &'n str>,
        default: Option<&str>,
        fallback: Option<&str>,
    ) -> Result<Arc<Tracers>, TracersError> {
        let names: Vec<&str> = names.into_iter().collect();
        self.live.tracers(&names, default, fallback)
    }

    /// Records the cost of a selection, for [`has_long_runs`](Self::has_long_runs).
    pub fn ran(&self, selection: &Selection<()>) {
        self.live.ran(selection);
    }

    /// Returns `true` if the last recorded run of a component took longer than half a millisecond:
    /// a binding releases the lock of its interpreter during the next one.
    pub fn has_long_runs(&self) -> bool {
        self.live.has_long_runs()
    }

    /// Returns the live selectors.
    pub fn chain(&self) -> Chain {
        self.live.chain()
    }

    /// Returns the status of a watched directory, or `None` if nothing is watched.
    pub fn status(&self) -> Option<WatchStatus> {
        let watched = self.watched.0.lock();
        let watched = watched.as_ref().ok()?.as_ref();
        watched.map(WatchedDirectory::status)
    }

    /// Shows the rules that were learned for these tracers, or for the list that was used last.
    pub fn explain(&self, tracers: Option<&Tracers>, format: ExplainFormat) -> String {
        let names = match tracers {
            Some(tracers) => tracers.names(),
            None => self
                .live
                .last()
                .map(|last| last.names())
                .unwrap_or_default(),
        };
        explain(&self.live.chain(), &names, format)
    }

    /// Stops watching. Decisions continue with the last live selectors. A second call does nothing.
    pub fn close(&self) {
        let watched = std::mem::replace(&mut *self.watched.0.lock(), Err(Closed));
        drop(watched);
    }

    /// Runs code that may run a component without the lock of an interpreter. A
    /// [fork](Self::before_fork) waits for it.
    pub fn outside_of_forks<R>(&self, code: impl FnOnce() -> R) -> R {
        self.gate.pass(code)
    }

    /// Prepares a fork of the process: waits for the code inside of
    /// [`outside_of_forks`](Self::outside_of_forks) and for a change of the selectors that is under
    /// way. Call it directly before the fork, and [`after_fork`](Self::after_fork) in both
    /// processes.
    pub fn before_fork(&self) {
        self.gate.close();
        self.live.before_fork();
    }

    /// Continues after a fork. In the child, a new host is started on a thread, because a fork
    /// copies no threads: until it is ready, the policy decides with the selectors of the parent
    /// and without the limit of wall-clock time.
    ///
    /// # Errors
    /// Returns the error of the system if it refuses the thread. The policy decides then with the
    /// selectors of the parent.
    pub fn after_fork(&self, is_child: bool) -> std::io::Result<()> {
        self.live.after_fork();
        self.gate.open();
        let is_open = self.watched.0.lock().is_ok();
        if !is_child || !is_open {
            return Ok(());
        }
        let (live, watched) = (Arc::clone(&self.live), Arc::clone(&self.watched));
        let settings = self.settings.clone();
        let restart = move || {
            // Without a thread, there are no events in this process.
            let events = settings.outbox().unwrap_or_default();
            match settings.open_into(&live, events.as_ref()) {
                Ok(restarted) => watched.replace(restarted),
                // The selectors of the parent stay live. They were loaded from the same files.
                Err(error) => {
                    if let Some(events) = &events {
                        let reason = error.to_string();
                        events.send(PolicyEvent::RestartFailed { reason });
                    }
                }
            }
        };
        let thread = std::thread::Builder::new().name("spanmux-restart".to_owned());
        thread.spawn(restart).map(drop)
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("chain", &self.live.chain())
            .finish_non_exhaustive()
    }
}
