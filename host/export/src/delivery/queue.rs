//! The queue between the threads that end spans and the one that sends them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use opentelemetry_sdk::trace::SpanData;
use parking_lot::{Condvar, Mutex};

use super::{BatchConfig, DeliveryCounts, Loss, Meter};

/// A queue with a bound. It knows of each span that was ever put in whether it is
/// accounted for, and what it counts changes under its lock together with that, so
/// that the counts add up whenever they are read.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// There may be something to do for the thread that sends.
    work: Condvar,
    /// There may be something to see for those who wait for it.
    progress: Condvar,
    room: usize,
    batch: usize,
    meter: Arc<Meter>,
}

#[derive(Debug, Default)]
struct State {
    spans: VecDeque<SpanData>,
    /// Spans that came, whether they were let in or not.
    ended: u64,
    /// Spans that were let in.
    accepted: u64,
    /// Of these, the first so many are accounted for.
    done: u64,
    /// A flush waits for the first so many.
    wanted: u64,
    /// Nothing is let in any more. What is inside is sent until then.
    closed: Option<Instant>,
    /// Nobody sends any more.
    finished: bool,
    /// What went wrong last and was not asked for.
    error: Option<String>,
}

/// What the thread that sends has to do next.
pub(super) enum Next {
    Send(Vec<SpanData>),
    Nothing,
    /// The queue is closed and empty. There is time for other things until then.
    Finish(Instant),
}

impl Queue {
    pub(super) fn new(batch: &BatchConfig, meter: Arc<Meter>) -> Self {
        let room = batch.queue.max(1);
        Self {
            state: Mutex::default(),
            work: Condvar::new(),
            progress: Condvar::new(),
            room,
            batch: batch.size.clamp(1, room),
            meter,
        }
    }

    /// Takes a span in, or counts it as lost. Waits for nobody but another span.
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

    /// The next batch: a full one, or what there is at `due` or when somebody waits
    /// for it. Without `wait`, what there is to do now.
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

    /// The oldest spans that are not accounted for are, by what `count` says of them.
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

    /// Asks for all that was put in before. Does not wait.
    pub(super) fn want_all(&self) {
        let mut state = self.state.lock();
        state.wanted = state.accepted;
        self.work.notify_one();
    }

    /// Waits until all that was asked for is accounted for, and says whether it is.
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

    /// Lets nothing in any more. What is inside is sent until `deadline`. Does not
    /// wait. The first deadline counts, unless a later one is earlier.
    pub(super) fn close(&self, deadline: Instant) {
        let mut state = self.state.lock();
        let first = state.closed.unwrap_or(deadline);
        state.closed = Some(first.min(deadline));
        self.work.notify_one();
    }

    /// Waits until nobody sends any more, and says whether that is so. What has not
    /// been taken out at the deadline is lost; what is being sent is not yet.
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

    /// Nobody sends any more.
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

    /// What was counted, at one moment.
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

/// The moment that is so far away; one that never comes, if there is no such moment.
pub fn after(time: Duration) -> Instant {
    const NEVER: Duration = Duration::from_secs(60 * 60 * 24 * 365);
    let now = Instant::now();
    now.checked_add(time).unwrap_or_else(|| now + NEVER)
}
