//! Features that a decision may use, counted for coverage: a property that was never tested with
//! NaN is not verified for NaN.

use std::fmt;

macro_rules! features {
    ($($feature:ident => $words:literal,)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Feature { $($feature),* }

        impl Feature {
            pub(crate) const ALL: &[Feature] = &[$(Feature::$feature),*];

            pub(crate) fn words(self) -> &'static str {
                match self { $(Feature::$feature => $words),* }
            }
        }
    };
}

features! {
    GetAbsent => "get of an absent key",
    GetNull => "get: null",
    GetBoolean => "get: boolean",
    GetInteger => "get: integer",
    GetFloat => "get: float",
    GetText => "get: text",
    GetJson => "get: json",
    HasTrue => "has: true",
    HasFalse => "has: false",
    Keys => "keys",
    KeysOfNone => "keys of an empty context",
    BucketSome => "bucket of a key",
    BucketNone => "bucket of an absent key",
    BucketOfOne => "one bucket for all",
    Nan => "NaN",
    Infinity => "infinity",
    NegativeZero => "-0.0",
    PositiveZero => "0.0",
    IntegerOne => "1, an integer",
    FloatOne => "1.0, a float",
    TextOne => "\"1\", a text",
    LastSafeInteger => "an integer at +-(2^53 - 1)",
    LargeInteger => "an integer as json",
    EmptyText => "empty text",
    Unicode => "text outside of ASCII",
    LongText => "text of 256 bytes and more",
    HugeText => "text of 4 KiB and more",
    LargeJson => "json of 256 bytes and more",
    HugeJson => "json of 4 KiB and more",
    DottedPath => "dotted path",
    DottedLiteral => "literal key with a dot",
    EmptyKey => "empty key",
    SpanKey => "key under `span.`",
    KeyFromAnswer => "key made of an answer",
    SameTwice => "the same key asked again",
    TracersRead => "the tracers' names were read",
    NoTracers => "no tracer at all",
    Burnt => "as many turns as the digest says",
    Grown => "memory grown until refused",
    Chosen => "a tracer chosen",
    UnknownTracer => "unknown tracer",
    EmptyName => "empty name",
    LongName => "name that is cut off",
    Abstained => "abstained",
    Failed => "failed with a message",
    Trapped => "unreachable",
    DividedByZero => "division by zero",
    NoBuckets => "zero buckets",
    OutOfFuel => "out of fuel",
    OutOfStack => "out of stack",
    OutOfBytes => "out of bytes",
}

/// The features that one decision used.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Met(u64);

impl Met {
    pub(crate) fn note(&mut self, feature: Feature) {
        self.0 |= 1 << feature as u32;
    }

    /// Returns a set with only this feature.
    pub(crate) fn only(feature: Feature) -> Self {
        Self(1 << feature as u32)
    }

    pub(crate) fn has(self, feature: Feature) -> bool {
        self.0 & (1 << feature as u32) != 0
    }
}

// `Met` has one bit for each feature.
const _: () = assert!(Feature::ALL.len() <= u64::BITS as usize);

/// The number of decisions that used each feature.
#[derive(Clone, Debug)]
pub(crate) struct Coverage {
    runs: Vec<u64>,
    hits: Vec<u64>,
}

impl Default for Coverage {
    fn default() -> Self {
        let none = vec![0; Feature::ALL.len()];
        Self {
            runs: none.clone(),
            hits: none,
        }
    }
}

impl Coverage {
    pub(crate) fn count(&mut self, met: Met, cached: bool) {
        let counts = if cached {
            &mut self.hits
        } else {
            &mut self.runs
        };
        for feature in Feature::ALL {
            counts[*feature as usize] += u64::from(met.has(*feature));
        }
    }

    /// Returns the number of decisions with this feature that ran the component.
    pub(crate) fn run(&self, feature: Feature) -> u64 {
        self.runs[feature as usize]
    }

    /// Returns the number of decisions with this feature that came from the cache.
    pub(crate) fn cached(&self, feature: Feature) -> u64 {
        self.hits[feature as usize]
    }

    pub(crate) fn add(&mut self, other: &Coverage) {
        let pairs = self.runs.iter_mut().zip(&other.runs);
        for (sum, more) in pairs.chain(self.hits.iter_mut().zip(&other.hits)) {
            *sum += more;
        }
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:>9} {:>9}", "run", "cached")?;
        for feature in Feature::ALL {
            let (runs, hits) = (self.run(*feature), self.cached(*feature));
            writeln!(f, "{runs:>9} {hits:>9}  {}", feature.words())?;
        }
        Ok(())
    }
}
