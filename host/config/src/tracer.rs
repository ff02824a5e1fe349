//! Creates tracer settings from their tables in the file.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::Path;

use opentelemetry::KeyValue;
use opentelemetry::trace::SpanKind;

use super::exporter::exporter;
use super::shape::{
    AttributeLimitsTable, BackendDialectName, BatchTable, FilterTable, KindName, MaskName,
    RedactionTable, RemoteParentName, TracerTable,
};
use super::values::{Period, Plain};
use spanmux_export::delivery::BatchConfig;
use spanmux_export::exporters::{Dialect, RemoteParent};
use spanmux_export::redaction::{AttributeLimits, Mask, Redaction, SpanFilter};
use spanmux_otel::{Sampling, TracerConfig};

/// Creates the settings of a tracer. Its paths are relative to `directory`. Its own resource
/// attributes take precedence over those of `resource`.
pub(super) fn tracer(
    table: TracerTable,
    service: &str,
    sampling: Sampling,
    directory: &Path,
    resource: &[KeyValue],
) -> TracerConfig {
    let service = table.service.unwrap_or_else(|| service.to_owned());
    let mut config = TracerConfig::new().service_name(service).sampling(sampling);
    for exporter in table.exporter.into_iter().chain(table.exporters) {
        config = config.exporter(self::exporter(exporter, directory));
    }
    for attribute in resource {
        config = config.resource(attribute.key.clone(), attribute.value.clone());
    }
    for (key, value) in table.resource {
        config = config.resource(key, opentelemetry::Value::from(value));
    }
    if let Some(table) = table.batch {
        config = config.batch(batch(&table));
    }
    if let Some(table) = table.redaction {
        config = config.redaction(redaction(table));
    }
    if let Some(table) = table.filter {
        config = config.filter(filter(table));
    }
    if let Some(name) = table.remote_parent {
        config = config.remote_parent(name.into());
    }
    if let Some(name) = table.dialect {
        config = config.dialect(name.into());
    }
    if let Some(table) = table.limits {
        config = config.limits(limits(&table));
    }
    match table.max_open_spans {
        Some(spans) => config.max_open_spans(spans.get()),
        None => config,
    }
}

impl From<Plain> for opentelemetry::Value {
    fn from(value: Plain) -> Self {
        match value {
            Plain::Flag(flag) => flag.into(),
            Plain::Integer(number) => number.into(),
            Plain::Float(number) => number.into(),
            Plain::Text(text) => text.into(),
        }
    }
}

fn batch(table: &BatchTable) -> BatchConfig {
    let default = BatchConfig::default();
    let time = |given: Option<Period>, default| given.map_or(default, |Period(time)| time);
    let count = |given: Option<NonZeroUsize>, default| given.map_or(default, NonZeroUsize::get);
    BatchConfig::new()
        .max_queue_size(count(table.queue, default.max_queue_size))
        .max_export_batch_size(count(table.size, default.max_export_batch_size))
        .scheduled_delay(time(table.every, default.scheduled_delay))
        .max_export_timeout(time(table.timeout, default.max_export_timeout))
}

/// Creates the redaction of an exporter or a tracer.
pub(super) fn redaction(table: RedactionTable) -> Redaction {
    let redaction = match table.defaults {
        Some(false) => Redaction::none(),
        _ => Redaction::default(),
    };
    let redaction = redaction.keys(table.keys).except(table.except);
    let redaction = match table.in_texts {
        Some(in_texts) => redaction.in_texts(in_texts),
        None => redaction,
    };
    match table.mask {
        None | Some(MaskName::Full) => redaction,
        Some(MaskName::Partial) => redaction.mask(Mask::Partial),
        Some(MaskName::Text(text)) => redaction.mask(Mask::Text(text)),
    }
}

/// Creates the filter of an exporter or a tracer.
pub(super) fn filter(table: FilterTable) -> SpanFilter {
    let filter = SpanFilter::new()
        .drop_names(table.drop_names)
        .drop_kinds(table.drop_kinds.into_iter().map(SpanKind::from))
        .drop_operations(table.drop_operations);
    let attributes = table.drop_attributes.into_iter();
    attributes.fold(filter, |filter, (key, value)| {
        filter.drop_attribute(key, opentelemetry::Value::from(value))
    })
}

fn limits(table: &AttributeLimitsTable) -> AttributeLimits {
    let mut limits = AttributeLimits::new();
    limits.length = table.length.map_or(limits.length, NonZeroUsize::get);
    limits.depth = table.depth.map_or(limits.depth, NonZeroUsize::get);
    limits.items = table.items.map_or(limits.items, NonZeroUsize::get);
    limits.attributes = table.attributes.map(NonZeroU32::get);
    limits.events = table.events.map(NonZeroU32::get);
    limits.links = table.links.map(NonZeroU32::get);
    limits
}

