//! Delivery with a disk buffer.
//!
//! Two threads share one state. The worker takes batches from the queue, and hands each to
//! the sender or writes it to disk; it never waits for the network. The sender sends the
//! batch of the worker and the files of the buffer, one at a time, without holding the lock.
//!
//! The backend is healthy until a request fails for a reason that may pass. Then it is down:
//! all batches go to disk, and after each pause the sender tries one file. The first file
//! that the backend answers makes it healthy again.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_sdk::trace::SpanData;
use parking_lot::{Condvar, Mutex};

use super::pause::Pause;
use super::sender;
use super::store::DiskBufferStore;
use crate::delivery::queue::Queue;
use crate::delivery::sink::Encode;
use crate::delivery::{Loss, Parts, Sent, Stop, Transport};
use crate::redaction::ProcessingCounts;

/// The part of the worker.
pub(in crate::delivery) struct Buffered {
    encode: Encode,
    transport: Arc<dyn Transport>,
    shared: Arc<Shared>,
}

/// A batch that is to be accounted for.
#[derive(Clone, Debug)]
pub(in crate::delivery) struct Ticket {
    pub(in crate::delivery) first: u64,
    /// The spans of the batch, including those that a filter dropped.
    pub(in crate::delivery) spans: u64,
    pub(in crate::delivery) processed: ProcessingCounts,
}

impl Ticket {
    /// The spans that are to be sent.
    fn unfiltered(&self) -> u64 {
        self.spans.saturating_sub(self.processed.filtered)
    }

    pub(in crate::delivery) fn account(&self, queue: &Queue, sent: &Sent) {
        let error = sent.message.as_deref();
        queue.account(self.first, self.spans, error, |counts| {
            counts.add_processed(&self.processed);
            sent.count(self.unfiltered(), counts);
        });
    }
}

impl Buffered {
    /// Starts the sender. It ends with `finish`, or when this value is dropped.
    pub(in crate::delivery) fn start(
        parts: Parts,
        store: DiskBufferStore,
        queue: &Arc<Queue>,
        stop: Arc<Stop>,
        name: &str,
    ) -> io::Result<Self> {
        let Parts {
            place,
            encode,
            transport,
            splitter,
        } = parts;
        let shared = Arc::new(Shared::new(place, store, queue.clone()));
        sender::start(shared.clone(), transport.clone(), splitter, stop, name)?;
        Ok(Self {
            encode,
            transport,
            shared,
        })
    }

    /// Hands a batch to the sender, or writes it to disk.
    pub(in crate::delivery) fn take(&self, spans: Vec<SpanData>, ticket: Ticket, to_disk: bool) {
        self.shared.take((self.encode)(spans), ticket, to_disk);
    }

    /// Lets the sender work until `late`, and then writes its batch to disk. Releases the
    /// directory.
    pub(in crate::delivery) fn finish(&self, late: Instant) {
        self.shared.finish(late);
    }
}

impl Drop for Buffered {
    fn drop(&mut self) {
        self.shared.finish(Instant::now());
        // Ends a running request, and with it the thread of the sender.
        self.transport.shutdown();
    }
}

/// The state that the worker and the sender share.
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    queue: Arc<Queue>,
    /// A prefix of error messages.
    place: String,
}

struct State {
    /// `None` after the end.
    store: Option<DiskBufferStore>,
    /// The batch that the sender sends or will send next.
    live: Option<Live>,
    /// The backend is down, if this has failed.
    down: Pause,
    /// While this pause lasts, a healthy backend receives no files.
    replay: Pause,
    /// The next request is a file if there is one. It alternates, so that neither new spans
    /// nor files wait forever.
    files_first: bool,
    is_closing: bool,
    /// The sender has nothing to do until the end.
    is_idle: bool,
}

struct Live {
    request: Arc<ExportTraceServiceRequest>,
    ticket: Ticket,
}

/// A request for the sender.
pub(super) enum Job {
    Live {
        first: u64,
        spans: u64,
        request: Arc<ExportTraceServiceRequest>,
    },
    File {
        number: u64,
        spans: u64,
        request: ExportTraceServiceRequest,
    },
}

