//! Filters for noisy spans.

use opentelemetry::trace::SpanKind;
use opentelemetry::{Key, Value};
use opentelemetry_sdk::trace::SpanData;

/// The attribute with the GenAI operation of a span.
///
/// # Source
/// <https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/>
const OPERATION: Key = Key::from_static_str("gen_ai.operation.name");

/// A filter that drops spans before an exporter receives them.
///
/// Backends bill by the span, and not every backend needs every span. A span is dropped if
/// any rule matches. Dropped spans are counted as
/// [`filtered`](crate::delivery::DeliveryCounts::filtered). Their children are kept, and move to
/// the nearest ancestor that is exported. If that ancestor has no token usage of its own, it gets
/// the usage of the dropped spans below it.
///
/// # Examples
/// ```
/// use opentelemetry::trace::SpanKind;
/// use spanmux::redaction::SpanFilter;
///
/// let filter = SpanFilter::new()
///     .drop_names(["GET /healthz", "internal.*"])
///     .drop_kinds([SpanKind::Producer])
///     .drop_attribute("http.route", "/metrics")
///     .drop_operations(["embeddings"]);
/// # let _ = filter;
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use = "a filter does nothing until an exporter or a tracer has it"]
pub struct SpanFilter {
    /// Names, or prefixes that end in `*`.
    names: Vec<String>,
    kinds: Vec<SpanKind>,
    attributes: Vec<(Key, Value)>,
}

impl SpanFilter {
    /// Creates a filter that drops nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Drops spans with these names. A name that ends in `*` matches all names with the
    /// prefix before it.
    pub fn drop_names(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.names.extend(names.into_iter().map(Into::into));
        self
    }

    /// Drops spans of these kinds.
    pub fn drop_kinds(mut self, kinds: impl IntoIterator<Item = SpanKind>) -> Self {
        self.kinds.extend(kinds);
        self
    }

    /// Drops spans with this attribute value. The type must match too.
    pub fn drop_attribute(mut self, key: impl Into<Key>, value: impl Into<Value>) -> Self {
        self.attributes.push((key.into(), value.into()));
        self
    }

    /// Drops spans of these GenAI operations (`gen_ai.operation.name`): `chat`,
    /// `embeddings`, `execute_tool`, …
    pub fn drop_operations(
        mut self,
        operations: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let operations = operations.into_iter().map(Into::<String>::into);
        self.attributes
            .extend(operations.map(|name| (OPERATION, Value::from(name))));
        self
    }

    /// Returns `true` if the filter has no rule.
    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty() && self.kinds.is_empty() && self.attributes.is_empty()
    }

    pub(crate) fn keeps(&self, span: &SpanData) -> bool {
        !(self.drops_name(&span.name)
            || self.kinds.contains(&span.span_kind)
            || self.drops_attributes(span))
    }

    fn drops_name(&self, name: &str) -> bool {
        self.names
            .iter()
            .any(|dropped| match dropped.strip_suffix('*') {
                Some(beginning) => name.starts_with(beginning),
                None => name == *dropped,
            })
    }

    /// Compares the last attribute of a key, which is the one that backends use.
    fn drops_attributes(&self, span: &SpanData) -> bool {
        self.attributes.iter().any(|(key, value)| {
            let own = span.attributes.iter().rev().find(|own| own.key == *key);
            own.is_some_and(|own| own.value == *value)
        })
    }
}
