//! Formats a trace as a readable tree.
//!
//! ```text
//! shop  trace 4bf92f3577b34da6a3ce929d0e0e4736  2 spans
//! └─ POST /chat  12.3 ms  server
//!    │ http.route = /chat
//!    └─ chat gpt-4o  8 ms  client  error: rate limited
//!       │ gen_ai.request.model = gpt-4o
//!       • 1.2 ms  exception  exception.message = 429
//! ```

use std::collections::{HashMap, HashSet};
use std::fmt::{self, Write as _};
use std::time::{Duration, SystemTime};

use opentelemetry::trace::{SpanKind, Status, TraceId};
use opentelemetry_sdk::trace::SpanData;

use spanmux_core::internal::printable;

use super::otlp_lines::{self, ReadError};

/// The maximum indentation depth. Deeper spans would be too far to the right to be
/// readable.
const MAX_INDENT: usize = 32;

/// The maximum number of displayed characters of a value.
const MAX_VALUE_CHARS: usize = 120;

/// A readable tree of one trace, or of the part of it that one tracer received.
///
/// # Examples
/// ```
/// use spanmux::exporters::TraceTree;
///
/// let line = r#"{"resourceSpans": [{
///     "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
///     "scopeSpans": [{"spans": [{
///         "traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b7",
///         "name": "POST /chat", "kind": 2,
///         "startTimeUnixNano": "1000000", "endTimeUnixNano": "13300000",
///         "attributes": [{"key": "http.route", "value": {"stringValue": "/chat"}}]
///     }]}]
/// }]}"#.replace('\n', "");
/// let trees = TraceTree::read_otlp_lines(&line)?;
/// assert_eq!(
///     trees[0].to_string(),
///     "shop  trace 4bf92f3577b34da6a3ce929d0e0e4736  1 span\n\
///      └─ POST /chat  12.3 ms  server\n   │ http.route = /chat\n"
/// );
/// # Ok::<(), spanmux::exporters::ReadError>(())
/// ```
#[derive(Clone, Debug)]
pub struct TraceTree {
    service: String,
    trace: String,
    open: usize,
    spans: Vec<Shown>,
    outline: bool,
}

/// The traces of a text, and its lines that are not OTLP trace requests.
#[derive(Debug)]
#[non_exhaustive]
pub struct OtlpTraces {
    /// The traces, in order of their first appearance.
    pub trees: Vec<TraceTree>,
    /// The errors of the skipped lines.
    pub refused: Vec<ReadError>,
}

/// The displayed data of one span.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub(super) id: u64,
    /// Zero if the span has no parent.
    pub(super) parent: u64,
    pub(super) name: String,
    pub(super) kind: SpanKind,
    pub(super) start: SystemTime,
    pub(super) end: SystemTime,
    pub(super) error: Option<String>,
    pub(super) attributes: Vec<(String, String)>,
    pub(super) events: Vec<Event>,
}

/// An event of a span.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) name: String,
    pub(super) at: SystemTime,
    pub(super) attributes: Vec<(String, String)>,
}

impl TraceTree {
    /// Reads traces from the text of an OTLP JSON lines file, in order of their first
    /// appearance. The spans of one trace may be spread over several lines.
    ///
    /// # Errors
    /// Returns a [`ReadError`] for the first line that is not an OTLP trace request.
    pub fn read_otlp_lines(lines: &str) -> Result<Vec<Self>, ReadError> {
        let read = Self::read_otlp(lines);
        match read.refused.into_iter().next() {
            Some(error) => Err(error),
            None => Ok(read.trees),
        }
    }

    /// Reads traces from OTLP JSON that any program wrote, in order of their first appearance, and
    /// skips lines that are not OTLP trace requests. A request takes one line or several. Requests
    /// with logs or metrics have no traces.
    ///
    /// # Examples
    /// ```
    /// use spanmux::exporters::TraceTree;
    ///
    /// let text = r#"{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "chat"}]}]}]}
    /// {"resourceSpans": [{"scopeSp"#;
    /// let read = TraceTree::read_otlp(text);
    /// assert_eq!((read.trees.len(), read.refused[0].line), (1, 2));
    /// ```
    pub fn read_otlp(text: &str) -> OtlpTraces {
        let mut trees: Vec<Self> = Vec::new();
        let mut places = HashMap::new();
        let refused = otlp_lines::read(text, |service, trace, span| {
            let place = *places.entry(trace).or_insert_with(|| {
                trees.push(Self::new(service, &trace.to_string()));
                trees.len() - 1
            });
            trees[place].spans.push(span);
        });
        OtlpTraces { trees, refused }
    }

