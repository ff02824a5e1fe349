//! The two questions, their contexts, and the native answers for comparison.

use std::collections::HashMap;
use std::sync::Arc;

use spanmux::{ContextView, RuntimeContext};

/// The available tracers, in registration order.
pub const TRACERS: [&str; 3] = ["langfuse", "datadog", "console"];

/// The tenants in the second question's list.
pub const TENANTS: [&str; 5] = ["acme", "globex", "initech", "umbrella", "hooli"];

/// The keys that the second question may read, in its order.
pub const KEYS: [&str; 4] = ["tenant", "tier", "region", "environment"];

/// The number of entries in a context.
const ENTRIES: usize = 20;

/// The two decision rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// One key: production → langfuse, staging → datadog, otherwise console.
    OneKey,
    /// Four keys: a tenant that is not in the list → console; tier enterprise → langfuse; a region
    /// that begins with `eu-` → datadog; environment production → langfuse; otherwise console.
    FourKeys,
}

impl Question {
    pub const ALL: [Question; 2] = [Question::OneKey, Question::FourKeys];

    /// The title in tables.
    pub fn title(self) -> &'static str {
        match self {
            Question::OneKey => "one key",
            Question::FourKeys => "four keys",
        }
    }

    /// The keys for engines that cannot read keys on demand.
    pub fn keys(self) -> &'static [&'static str] {
        match self {
            Question::OneKey => &KEYS[3..],
            Question::FourKeys => &KEYS,
        }
    }

    /// The component with this rule.
    pub fn component(self) -> &'static [u8] {
        match self {
            Question::OneKey => include_bytes!("../selectors/one-key.wasm"),
            Question::FourKeys => include_bytes!("../selectors/four-keys.wasm"),
        }
    }

    /// The native answer. `text` returns the text of a key.
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

    /// Every context on which the engines are checked. The first is the timed one: it requires all
    /// of the question's keys.
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

/// One context in the representations that engines use, with the expected answer.
#[derive(Clone)]
pub struct Case {
    /// The entries as a plain map.
    pub entries: Arc<HashMap<String, String>>,
    /// The same entries as a runtime context.
    pub context: RuntimeContext,
    /// An index in [`TRACERS`].
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

    /// The text of a key; empty if it is absent.
    pub fn text(&self, key: &str) -> &str {
        self.entries.get(key).map_or("", String::as_str)
    }

    pub fn view(&self) -> ContextView<'_> {
        self.context.view()
    }
}

/// The index of the tracer with this name: the last step of every route.
#[inline]
pub fn tracer(name: &str) -> usize {
    TRACERS
        .iter()
        .position(|known| *known == name)
        .unwrap_or(usize::MAX)
}