impl From<RemoteParentName> for RemoteParent {
    fn from(name: RemoteParentName) -> Self {
        match name {
            RemoteParentName::Keep => Self::Keep,
            RemoteParentName::Link => Self::Link,
        }
    }
}

impl From<BackendDialectName> for Dialect {
    fn from(name: BackendDialectName) -> Self {
        match name {
            BackendDialectName::GenAi => Self::GenAi,
            BackendDialectName::OpenInference => Self::OpenInference,
            BackendDialectName::Langfuse => Self::Langfuse,
            BackendDialectName::LangSmith => Self::LangSmith,
            BackendDialectName::Both => Self::Both,
        }
    }
}

impl From<KindName> for SpanKind {
    fn from(name: KindName) -> Self {
        match name {
            KindName::Client => Self::Client,
            KindName::Server => Self::Server,
            KindName::Producer => Self::Producer,
            KindName::Consumer => Self::Consumer,
            KindName::Internal => Self::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::Config;
    use spanmux_export::delivery::DiskBuffer;
    use spanmux_export::exporters::{Exporter, OtlpExporter};

    /// The settings from a file equal those of the same calls on the Rust builder.
    #[test]
    fn tracer_table_matches_rust_builder() {
        let config = Config::from_toml(
            "[tracers.a]
            service = 'shop'
            resource = { flag = true, number = 7, share = 0.5, text = 'x' }
            max_open_spans = 9
            remote_parent = 'link'
            dialect = 'openinference'
            batch = { queue = 1, size = 2, every = '3s', timeout = '4ms' }
            redaction = { defaults = false, in_texts = true, keys = ['k'], except = ['e'], mask = { text = '-' } }
            filter = { drop_names = ['n*'], drop_kinds = ['client'], drop_operations = ['o'], drop_attributes = { a = 1 } }
            limits = { length = 1, depth = 2, items = 3, attributes = 4, events = 5, links = 6 }
            [tracers.a.exporter]
            type = 'otlp'
            endpoint = 'http://collector:4318'
            gzip = true
            timeout = '1s'
            max_request_bytes = 1_000_000
            max_span_bytes = 100_000
            headers = { x = 'y' }
            filter = { drop_names = ['m'] }
            spill = { directory = 'd', max_bytes = 1, max_files = 2, max_age = '3s' }",
        );
        let (_, table) = config.unwrap().tracers.remove(0);
        let one = exporter(table.exporter.clone().unwrap(), Path::new("etc"));
        assert_eq!(one.filter, SpanFilter::new().drop_names(["m"]));
        let buffer = DiskBuffer::new("etc/d")
            .max_bytes(1)
            .max_files(2)
            .max_age(Duration::from_secs(3));
        assert_eq!(one.disk_buffer, Some(buffer));
        let of_process = [
            KeyValue::new("host", "h"),
            KeyValue::new("text", "replaced"),
        ];
        let sampling = Sampling::Never;
        let made = tracer(table, "another", sampling, Path::new("etc"), &of_process);

        let exporter = OtlpExporter::http("http://collector:4318")
            .header("x", "y")
            .timeout(Duration::from_secs(1))
            .max_request_bytes(1_000_000)
            .max_span_bytes(100_000)
            .gzip();
        let written = TracerConfig::new()
            .service_name("shop")
            .sampling(Sampling::Never)
            .exporter(Exporter::otlp(exporter))
            .resource("host", "h")
            .resource("text", "replaced")
            .resource("flag", true)
            .resource("number", 7)
            .resource("share", 0.5)
            .resource("text", "x")
            .batch(
                BatchConfig::new()
                    .max_queue_size(1)
                    .max_export_batch_size(2)
                    .scheduled_delay(Duration::from_secs(3))
                    .max_export_timeout(Duration::from_millis(4)),
            )
            .redaction(
                Redaction::none()
                    .in_texts(true)
                    .keys(["k"])
                    .except(["e"])
                    .mask(Mask::Text("-".to_owned())),
            )
            .filter(
                SpanFilter::new()
                    .drop_names(["n*"])
                    .drop_kinds([SpanKind::Client])
                    .drop_operations(["o"])
                    .drop_attribute("a", 1),
            )
            .limits(
                AttributeLimits::new()
                    .length(1)
                    .depth(2)
                    .items(3)
                    .attributes(4)
                    .events(5)
                    .links(6),
            )
            .max_open_spans(9)
            .remote_parent(RemoteParent::Link)
            .dialect(Dialect::OpenInference);
        // Literals stay static strings, and strings from the file are owned.
        let shown = |config: TracerConfig| format!("{config:#?}").replace("Static", "Owned");
        assert_eq!(shown(made), shown(written));
    }
}
