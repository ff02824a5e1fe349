//! The tracers that the example selectors name, each with its backend.

use std::time::Duration;

use anyhow::{Context as _, Result};
use spanmux::delivery::{BatchConfig, DiskBuffer};
use spanmux::exporters::{Dialect, Exporter, Mlflow, Phoenix};
use spanmux::otel::{RoutingTracerProvider, TracerConfig};

use crate::backends::Backends;
use crate::traces_file;

/// The route from a tracer to its backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    PhoenixHttp,
    PhoenixGrpc,
    /// Over gRPC to a collector, and from there to Phoenix.
    RotelToPhoenix,
    Mlflow,
    /// To MLflow, and to disk while it is down.
    MlflowOrDisk,
    File,
    Nowhere,
}

/// In the order of registration: the first is the default.
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
/// Time for which spans are batched before they are exported.
const BATCH_DELAY: Duration = Duration::from_millis(50);
/// The fallback tracer.
pub const FALLBACK: &str = "quarantine";

impl Way {
    /// Returns the expected place of a tracer's spans, if any.
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

    /// Returns a readable description.
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

/// Returns the route of the tracer of this name.
pub fn way(tracer: &str) -> Option<Way> {
    let found = TRACERS.iter().find(|(name, _)| *name == tracer);
    found.map(|(_, way)| *way)
}

/// Returns the expected place of the spans of this tracer.
pub fn place(tracer: &str) -> Option<String> {
    way(tracer)?.place(tracer)
}

/// Builds the provider as an application does.
pub fn provider(backends: &mut Backends) -> Result<RoutingTracerProvider> {
    let mut provider = RoutingTracerProvider::builder();
    for (name, way) in TRACERS {
        let exporter = exporter(name, way, backends)
            .with_context(|| format!("the tracer {name} has no backend"))?;
        let tracer = TracerConfig::new()
            .service_name("shop")
            .exporter(exporter)
            // The suite compares how the backends show spans as they were recorded.
            .dialect(Dialect::GenAi)
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
