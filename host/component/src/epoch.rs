//! The epoch ticker: advances the epoch while decisions run, so that a decision that takes too long
//! is stopped.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::thread::{self, Thread};
use std::time::Duration;

use parking_lot::Mutex;
use wasmtime::{Engine, EngineWeak};

use super::admission::{Admission, Place};
use super::limits::Limits;

/// Idle ticks after which the ticker sleeps, so that a steady trickle of decisions does not wake a
/// thread each time.
const IDLE_TICKS: u32 = 200;

/// Advances the epochs of the engines while slots are occupied, and sleeps otherwise.
pub(super) struct EpochTicker {
    shared: Arc<TickerState>,
    thread: Thread,
}

struct TickerState {
    admission: Admission,
    engines: Mutex<Vec<EngineWeak>>,
    asleep: AtomicBool,
}

impl TickerState {
    fn new(admission: Admission) -> Arc<Self> {
        Arc::new(Self {
            admission,
            engines: Mutex::default(),
            asleep: AtomicBool::new(false),
        })
    }
}

impl EpochTicker {
    pub(super) fn start(admission: Admission) -> std::io::Result<Self> {
        let shared = TickerState::new(admission);
        let thread = thread::Builder::new()
            .name("spanmux-clock".to_owned())
            .stack_size(64 << 10)
            .spawn({
                let shared = Arc::downgrade(&shared);
                move || tick(&shared)
            })?
            .thread()
            .clone();
        Ok(Self { shared, thread })
    }

    /// Adds an engine.
    pub(super) fn watch(&self, engine: &Engine) {
        self.shared.engines.lock().push(engine.weak());
    }

    /// Returns a slot for one decision, or `None` if none becomes free in time. The ticker runs
    /// until the slot is released.
    pub(super) fn enter(&self, wait: Duration) -> Option<Place<'_>> {
        let place = self.shared.admission.enter(wait)?;
        if self.shared.asleep.load(Ordering::SeqCst) {
            self.thread.unpark();
        }
        Some(place)
    }
}

impl Drop for EpochTicker {
    fn drop(&mut self) {
        // Wakes the thread, which then finds that no other reference is left.
        self.shared = TickerState::new(Admission::new(0));
        self.thread.unpark();
    }
}

fn tick(clock: &Weak<TickerState>) {
    let mut idle = 0;
    loop {
        thread::sleep(Limits::TICK);
        let Some(shared) = clock.upgrade() else {
            return;
        };
        for engine in shared.engines.lock().iter().filter_map(EngineWeak::upgrade) {
            engine.increment_epoch();
        }
        let busy = || shared.admission.is_busy();
        idle = if busy() { 0 } else { idle + 1 };
        if idle < IDLE_TICKS {
            continue;
        }
        idle = 0;
        // Announces the sleep before the last check: either this thread sees the decision that
        // starts now, or that decision sees the sleeper.
        shared.asleep.store(true, Ordering::SeqCst);
        if busy() {
            shared.asleep.store(false, Ordering::SeqCst);
            continue;
        }
        // Holds no reference while it sleeps, so that the host can be dropped.
        drop(shared);
        thread::park();
        if let Some(shared) = clock.upgrade() {
            shared.asleep.store(false, Ordering::SeqCst);
        }
    }
}
