//! Cutting what is too long or too deep.

use opentelemetry::Array;

/// How large a span may be.
///
/// A text that is cut ends in `…[+1234]`, the number of characters that are missing;
/// JSON text below the last level is `"…"`. A span of which something was cut says
/// how many values in the attribute `spanmux.cut`. Attributes, events and links beyond
/// their number are left out, the last ones first, and the span says how many where
/// OTLP has a place for it. The exporter [counts](crate::delivery::DeliveryCounts::cut)
/// both.
///
/// # Examples
/// ```
/// use spanmux::scrub::AttributeLimits;
///
/// let limits = AttributeLimits { length: 4_096, events: Some(16), ..AttributeLimits::default() };
/// assert_eq!(limits.depth, 16);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeLimits {
    /// Characters of a text, also of each text in an array. Default: 131,072.
    pub length: usize,
    /// Levels of JSON text. Default: 16.
    pub depth: usize,
    /// Items of an array. Default: 1,024.
    pub items: usize,
    /// Attributes of a span. Default: as the SDK's (128, or what
    /// `OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT` says).
    pub attributes: Option<u32>,
    /// Events of a span. Default: as the SDK's (128, or what
    /// `OTEL_SPAN_EVENT_COUNT_LIMIT` says).
    pub events: Option<u32>,
    /// Links of a span. Default: as the SDK's (128, or what
    /// `OTEL_SPAN_LINK_COUNT_LIMIT` says).
    pub links: Option<u32>,
}

impl Default for AttributeLimits {
    fn default() -> Self {
        Self {
            length: 131_072,
            depth: 16,
            items: 1_024,
            attributes: None,
            events: None,
            links: None,
        }
    }
}

impl AttributeLimits {
    /// The text as far as it may be long; none if it is not too long.
    pub(super) fn cut_text(&self, text: &str) -> Option<String> {
        // A character has a byte at least.
        if text.len() <= self.length {
            return None;
        }
        let (end, _) = text.char_indices().nth(self.length)?;
        let missing = text[end..].chars().count();
        Some(format!("{}…[+{missing}]", &text[..end]))
    }

    /// Drops the items of an array beyond the last that may be there, and says whether
    /// there were any.
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
