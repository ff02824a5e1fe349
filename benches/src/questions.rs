//! The two questions, the contexts they are asked of, and the native answer that
//! every engine is held to.

use std::collections::HashMap;
use std::sync::Arc;

use spanmux::{ContextView, RuntimeContext};

/// The available tracers, in the order of their registration.
pub const TRACERS: [&str; 3] = ["langfuse", "datadog", "console"];

/// The tenants of the second question's list.
pub const TENANTS: [&str; 5] = ["acme", "globex", "initech", "umbrella", "hooli"];

/// The keys that the second question may read, in its order.
pub const KEYS: [&str; 4] = ["tenant", "tier", "region", "environment"];

/// How many entries a context has.
const ENTRIES: usize = 20;

/// What is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// One key: production → langfuse, staging → datadog, else console.
    OneKey,
    /// Four keys: a tenant that is not in the list → console; tier enterprise →
    /// langfuse; a region that begins with `eu-` → datadog; environment production
    /// → langfuse; else console.
    FourKeys,
}

impl Question {
    pub const ALL: [Question; 2] = [Question::OneKey, Question::FourKeys];

    /// For tables.
    pub fn title(self) -> &'static str {
        match self {
            Question::OneKey => "one key",
            Question::FourKeys => "four keys",
        }
    }

    /// Which keys an engine must be given that cannot ask.
    pub fn keys(self) -> &'static [&'static str] {
        match self {
            Question::OneKey => &KEYS[3..],
            Question::FourKeys => &KEYS,
        }
    }

    /// The component that answers it.
    pub fn component(self) -> &'static [u8] {
        match self {
            Question::OneKey => include_bytes!("../selectors/one-key.wasm"),
            Question::FourKeys => include_bytes!("../selectors/four-keys.wasm"),
        }
    }

    /// The answer, from whatever says what a key's text is.
    #[inline(always)]
    pub fn answer<'a>(self, text: impl Fn(&str) -> Option<&'a str>) -> &'static str {
        match self {
            Question::OneKey => match text("environment") {
                Some("production") => "langfuse",
                Some("staging") => "datadog",
                _ => "console",
            },
            Question::FourKeys => {
                if !TENANTS.contains(&text("tenant").unwrap_or_default()) {
                    "console"
                } else if text("tier") == Some("enterprise") {
                    "langfuse"
                } else if text("region").is_some_and(|region| region.starts_with("eu-")) {
                    "datadog"
                } else if text("environment") == Some("production") {
                    "langfuse"
                } else {
                    "console"
                }
            }
        }
    }

    /// Every context that the engines are checked on. The first is the one that is
    /// timed: all of the question's keys are read.
    pub fn cases(self) -> Vec<Case> {
        let all = |tenants: &[&str], tiers: &[&str], regions: &[&str], environments: &[&str]| {
            let mut cases = Vec::new();
            for tenant in tenants {
                for tier in tiers {
                    for region in regions {
                        for environment in environments {
                            cases.push(Case::new(self, [tenant, tier, region, environment]));
                        }
                    }
                }
            }
            cases
        };
        match self {
            Question::OneKey => all(
                &["hooli"],
                &["free"],
                &["us-east-1"],
                &["production", "staging", "development", "review"],
            ),
            Question::FourKeys => all(
                &["hooli", "acme", "initech", "stranger"],
                &["free", "pro", "enterprise"],
                &["us-east-1", "eu-west-1"],
                &["production", "development"],
            ),
        }
    }
}

/// One context in the forms that engines take, with the right answer.
#[derive(Clone)]
pub struct Case {
    /// Which of the question's cases: engines that keep something per case find it.
    pub entries: Arc<HashMap<String, String>>,
    /// The same, frozen.
    pub context: RuntimeContext,
    /// A place in [`TRACERS`].
    pub expected: usize,
}

impl Case {
    fn new(question: Question, values: [&str; 4]) -> Self {
        let pairs = KEYS.iter().zip(values).map(|(key, value)| (*key, value));
        let fillers: Vec<_> = (KEYS.len()..ENTRIES)
            .map(|number| (format!("app.setting.{number}"), format!("value-{number}")))
            .collect();
        let entries: HashMap<String, String> = fillers
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .chain(pairs)
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        let context = entries
            .iter()
            .fold(RuntimeContext::builder(), |builder, (key, value)| {
                builder.set(key, value)
            })
            .build();
        let name = question.answer(|key| entries.get(key).map(String::as_str));
        Self {
            expected: tracer(name),
            entries: Arc::new(entries),
            context,
        }
    }

    /// A key's text; absent counts as empty.
    pub fn text(&self, key: &str) -> &str {
        self.entries.get(key).map_or("", String::as_str)
    }

    pub fn view(&self) -> ContextView<'_> {
        self.context.view()
    }
}

/// Where a tracer of this name stands: the last step of every route.
#[inline]
pub fn tracer(name: &str) -> usize {
    TRACERS
        .iter()
        .position(|known| *known == name)
        .unwrap_or(usize::MAX)
}
