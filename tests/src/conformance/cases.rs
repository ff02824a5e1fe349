//! The table of cases.

use std::collections::BTreeMap;
use std::fs;

use serde::Deserialize;
use spanmux::RuntimeContext;

use super::vectors;
use crate::folder_of;

/// The cases and the documented differences of languages.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// In the order of the file, followed by the vectors of `bucket`.
    #[serde(rename = "case")]
    pub cases: Vec<Case>,
    /// Documented differences from the table.
    #[serde(rename = "difference")]
    pub differences: Vec<Difference>,
}

/// One decision.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// A sentence. Cases of the same name share a row of the matrix.
    pub name: String,
    /// A JSON object as text.
    pub context: String,
    /// Values that JSON cannot represent.
    #[serde(default)]
    pub floats: BTreeMap<String, f64>,
    /// The available tracers.
    #[serde(default = "three")]
    pub tracers: Vec<String>,
    /// The number of generated tracers, which replace `tracers` unless it is 0.
    #[serde(default)]
    pub generated: usize,
    /// One line, as described at the beginning of the file.
    pub expect: String,
    /// The languages that support it. Empty for all.
    #[serde(default)]
    pub only: Vec<String>,
}

/// The result of some languages in place of the expected one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// The name of the case.
    pub case: String,
    /// The names of the languages' files.
    pub languages: Vec<String>,
    /// The result in place of the expected one.
    pub expect: String,
    /// The reason.
    pub because: String,
}

/// The length of a generated name.
const GENERATED_BYTES: usize = 64;

/// Any result that is the same in each run.
pub(super) const THE_SAME: &str = "the same";

fn three() -> Vec<String> {
    crate::TRACERS.map(str::to_owned).to_vec()
}

impl Suite {
    /// Reads the cases of `conformance/cases.toml` and the vectors of `bucket`.
    ///
    /// # Panics
    /// If the file is invalid.
    pub fn read() -> Self {
        let file = folder_of("conformance").join("cases.toml");
        let text = fs::read_to_string(&file).expect("conformance/cases.toml");
        let mut suite: Self = toml::from_str(&text).unwrap_or_else(|error| panic!("{error}"));
        suite.cases.iter_mut().for_each(Case::expand);
        suite.cases.extend(vectors::cases());
        for difference in &suite.differences {
            let known = suite.cases.iter().any(|case| case.name == difference.case);
            assert!(known, "there is no case {:?}", difference.case);
        }
        suite
    }

    /// Returns the documented difference of a language for this case.
    pub fn difference(&self, case: &Case, language: &str) -> Option<&Difference> {
        let mut differences = self.differences.iter();
        differences.find(|difference| {
            difference.case == case.name && difference.languages.iter().any(|one| one == language)
        })
    }
}

impl Case {
    /// Returns `true` if a language supports the case.
    pub fn is_for(&self, language: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|one| one == language)
    }

    fn expand(&mut self) {
        self.context = expanded(&self.context);
        self.expect = expanded(&self.expect);
        self.tracers = self.tracers.iter().map(|name| expanded(name)).collect();
        if self.generated > 0 {
            let name = |number| format!("tracer-{number:0digits$}", digits = GENERATED_BYTES - 7);
            self.tracers = (0..self.generated).map(name).collect();
        }
    }

    /// Returns the runtime context of the case.
    ///
    /// # Panics
    /// If the context is invalid.
    pub fn runtime_context(&self) -> RuntimeContext {
        let context = RuntimeContext::from_json(&self.context);
        let context = context.unwrap_or_else(|error| panic!("{}: {error}", self.name));
        let mut builder = RuntimeContext::builder();
        let view = context.view();
        for key in view.keys() {
            if let Some(value) = view.get(&key) {
                builder = builder.set(&key, value);
            }
        }
        for (key, float) in &self.floats {
            builder = builder.set(key, *float);
        }
        builder.build()
    }
}

/// Expands `<3×ab>` to `ababab`.
fn expanded(text: &str) -> String {
    let mut parts = text.split('<');
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let repeated = part.split_once('>').and_then(|(inside, rest)| {
            let (times, what) = inside.split_once('×')?;
            Some(what.repeat(times.parse().ok()?) + rest)
        });
        whole += &repeated.unwrap_or_else(|| format!("<{part}"));
    }
    whole
}
