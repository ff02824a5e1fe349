//! The spans of a request as one list.

use std::collections::BTreeMap;
use std::ops::Range;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;

use crate::shortening;

/// The most bytes of the tag and the length of a nested message.
const NESTED: usize = 11;

/// A resource and a scope without their spans.
#[derive(Debug)]
struct Group {
    resource: ResourceSpans,
    scope: ScopeSpans,
    bytes: usize,
}

#[derive(Debug)]
pub(super) struct Flat {
    groups: Vec<Group>,
    /// Each span with the number of its group.
    spans: Vec<(usize, Span)>,
    /// The spans that were shortened, as they were before.
    originals: BTreeMap<usize, Span>,
}

impl Flat {
    pub(super) fn of(request: &ExportTraceServiceRequest) -> Self {
        let (mut groups, mut spans) = (Vec::new(), Vec::new());
        for resource in &request.resource_spans {
            for scope in &resource.scope_spans {
                spans.extend(scope.spans.iter().cloned().map(|span| (groups.len(), span)));
                groups.push(Group::of(resource, scope));
            }
        }
        Self {
            groups,
            spans,
            originals: BTreeMap::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.spans.len()
    }

    /// Returns the spans of a part as a request.
    pub(super) fn request(&self, part: Range<usize>) -> ExportTraceServiceRequest {
        self.request_of(part.filter_map(|place| self.spans.get(place).cloned()))
    }

    /// Like [`request`](Self::request), with the spans as they were before shortening.
    pub(super) fn original(&self, part: impl Iterator<Item = usize>) -> ExportTraceServiceRequest {
        self.request_of(part.filter_map(|place| {
            let (group, span) = self.spans.get(place)?;
            let original = self.originals.get(&place).unwrap_or(span);
            Some((*group, original.clone()))
        }))
    }

    fn request_of(&self, spans: impl Iterator<Item = (usize, Span)>) -> ExportTraceServiceRequest {
        let mut request = ExportTraceServiceRequest::default();
        let mut last = None;
        for (number, span) in spans {
            let Some(group) = self.groups.get(number) else {
                continue;
            };
            if last != Some(number) {
                last = Some(number);
                request.resource_spans.push(group.start());
            }
            let scopes = request.resource_spans.last_mut();
            if let Some(scope) = scopes.and_then(|of| of.scope_spans.last_mut()) {
                scope.spans.push(span);
            }
        }
        request
    }

    /// Divides a part into parts of at most `most` bytes. A larger span is alone.
    pub(super) fn grouped(&self, part: Range<usize>, most: usize) -> Vec<Range<usize>> {
        let mut parts = Vec::new();
        let (mut start, mut bytes) = (part.start, 0_usize);
        for place in part.clone() {
            let has_header = place > start && self.group(place) == self.group(place - 1);
            let span = self.bytes(place);
            let header = self.header(place);
            let more = if has_header { span } else { span + header };
            if place > start && bytes.saturating_add(more) > most {
                parts.push(start..place);
                (start, bytes) = (place, span + header);
            } else {
                bytes = bytes.saturating_add(more);
            }
        }
        parts.push(start..part.end);
        parts
    }

    /// Divides a part of several spans into two of about the same size.
    pub(super) fn halves(&self, part: Range<usize>) -> (Range<usize>, Range<usize>) {
        let whole: usize = part.clone().map(|place| self.bytes(place)).sum();
        let mut before = 0;
        let middle = part.clone().find(|place| {
            before += self.bytes(*place);
            before * 2 > whole
        });
        let last = part.end.saturating_sub(1).max(part.start);
        let middle = middle.unwrap_or(last).clamp(last.min(part.start + 1), last);
        (part.start..middle, middle..part.end)
    }

    /// Shortens all spans with more than `most` bytes.
    pub(super) fn shorten_all(&mut self, most: usize) {
        for place in 0..self.spans.len() {
            if self.spans[place].1.encoded_len() > most {
                self.shorten_span(place, most);
            }
        }
    }

    /// Shortens a span so that a request with it alone has at most `most` bytes. Returns
    /// `false` if it cannot become smaller.
    pub(super) fn shorten(&mut self, place: usize, most: usize) -> bool {
        let header = self.header(place) + NESTED;
        self.shorten_span(place, most.saturating_sub(header))
    }

    /// Shortens the original span, so that its marks count everything that is left out.
    fn shorten_span(&mut self, place: usize, most: usize) -> bool {
        let Some((_, span)) = self.spans.get_mut(place) else {
            return false;
        };
        let original = self.originals.entry(place).or_insert_with(|| span.clone());
        let mut shorter = original.clone();
        let fits = shortening::span(&mut shorter, most);
        let is_smaller = shorter.encoded_len() < span.encoded_len();
        *span = shorter;
        fits && is_smaller
    }

    /// Returns the number of shortened spans of a part.
    pub(super) fn shortened(&self, part: &Range<usize>) -> u64 {
        self.originals.range(part.clone()).count() as u64
    }

    fn group(&self, place: usize) -> usize {
        self.spans.get(place).map_or(0, |(group, _)| *group)
    }

    fn header(&self, place: usize) -> usize {
        let group = self.groups.get(self.group(place));
        group.map_or(0, |group| group.bytes)
    }

    fn bytes(&self, place: usize) -> usize {
        let span = self.spans.get(place);
        span.map_or(0, |(_, span)| span.encoded_len() + NESTED)
    }
}

impl Group {
    fn of(resource: &ResourceSpans, scope: &ScopeSpans) -> Self {
        let resource = ResourceSpans {
            resource: resource.resource.clone(),
            scope_spans: Vec::new(),
            schema_url: resource.schema_url.clone(),
        };
        let scope = ScopeSpans {
            scope: scope.scope.clone(),
            spans: Vec::new(),
            schema_url: scope.schema_url.clone(),
        };
        let bytes = resource.encoded_len() + scope.encoded_len() + 2 * NESTED;
        Self {
            resource,
            scope,
            bytes,
        }
    }

    fn start(&self) -> ResourceSpans {
        ResourceSpans {
            scope_spans: vec![self.scope.clone()],
            ..self.resource.clone()
        }
    }
}
