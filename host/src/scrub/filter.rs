//! Leaving noisy spans out.

use opentelemetry_sdk::trace::SpanData;

/// Which spans an exporter does not receive.
///
/// Backends bill by the span, and not every backend needs every span. A span that
/// is left out is counted; its children stay, below a parent that the backend does
/// not know.
///
/// # Examples
/// ```
/// use spanway::scrub::SpanFilter;
///
/// let filter = SpanFilter::new().drop_names(["GET /healthz", "internal.*"]);
/// # let _ = filter;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "a filter does nothing until an exporter or a tracer has it"]
pub struct SpanFilter {
    /// Names, or beginnings of names that end in `*`.
    names: Vec<String>,
}

impl SpanFilter {
    /// A filter that leaves nothing out.
    pub fn new() -> Self {
        Self::default()
    }

    /// Leaves out spans of these names. A name that ends in `*` stands for all that
    /// begin with what is before it.
    pub fn drop_names(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.names.extend(names.into_iter().map(Into::into));
        self
    }

    pub(crate) fn keeps(&self, span: &SpanData) -> bool {
        !self.names.iter().any(|name| match name.strip_suffix('*') {
            Some(beginning) => span.name.starts_with(beginning),
            None => span.name == *name,
        })
    }
}