    pub(super) fn of_spans(
        service: &str,
        trace: TraceId,
        open: usize,
        spans: Vec<SpanData>,
    ) -> Self {
        Self {
            open,
            spans: spans.into_iter().map(Shown::from).collect(),
            ..Self::new(service, &trace.to_string())
        }
    }

    fn new(service: &str, trace: &str) -> Self {
        Self {
            service: service.to_owned(),
            trace: trace.to_owned(),
            open: 0,
            spans: Vec::new(),
            outline: false,
        }
    }

    /// Omits attributes and events.
    #[must_use]
    pub fn outline(mut self) -> Self {
        self.outline = true;
        self
    }

    /// Returns the trace id in hexadecimal.
    pub fn trace_id(&self) -> &str {
        &self.trace
    }

    /// Returns the number of spans.
    pub fn spans(&self) -> usize {
        self.spans.len()
    }

    /// Returns the displayed value of an attribute of the root span.
    pub fn root_attribute(&self, key: &str) -> Option<&str> {
        let known = self.ids();
        let root = self.spans.iter().find(|span| span.is_top(&known))?;
        let mut found = root.attributes.iter().filter(|(known, _)| known == key);
        found.next().map(|(_, value)| value.as_str())
    }

    fn ids(&self) -> HashSet<u64> {
        self.spans.iter().map(|span| span.id).collect()
    }
}

impl fmt::Display for TraceTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let spans = self.spans.len();
        let plural = if spans == 1 { "" } else { "s" };
        let service = Plain(&self.service);
        write!(f, "{service}  trace {}  {spans} span{plural}", self.trace)?;
        if self.open > 0 {
            write!(f, ", {} still open", self.open)?;
        }
        f.write_char('\n')?;

        let known = self.ids();
        let mut tops = Vec::new();
        let mut children: HashMap<u64, Vec<&Shown>> = HashMap::new();
        for span in &self.spans {
            if span.is_top(&known) {
                tops.push(span)
            } else {
                children.entry(span.parent).or_default().push(span)
            }
        }
        break_cycles(&mut tops, &mut children);
        let mut stack = Vec::new();
        push(&mut stack, tops, &Indent::default());
        while let Some((span, line, indent)) = stack.pop() {
            let below = children.remove(&span.id).unwrap_or_default();
            span.write(f, &line)?;
            if !self.outline {
                span.write_details(f, &indent.text)?;
            }
            push(&mut stack, below, &indent);
        }
        Ok(())
    }
}

/// Moves one span of each cycle of parents to the top, so that each span is shown once.
fn break_cycles<'s>(tops: &mut Vec<&'s Shown>, children: &mut HashMap<u64, Vec<&'s Shown>>) {
    let mut unreached = children.clone();
    reach(tops.clone(), &mut unreached);
    let mut rest: Vec<&Shown> = unreached.values().flatten().copied().collect();
    rest.sort_by_key(|span| (span.start, span.id));
    for span in rest {
        let Some(siblings) = unreached.get_mut(&span.parent) else {
            // An earlier span of the cycle leads to it.
            continue;
        };
        let is_same = |other: &&Shown| std::ptr::eq(*other, span);
        siblings.retain(|other| !is_same(other));
        if let Some(siblings) = children.get_mut(&span.parent) {
            siblings.retain(|other| !is_same(other));
        }
        tops.push(span);
        reach(vec![span], &mut unreached);
    }
}

/// Removes the descendants of these spans.
fn reach<'s>(mut from: Vec<&'s Shown>, unreached: &mut HashMap<u64, Vec<&'s Shown>>) {
    while let Some(span) = from.pop() {
        from.extend(unreached.remove(&span.id).unwrap_or_default());
    }
}

