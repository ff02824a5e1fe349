//! The structure of the tables for batching, redaction, filtering and attribute limits.

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroUsize};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::values::{Period, Plain};

/// The queue and the batches in which spans are sent.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BatchTable {
    /// Maximum number of waiting spans. Spans that end while the queue is full are dropped and
    /// counted.
    #[schemars(range(max = 10_000_000))]
    pub(crate) queue: Option<NonZeroUsize>,
    /// Maximum number of spans in a batch.
    #[schemars(range(max = 10_000_000))]
    pub(crate) size: Option<NonZeroUsize>,
    /// Maximum time that a span waits for a batch to fill.
    pub(crate) every: Option<Period>,
    /// Maximum time to send one batch, including all attempts.
    pub(crate) timeout: Option<Period>,
}

/// The values to redact in spans.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RedactionTable {
    /// Redacts the values of keys that usually hold secrets. Defaults to `true`.
    pub(crate) defaults: Option<bool>,
    /// Redacts secrets within strings, recognized by their format. Defaults to the value of
    /// `defaults`.
    pub(crate) in_texts: Option<bool>,
    /// Additional keys whose values are redacted, at any depth.
    #[serde(default)]
    pub(crate) keys: Vec<String>,
    /// Keys whose values are never redacted. They take precedence over all other settings.
    #[serde(default)]
    pub(crate) except: Vec<String>,
    /// The replacement for a redacted value. Defaults to "full".
    pub(crate) mask: Option<MaskName>,
}

/// The replacement for a redacted value.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MaskName {
    /// [REDACTED]
    Full,
    /// The first and last characters of a long string.
    Partial,
    /// A custom string.
    Text(String),
}

/// The spans to drop.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FilterTable {
    /// Span names. A name that ends in "*" matches every name with that prefix.
    #[serde(default)]
    pub(crate) drop_names: Vec<String>,
    /// Span kinds.
    #[serde(default)]
    pub(crate) drop_kinds: Vec<KindName>,
    /// GenAI operations, such as "embeddings".
    #[serde(default)]
    pub(crate) drop_operations: Vec<String>,
    /// Attributes and their values.
    #[serde(default)]
    pub(crate) drop_attributes: BTreeMap<String, Plain>,
}

/// A span kind.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum KindName {
    /// A request to a remote service.
    Client,
    /// A request from a remote client.
    Server,
    /// A message that is sent without waiting for a response.
    Producer,
    /// A received message whose sender does not wait for a response.
    Consumer,
    /// An operation without a remote peer.
    Internal,
}

/// The size limits of spans.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AttributeLimitsTable {
    /// Maximum number of characters in a string.
    pub(crate) length: Option<NonZeroUsize>,
    /// Maximum nesting depth of JSON text.
    pub(crate) depth: Option<NonZeroUsize>,
    /// Maximum number of items in an array.
    pub(crate) items: Option<NonZeroUsize>,
    /// Maximum number of attributes per span.
    pub(crate) attributes: Option<NonZeroU32>,
    /// Maximum number of events per span.
    pub(crate) events: Option<NonZeroU32>,
    /// Maximum number of links per span.
    pub(crate) links: Option<NonZeroU32>,
}
