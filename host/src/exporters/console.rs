//! Traces as readable trees.
//!
//! ```text
//! shop  trace 4bf92f3577b34da6a3ce929d0e0e4736  2 spans
//! └─ POST /chat  12.3 ms  server
//!    │ http.route = /chat
//!    └─ chat gpt-4o  8 ms  client  error: rate limited
//!       │ gen_ai.request.model = gpt-4o
//!       • 1.2 ms  exception  exception.message = 429
//! ```

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::{self, Write as _};
use std::io::Write;
use std::time::{Duration, Instant, SystemTime};

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceId};
use opentelemetry_sdk::trace::{Span, SpanData};
use parking_lot::Mutex;

use crate::delivery::{DeliveryCounts, Loss, Meter, Pipeline};
use crate::scrub::{Scrub, Scrubbed};

/// How many ended spans wait for the rest of their traces. Beyond that the oldest
/// trace is printed as far as it has come, so that spans which never end do not
/// fill memory.
const MAX_WAITING_SPANS: usize = 16_384;

/// How many traces wait, for the same reason.
const MAX_WAITING_TRACES: usize = 4_096;

/// Deeper spans are not indented further: nobody reads that far to the right.
const MAX_INDENT: usize = 32;

/// How much of a value is shown, in characters.
const MAX_VALUE_CHARS: usize = 120;

/// Prints a trace when the last span of it that is open here has ended, so that
/// children which outlive their parents stand where they belong.
pub(crate) struct Console {
    service: String,
    scrub: Scrub,
    meter: Meter,
    waiting: Mutex<Waiting>,
    out: Mutex<Out>,
}

struct Out {
    writer: Box<dyn Write + Send>,
    failing: bool,
    /// What went wrong last and was not asked for.
    error: Option<String>,
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

    /// A span of this trace has ended, and is to be printed if there is one.
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
    pub(crate) fn new(service: String, writer: Box<dyn Write + Send>, scrub: Scrub) -> Self {
        Self {
            service,
            scrub,
            meter: Meter::default(),
            waiting: Mutex::default(),
            out: Mutex::new(Out {
                writer,
                failing: false,
                error: None,
            }),
        }
    }

    fn print(&self, trees: impl IntoIterator<Item = Tree>) {
        for tree in trees {
            let text = tree.render(&self.service);
            let spans = tree.spans.len() as u64;
            match self.out.lock().print(&text) {
                true => self.meter.change(|counts| counts.delivered += spans),
                false => self.meter.lost(Loss::Failed, spans),
            }
        }
    }

    /// The span as it is printed, if it is.
    fn scrubbed(&self, mut span: SpanData) -> Option<SpanData> {
        if !span.span_context.is_sampled() {
            return None;
        }
        let mut scrubbed = Scrubbed::default();
        let keeps = self.scrub.keeps(&span);
        match keeps {
            true => self.scrub.span(&mut span, &mut scrubbed),
            false => scrubbed.filtered = 1,
        }
        self.meter.change(|counts| counts.add_scrubbed(&scrubbed));
        keeps.then_some(span)
    }
}

impl Out {
    fn print(&mut self, text: &str) -> bool {
        let printed = self
            .writer
            .write_all(text.as_bytes())
            .and_then(|()| self.writer.flush());
        let was_failing = std::mem::replace(&mut self.failing, printed.is_err());
        if let Err(error) = &printed {
            self.error = Some(format!("a trace cannot be printed: {error}"));
            if !was_failing {
                tracing::warn!(%error, "traces are lost: they cannot be printed");
            }
        }
        printed.is_ok()
    }
}

impl Pipeline for Console {
    fn start(&self, span: &Span) {
        let context = opentelemetry::trace::Span::span_context(span);
        let tree = self.waiting.lock().start(context);
        self.print(tree);
    }

    fn end(&self, span: SpanData) {
        let trace = span.span_context.trace_id();
        let sampled = u64::from(span.span_context.is_sampled());
        self.meter.change(|counts| counts.ended += sampled);
        if self.waiting.lock().stopped {
            return self.meter.lost(Loss::ShutDown, sampled);
        }
        let span = self.scrubbed(span);
        let tree = self.waiting.lock().end(trace, span);
        self.print(tree);
    }

    fn flush(&self) {
        let trees = self.waiting.lock().take_ended();
        self.print(trees);
    }

    fn wait_for_flush(&self, _deadline: Instant) -> bool {
        true
    }

    fn close(&self, _deadline: Instant) {
        let mut waiting = self.waiting.lock();
        waiting.stopped = true;
        let trees = waiting.take_ended();
        drop(waiting);
        self.print(trees);
    }

    fn wait_for_close(&self, _deadline: Instant) -> bool {
        true
    }

    fn counts(&self) -> DeliveryCounts {
        let mut counts = self.meter.read();
        let known = counts.delivered + counts.lost() + counts.filtered;
        counts.waiting = counts.ended.saturating_sub(known);
        counts
    }

    fn take_error(&self) -> Option<String> {
        self.out.lock().error.take()
    }

