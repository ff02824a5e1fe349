//! Token usage of a model call.

use super::attributes::Attributes;
use super::keys;

/// The token usage of a model call.
///
/// # Examples
/// ```
/// use spanmux::genai::Usage;
///
/// let usage = Usage::new(812, 96).cached(512).reasoning(40).cost(0.0021);
/// # let _ = usage;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[must_use = "usage has no effect until it is recorded on a span"]
pub struct Usage {
    input: u64,
    output: u64,
    cached: Option<u64>,
    cache_written: Option<u64>,
    reasoning: Option<u64>,
    /// The input and the output tokens by modality.
    modalities: [Option<[u64; 2]>; 3],
    cost: Option<f64>,
    /// The cost of the input and of the output.
    costs: Option<[f64; 2]>,
}

/// A modality of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Modality {
    /// Text.
    Text,
    /// Images.
    Image,
    /// Sound.
    Audio,
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

    /// Sets the number of input and output tokens of one modality. They are included in the total
    /// numbers.
    pub fn modality(mut self, modality: Modality, input: u64, output: u64) -> Self {
        let place = match modality {
            Modality::Text => 0,
            Modality::Image => 1,
            Modality::Audio => 2,
        };
        self.modalities[place] = Some([input, output]);
        self
    }

    /// Sets the cost of the call in US dollars, if the provider reports it. A number that is
    /// negative or not finite is ignored.
    pub fn cost(mut self, dollars: f64) -> Self {
        self.cost = valid(dollars).or(self.cost);
        self
    }

    /// Sets the cost of the input and of the output in US dollars, and the cost of the call to
    /// their sum.
    pub fn costs(self, input: f64, output: f64) -> Self {
        let (Some(input), Some(output)) = (valid(input), valid(output)) else {
            return self;
        };
        Self {
            costs: Some([input, output]),
            ..self.cost(input + output)
        }
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
            (keys::CACHE_WRITE_TOKENS_RENAMED, self.cache_written),
            (keys::REASONING_TOKENS, self.reasoning),
        ] {
            if let Some(tokens) = tokens {
                attributes.say(key, integer(tokens));
            }
        }
        for (keys, tokens) in keys::MODALITY_TOKENS.iter().zip(self.modalities) {
            for (key, tokens) in keys.iter().zip(tokens.into_iter().flatten()) {
                // The conventions leave out zero.
                if tokens > 0 {
                    attributes.say(*key, integer(tokens));
                }
            }
        }
        let costs = self.costs.map(|[input, output]| (input, output)).unzip();
        for (key, cost) in [
            (keys::COST, self.cost),
            (keys::INPUT_COST, costs.0),
            (keys::OUTPUT_COST, costs.1),
        ] {
            if let Some(cost) = cost {
                attributes.say(key, cost);
            }
        }
    }

    pub(super) fn say_of_step(self, attributes: &mut Attributes) {
        attributes.say(keys::STEP_INPUT_TOKENS, integer(self.input));
        attributes.say(keys::STEP_OUTPUT_TOKENS, integer(self.output));
    }
}

fn valid(dollars: f64) -> Option<f64> {
    (dollars.is_finite() && dollars >= 0.0).then_some(dollars)
}

/// Converts a number, because attributes have no unsigned integers.
pub(super) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
