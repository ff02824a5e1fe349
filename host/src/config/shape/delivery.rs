//! The shape of what happens to spans on their way out.

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroUsize};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::values::{Period, Plain};

/// How spans are gathered before they are sent.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct BatchTable {
    /// How many spans wait at most; what ends beyond that is dropped and counted.
    pub(in crate::config) queue: Option<NonZeroUsize>,
    /// How many spans are sent at once at most.
    pub(in crate::config) size: Option<NonZeroUsize>,
    /// How long a span waits for others at most.
    pub(in crate::config) every: Option<Period>,
    /// How long sending one batch may take, with all of its attempts.
    pub(in crate::config) timeout: Option<Period>,
}

/// Which values are taken out of spans.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RedactionTable {
    /// Whether the values of keys that usually hold secrets are taken out. True,
    /// unless it is said.
    pub(in crate::config) defaults: Option<bool>,
    /// Whether secrets that are told by their shape are taken out of texts. As
    /// `defaults`, unless it is said.
    pub(in crate::config) in_texts: Option<bool>,
    /// Keys whose values are taken out too, wherever they stand.
    #[serde(default)]
    pub(in crate::config) keys: Vec<String>,
    /// Keys whose values stay, whatever else is said.
    #[serde(default)]
    pub(in crate::config) except: Vec<String>,
    /// What stands in the place of a value. "full", unless it is said.
    pub(in crate::config) mask: Option<MaskName>,
}

/// What stands in the place of a value.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum MaskName {
    /// [REDACTED]
    Full,
    /// The first and the last characters of a long text.
    Partial,
    /// A text of your own.
    Text(String),
}

/// Which spans are left out.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct FilterTable {
    /// Names of spans. One that ends in "*" stands for all that begin with what is
    /// before it.
    #[serde(default)]
    pub(in crate::config) drop_names: Vec<String>,
    /// Kinds of spans.
    #[serde(default)]
    pub(in crate::config) drop_kinds: Vec<KindName>,
    /// GenAI operations, as "embeddings".
    #[serde(default)]
    pub(in crate::config) drop_operations: Vec<String>,
    /// Attributes with their values.
    #[serde(default)]
    pub(in crate::config) drop_attributes: BTreeMap<String, Plain>,
}

/// A kind of span.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::config) enum KindName {
    /// Something outside is asked.
    Client,
    /// Something outside asks.
    Server,
    /// Something is sent, and not waited for.
    Producer,
    /// Something is received that nobody waits for.
    Consumer,
    /// Nothing outside takes part.
    Internal,
}

/// How large spans may be.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct AttributeLimitsTable {
    /// Characters of a text.
    pub(in crate::config) length: Option<NonZeroUsize>,
    /// Levels of JSON text.
    pub(in crate::config) depth: Option<NonZeroUsize>,
    /// Items of an array.
    pub(in crate::config) items: Option<NonZeroUsize>,
    /// Attributes of a span.
    pub(in crate::config) attributes: Option<NonZeroU32>,
    /// Events of a span.
    pub(in crate::config) events: Option<NonZeroU32>,
    /// Links of a span.
    pub(in crate::config) links: Option<NonZeroU32>,
}
