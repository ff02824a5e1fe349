//! Splits requests that are too large for a backend.

mod flat;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;

use super::{Loss, Sent, SizeLimits, TooLarge};
use flat::Flat;

/// A request of this size is not refused for its size by any known backend. Smaller requests
/// are not formed without need.
const SMALL_REQUEST: usize = 64 * 1024;

/// A span of this size is not shortened any further.
const SMALL_SPAN: usize = 4 * 1024;

/// The number of small spans that a backend must refuse for their size, without accepting
/// anything, to show that size is not the reason.
const MAX_SMALL_REFUSED: u64 = 2;

/// Sends requests within the limits of a backend.
///
/// A request that exceeds the limit of the exporter is split before it is sent. A request that
/// the backend refuses for its size is split in halves until the oversized span is alone. That
/// span is shortened, and lost alone if the backend refuses it all the same.
#[derive(Debug)]
pub(crate) struct Splitter {
    limits: SizeLimits,
    /// The largest accepted request since the backend refused one. Larger ones are split, so
    /// that a backend with an unknown limit does not refuse the beginning of every batch.
    learned: AtomicUsize,
}

impl Splitter {
    #[cfg_attr(not(any(feature = "otlp", test)), expect(dead_code))]
    pub(crate) fn new(limits: SizeLimits) -> Self {
        Self {
            limits,
            learned: AtomicUsize::new(usize::MAX),
        }
    }

    /// Sends a request with `send`, which receives a request and the most bytes that it may
    /// have. If `keeps`, the first failure that may pass ends it, and `Sent::rest` has the spans
    /// that are not settled.
    ///
    /// A request within the limits is passed on as it is.
    pub(crate) fn send(
        &self,
        request: &ExportTraceServiceRequest,
        keeps: bool,
        mut send: impl FnMut(&ExportTraceServiceRequest, usize) -> Sent,
    ) -> Sent {
        let learned = self.learned.load(Ordering::Relaxed);
        let first = send(request, self.limits.unchecked().min(learned));
        let Some(too_large) = first.too_large else {
            return first;
        };
        let mut run = Run::new(self.limits, learned, request);
        run.start(too_large, first);
        run.send(keeps, &mut send);
        if run.refused || run.accepted > learned {
            let learned = run.accepted.max(SMALL_REQUEST);
            // Nothing is learned from a backend that accepts nothing.
            if run.accepted > 0 {
                self.learned.store(learned, Ordering::Relaxed);
            }
        }
        run.whole
    }
}

/// Sending one request in parts.
struct Run {
    limits: SizeLimits,
    /// The most bytes of a request with several spans.
    most: usize,
    spans: Flat,
    /// The parts that are not sent yet, the next one last.
    parts: Vec<Range<usize>>,
    whole: Sent,
    /// The size of the largest accepted part.
    accepted: usize,
    /// The backend refused a part for its size.
    refused: bool,
    small_refused: u64,
}

impl Run {
    fn new(limits: SizeLimits, learned: usize, request: &ExportTraceServiceRequest) -> Self {
        Self {
            limits,
            most: limits.request.min(learned),
            spans: Flat::of(request),
            parts: Vec::new(),
            whole: Sent::default(),
            accepted: 0,
            refused: false,
            small_refused: 0,
        }
    }

    /// Forms the first parts after the whole request was too large.
    fn start(&mut self, too_large: TooLarge, first: Sent) {
        self.spans.shorten_all(self.limits.span);
        let all = 0..self.spans.len();
        match too_large {
            TooLarge::Unsent => {
                let mut parts = self.spans.grouped(all, self.most);
                parts.reverse();
                self.parts = parts;
            }
            TooLarge::Refused => self.refuse(all, first),
        }
    }

    fn send(
        &mut self,
        keeps: bool,
        send: &mut impl FnMut(&ExportTraceServiceRequest, usize) -> Sent,
    ) {
        while let Some(part) = self.parts.pop() {
            let request = self.spans.request(part.clone());
            let sent = send(&request, self.limits.request);
            match sent.too_large {
                Some(TooLarge::Unsent) => self.shrink(part, self.limits.request, sent),
                Some(TooLarge::Refused) => self.refuse(part, sent),
                None if keeps && sent.later => return self.keep(part, sent),
                None => self.settle(&part, request.encoded_len(), sent),
            }
        }
    }

    /// Adds the outcome of a part.
    fn settle(&mut self, part: &Range<usize>, bytes: usize, sent: Sent) {
        if sent.delivered > 0 {
            self.accepted = self.accepted.max(bytes);
            self.whole.shortened += self.spans.shortened(part).min(sent.delivered);
        }
        self.whole.delivered += sent.delivered;
        self.whole.retries += sent.retries;
        self.whole.lost.extend(sent.lost);
        self.whole.denied |= sent.denied;
        self.whole.message = self.whole.message.take().or(sent.message);
    }

    /// Ends with the parts that are not settled, with their original values.
    fn keep(&mut self, part: Range<usize>, sent: Sent) {
        let parts = std::mem::take(&mut self.parts);
        let rest = part.chain(parts.into_iter().rev().flatten());
        self.whole = Sent {
            rest: Some(self.spans.original(rest)),
            later: true,
            wait: sent.wait,
            denied: sent.denied,
            message: sent.message,
            retries: self.whole.retries + sent.retries,
            ..std::mem::take(&mut self.whole)
        };
    }

    /// Handles a part that the backend refused for its size.
    fn refuse(&mut self, part: Range<usize>, sent: Sent) {
        self.refused = true;
        if part.len() > 1 {
            self.whole.retries += 1 + sent.retries;
            return self.halve(part);
        }
        let bytes = self.spans.request(part.clone()).encoded_len();
        if bytes > SMALL_SPAN {
            self.whole.retries += 1;
            self.shrink(part, bytes / 2, sent);
        } else {
            self.small_refused += 1;
            self.lose(&part, sent);
            if self.small_refused >= MAX_SMALL_REFUSED && self.accepted == 0 {
                for part in std::mem::take(&mut self.parts) {
                    self.whole.lost.push((Loss::Rejected, part.len() as u64));
                }
            }
        }
    }

    /// Shortens a span that is too large alone, and sends it again.
    fn shrink(&mut self, part: Range<usize>, most: usize, sent: Sent) {
        if part.len() > 1 {
            self.halve(part);
        } else if self.spans.shorten(part.start, most) {
            self.whole.retries += sent.retries;
            self.parts.push(part);
        } else {
            self.lose(&part, sent);
        }
    }

    /// Replaces a part of several spans by its halves.
    fn halve(&mut self, part: Range<usize>) {
        let (first, second) = self.spans.halves(part);
        self.parts.extend([second, first]);
    }

    fn lose(&mut self, part: &Range<usize>, sent: Sent) {
        let said = sent.message.unwrap_or_default();
        let message = format!("{said}; a span is too large alone");
        self.whole.retries += sent.retries;
        self.whole.lost.push((Loss::Rejected, part.len() as u64));
        self.whole.message = self.whole.message.take().or(Some(message));
    }
}
