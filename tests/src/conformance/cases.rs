//! The table of cases, read.

use std::collections::BTreeMap;
use std::fs;

use serde::Deserialize;
use spanmux::RuntimeContext;

use super::vectors;
use crate::folder_of;

/// What is to be decided, and where a language does otherwise.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// In the order of the file; the vectors of `bucket` behind them.
    #[serde(rename = "case")]
    pub cases: Vec<Case>,
    /// What is documented as other than the table has it.
    #[serde(rename = "difference")]
    pub differences: Vec<Difference>,
}

/// One decision.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// A sentence; cases of the same name are one row of the matrix.
    pub name: String,
    /// The text of a JSON object.
    pub context: String,
    /// Values that JSON cannot hold.
    #[serde(default)]
    pub floats: BTreeMap<String, f64>,
    /// The available tracers.
    #[serde(default = "three")]
    pub tracers: Vec<String>,
    /// One line; see the head of the file.
    pub expect: String,
    /// The languages that can do it at all; without them every one.
    #[serde(default)]
    pub only: Vec<String>,
}

/// What some languages do in place of what a case expects.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// The name of the case.
    pub case: String,
    /// By the names of their files.
    pub languages: Vec<String>,
    /// What comes in place of it.
    pub expect: String,
    /// The reason.
    pub because: String,
}

/// Whatever it is, it must be the same in each run.
pub(super) const THE_SAME: &str = "the same";

fn three() -> Vec<String> {
    crate::TRACERS.map(str::to_owned).to_vec()
}

impl Suite {
    /// The cases of `conformance/cases.toml` and the vectors of `bucket`.
    ///
    /// # Panics
    /// If the file is wrong.
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

    /// What a language is documented to do in place of what this case expects.
    pub fn difference(&self, case: &Case, language: &str) -> Option<&Difference> {
        let mut differences = self.differences.iter();
        differences.find(|difference| {
            difference.case == case.name && difference.languages.iter().any(|one| one == language)
        })
    }
}

impl Case {
    /// Whether it can be asked of a language.
    pub fn is_for(&self, language: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|one| one == language)
    }

    fn expand(&mut self) {
        self.context = expanded(&self.context);
        self.expect = expanded(&self.expect);
        self.tracers = self.tracers.iter().map(|name| expanded(name)).collect();
    }

    /// What the selector is asked about.
    ///
    /// # Panics
    /// If it is no context.
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

/// `<3×ab>` is `ababab`.
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
