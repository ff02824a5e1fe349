//! Token usage of a model call.

use super::attributes::Attributes;
use super::keys;

/// The token usage of a model call.
///
/// # Examples
/// ```
/// use spanmux::genai::Usage;
///
/// let usage = Usage::new(812, 96).cached(512).reasoning(40);
/// # let _ = usage;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use = "usage has no effect until it is recorded on a span"]
pub struct Usage {
    input: u64,
    output: u64,
    cached: Option<u64>,
    cache_written: Option<u64>,
    reasoning: Option<u64>,
}

impl Usage {
    /// Creates a usage with the total numbers of input and output tokens. The input includes
    /// cached tokens, and the output includes reasoning tokens.
    pub fn new(input: u64, output: u64) -> Self {
        Self {
            input,
            output,
            ..Self::default()
        }
    }

    /// Sets the number of input tokens that were read from the provider's cache.
    pub fn cached(mut self, tokens: u64) -> Self {
        self.cached = Some(tokens);
        self
    }

    /// Sets the number of input tokens that were written to the provider's cache.
    pub fn cache_written(mut self, tokens: u64) -> Self {
        self.cache_written = Some(tokens);
        self
    }

    /// Sets the number of output tokens that were spent on reasoning.
    pub fn reasoning(mut self, tokens: u64) -> Self {
        self.reasoning = Some(tokens);
        self
    }

    pub(super) fn say(self, attributes: &mut Attributes) {
        attributes.say(keys::INPUT_TOKENS, integer(self.input));
        attributes.say(keys::OUTPUT_TOKENS, integer(self.output));
        attributes.say(
            keys::TOTAL_TOKENS,
            integer(self.input.saturating_add(self.output)),
        );
        for (key, tokens) in [
            (keys::CACHE_READ_TOKENS, self.cached),
            (keys::CACHE_WRITE_TOKENS, self.cache_written),
            (keys::REASONING_TOKENS, self.reasoning),
        ] {
            if let Some(tokens) = tokens {
                attributes.say(key, integer(tokens));
            }
        }
    }

    pub(super) fn say_of_step(self, attributes: &mut Attributes) {
        attributes.say(keys::STEP_INPUT_TOKENS, integer(self.input));
        attributes.say(keys::STEP_OUTPUT_TOKENS, integer(self.output));
    }
}

/// Converts a number, because attributes have no unsigned integers.
pub(super) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
