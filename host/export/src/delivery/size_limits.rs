//! Limits for the size of requests and spans.

/// The most bytes that a backend accepts, measured before compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SizeLimits {
    /// The most bytes of one request.
    pub(crate) request: usize,
    /// The most bytes of one span.
    pub(crate) span: usize,
}

impl SizeLimits {
    /// The size that every request may have: neither it nor one of its spans can be too large.
    pub(crate) fn unchecked(self) -> usize {
        self.request.min(self.span)
    }
}

impl Default for SizeLimits {
    fn default() -> Self {
        Self {
            request: usize::MAX,
            span: usize::MAX,
        }
    }
}
