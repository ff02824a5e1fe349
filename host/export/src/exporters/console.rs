//! Prints each trace as a [readable tree](super::tree) when it is complete.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Instant;

use opentelemetry::trace::{SpanContext, TraceId};
use opentelemetry_sdk::trace::SpanData;
use parking_lot::Mutex;

use super::printer::{Printer, Tree};
use crate::delivery::{DeliveryCounts, Loss, Meter, Pipeline};
use crate::redaction::SpanProcessing;

/// The maximum number of ended spans that wait for the rest of their traces. Beyond that,
/// the oldest trace is printed incomplete, so that spans which never end do not fill the
/// memory.
const MAX_WAITING_SPANS: usize = 16_384;

/// The maximum number of waiting traces, for the same reason.
const MAX_WAITING_TRACES: usize = 4_096;

/// Prints a trace when its last open span in this process has ended, so that children which
/// outlive their parents appear in the right position of the tree.
pub(crate) struct Console {
    service: String,
    processing: SpanProcessing,
    meter: Arc<Meter>,
    waiting: Mutex<Waiting>,
    printer: Printer,
}

#[derive(Default)]
struct Waiting {
    traces: HashMap<TraceId, Waits>,
    /// The traces in the order in which they started.
    by_age: BTreeMap<u64, TraceId>,
    begun: u64,
    spans: usize,
    stopped: bool,
}

#[derive(Default)]
struct Waits {
    age: u64,
    open: usize,
    ended: Vec<SpanData>,
}

impl Waiting {
    fn start(&mut self, context: &SpanContext) -> Option<Tree> {
        self.entry(context.trace_id()).open += 1;
        (self.traces.len() > MAX_WAITING_TRACES).then(|| self.take_oldest())?
    }

    /// Records the end of a span of this trace. `span` is `None` if it is not printed.
    fn end(&mut self, trace: TraceId, span: Option<SpanData>) -> Option<Tree> {
        let waits = self.entry(trace);
        waits.open = waits.open.saturating_sub(1);
        let complete = waits.open == 0;
        if let Some(span) = span {
            waits.ended.push(span);
            self.spans += 1;
        }
        if complete {
            return self.take(trace);
        }
        (self.spans > MAX_WAITING_SPANS).then(|| self.take_oldest())?
    }

    fn entry(&mut self, trace: TraceId) -> &mut Waits {
        self.traces.entry(trace).or_insert_with(|| {
            self.begun += 1;
            self.by_age.insert(self.begun, trace);
            Waits {
                age: self.begun,
                ..Waits::default()
            }
        })
    }

    fn take(&mut self, trace: TraceId) -> Option<Tree> {
        let waits = self.traces.remove(&trace)?;
        self.by_age.remove(&waits.age);
        self.spans -= waits.ended.len();
        let tree = Tree {
            trace,
            open: waits.open,
            spans: waits.ended,
        };
        Some(tree).filter(|tree| !tree.spans.is_empty())
    }

    fn take_oldest(&mut self) -> Option<Tree> {
        let (_, &trace) = self.by_age.first_key_value()?;
        self.take(trace)
    }

    /// Takes the ended spans of all traces. Open spans remain registered.
    fn take_ended(&mut self) -> Vec<Tree> {
        let mut trees = Vec::new();
        for &trace in self.by_age.values() {
            if let Some(waits) = self.traces.get_mut(&trace).filter(|w| !w.ended.is_empty()) {
                let spans = std::mem::take(&mut waits.ended);
                let open = waits.open;
                trees.push(Tree { trace, open, spans });
            }
        }
        self.spans = 0;
        trees
    }
}

impl Console {
    /// Starts the thread that prints.
    pub(crate) fn start(
        service: String,
        writer: Box<dyn Write + Send>,
        processing: SpanProcessing,
    ) -> io::Result<Self> {
        let meter = Arc::<Meter>::default();
        let printer = Printer::start(
            service.clone(),
            writer,
            processing.clone(),
            Arc::clone(&meter),
        )?;
        Ok(Self {
            service,
            processing,
            meter,
            waiting: Mutex::default(),
            printer,
        })
    }

    /// Returns the span, or `None` if it is not printed.
    fn kept(&self, span: SpanData) -> Option<SpanData> {
        if !span.span_context.is_sampled() {
            return None;
        }
        let keeps = self.processing.keeps(&span);
        self.meter
            .change(|counts| counts.filtered += u64::from(!keeps));
        keeps.then_some(span)
    }
}

impl Pipeline for Console {
    fn start(&self, context: &SpanContext) {
        let tree = self.waiting.lock().start(context);
        self.printer.print(tree);
    }

    fn wants_start(&self, is_local_root: bool) -> bool {
        self.processing.wants_start(is_local_root)
    }

    fn started(&self, span: &SpanData, is_local_root: bool) {
        self.processing.started(span, is_local_root);
    }

    fn end(&self, span: SpanData) {
        let trace = span.span_context.trace_id();
        let sampled = u64::from(span.span_context.is_sampled());
        self.meter.change(|counts| counts.ended += sampled);
        if self.waiting.lock().stopped {
            return self.meter.lost(Loss::ShutDown, sampled);
        }
        let span = self.kept(span);
        let tree = self.waiting.lock().end(trace, span);
        self.printer.print_soon(tree);
    }

    fn flush(&self) {
        let trees = self.waiting.lock().take_ended();
        self.printer.print(trees);
    }

    fn wait_for_flush(&self, deadline: Instant) -> bool {
        self.printer.wait(deadline)
    }

    fn close(&self, _deadline: Instant) {
        let mut waiting = self.waiting.lock();
        waiting.stopped = true;
        let trees = waiting.take_ended();
        drop(waiting);
        self.printer.print(trees);
        self.printer.close();
    }

    fn wait_for_close(&self, deadline: Instant) -> bool {
        self.printer.wait_for_close(deadline)
    }

    fn counts(&self) -> DeliveryCounts {
        let mut counts = self.meter.read();
        let known = counts.delivered + counts.lost() + counts.filtered;
        counts.waiting = counts.ended.saturating_sub(known);
        counts
    }

    fn take_error(&self) -> Option<String> {
        self.printer.take_error()
    }

    fn is_over(&self) -> bool {
        self.printer.is_over()
    }
}

/// Prints what has ended. Dropping does not wait for it.
impl Drop for Console {
    fn drop(&mut self) {
        self.printer.print(self.waiting.get_mut().take_ended());
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console")
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}
