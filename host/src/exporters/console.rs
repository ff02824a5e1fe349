//! Traces printed as [readable trees](super::tree), each when it is complete.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceId};
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};
use parking_lot::Mutex;

use super::tree::TraceTree;

/// How many ended spans wait for the rest of their traces. Beyond that the oldest
/// trace is printed as far as it has come, so that spans which never end do not
/// fill memory.
const MAX_WAITING_SPANS: usize = 16_384;

/// How many traces wait, for the same reason.
const MAX_WAITING_TRACES: usize = 4_096;

/// Prints a trace when the last span of it that is open here has ended, so that
/// children which outlive their parents stand where they belong.
pub(crate) struct Console {
    service: String,
    waiting: Mutex<Waiting>,
    out: Mutex<Out>,
}

struct Out {
    writer: Box<dyn Write + Send>,
    failing: bool,
}

#[derive(Default)]
struct Waiting {
    traces: HashMap<TraceId, Waits>,
    /// The traces in the order in which they began.
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

/// A trace to print, and how many of its spans have not ended.
struct Tree {
    trace: TraceId,
    open: usize,
    spans: Vec<SpanData>,
}

impl Waiting {
    fn start(&mut self, context: &SpanContext) -> Option<Tree> {
        self.entry(context.trace_id()).open += 1;
        (self.traces.len() > MAX_WAITING_TRACES).then(|| self.take_oldest())?
    }

    fn end(&mut self, span: SpanData) -> Option<Tree> {
        if self.stopped {
            return None;
        }
        let trace = span.span_context.trace_id();
        let sampled = span.span_context.is_sampled();
        let waits = self.entry(trace);
        waits.open = waits.open.saturating_sub(1);
        let complete = waits.open == 0;
        if sampled {
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

    /// The ended spans of all traces. What is open stays known.
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
    pub(crate) fn new(service: String, writer: Box<dyn Write + Send>) -> Self {
        Self {
            service,
            waiting: Mutex::default(),
            out: Mutex::new(Out {
                writer,
                failing: false,
            }),
        }
    }

    fn print(&self, trees: impl IntoIterator<Item = Tree>) -> OTelSdkResult {
        for tree in trees {
            let text = tree.shown(&self.service).to_string();
            self.out.lock().print(&text).map_err(|error| {
                OTelSdkError::InternalFailure(format!("a trace cannot be printed: {error}"))
            })?;
        }
        Ok(())
    }
}

impl Out {
    fn print(&mut self, text: &str) -> io::Result<()> {
        let printed = self
            .writer
            .write_all(text.as_bytes())
            .and_then(|()| self.writer.flush());
        let was_failing = std::mem::replace(&mut self.failing, printed.is_err());
        if let Err(error) = &printed
            && !was_failing
        {
            tracing::warn!(%error, "traces are lost: they cannot be printed");
        }
        printed
    }
}

impl SpanProcessor for Console {
    fn on_start(&self, span: &mut Span, _parent: &Context) {
        let context = opentelemetry::trace::Span::span_context(span);
        let tree = self.waiting.lock().start(context);
        // What fails is said through `tracing`; there is no one to return it to.
        let _ = self.print(tree);
    }

    fn on_end(&self, span: SpanData) {
        let tree = self.waiting.lock().end(span);
        let _ = self.print(tree);
    }

    fn force_flush(&self) -> OTelSdkResult {
        let trees = self.waiting.lock().take_ended();
        self.print(trees)
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        let trees = {
            let mut waiting = self.waiting.lock();
            waiting.stopped = true;
            waiting.take_ended()
        };
        self.print(trees)
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console")
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

impl Tree {
    fn shown(self, service: &str) -> TraceTree {
        TraceTree::of_spans(service, self.trace, self.open, self.spans)
    }
}
