//! Redaction of the texts that spans share: their instrumentation scope and their resource.

use std::borrow::Cow;

use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::Resource;

use super::known_keys::KnownKeys;
use super::{ProcessingCounts, SpanProcessing};

impl SpanProcessing {
    /// Redacts a scope in place. Returns `false` if nothing had to change; such a scope is not
    /// copied, except for its attributes, which few scopes have.
    pub(super) fn scope(
        &self,
        scope: &mut InstrumentationScope,
        done: &mut ProcessingCounts,
    ) -> bool {
        let before = *done;
        let name = self.redacted("scope.name", scope.name(), done);
        let mut text =
            |key, text: Option<&str>| text.and_then(|text| self.redacted(key, text, done));
        let version = text("scope.version", scope.version());
        let schema = text("scope.schema_url", scope.schema_url());
        let mut attributes: Vec<KeyValue> = scope.attributes().cloned().collect();
        self.attributes(&mut attributes, done, &mut KnownKeys::default());
        if *done == before {
            return false;
        }
        let own = |text: Option<&str>| text.map(str::to_owned);
        let mut builder =
            InstrumentationScope::builder(name.unwrap_or_else(|| scope.name().to_owned()))
                .with_attributes(attributes);
        if let Some(version) = version.or_else(|| own(scope.version())) {
            builder = builder.with_version(version);
        }
        if let Some(schema) = schema.or_else(|| own(scope.schema_url())) {
            builder = builder.with_schema_url(schema);
        }
        *scope = builder.build();
        true
    }

    /// Returns the resource without secrets.
    pub(crate) fn resource<'a>(&self, resource: &'a Resource) -> Cow<'a, Resource> {
        let mut attributes: Vec<KeyValue> = resource
            .iter()
            .map(|(key, value)| KeyValue::new(key.clone(), value.clone()))
            .collect();
        let mut done = ProcessingCounts::default();
        self.attributes(&mut attributes, &mut done, &mut KnownKeys::default());
        if done == ProcessingCounts::default() {
            return Cow::Borrowed(resource);
        }
        let builder = Resource::builder_empty();
        let builder = match resource.schema_url() {
            Some(schema) => builder.with_schema_url(attributes, schema.to_owned()),
            None => builder.with_attributes(attributes),
        };
        Cow::Owned(builder.build())
    }
}
