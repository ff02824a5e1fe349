//! A transport that buffers requests on disk while its backend is down.

use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use parking_lot::Mutex;

use super::store::DiskBufferStore;
use crate::delivery::{Loss, Sent, Transport};

/// The first and the longest pause before retrying a backend that is down.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// Wraps a transport. With a store, requests that fail because the backend is down are
/// buffered on disk and sent later. Without a store, all calls go directly to the wrapped
/// transport.
#[derive(Debug)]
pub(crate) struct BufferedTransport {
    transport: Box<dyn Transport>,
    buffered: Option<Mutex<Buffered>>,
}

#[derive(Debug)]
struct Buffered {
    store: DiskBufferStore,
    /// While this pause lasts, new requests go directly to disk.
    down: Pause,
    /// While this pause lasts, buffered requests are not replayed.
    replay: Pause,
}

/// A back-off that doubles with each failure.
#[derive(Debug, Default)]
struct Pause {
    length: Duration,
    until: Option<Instant>,
}

impl Pause {
    fn is_on(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() < until)
    }

    /// Returns `true` if the last attempt failed.
    fn has_failed(&self) -> bool {
        self.until.is_some()
    }

    fn failed(&mut self) {
        let (first, most) = PAUSES;
        self.length = (self.length * 2).clamp(first, most);
        self.until = Some(Instant::now() + self.length);
    }
}

impl BufferedTransport {
    pub(crate) fn new(transport: Box<dyn Transport>) -> Self {
        Self {
            transport,
            buffered: None,
        }
    }

    /// Enables the disk buffer with this store.
    pub(crate) fn keep_in(&mut self, store: DiskBufferStore) {
        self.buffered = Some(Mutex::new(Buffered {
            store,
            down: Pause::default(),
            replay: Pause::default(),
        }));
    }

    /// Ends the pauses immediately.
    #[cfg(test)]
    pub(super) fn end_pauses(&self) {
        if let Some(buffered) = &self.buffered {
            let buffered = &mut *buffered.lock();
            for pause in [&mut buffered.down, &mut buffered.replay] {
                pause.until = pause.until.map(|until| until.min(Instant::now()));
            }
        }
    }

    /// Replays one buffered request unless a pause lasts. Returns `true` if there is more
    /// to do immediately.
    pub(crate) fn idle(&self) -> bool {
        let Some(buffered) = &self.buffered else {
            return false;
        };
        buffered.lock().replay(&*self.transport)
    }
}

impl Transport for BufferedTransport {
    fn send(&self, request: &ExportTraceServiceRequest) -> Sent {
        match &self.buffered {
            Some(buffered) => buffered.lock().send(request, &*self.transport),
            None => self.transport.send(request),
        }
    }

    fn shutdown(&self) {
        self.transport.shutdown();
    }
}

impl Buffered {
    fn send(&mut self, request: &ExportTraceServiceRequest, by: &dyn Transport) -> Sent {
        let spans = spans(request);
        if self.down.is_on() {
            return self.keep(request, spans, Sent::default());
        }
        let sent = by.send(request);
        if !is_down(&sent, spans) {
            self.is_back();
            return sent;
        }
        self.is_away(sent.message.as_deref());
        self.keep(request, spans, sent)
    }

    fn keep(&mut self, request: &ExportTraceServiceRequest, spans: u64, sent: Sent) -> Sent {
        let kept = self.store.push(request, spans);
        let mut kept = match kept {
            Ok(()) => Sent {
                buffered: spans,
                ..Sent::default()
            },
            Err(error) => {
                let directory = self.store.directory().display();
                Sent::none(spans, Loss::DiskBuffer, format!("{directory}: {error}"))
            }
        };
        kept.retries = sent.retries;
        kept
    }

    fn replay(&mut self, by: &dyn Transport) -> bool {
        self.store.trim(0);
        if self.store.is_empty() || self.down.is_on() || self.replay.is_on() {
            return false;
        }
        let (request, spans) = match self.store.oldest() {
            Ok(Some(oldest)) => oldest,
            Ok(None) => return false,
            Err(error) => {
                let directory = self.store.directory().display();
                tracing::debug!(%directory, %error, "a disk buffer file is temporarily unreadable");
                self.replay.failed();
                self.store.put_behind();
                return false;
            }
        };
        let sent = by.send(&request);
        if is_down(&sent, spans) {
            self.replay.failed();
            // The backend accepts other requests, so the problem may be this request.
            if !self.down.has_failed() {
                self.store.put_behind();
            }
            return false;
        }
        self.store.remove_oldest(|spans, counts| {
            let before = counts.delivered;
            sent.count(spans, counts);
            counts.replayed += counts.delivered - before;
        });
        self.replay = Pause::default();
        self.is_back();
        !self.store.is_empty()
    }

    fn is_away(&mut self, error: Option<&str>) {
        if !self.down.has_failed() {
            let directory = self.store.directory().display();
            tracing::warn!(%directory, error, "a backend is down; its spans are buffered on disk");
        }
        self.down.failed();
    }

    fn is_back(&mut self) {
        if self.down.has_failed() {
            let directory = self.store.directory().display();
            tracing::info!(%directory, "a backend is back; sending the spans buffered on disk");
            (self.down, self.replay) = Default::default();
        }
    }
}

/// Returns `true` if the backend was down for the whole batch. A partly accepted batch is
/// not buffered, because the accepted part would be sent twice.
fn is_down(sent: &Sent, spans: u64) -> bool {
    let passing = sent.lost.iter().filter(|(cause, _)| cause.may_pass());
    let passing: u64 = passing.map(|(_, lost)| lost).sum();
    spans > 0 && passing >= spans && sent.delivered == 0
}

fn spans(request: &ExportTraceServiceRequest) -> u64 {
    let resources = request.resource_spans.iter();
    let scopes = resources.flat_map(|resource| &resource.scope_spans);
    scopes.map(|scope| scope.spans.len() as u64).sum()
}
