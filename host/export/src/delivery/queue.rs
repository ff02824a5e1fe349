//! The queue between the threads that end spans and the worker that sends them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use opentelemetry_sdk::trace::SpanData;
use parking_lot::{Condvar, Mutex};

use super::{BatchConfig, DeliveryCounts, Loss, Meter};

/// A bounded queue of spans. It tracks whether each span that was put in is accounted for.
/// The meter changes under the mutex of the queue, together with that state, so the counts
/// add up whenever they are read.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// Signals that the worker may have something to do.
    work: Condvar,
    /// Signals progress to threads that wait for a flush or a shutdown.
    progress: Condvar,
    room: usize,
    batch: usize,
    meter: Arc<Meter>,
}

#[derive(Debug, Default)]
struct State {
    spans: VecDeque<SpanData>,
    /// Spans that were put in, accepted or not.
    ended: u64,
    /// Accepted spans.
    accepted: u64,
    /// Accepted spans that are accounted for, in queue order.
    done: u64,
    /// The value that `done` must reach for the current flush.
    wanted: u64,
    /// The deadline for sending the queued spans. While set, the queue accepts no spans.
    closed: Option<Instant>,
    /// The worker has ended.
    finished: bool,
    /// The last error that was not yet returned by `take_error`.
    error: Option<String>,
}

/// The next step for the worker.
pub(super) enum Next {
    Send(Vec<SpanData>),
    Nothing,
    /// The queue is closed and empty. The worker may use the time until this deadline for
    /// idle work.
    Finish(Instant),
}

impl Queue {
    pub(super) fn new(batch: &BatchConfig, meter: Arc<Meter>) -> Self {
        let room = batch.max_queue_size.max(1);
        Self {
            state: Mutex::default(),
            work: Condvar::new(),
            progress: Condvar::new(),
            room,
            batch: batch.max_export_batch_size.clamp(1, room),
            meter,
        }
    }

    /// Accepts a span or counts it as lost. Never waits for the worker.
    pub(super) fn put(&self, span: SpanData) {
        let mut state = self.state.lock();
        state.ended += 1;
        if state.closed.is_some() {
            self.meter.lost(Loss::ShutDown, 1);
        } else if state.spans.len() >= self.room {
            self.meter.lost(Loss::QueueFull, 1);
        } else {
            state.accepted += 1;
            state.spans.push_back(span);
            if state.spans.len() >= self.batch {
                self.work.notify_one();
            }
        }
    }

    /// Returns the next batch: a full batch, or all queued spans (up to the batch size) at
    /// `due`, during a flush, or after `close`. Waits for one only if `wait` is set.
    pub(super) fn next(&self, due: Instant, wait: bool) -> Next {
        let mut state = self.state.lock();
        loop {
            if let Some(by) = state.closed {
                if Instant::now() >= by {
                    self.drop_rest(&mut state, Loss::ShutDown);
                }
                if state.spans.is_empty() {
                    return Next::Finish(by);
                }
            }
            let now = state.is_urgent() || Instant::now() >= due;
            if state.spans.len() >= self.batch || (now && !state.spans.is_empty()) {
                let count = state.spans.len().min(self.batch);
                return Next::Send(state.spans.drain(..count).collect());
            }
            if !wait || now {
                return Next::Nothing;
            }
            self.work.wait_until(&mut state, due);
        }
    }

    /// Accounts for the next `spans` spans in queue order and updates the counts with
    /// `count`.
    pub(super) fn account(
        &self,
        spans: u64,
        error: Option<&str>,
        count: impl FnOnce(&mut DeliveryCounts),
    ) {
        let mut state = self.state.lock();
        self.meter.change(count);
        if let Some(error) = error {
            state.error = Some(error.to_owned());
        }
        state.done += spans;
        self.progress.notify_all();
    }

    /// Requests that all accepted spans be sent. Does not wait.
    pub(super) fn want_all(&self) {
        let mut state = self.state.lock();
        state.wanted = state.accepted;
        self.work.notify_one();
    }

    /// Waits until all requested spans are accounted for. Returns `false` if the deadline
    /// passes first.
    pub(super) fn wait_for_wanted(&self, deadline: Instant) -> bool {
        let mut state = self.state.lock();
        let wanted = state.wanted;
        while state.done < wanted {
            if self.progress.wait_until(&mut state, deadline).timed_out() {
                return state.done >= wanted;
            }
        }
        true
    }

    /// Stops accepting spans. Queued spans are sent until `deadline`. Does not wait. A
    /// second call can only make the deadline earlier.
    pub(super) fn close(&self, deadline: Instant) {
        let mut state = self.state.lock();
        let first = state.closed.unwrap_or(deadline);
        state.closed = Some(first.min(deadline));
        self.work.notify_one();
    }

    /// Waits until the worker has ended. Returns `false` if the deadline passes first.
    /// Spans that are still queued at the deadline are lost. The batch that is being sent
    /// is not counted yet.
    pub(super) fn wait_for_finish(&self, deadline: Instant) -> bool {
        let mut state = self.state.lock();
        while !state.finished {
            if self.progress.wait_until(&mut state, deadline).timed_out() {
                break;
            }
        }
        self.drop_rest(&mut state, Loss::ShutDown);
        state.finished
    }

    /// Marks the worker as ended. Spans that are still queued are lost.
    pub(super) fn finish(&self) {
        let mut state = self.state.lock();
        state.closed.get_or_insert_with(Instant::now);
        state.finished = true;
        self.drop_rest(&mut state, Loss::Failed);
        self.progress.notify_all();
    }

    pub(super) fn is_finished(&self) -> bool {
        self.state.lock().finished
    }

    fn drop_rest(&self, state: &mut State, cause: Loss) {
        let rest = state.spans.len() as u64;
        self.meter.lost(cause, rest);
        state.done += rest;
        state.spans = VecDeque::new();
    }

    pub(super) fn take_error(&self) -> Option<String> {
        self.state.lock().error.take()
    }

    /// Returns a consistent snapshot of the counts.
    pub(super) fn counts(&self) -> DeliveryCounts {
        let state = self.state.lock();
        DeliveryCounts {
            ended: state.ended,
            waiting: state.accepted - state.done,
            ..self.meter.read()
        }
    }
}

impl State {
    fn is_urgent(&self) -> bool {
        self.closed.is_some() || self.wanted > self.done
    }
}

/// Returns the instant after `time`, or one a year away if that instant cannot be
/// represented.
pub fn after(time: Duration) -> Instant {
    const NEVER: Duration = Duration::from_secs(60 * 60 * 24 * 365);
    let now = Instant::now();
    now.checked_add(time).unwrap_or_else(|| now + NEVER)
}