impl Shared {
    pub(super) fn new(place: String, store: DiskBufferStore, queue: Arc<Queue>) -> Self {
        Self {
            state: Mutex::new(State {
                store: Some(store),
                live: None,
                down: Pause::default(),
                replay: Pause::default(),
                files_first: false,
                is_closing: false,
                is_idle: false,
            }),
            changed: Condvar::new(),
            queue,
            place,
        }
    }

    pub(super) fn take(&self, request: ExportTraceServiceRequest, ticket: Ticket, to_disk: bool) {
        let state = &mut *self.state.lock();
        if to_disk || state.live.is_some() || state.down.has_failed() {
            self.keep(state, &request, &ticket, &Sent::default());
        } else {
            self.queue.set_busy(true);
            let request = Arc::new(request);
            state.live = Some(Live { request, ticket });
        }
        self.changed.notify_all();
    }

    /// Writes a batch to disk after the attempts to send it, if there were any, or the part of it
    /// that is not settled.
    fn keep(
        &self,
        state: &mut State,
        request: &ExportTraceServiceRequest,
        ticket: &Ticket,
        attempts: &Sent,
    ) {
        let settled = attempts.settled();
        let request = attempts.rest.as_ref().unwrap_or(request);
        let spans = ticket.unfiltered().saturating_sub(settled.spans());
        let place = &self.place;
        let kept = match &mut state.store {
            Some(store) => store.push(request, spans).map_err(|error| {
                let is_limit = error.kind() == io::ErrorKind::FileTooLarge;
                let cause = if is_limit {
                    Loss::BufferFull
                } else {
                    Loss::DiskBuffer
                };
                let directory = store.directory().display();
                (cause, format!("{place}: {directory}: {error}"))
            }),
            None => Err((
                Loss::ShutDown,
                format!("{place}: the disk buffer is closed"),
            )),
        };
        let mut outcome = settled;
        match kept {
            Ok(()) => {
                outcome.buffered = spans;
                outcome.message.clone_from(&attempts.message);
            }
            Err((cause, error)) => {
                outcome.lost.push((cause, spans));
                outcome.message = Some(error);
            }
        }
        ticket.account(&self.queue, &outcome);
    }

    /// Waits for the next request. Returns `None` at the end.
    pub(super) fn next(&self) -> Option<Job> {
        let mut state = self.state.lock();
        loop {
            let job = state.job()?;
            if job.is_some() {
                return job;
            }
            if state.is_closing {
                state.is_idle = true;
                self.changed.notify_all();
                self.changed.wait(&mut state);
            } else if let Some(end) = state.next_end() {
                self.changed.wait_until(&mut state, end);
            } else {
                self.changed.wait(&mut state);
            }
        }
    }

    /// Accounts for the response to a request.
    pub(super) fn settle(&self, job: &Job, mut sent: Sent) {
        let state = &mut *self.state.lock();
        let said = sent.message.take();
        sent.message = said.map(|said| format!("{}: {said}", self.place));
        match job {
            Job::Live { first, .. } => self.settle_live(state, *first, &sent),
            Job::File { number, .. } => state.settle_file(*number, &sent),
        }
        // A batch that waits for its turn would wait as long as the backend is down.
        if state.down.has_failed()
            && let Some(live) = state.live.take()
        {
            self.keep(state, &live.request, &live.ticket, &Sent::default());
        }
        if state.live.is_none() {
            self.queue.set_busy(false);
        }
        self.changed.notify_all();
    }

    fn settle_live(&self, state: &mut State, first: u64, sent: &Sent) {
        state.files_first = true;
        // At the end of a shutdown, the worker has written the batch to disk.
        let is_same = |live: &mut Live| live.ticket.first == first;
        let Some(live) = state.live.take_if(is_same) else {
            return;
        };
        if sent.later {
            state.is_away(sent);
            self.keep(state, &live.request, &live.ticket, sent);
        } else {
            state.is_back();
            live.ticket.account(&self.queue, sent);
        }
    }

