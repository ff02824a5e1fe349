//! A tracer that hangs holds one thread, however often it is flushed.

use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use spanmux::{Lifecycle, TracerRegistry};
use spanmux_tests::threads_named;

/// A tracer whose operations return at once.
pub(super) struct Quick;

impl Lifecycle for Quick {}

/// A tracer whose operations hang until the lock is released.
struct Hangs(Arc<Mutex<()>>);

impl Hangs {
    fn wait(&self) -> MutexGuard<'_, ()> {
        self.0.lock().unwrap()
    }
}

impl Lifecycle for Hangs {
    fn force_flush(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        drop(self.wait());
        Ok(())
    }

    fn shutdown(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        drop(self.wait());
        Ok(())
    }
}

/// Returns the threads of this process that run operations of tracers.
fn steps() -> usize {
    threads_named("spanmux-step").unwrap_or(0)
}

#[test]
fn tracer_that_hangs_holds_one_thread() {
    let lock = Arc::new(Mutex::new(()));
    let held = lock.lock().unwrap();
    let registry = TracerRegistry::new();
    for name in ["one", "two"] {
        registry.register(name, Hangs(lock.clone())).unwrap();
    }
    let before = steps();
    for _ in 0..20 {
        let report = registry.force_flush_with_timeout(Duration::ZERO);
        assert_eq!(report.failed.len(), 2);
        assert!(report.failed.iter().all(|failure| failure.timed_out));
    }
    // Other tests of this process may run operations of their own meanwhile, each at most two.
    assert!(steps() <= before + 2 + 4, "{} threads", steps());
    drop(held);
    let report = registry.shutdown_with_timeout(Duration::from_secs(600));
    assert_eq!(report.succeeded, ["one", "two"]);
}
