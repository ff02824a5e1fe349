//! The tracers that the example selectors name, each with the backend that it
//! sends to.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use anyhow::{Context as _, Result};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider, TracerProviderBuilder,
};
use spanway::otel::{RoutingTracerProvider, TracerConfig};

use crate::backends::Backends;
use crate::counted::{Counted, Counts};
use crate::mlflow::EXPERIMENT_HEADER;

/// The way of a tracer's spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    PhoenixHttp,
    PhoenixGrpc,
    /// Over gRPC to a collector, and from there to Phoenix.
    RotelToPhoenix,
    Mlflow,
    File,
    Nowhere,
}

/// In the order of their registration: the first is the default.
pub const TRACERS: [(&str, Way); 9] = [
    ("langfuse", Way::PhoenixHttp),
    ("langfuse-eu", Way::PhoenixGrpc),
    ("datadog", Way::Mlflow),
    ("tenant-acme", Way::Mlflow),
    ("tenant-umbrella", Way::PhoenixHttp),
    ("candidate", Way::Mlflow),
    ("quarantine", Way::RotelToPhoenix),
    ("console", Way::File),
    ("discard", Way::Nowhere),
];
/// How long spans are gathered before they are exported.
const BATCH_DELAY: Duration = Duration::from_millis(50);
/// Where failed decisions go.
pub const FALLBACK: &str = "quarantine";

impl Way {
    /// Where a tracer's spans must be found; none if nowhere.
    pub fn place(self, tracer: &str) -> Option<String> {
        match self {
            Self::PhoenixHttp | Self::PhoenixGrpc | Self::RotelToPhoenix => {
                Some(format!("phoenix/{tracer}"))
            }
            Self::Mlflow => Some(format!("mlflow/{tracer}")),
            Self::File => Some(format!("file/{tracer}")),
            Self::Nowhere => None,
        }
    }

    /// For a person.
    pub fn describe(self) -> &'static str {
        match self {
            Self::PhoenixHttp => "OTLP over HTTP",
            Self::PhoenixGrpc => "OTLP over gRPC",
            Self::RotelToPhoenix => "OTLP over gRPC, through rotel",
            Self::Mlflow => "OTLP over HTTP",
            Self::File => "OTLP lines",
            Self::Nowhere => "-",
        }
    }
}

/// The way of the tracer of this name.
pub fn way(tracer: &str) -> Option<Way> {
    let found = TRACERS.iter().find(|(name, _)| *name == tracer);
    found.map(|(_, way)| *way)
}

/// Where the spans of the tracer of this name must be found.
pub fn place(tracer: &str) -> Option<String> {
    way(tracer)?.place(tracer)
}

/// What an embedder writes, and what each exporter answered, by tracer.
pub fn provider(
    backends: &mut Backends,
) -> Result<(RoutingTracerProvider, BTreeMap<&'static str, Counts>)> {
    let mut provider = RoutingTracerProvider::builder();
    let mut counts = BTreeMap::new();
    for (name, way) in TRACERS {
        let counted = Counts::default();
        let tracer = tracer(name, way, backends, &counted)
            .with_context(|| format!("the tracer {name} cannot be made"))?;
        provider = match tracer {
            Source::Config(config) => provider.tracer(name, config),
            Source::Sdk(sdk) => provider.tracer(name, sdk),
        };
        counts.insert(name, counted);
    }
    Ok((provider.fallback(FALLBACK).build()?, counts))
}

enum Source {
    Config(TracerConfig),
    Sdk(TracerProviderBuilder),
}

fn tracer(name: &str, way: Way, backends: &mut Backends, counts: &Counts) -> Result<Source> {
    let exporter = match way {
        Way::PhoenixHttp => http(&backends.phoenix.http_endpoint(), HashMap::new())?,
        Way::PhoenixGrpc => grpc(&backends.phoenix.grpc_endpoint())?,
        Way::RotelToPhoenix => grpc(&backends.rotel.grpc_endpoint())?,
        Way::Mlflow => {
            let experiment = backends.mlflow.make_experiment(name)?;
            let header = HashMap::from([(EXPERIMENT_HEADER.to_owned(), experiment)]);
            http(&backends.mlflow.http_endpoint(), header)?
        }
        Way::File => {
            return Ok(Source::Config(TracerConfig::file(
                "shop",
                backends.file(name),
            )));
        }
        Way::Nowhere => return Ok(Source::Sdk(SdkTracerProvider::builder())),
    };
    let resource = Resource::builder()
        .with_service_name("shop")
        // Phoenix makes a project of it.
        .with_attribute(opentelemetry::KeyValue::new(
            "openinference.project.name",
            name.to_owned(),
        ))
        .build();
    let counts = counts.clone();
    let sdk = SdkTracerProvider::builder()
        .with_resource(resource)
        .with_span_processor(in_batches(Counted { exporter, counts }));
    Ok(Source::Sdk(sdk))
}

/// Soon after they end, so that a backend that goes away goes between two batches of
/// one run.
fn in_batches(exporter: Counted<SpanExporter>) -> BatchSpanProcessor {
    let config = BatchConfigBuilder::default().with_scheduled_delay(BATCH_DELAY);
    BatchSpanProcessor::builder(exporter)
        .with_batch_config(config.build())
        .build()
}

fn http(endpoint: &str, headers: HashMap<String, String>) -> Result<SpanExporter> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(endpoint)
        .with_headers(headers);
    Ok(exporter.build()?)
}

fn grpc(endpoint: &str) -> Result<SpanExporter> {
    Ok(SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .build()?)
}
