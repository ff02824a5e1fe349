//! The clock: moves the epoch on while decisions run, which is how one that takes too
//! long is stopped.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::thread::{self, Thread};
use std::time::Duration;

use parking_lot::Mutex;
use wasmtime::{Engine, EngineWeak};

use super::admission::{Admission, Place};
use super::limits::Limits;

/// How many idle ticks the clock stays awake, so that a steady trickle of
/// decisions does not wake a thread each time.
const IDLE_TICKS: u32 = 200;

/// Moves the engines' epochs on while places are taken, and sleeps while none is.
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

    /// Moves the epoch of this engine on too.
    pub(super) fn watch(&self, engine: &Engine) {
        self.shared.engines.lock().push(engine.weak());
    }

    /// A place for one decision, or none if none came free in time. The clock goes on
    /// until the place is left.
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
        // Wakes the thread to find that nobody holds the other end.
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
        // Says that it sleeps before it looks once more: either this thread sees
        // the decision that begins now, or that decision sees the sleeper.
        shared.asleep.store(true, Ordering::SeqCst);
        if busy() {
            shared.asleep.store(false, Ordering::SeqCst);
            continue;
        }
        // Holds nothing while it sleeps, so that the host can go.
        drop(shared);
        thread::park();
        if let Some(shared) = clock.upgrade() {
            shared.asleep.store(false, Ordering::SeqCst);
        }
    }
}