/// The prefix of the lines of a span, and its depth.
#[derive(Clone, Default)]
struct Indent {
    text: String,
    depth: usize,
}

/// Pushes siblings onto the stack, with the one that started first on top.
fn push<'s>(
    stack: &mut Vec<(&'s Shown, String, Indent)>,
    mut siblings: Vec<&'s Shown>,
    above: &Indent,
) {
    siblings.sort_by_key(|span| span.start);
    for (place, span) in siblings.into_iter().rev().enumerate() {
        let (branch, below) = match place {
            0 => ("└─ ", "   "),
            _ => ("├─ ", "│  "),
        };
        let deep = above.depth >= MAX_INDENT;
        let indent = Indent {
            text: if deep {
                above.text.clone()
            } else {
                format!("{}{below}", above.text)
            },
            depth: above.depth + 1,
        };
        let line = if deep {
            format!("{}({}) ", above.text, indent.depth)
        } else {
            format!("{}{branch}", above.text)
        };
        stack.push((span, line, indent));
    }
}

impl Shown {
    /// Returns `true` if none of the spans with these ids is its parent.
    fn is_top(&self, known: &HashSet<u64>) -> bool {
        self.parent == 0 || self.parent == self.id || !known.contains(&self.parent)
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, line: &str) -> fmt::Result {
        let took = Took(since(self.start, self.end));
        write!(f, "{line}{}  {took}", Plain(&self.name))?;
        if let Some(kind) = kind(&self.kind) {
            write!(f, "  {kind}")?;
        }
        if let Some(description) = &self.error {
            write!(f, "  error: {}", Plain(description))?;
        }
        f.write_char('\n')
    }

    fn write_details(&self, f: &mut fmt::Formatter<'_>, indent: &str) -> fmt::Result {
        for attribute in &self.attributes {
            writeln!(f, "{indent}│ {}", Attribute(attribute))?;
        }
        for event in &self.events {
            let after = Took(since(self.start, event.at));
            write!(f, "{indent}• {after}  {}", Plain(&event.name))?;
            for attribute in &event.attributes {
                write!(f, "  {}", Attribute(attribute))?;
            }
            f.write_char('\n')?;
        }
        Ok(())
    }
}

impl From<SpanData> for Shown {
    fn from(span: SpanData) -> Self {
        let shown = |attributes: Vec<opentelemetry::KeyValue>| {
            let text = |kv: opentelemetry::KeyValue| (kv.key.to_string(), kv.value.to_string());
            attributes.into_iter().map(text).collect()
        };
        let events = span.events.into_iter().map(|event| Event {
            name: event.name.into_owned(),
            at: event.timestamp,
            attributes: shown(event.attributes),
        });
        Self {
            id: u64::from_be_bytes(span.span_context.span_id().to_bytes()),
            parent: u64::from_be_bytes(span.parent_span_id.to_bytes()),
            events: events.collect(),
            name: span.name.into_owned(),
            kind: span.span_kind,
            start: span.start_time,
            end: span.end_time,
            error: match span.status {
                Status::Error { description } => Some(description.into_owned()),
                _ => None,
            },
            attributes: shown(span.attributes),
        }
    }
}

fn kind(kind: &SpanKind) -> Option<&'static str> {
    match kind {
        SpanKind::Client => Some("client"),
        SpanKind::Server => Some("server"),
        SpanKind::Producer => Some("producer"),
        SpanKind::Consumer => Some("consumer"),
        // The default kind carries no information.
        SpanKind::Internal => None,
    }
}

fn since(start: SystemTime, end: SystemTime) -> Duration {
    end.duration_since(start).unwrap_or_default()
}

struct Attribute<'a>(&'a (String, String));

impl fmt::Display for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key, value) = self.0;
        write!(f, "{} = ", Plain(key))?;
        match value.char_indices().nth(MAX_VALUE_CHARS) {
            Some((end, _)) => write!(f, "{}…", Plain(&value[..end])),
            None => Plain(value).fmt(f),
        }
    }
}

/// Text on one line, because data from a request must not control the
/// terminal of the reader.
struct Plain<'a>(&'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(self.0))
    }
}

/// A duration in the unit that keeps it short, with three digits.
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
