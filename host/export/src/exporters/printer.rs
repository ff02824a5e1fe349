//! The thread that prints traces, so that a slow writer delays no span.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use opentelemetry::Context;
use opentelemetry::trace::TraceId;
use opentelemetry_sdk::trace::SpanData;
use parking_lot::{Condvar, Mutex};

use super::tree::TraceTree;
use crate::delivery::{Loss, Meter};
use crate::redaction::{ProcessingCounts, SpanProcessing};

/// The maximum number of spans that wait to be printed. Further traces are lost while the writer
/// is that far behind.
const MAX_QUEUED_SPANS: usize = 16_384;

/// The longest time for which a trace delays the thread that ends it. Usually it is printed by
/// then, so that it stands in the order of other output, and is not lost when the process exits.
/// While the writer is behind, no thread waits.
const MAX_DELAY: Duration = Duration::from_millis(20);

/// A trace to print, with the number of its spans that have not ended.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) trace: TraceId,
    pub(super) open: usize,
    pub(super) spans: Vec<SpanData>,
}

/// A queue of traces and the thread that prints them.
#[derive(Debug)]
pub(super) struct Printer {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    meter: Arc<Meter>,
}

#[derive(Debug, Default)]
struct State {
    trees: VecDeque<Tree>,
    /// The number of spans in `trees`.
    spans: usize,
    is_printing: bool,
    /// `true` from a wait that was too long until everything is printed.
    is_behind: bool,
    is_closed: bool,
    is_over: bool,
    /// The last error that was not yet returned by `take_error`.
    error: Option<String>,
}

impl Printer {
    /// Starts the thread. It ends after the printer was closed or dropped.
    pub(super) fn start(
        service: String,
        writer: Box<dyn Write + Send>,
        processing: SpanProcessing,
        meter: Arc<Meter>,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
            meter,
        });
        let mut worker = Worker {
            shared: Arc::clone(&shared),
            service,
            writer,
            processing,
            is_failing: false,
        };
        let thread = std::thread::Builder::new().name("spanmux-console".to_owned());
        thread.spawn(move || worker.run())?;
        Ok(Self { shared })
    }

    /// Queues traces. They are lost if the writer is too far behind.
    pub(super) fn print(&self, trees: impl IntoIterator<Item = Tree>) {
        for tree in trees {
            let spans = tree.spans.len();
            let mut state = self.shared.state.lock();
            let is_full = state.spans + spans > MAX_QUEUED_SPANS && state.spans > 0;
            let cause = match () {
                () if state.is_over => Loss::ShutDown,
                () if is_full => Loss::QueueFull,
                () => {
                    state.spans += spans;
                    state.trees.push_back(tree);
                    self.shared.changed.notify_all();
                    continue;
                }
            };
            drop(state);
            self.shared.meter.lost(cause, spans as u64);
        }
    }

    /// Queues a trace and waits briefly until it is printed, unless the writer is behind.
    pub(super) fn print_soon(&self, tree: Option<Tree>) {
        if tree.is_none() {
            return;
        }
        self.print(tree);
        let is_behind = self.shared.state.lock().is_behind;
        if !is_behind && !self.wait(Instant::now() + MAX_DELAY) {
            self.shared.state.lock().is_behind = true;
        }
    }

    /// Waits until everything is printed. Returns `false` if the deadline passes first.
    pub(super) fn wait(&self, deadline: Instant) -> bool {
        self.wait_while(deadline, |state| {
            (state.is_printing || !state.trees.is_empty()) && !state.is_over
        })
    }

    /// Ends the thread once everything is printed.
    pub(super) fn close(&self) {
        self.shared.state.lock().is_closed = true;
        self.shared.changed.notify_all();
    }

    /// Waits for the end of the thread. At the deadline, the traces that are not being printed are
    /// lost. Returns `false` if the deadline passes first.
    pub(super) fn wait_for_close(&self, deadline: Instant) -> bool {
        if self.wait_while(deadline, |state| !state.is_over) {
            return true;
        }
        let mut state = self.shared.state.lock();
        state.trees.clear();
        let spans = std::mem::take(&mut state.spans);
        drop(state);
        self.shared.meter.lost(Loss::ShutDown, spans as u64);
        false
    }

    pub(super) fn is_over(&self) -> bool {
        self.shared.state.lock().is_over
    }

    pub(super) fn take_error(&self) -> Option<String> {
        self.shared.state.lock().error.take()
    }

    fn wait_while(&self, deadline: Instant, waits: impl Fn(&State) -> bool) -> bool {
        let mut state = self.shared.state.lock();
        while waits(&state) {
            if self
                .shared
                .changed
                .wait_until(&mut state, deadline)
                .timed_out()
            {
                return !waits(&state);
            }
        }
        true
    }
}

/// Dropping does not wait for the thread, which prints the rest.
impl Drop for Printer {
    fn drop(&mut self) {
        self.close();
    }
}

struct Worker {
    shared: Arc<Shared>,
    service: String,
    writer: Box<dyn Write + Send>,
    processing: SpanProcessing,
    is_failing: bool,
}

impl Worker {
    fn run(&mut self) {
        // The writer belongs to the application. The spans that it starts would have to be
        // printed too, without end.
        let _quiet = Context::enter_telemetry_suppressed_scope();
        while let Some(tree) = self.next() {
            let spans = tree.spans.len() as u64;
            // A panic of the writer or of a redaction must not end the thread.
            let printed = catch_unwind(AssertUnwindSafe(|| self.print(tree)));
            let printed = printed.unwrap_or_else(|_| Err(io::Error::other("the writer panicked")));
            let mut state = self.shared.state.lock();
            state.is_printing = false;
            state.is_behind &= !state.trees.is_empty();
            match &printed {
                Ok(()) => self.shared.meter.change(|counts| counts.delivered += spans),
                Err(error) => {
                    self.shared.meter.lost(Loss::Failed, spans);
                    state.error = Some(format!("failed to print a trace: {error}"));
                }
            }
            drop(state);
            self.shared.changed.notify_all();
            let was_failing = std::mem::replace(&mut self.is_failing, printed.is_err());
            if let Err(error) = printed
                && !was_failing
            {
                tracing::warn!(%error, "failed to print; traces are lost");
            }
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| self.writer.flush()));
        drop(outcome);
        self.shared.state.lock().is_over = true;
        self.shared.changed.notify_all();
    }

    /// Waits for the next trace. Returns `None` once the printer is closed and nothing is left.
    fn next(&self) -> Option<Tree> {
        let mut state = self.shared.state.lock();
        loop {
            if let Some(tree) = state.trees.pop_front() {
                state.spans -= tree.spans.len();
                state.is_printing = true;
                return Some(tree);
            }
            if state.is_closed {
                return None;
            }
            self.shared.changed.wait(&mut state);
        }
    }

    fn print(&mut self, mut tree: Tree) -> io::Result<()> {
        let mut processed = ProcessingCounts::default();
        for span in &mut tree.spans {
            self.processing.span(span, &mut processed);
        }
        self.shared
            .meter
            .change(|counts| counts.add_processed(&processed));
        let tree = TraceTree::of_spans(&self.service, tree.trace, tree.open, tree.spans);
        self.writer.write_all(tree.to_string().as_bytes())?;
        self.writer.flush()
    }
}
