//! The shape of the processing and delivery of spans.

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroUsize};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::values::{Period, Plain};

/// Batching of spans before they are sent.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BatchTable {
    /// Maximum number of waiting spans. Further spans are dropped and counted.
    pub(crate) queue: Option<NonZeroUsize>,
    /// Maximum number of spans in one request.
    pub(crate) size: Option<NonZeroUsize>,
    /// Maximum time that a span waits for a batch.
    pub(crate) every: Option<Period>,
    /// Maximum time to send one batch with all of its attempts.
    pub(crate) timeout: Option<Period>,
}

/// Values that are removed from spans.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RedactionTable {
    /// Whether the values of keys that usually hold secrets are redacted. Defaults to true.
    pub(crate) defaults: Option<bool>,
    /// Whether secrets with a recognisable form are redacted in texts. Defaults to the value of
    /// `defaults`.
    pub(crate) in_texts: Option<bool>,
    /// Further keys whose values are redacted, at any depth.
    #[serde(default)]
    pub(crate) keys: Vec<String>,
    /// Keys whose values are never redacted.
    #[serde(default)]
    pub(crate) except: Vec<String>,
    /// The replacement of a value. Defaults to "full".
    pub(crate) mask: Option<MaskName>,
}

/// The replacement of a value.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MaskName {
    /// [REDACTED]
    Full,
    /// The first and the last characters of a long text.
    Partial,
    /// A custom text.
    Text(String),
}

/// Spans that are dropped.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FilterTable {
    /// Names of spans. A trailing "*" matches any rest.
    #[serde(default)]
    pub(crate) drop_names: Vec<String>,
    /// Kinds of spans.
    #[serde(default)]
    pub(crate) drop_kinds: Vec<KindName>,
    /// GenAI operations, for example "embeddings".
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
    /// A request to another service.
    Client,
    /// A request from another service.
    Server,
    /// A message that is sent without waiting for a reply.
    Producer,
    /// A message that is received without a waiting sender.
    Consumer,
    /// An operation inside the service.
    Internal,
}

/// Maximum sizes of spans.
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
