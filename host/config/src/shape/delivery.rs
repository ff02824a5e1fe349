//! The shape of what happens to spans on their way out.

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroUsize};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::values::{Period, Plain};

/// How spans are gathered before they are sent.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BatchTable {
    /// How many spans wait at most; what ends beyond that is dropped and counted.
    pub(crate) queue: Option<NonZeroUsize>,
    /// How many spans are sent at once at most.
    pub(crate) size: Option<NonZeroUsize>,
    /// How long a span waits for others at most.
    pub(crate) every: Option<Period>,
    /// How long sending one batch may take, with all of its attempts.
    pub(crate) timeout: Option<Period>,
}

/// Which values are taken out of spans.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RedactionTable {
    /// Whether the values of keys that usually hold secrets are taken out. True,
    /// unless it is said.
    pub(crate) defaults: Option<bool>,
    /// Whether secrets that are told by their shape are taken out of texts. As
    /// `defaults`, unless it is said.
    pub(crate) in_texts: Option<bool>,
    /// Keys whose values are taken out too, wherever they stand.
    #[serde(default)]
    pub(crate) keys: Vec<String>,
    /// Keys whose values stay, whatever else is said.
    #[serde(default)]
    pub(crate) except: Vec<String>,
    /// What stands in the place of a value. "full", unless it is said.
    pub(crate) mask: Option<MaskName>,
}

/// What stands in the place of a value.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MaskName {
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
pub(crate) struct FilterTable {
    /// Names of spans. One that ends in "*" stands for all that begin with what is
    /// before it.
    #[serde(default)]
    pub(crate) drop_names: Vec<String>,
    /// Kinds of spans.
    #[serde(default)]
    pub(crate) drop_kinds: Vec<KindName>,
    /// GenAI operations, as "embeddings".
    #[serde(default)]
    pub(crate) drop_operations: Vec<String>,
    /// Attributes with their values.
    #[serde(default)]
    pub(crate) drop_attributes: BTreeMap<String, Plain>,
}

/// A kind of span.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum KindName {
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
pub(crate) struct AttributeLimitsTable {
    /// Characters of a text.
    pub(crate) length: Option<NonZeroUsize>,
    /// Levels of JSON text.
    pub(crate) depth: Option<NonZeroUsize>,
    /// Items of an array.
    pub(crate) items: Option<NonZeroUsize>,
    /// Attributes of a span.
    pub(crate) attributes: Option<NonZeroU32>,
    /// Events of a span.
    pub(crate) events: Option<NonZeroU32>,
    /// Links of a span.
    pub(crate) links: Option<NonZeroU32>,
}