    fn is_over(&self) -> bool {
        self.waiting.lock().stopped
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
    fn render(&self, service: &str) -> String {
        let mut text = String::new();
        let spans = self.spans.len();
        let plural = if spans == 1 { "" } else { "s" };
        // Writing to a String cannot fail, here and below.
        let _ = write!(
            text,
            "{}  trace {}  {spans} span{plural}",
            Plain(service),
            self.trace
        );
        if self.open > 0 {
            let _ = write!(text, ", {} still open", self.open);
        }
        text.push('\n');

        let known: HashSet<SpanId> = self.spans.iter().map(id).collect();
        let mut tops = Vec::new();
        let mut children: HashMap<SpanId, Vec<&SpanData>> = HashMap::new();
        for span in &self.spans {
            let parent = span.parent_span_id;
            if known.contains(&parent) && parent != id(span) {
                children.entry(parent).or_default().push(span);
            } else {
                tops.push(span);
            }
        }
        let mut stack = Vec::new();
        push(&mut stack, tops, &Indent::default());
        while let Some((span, line, indent)) = stack.pop() {
            let below = children.remove(&id(span)).unwrap_or_default();
            write_span(&mut text, span, &line, &indent.text);
            push(&mut stack, below, &indent);
        }
        text
    }
}

fn id(span: &SpanData) -> SpanId {
    span.span_context.span_id()
}

/// What stands before the lines of a span, and how deep it is.
#[derive(Clone, Default)]
struct Indent {
    text: String,
    depth: usize,
}

/// Puts siblings onto the stack, the one that started first on top.
fn push<'s>(
    stack: &mut Vec<(&'s SpanData, String, Indent)>,
    mut siblings: Vec<&'s SpanData>,
    above: &Indent,
) {
    siblings.sort_by_key(|span| span.start_time);
    for (place, span) in siblings.into_iter().rev().enumerate() {
        let last = place == 0;
        let (branch, below) = if last {
            ("└─ ", "   ")
        } else {
            ("├─ ", "│  ")
        };
        let deep = above.depth >= MAX_INDENT;
        let indent = Indent {
            text: match deep {
                true => above.text.clone(),
                false => format!("{}{below}", above.text),
            },
            depth: above.depth + 1,
        };
        let line = match deep {
            true => format!("{}({}) ", above.text, indent.depth),
            false => format!("{}{branch}", above.text),
        };
        stack.push((span, line, indent));
    }
}

fn write_span(text: &mut String, span: &SpanData, line: &str, indent: &str) {
    let took = Took(since(span.start_time, span.end_time));
    let _ = write!(text, "{line}{}  {took}", Plain(&span.name));
    if let Some(kind) = kind(&span.span_kind) {
        let _ = write!(text, "  {kind}");
    }
    if let Status::Error { description } = &span.status {
        let _ = write!(text, "  error: {}", Plain(description));
    }
    text.push('\n');
    for attribute in &span.attributes {
        let _ = writeln!(text, "{indent}│ {}", Shown(attribute));
    }
    for event in span.events.iter() {
        let after = Took(since(span.start_time, event.timestamp));
        let _ = write!(text, "{indent}• {after}  {}", Plain(&event.name));
        for attribute in &event.attributes {
            let _ = write!(text, "  {}", Shown(attribute));
        }
        text.push('\n');
    }
}

fn kind(kind: &SpanKind) -> Option<&'static str> {
    match kind {
        SpanKind::Client => Some("client"),
        SpanKind::Server => Some("server"),
        SpanKind::Producer => Some("producer"),
        SpanKind::Consumer => Some("consumer"),
        // The usual one says nothing.
        SpanKind::Internal => None,
    }
}

fn since(start: SystemTime, end: SystemTime) -> Duration {
    end.duration_since(start).unwrap_or_default()
}

struct Shown<'a>(&'a KeyValue);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.0.value.as_str();
        write!(f, "{} = ", Plain(self.0.key.as_str()))?;
        match value.char_indices().nth(MAX_VALUE_CHARS) {
            Some((end, _)) => write!(f, "{}…", Plain(&value[..end])),
            None => Plain(&value).fmt(f),
        }
    }
}

/// Text without control characters: what a request brings must not move the
/// cursor of whoever reads along.
struct Plain<'a>(&'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character.is_control() {
                true => write!(f, "{}", character.escape_debug())?,
                false => f.write_char(character)?,
            }
        }
        Ok(())
    }
}

/// A time in the unit that keeps it short, with three digits.
struct Took(Duration);

impl fmt::Display for Took {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        let (number, unit) = match self.0.as_nanos() {
            0..1_000 => (seconds * 1e9, "ns"),
            1_000..1_000_000 => (seconds * 1e6, "µs"),
            1_000_000..1_000_000_000 => (seconds * 1e3, "ms"),
            _ => (seconds, "s"),
        };
        let digits = match number {
            ..10.0 => 2,
            10.0..100.0 => 1,
            _ => 0,
        };
        let rounded = format!("{number:.digits$}");
        let short = match digits {
            0 => &rounded,
            _ => rounded.trim_end_matches('0').trim_end_matches('.'),
        };
        write!(f, "{short} {unit}")
    }
}
