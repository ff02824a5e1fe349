//! The events of a policy, delivered on a thread of their own.
//!
//! An event can happen on a thread that starts a span, which must not wait for code of the
//! application. A callback also needs the lock of an interpreter, which such a thread may hold.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use spanmux_component::SelectorEvent;

/// The events that wait for the callback. Further ones are counted and not delivered.
const MAX_WAITING: usize = 1024;

/// An event of a policy, for [`PolicyBuilder::on_event`](super::PolicyBuilder::on_event).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyEvent {
    /// An event of the selectors.
    Selector(SelectorEvent),
    /// The child of a fork could not start the selectors again. It decides with those of its
    /// parent, and does not watch the directory.
    RestartFailed {
        /// The error.
        reason: String,
    },
    /// The callback was too slow for this many events, which are lost.
    Missed {
        /// The number of events.
        count: u64,
    },
}

impl PolicyEvent {
    /// Returns the stable word for the kind of event.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Selector(event) => event.kind(),
            Self::RestartFailed { .. } => "restart_failed",
            Self::Missed { .. } => "missed",
        }
    }
}

impl fmt::Display for PolicyEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Selector(event) => event.fmt(f),
            Self::RestartFailed { reason } => write!(
                f,
                "the child of a fork decides with the selectors of its parent: {reason}"
            ),
            Self::Missed { count } => write!(
                f,
                "the callback for events was too slow; {count} events are lost"
            ),
        }
    }
}

/// The callback of a policy.
pub(crate) type Callback = Arc<dyn Fn(&PolicyEvent) + Send + Sync>;

/// Hands events to the thread that calls the callback. The thread ends with the last clone.
#[derive(Clone)]
pub(crate) struct Outbox(Arc<Sender>);

struct Sender {
    /// `None` while it is dropped.
    queue: Option<SyncSender<PolicyEvent>>,
    missed: Arc<AtomicU64>,
    process: u32,
}

impl Outbox {
    /// Starts the thread.
    ///
    /// # Errors
    /// Returns the error of the system if it refuses the thread.
    pub(crate) fn start(callback: Callback) -> std::io::Result<Self> {
        let (queue, events) = sync_channel(MAX_WAITING);
        let missed = Arc::<AtomicU64>::default();
        let counted = Arc::clone(&missed);
        std::thread::Builder::new()
            .name("spanmux-events".to_owned())
            .spawn(move || deliver(&events, &counted, &callback))?;
        Ok(Self(Arc::new(Sender {
            queue: Some(queue),
            missed,
            process: std::process::id(),
        })))
    }

    /// Returns a callback for a host.
    pub(crate) fn forward(&self) -> impl Fn(&SelectorEvent) + Send + Sync + 'static {
        let outbox = self.clone();
        move |event| outbox.send(PolicyEvent::Selector(event.clone()))
    }

    /// Never blocks. In the child of a fork, which has no copy of the thread, the event is lost.
    pub(crate) fn send(&self, event: PolicyEvent) {
        let sender = &*self.0;
        let Some(queue) = sender.queue.as_ref().filter(|_| sender.is_own()) else {
            return;
        };
        if queue.try_send(event).is_err() {
            sender.missed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Sender {
    fn is_own(&self) -> bool {
        self.process == std::process::id()
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        // A fork may copy the channel while its lock is held, and the child would wait for it.
        if !self.is_own() {
            std::mem::forget(self.queue.take());
        }
    }
}

fn deliver(events: &Receiver<PolicyEvent>, missed: &AtomicU64, callback: &Callback) {
    let call = |event: &PolicyEvent| {
        // A panic of the callback must not end the thread.
        drop(catch_unwind(AssertUnwindSafe(|| callback(event))));
    };
    while let Ok(event) = events.recv() {
        call(&event);
        let count = missed.swap(0, Ordering::Relaxed);
        if count > 0 {
            call(&PolicyEvent::Missed { count });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn events_beyond_the_queue_are_counted() {
        let (entered, is_inside) = mpsc::channel();
        let (leave, may_leave) = mpsc::channel::<()>();
        let may_leave = std::sync::Mutex::new(may_leave);
        let (send, events) = mpsc::channel();
        let outbox = Outbox::start(Arc::new(move |event: &PolicyEvent| {
            let _ = entered.send(());
            let _ = may_leave.lock().unwrap().recv();
            send.send(event.clone()).unwrap();
        }));
        let outbox = outbox.unwrap();
        let event = |reason: usize| PolicyEvent::RestartFailed {
            reason: reason.to_string(),
        };
        outbox.send(event(0));
        is_inside.recv().unwrap();
        for number in 1..=MAX_WAITING + 7 {
            outbox.send(event(number));
        }
        drop((outbox, leave));
        let delivered: Vec<_> = events.iter().collect();
        assert_eq!(delivered.len(), 1 + MAX_WAITING + 1);
        assert_eq!(delivered[0], event(0));
        assert_eq!(delivered[1], PolicyEvent::Missed { count: 7 });
        assert_eq!(delivered.last(), Some(&event(MAX_WAITING)));
    }
}