    pub(super) fn finish(&self, late: Instant) {
        let mut state = self.state.lock();
        if state.store.is_none() {
            return;
        }
        state.is_closing = true;
        self.changed.notify_all();
        while !state.is_idle {
            if self.changed.wait_until(&mut state, late).timed_out() {
                break;
            }
        }
        if let Some(live) = state.live.take() {
            self.keep(&mut state, &live.request, &live.ticket, &Sent::default());
        }
        // Releases the directory for the next process.
        state.store = None;
        self.changed.notify_all();
    }

    /// Returns the next request without waiting.
    #[cfg(test)]
    pub(super) fn try_next(&self) -> Option<Job> {
        self.state.lock().job().flatten()
    }

    #[cfg(test)]
    pub(super) fn is_down(&self) -> bool {
        self.state.lock().down.has_failed()
    }

    #[cfg(test)]
    pub(super) fn last_error(&self) -> Option<String> {
        self.queue.last_error()
    }

    /// Ends the pauses immediately.
    #[cfg(test)]
    pub(super) fn end_pauses(&self) {
        let state = &mut *self.state.lock();
        state.down.end();
        state.replay.end();
        self.changed.notify_all();
    }
}

impl State {
    /// Returns the next request, if there is one now. Returns `None` at the end.
    fn job(&mut self) -> Option<Option<Job>> {
        self.store.as_ref()?;
        let files_first = std::mem::take(&mut self.files_first);
        if files_first && let Some(job) = self.file() {
            return Some(Some(job));
        }
        let live = self.live.as_ref().map(|live| Job::Live {
            first: live.ticket.first,
            spans: live.ticket.unfiltered(),
            request: live.request.clone(),
        });
        Some(live.or_else(|| if files_first { None } else { self.file() }))
    }

    /// Returns the oldest file unless a pause lasts.
    fn file(&mut self) -> Option<Job> {
        let store = self.store.as_mut()?;
        store.trim(0, 0);
        // A process that ends does not wait for a backend that is down.
        let is_tried = self.is_closing && (self.down.has_failed() || self.replay.has_failed());
        if is_tried || self.down.is_on() || self.replay.is_on() {
            return None;
        }
        match store.oldest() {
            Ok(Some((number, spans, request))) => Some(Job::File {
                number,
                spans,
                request,
            }),
            Ok(None) => {
                // Nothing is left to try the backend with, so the next batch does.
                self.down = Pause::default();
                None
            }
            Err(error) => {
                let directory = store.directory().display();
                tracing::debug!(%directory, %error, "a disk buffer file is temporarily unreadable");
                store.put_oldest_behind();
                self.replay.failed(None);
                None
            }
        }
    }

    /// Returns the end of the pause after which there may be a file to send.
    fn next_end(&self) -> Option<Instant> {
        let is_empty = self.store.as_ref().is_none_or(DiskBufferStore::is_empty);
        if is_empty && !self.down.has_failed() {
            return None;
        }
        self.down.until().max(self.replay.until())
    }

    fn settle_file(&mut self, number: u64, sent: &Sent) {
        let Some(store) = &mut self.store else {
            return;
        };
        store.release();
        if let Some(rest) = &sent.rest {
            store.reduce(number, rest, &sent.settled());
        }
        if sent.later {
            // The backend may accept other requests, so the next one is another.
            store.put_behind(number);
            let is_asked = sent.wait.is_some() || sent.denied;
            if is_asked || self.down.has_failed() {
                self.is_away(sent);
            } else {
                self.replay.failed(None);
            }
            return;
        }
        store.remove(number, |spans, counts| sent.count_replayed(spans, counts));
        self.replay = Pause::default();
        self.is_back();
    }

    fn is_away(&mut self, sent: &Sent) {
        if !self.down.has_failed()
            && let Some(store) = &self.store
        {
            let (directory, error) = (store.directory().display(), sent.message.as_deref());
            tracing::warn!(%directory, error, "a backend is down; its spans are buffered on disk");
        }
        if sent.denied {
            self.down.refused();
        } else {
            self.down.failed(sent.wait);
        }
    }

    fn is_back(&mut self) {
        if self.down.has_failed() {
            if let Some(store) = &self.store {
                let directory = store.directory().display();
                tracing::info!(%directory, "a backend is back; sending the spans buffered on disk");
            }
            (self.down, self.replay) = Default::default();
        }
    }
}
