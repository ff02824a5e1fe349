//! The tracers that the example selectors name, each with the backend that it
//! sends to.

use std::time::Duration;

use anyhow::{Context as _, Result};
use spanmux::delivery::{BatchConfig, DiskBuffer};
use spanmux::exporters::{Exporter, Mlflow, Phoenix};
use spanmux::otel::{RoutingTracerProvider, TracerConfig};

use crate::backends::Backends;
use crate::traces_file;

/// The way of a tracer's spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    PhoenixHttp,
    PhoenixGrpc,
    /// Over gRPC to a collector, and from there to Phoenix.
    RotelToPhoenix,
    Mlflow,
    /// While it is away, to disk.
    MlflowOrDisk,
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
    ("candidate", Way::MlflowOrDisk),
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
            Self::Mlflow | Self::MlflowOrDisk => Some(format!("mlflow/{tracer}")),
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
            Self::MlflowOrDisk => "OTLP over HTTP, disk buffer",
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

/// What an embedder writes.
pub fn provider(backends: &mut Backends) -> Result<RoutingTracerProvider> {
    let mut provider = RoutingTracerProvider::builder();
    for (name, way) in TRACERS {
        let exporter = exporter(name, way, backends)
            .with_context(|| format!("the tracer {name} has no backend"))?;
        let tracer = TracerConfig::new()
            .service_name("shop")
            .exporter(exporter)
            .batch(BatchConfig::new().scheduled_delay(BATCH_DELAY));
        provider = provider.tracer(name, tracer);
    }
    Ok(provider.fallback(FALLBACK).build()?)
}

fn exporter(tracer: &str, way: Way, backends: &mut Backends) -> Result<Exporter> {
    let Backends {
        phoenix,
        mlflow,
        rotel,
        files,
    } = backends;
    Ok(match way {
        Way::PhoenixHttp => Phoenix::http(phoenix.base())
            .project(tracer.to_owned())
            .into(),
        Way::PhoenixGrpc => Phoenix::grpc(phoenix.grpc_endpoint())
            .project(tracer.to_owned())
            .into(),
        Way::RotelToPhoenix => Phoenix::grpc(rotel.grpc_endpoint())
            .project(tracer.to_owned())
            .into(),
        Way::Mlflow => Mlflow::new(mlflow.base(), mlflow.make_experiment(tracer)?).into(),
        Way::MlflowOrDisk => {
            let mlflow = Mlflow::new(mlflow.base(), mlflow.make_experiment(tracer)?);
            Exporter::from(mlflow).disk_buffer(DiskBuffer::new(files.join("spill")))
        }
        Way::File => Exporter::file(traces_file::path(files, tracer)),
        Way::Nowhere => Exporter::discard(),
    })
}
