//! The queue between the threads that end spans and the worker that sends them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use opentelemetry_sdk::trace::SpanData;
use parking_lot::{Condvar, Mutex};

use super::{BatchConfig, DeliveryCounts, Loss, Meter, Stop};

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
    stop: Arc<Stop>,
    /// The worker writes spans that cannot be sent to disk, so nothing is dropped at the deadline
    /// of the shutdown.
    is_buffered: bool,
}

#[derive(Debug, Default)]
struct State {
    spans: VecDeque<SpanData>,
    /// Spans that were put in, accepted or not.
    ended: u64,
    /// Accepted spans.
    accepted: u64,
    /// Accepted spans that left the queue.
    taken: u64,
    /// Accepted spans that are accounted for.
    done: u64,
    /// The first spans of the batches that left the queue and are not accounted for yet. At
    /// most two: with the worker, and with the sender of a disk buffer.
    open: Vec<u64>,
    /// The number of accepted spans at the time of the current flush.
    wanted: u64,
    /// Set while the queue accepts no spans.
    closed: Option<Closed>,
    /// The sender of a disk buffer has a batch and takes no other.
    is_busy: bool,
    /// The length at which the worker wants to be woken.
    wake_at: Option<usize>,
    /// The worker has ended.
    finished: bool,
    /// The last error that was not yet returned by `take_error`.
    error: Option<String>,
}

/// The times of a shutdown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Closed {
    deadline: Instant,
    /// The time from which spans go to disk, so that they are there at the deadline.
    pub(super) late: Instant,
}

/// The longest part of a shutdown that is reserved for writing to disk.
const MAX_RESERVE: Duration = Duration::from_secs(1);

/// The time after the deadline of a shutdown in which the worker can write to disk. Used only
/// if the deadline is too short, or if the disk is very slow.
const GRACE: Duration = Duration::from_secs(5);

impl Closed {
    fn at(deadline: Instant) -> Self {
        let left = deadline.saturating_duration_since(Instant::now());
        let late = deadline.checked_sub((left / 4).min(MAX_RESERVE));
        Self {
            deadline,
            late: late.unwrap_or(deadline),
        }
    }
}

/// Spans that left the queue together.
pub(super) struct Batch {
    /// The number of spans that left the queue before.
    pub(super) first: u64,
    pub(super) spans: Vec<SpanData>,
    /// The sender is busy and the queue fills up, or the deadline of the shutdown is near.
    pub(super) to_disk: bool,
}

/// The next step for the worker.
pub(super) enum Next {
    Send(Batch),
    Nothing,
    /// The queue is closed and empty.
    Finish(Closed),
}

impl Queue {
    pub(super) fn new(
        batch: &BatchConfig,
        meter: Arc<Meter>,
        stop: Arc<Stop>,
        is_buffered: bool,
    ) -> Self {
        let room = batch.max_queue_size.max(1);
        Self {
            state: Mutex::default(),
            work: Condvar::new(),
            progress: Condvar::new(),
            room,
            batch: batch.max_export_batch_size.clamp(1, room),
            meter,
            stop,
            is_buffered,
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
            if state.wake_at.is_some_and(|at| state.spans.len() >= at) {
                state.wake_at = None;
                self.work.notify_one();
            }
        }
    }

    /// Waits until `due` for the next batch: a full batch, or all queued spans (up to the
    /// batch size) at `due`, during a flush, or after `close`. While the sender of a disk
    /// buffer is busy, spans stay in the queue until it is half full.
    pub(super) fn next(&self, due: Instant) -> Next {
        let mut state = self.state.lock();
        loop {
            let now = Instant::now();
            if let Some(closed) = state.closed {
                if now >= closed.deadline && !self.is_buffered {
                    self.drop_rest(&mut state, Loss::ShutDown);
                }
                if state.spans.is_empty() {
                    return Next::Finish(closed);
                }
            }
            let late = state.closed.map(|closed| closed.late);
            let is_late = self.is_buffered && late.is_some_and(|late| now >= late);
            let enough = if is_late {
                1
            } else if state.is_busy {
                (self.room / 2).max(1)
            } else if state.is_urgent() || now >= due {
                1
            } else {
                self.batch
            };
            if state.spans.len() >= enough {
                let to_disk = is_late || state.is_busy;
                return Next::Send(self.take(&mut state, to_disk));
            }
            if now >= due {
                return Next::Nothing;
            }
            state.wake_at = Some(enough);
            let until = late.filter(|late| now < *late).unwrap_or(due).min(due);
            self.work.wait_until(&mut state, until);
            state.wake_at = None;
        }
    }

    fn take(&self, state: &mut State, to_disk: bool) -> Batch {
        let count = state.spans.len().min(self.batch);
        let batch = Batch {
            first: state.taken,
            spans: state.spans.drain(..count).collect(),
            to_disk,
        };
        state.taken += count as u64;
        state.open.push(batch.first);
        batch
    }

    /// Accounts for a batch of `spans` spans and updates the counts with `count`.
    pub(super) fn account(
        &self,
        first: u64,
        spans: u64,
        error: Option<&str>,
        count: impl FnOnce(&mut DeliveryCounts),
    ) {
        let mut state = self.state.lock();
        self.meter.change(count);
        if let Some(error) = error {
            state.error = Some(error.to_owned());
        }
        state.open.retain(|open| *open != first);
        state.done += spans;
        self.progress.notify_all();
    }

    /// Records whether the sender of a disk buffer has a batch.
    pub(super) fn set_busy(&self, is_busy: bool) {
        let mut state = self.state.lock();
        if state.is_busy && !is_busy {
            self.work.notify_one();
        }
        state.is_busy = is_busy;
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
        while state.settled() < wanted {
            if self.progress.wait_until(&mut state, deadline).timed_out() {
                return state.settled() >= wanted;
            }
        }
        true
    }

    /// Stops accepting spans. Queued spans are sent until `deadline`. Does not wait. A
    /// second call can only make the deadline earlier.
    pub(super) fn close(&self, deadline: Instant) {
        let mut state = self.state.lock();
        if state.closed.is_none_or(|closed| deadline < closed.deadline) {
            state.closed = Some(Closed::at(deadline));
        }
        self.stop.at(deadline);
        self.work.notify_one();
    }

    /// Waits until the worker has ended. Returns `false` if the deadline passes first.
    /// Spans that are still queued at the deadline are lost, unless the worker writes them
    /// to disk. The batch that is being sent is not counted yet.
    pub(super) fn wait_for_finish(&self, deadline: Instant) -> bool {
        let deadline = if self.is_buffered {
            deadline.checked_add(GRACE).unwrap_or(deadline)
        } else {
            deadline
        };
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
        let now = Instant::now();
        state.closed.get_or_insert_with(|| Closed::at(now));
        self.stop.at(now);
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
        state.taken += rest;
        state.done += rest;
        state.spans = VecDeque::new();
    }

    pub(super) fn take_error(&self) -> Option<String> {
        self.state.lock().error.take()
    }

    pub(super) fn last_error(&self) -> Option<String> {
        self.state.lock().error.clone()
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
        self.closed.is_some() || self.wanted > self.taken
    }

    /// Returns the number of spans before the first one that is not accounted for.
    fn settled(&self) -> u64 {
        self.open.iter().copied().min().unwrap_or(self.taken)
    }
}

/// Returns the instant after `time`, or one a year away if that instant cannot be
/// represented.
pub fn after(time: Duration) -> Instant {
    const NEVER: Duration = Duration::from_secs(60 * 60 * 24 * 365);
    let now = Instant::now();
    now.checked_add(time).unwrap_or_else(|| now + NEVER)
}
