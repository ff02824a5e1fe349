//! Creates exporters from their tables in the file.

use std::fs;
use std::path::Path;

use super::shape::{
    BraintrustParentName, ExporterKind, ExporterTable, LangSmithRegionName, LangfuseRegionName,
    Protocol, Region, SpillTable,
};
use super::tracer::{self, filter};
use super::values::{Hidden, Period, Secret, Url};
use spanmux_export::delivery::DiskBuffer;
use spanmux_export::exporters::{
    Arize, Braintrust, BraintrustParent, DatadogAgent, DatadogIntake, Exporter, GrafanaCloud,
    Honeycomb, LangSmith, LangSmithRegion, Langfuse, LangfuseRegion, Mlflow, OtlpExporter, Phoenix,
    Rotation,
};

/// Creates the exporter of a table. Its paths are relative to `directory`.
pub(super) fn exporter(table: ExporterTable, directory: &Path) -> Exporter {
    let ExporterTable {
        name,
        content,
        redaction,
        sampling,
        filter,
        headers,
        gzip,
        timeout,
        max_request_bytes,
        max_span_bytes,
        proxy,
        no_proxy,
        origin,
        ca_certificates,
        system_certificates,
        spill,
        kind,
    } = table;
    let change = |mut exporter: OtlpExporter| {
        for (name, Hidden(Secret(value))) in headers {
            exporter = exporter.header(name, value);
        }
        let exporter = with(exporter, timeout, |exporter, Period(time)| {
            exporter.timeout(time)
        });
        let exporter = with(exporter, max_request_bytes, |exporter, bytes| {
            exporter.max_request_bytes(bytes.get())
        });
        let exporter = with(exporter, max_span_bytes, |exporter, bytes| {
            exporter.max_span_bytes(bytes.get())
        });
        let exporter = with(exporter, proxy, |exporter, Hidden(Secret(url))| {
            exporter.proxy(url)
        });
        let exporter = exporter.no_proxy(no_proxy);
        let exporter = with(exporter, origin, |exporter, Url(url)| exporter.origin(url));
        let exporter = with(exporter, ca_certificates, |exporter, file| {
            // The file was readable during validation. If it no longer is, the exporter
            // rejects the empty text, because it contains no certificate.
            exporter.ca_certificates(fs::read_to_string(directory.join(file)).unwrap_or_default())
        });
        let exporter = if_said(
            exporter,
            system_certificates,
            OtlpExporter::system_certificates,
        );
        if_said(exporter, gzip, OtlpExporter::gzip)
    };
    let exporter = match made(kind, directory) {
        Made::Here(exporter) => exporter,
        Made::Backend(exporter) => Exporter::otlp(change(exporter)),
    };
    let exporter = with(exporter, filter, |exporter, table| {
        exporter.filter(self::filter(table))
    });
    let exporter = with(exporter, name, Exporter::named);
    let exporter = with(exporter, content, Exporter::content);
    let exporter = with(exporter, sampling, Exporter::sampling);
    let exporter = with(exporter, redaction, |exporter, table| {
        exporter.redaction(tracer::redaction(table))
    });
    with(exporter, spill, |exporter, table| {
        exporter.disk_buffer(self::spill(table, directory))
    })
}

/// A local exporter, or one that sends to a backend.
enum Made {
    Here(Exporter),
    Backend(OtlpExporter),
}

impl<T: Into<OtlpExporter>> From<T> for Made {
    fn from(preset: T) -> Self {
        Self::Backend(preset.into())
    }
}

