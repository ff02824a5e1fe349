//! Limits for the size of attributes.

use opentelemetry::Array;

use super::shorten::kept_and_omitted;
use crate::shortening;

/// Limits for the size of a span.
///
/// A truncated text ends in `…[+1234]`, with the number of missing characters. JSON stays JSON
/// and a list of messages stays a list of messages: the longest texts in it are truncated, and
/// whole items are left out if that is not enough. JSON below the maximum depth becomes `"…"`.
/// The attribute `spanmux.cut` contains the number of truncated values of a span. Attributes,
/// events and links beyond their limits are dropped, the last ones first, and OTLP's counters of
/// dropped items record them where they exist. The exporter
/// [counts](crate::delivery::DeliveryCounts::cut) both.
///
/// # Examples
/// ```
/// use spanmux::redaction::AttributeLimits;
///
/// let limits = AttributeLimits::new().length(4_096).events(16);
/// assert_eq!(limits.depth, 16);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AttributeLimits {
    /// The maximum number of characters of a text, also of each text in an array. Defaults
    /// to 131,072.
    pub length: usize,
    /// The maximum depth of JSON text. Defaults to 16.
    pub depth: usize,
    /// The maximum number of items of an array. Defaults to 1,024.
    pub items: usize,
    /// The maximum number of attributes of a span. Defaults to the limit of the SDK (128,
    /// or the value of `OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT`).
    pub attributes: Option<u32>,
    /// The maximum number of events of a span. Defaults to the limit of the SDK (128, or
    /// the value of `OTEL_SPAN_EVENT_COUNT_LIMIT`).
    pub events: Option<u32>,
    /// The maximum number of links of a span. Defaults to the limit of the SDK (128, or the
    /// value of `OTEL_SPAN_LINK_COUNT_LIMIT`).
    pub links: Option<u32>,
}

impl Default for AttributeLimits {
    fn default() -> Self {
        Self::new()
    }
}

impl AttributeLimits {
    /// Creates the default limits.
    pub const fn new() -> Self {
        Self {
            length: 131_072,
            depth: 16,
            items: 1_024,
            attributes: None,
            events: None,
            links: None,
        }
    }

    /// Sets the maximum number of characters of a text.
    pub fn length(mut self, characters: usize) -> Self {
        self.length = characters;
        self
    }

    /// Sets the maximum depth of JSON text.
    pub fn depth(mut self, depth: usize) -> Self {
        self.depth = depth;
        self
    }

    /// Sets the maximum number of items of an array.
    pub fn items(mut self, items: usize) -> Self {
        self.items = items;
        self
    }

    /// Sets the maximum number of attributes of a span.
    pub fn attributes(mut self, attributes: u32) -> Self {
        self.attributes = Some(attributes);
        self
    }

    /// Sets the maximum number of events of a span.
    pub fn events(mut self, events: u32) -> Self {
        self.events = Some(events);
        self
    }

    /// Sets the maximum number of links of a span.
    pub fn links(mut self, links: u32) -> Self {
        self.links = Some(links);
        self
    }

    /// Returns the truncated text, or `None` if the text is within the limit.
    pub(super) fn cut_text(&self, text: &str) -> Option<String> {
        // Every character has at least one byte.
        if text.len() <= self.length {
            return None;
        }
        let (end, _) = text.char_indices().nth(self.length)?;
        if let Some(json) = shortening::json(text, self.length) {
            return Some(json);
        }
        let (kept, omitted) = kept_and_omitted(text, end);
        Some(format!("{kept}…[+{omitted}]"))
    }

    /// Drops the items of an array beyond the limit. Returns `true` if there were any.
    pub(super) fn cut_items(&self, array: &mut Array) -> bool {
        let cut = |length: usize| length > self.items;
        match array {
            Array::Bool(items) => cut(items.len()) && truncate(items, self.items),
            Array::I64(items) => cut(items.len()) && truncate(items, self.items),
            Array::F64(items) => cut(items.len()) && truncate(items, self.items),
            Array::String(items) => cut(items.len()) && truncate(items, self.items),
            _ => false,
        }
    }
}

fn truncate<T>(items: &mut Vec<T>, length: usize) -> bool {
    items.truncate(length);
    true
}
