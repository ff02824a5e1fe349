//! A gate in the middle of runs. While it is closed, all runs wait there for the second answer of
//! the model, with one half of their trace finished.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;

/// Open by default. Cloning is cheap.
#[derive(Clone)]
pub struct Gate {
    open: watch::Sender<bool>,
    waiting: Arc<AtomicUsize>,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            open: watch::Sender::new(true),
            waiting: Arc::default(),
        }
    }
}

impl Gate {
    pub fn close(&self) {
        self.open.send_replace(false);
    }

    pub fn open(&self) {
        self.open.send_replace(true);
    }

    /// Returns the number of waiting runs.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Passes as soon as the gate is open.
    pub async fn pass(&self) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        // An error would mean that the gate was dropped.
        let _ = self.open.subscribe().wait_for(|open| *open).await;
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