fn made(kind: ExporterKind, directory: &Path) -> Made {
    match kind {
        ExporterKind::Console {} => Made::Here(Exporter::console()),
        ExporterKind::Discard {} => Made::Here(Exporter::discard()),
        ExporterKind::File {
            path,
            max_bytes,
            keep,
        } => {
            let default = Rotation::default();
            let rotation = Rotation::new()
                .max_bytes(max_bytes.unwrap_or(default.max_bytes))
                .keep(keep.unwrap_or(default.keep));
            Made::Here(Exporter::file_rotated(directory.join(path), rotation))
        }
        ExporterKind::Otlp {
            endpoint: Url(endpoint),
            whole_url,
            protocol,
        } => match protocol {
            Some(Protocol::Grpc) => OtlpExporter::grpc(endpoint).into(),
            _ if whole_url == Some(true) => OtlpExporter::http_to(endpoint).into(),
            _ => OtlpExporter::http(endpoint).into(),
        },
        ExporterKind::Langfuse {
            public_key,
            secret_key: Secret(secret_key),
            region,
            base_url,
        } => {
            let preset = Langfuse::new(public_key, secret_key);
            let preset = with(preset, region, |preset, name| preset.region(name.into()));
            with(preset, base_url, |preset, Url(url)| preset.base_url(url)).into()
        }
        ExporterKind::DatadogAgent { address, protocol } => {
            let preset = match protocol {
                Some(Protocol::Grpc) => DatadogAgent::grpc(),
                _ => DatadogAgent::http(),
            };
            with(preset, address, |preset, Url(url)| preset.origin(url)).into()
        }
        ExporterKind::Datadog {
            site,
            api_key: Secret(api_key),
            llm_observability,
            compute_stats,
        } => {
            let preset = DatadogIntake::new(site, api_key);
            let preset = if_said(preset, llm_observability, DatadogIntake::llm_observability);
            if_said(preset, compute_stats, DatadogIntake::compute_stats).into()
        }
        ExporterKind::Phoenix {
            base_url: Url(url),
            api_key,
            project,
            protocol,
        } => {
            let preset = match protocol {
                Some(Protocol::Grpc) => Phoenix::grpc(url),
                _ => Phoenix::http(url),
            };
            let preset = with(preset, api_key, |preset, Secret(key)| preset.api_key(key));
            with(preset, project, Phoenix::project).into()
        }
        ExporterKind::Mlflow {
            base_url: Url(url),
            experiment_id,
        } => Mlflow::new(url, experiment_id).into(),
        ExporterKind::Braintrust {
            api_key: Secret(api_key),
            parent,
            region,
            base_url,
        } => {
            let preset = Braintrust::new(api_key, parent.into());
            let preset = if_said(preset, is_eu(region), Braintrust::eu);
            with(preset, base_url, |preset, Url(url)| preset.base_url(url)).into()
        }
        ExporterKind::LangSmith {
            api_key: Secret(api_key),
            project,
            region,
            base_url,
        } => {
            let preset = with(LangSmith::new(api_key), project, LangSmith::project);
            let preset = with(preset, region, |preset, name| preset.region(name.into()));
            with(preset, base_url, |preset, Url(url)| preset.base_url(url)).into()
        }
        ExporterKind::Arize {
            space_id,
            api_key: Secret(api_key),
            project,
        } => Arize::new(space_id, api_key, project).into(),
        ExporterKind::Honeycomb {
            api_key: Secret(api_key),
            region,
            protocol,
            classic_dataset,
        } => {
            let preset = if_said(Honeycomb::new(api_key), is_eu(region), Honeycomb::eu);
            let grpc = protocol.map(|protocol| protocol == Protocol::Grpc);
            let preset = if_said(preset, grpc, Honeycomb::grpc);
            with(preset, classic_dataset, Honeycomb::classic_dataset).into()
        }
        ExporterKind::GrafanaCloud {
            zone,
            instance_id,
            token: Secret(token),
        } => GrafanaCloud::new(zone, instance_id, token).into(),
    }
}

/// Calls `set` if the value is present.
fn with<T, V>(unset: T, value: Option<V>, set: impl FnOnce(T, V) -> T) -> T {
    match value {
        Some(value) => set(unset, value),
        None => unset,
    }
}

/// Calls `on` if the value is `Some(true)`.
fn if_said<T>(off: T, said: Option<bool>, on: impl FnOnce(T) -> T) -> T {
    if said == Some(true) { on(off) } else { off }
}

fn is_eu(region: Option<Region>) -> Option<bool> {
    region.map(|region| region == Region::Eu)
}

fn spill(table: SpillTable, directory: &Path) -> DiskBuffer {
    let mut buffer = DiskBuffer::new(directory.join(table.directory));
    buffer.max_bytes = table.max_bytes.map_or(buffer.max_bytes, Into::into);
    buffer.max_files = table.max_files.map_or(buffer.max_files, Into::into);
    buffer.max_age = table.max_age.map_or(buffer.max_age, |Period(time)| time);
    buffer
}

impl From<LangfuseRegionName> for LangfuseRegion {
    fn from(name: LangfuseRegionName) -> Self {
        match name {
            LangfuseRegionName::Eu => Self::Eu,
            LangfuseRegionName::Us => Self::Us,
            LangfuseRegionName::Jp => Self::Jp,
            LangfuseRegionName::Hipaa => Self::Hipaa,
        }
    }
}

impl From<LangSmithRegionName> for LangSmithRegion {
    fn from(name: LangSmithRegionName) -> Self {
        match name {
            LangSmithRegionName::Us => Self::Us,
            LangSmithRegionName::Eu => Self::Eu,
            LangSmithRegionName::Apac => Self::Apac,
            LangSmithRegionName::Aws => Self::Aws,
        }
    }
}

impl From<BraintrustParentName> for BraintrustParent {
    fn from(name: BraintrustParentName) -> Self {
        match name {
            BraintrustParentName::ProjectId(id) => Self::ProjectId(id),
            BraintrustParentName::ProjectName(name) => Self::ProjectName(name),
            BraintrustParentName::ExperimentId(id) => Self::ExperimentId(id),
        }
    }
}
