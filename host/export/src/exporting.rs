//! Starts an exporter: connects its destination with a queue, a worker thread and a disk buffer.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use opentelemetry_sdk::Resource;

use crate::delivery::{
    BatchConfig, DiskBuffer, DiskBufferStore, Exporting, Meter, Names, Pipeline, Queued, Sampled,
    Sink, Target,
};
use crate::dialect::Translator;
use crate::exporters::{Console, Exporter, ExporterError, Ready};
use crate::places;
use crate::redaction::SpanProcessing;

/// The settings that all exporters of one tracer share.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// The service name.
    pub service: &'a str,
    /// The resource of the tracer's spans.
    pub resource: &'a Resource,
    /// The batch settings.
    pub batch: &'a BatchConfig,
    /// The redaction, the filters and the limits.
    pub processing: &'a SpanProcessing,
}

/// Starts an exporter beside those in `others`. A second exporter of a name is named `file#2`.
///
/// # Errors
/// [`TracerConfigError`] if the destination, the disk buffer or the thread cannot be set up.
pub fn start(
    exporter: Exporter,
    others: &[Exporting],
    plan: &Plan<'_>,
) -> Result<Exporting, TracerConfigError> {
    let name = exporter.settings.name.as_deref();
    let name = unique(name.unwrap_or(exporter.name()), others);
    let share = exporter.settings.share;
    let mut pipeline = pipeline(exporter, &name, plan)?;
    if let Some(share) = share {
        pipeline = Arc::new(Sampled::new(pipeline, share));
    }
    Ok(Exporting::new(name, pipeline))
}

/// Checks the settings of an exporter without creating anything: opens no file and no disk buffer,
/// starts no thread, and connects to nothing. Building a tracer starts with this check.
///
/// # Errors
/// [`TracerConfigError`] for settings with which [`start`] would fail.
pub fn check(exporter: &Exporter, batch: &BatchConfig) -> Result<(), TracerConfigError> {
    exporter
        .kind
        .check(batch.max_export_timeout)
        .map_err(TracerConfigError::Exporter)?;
    let settings = &exporter.settings;
    if let Some(share) = settings.share.filter(|share| !(0.0..=1.0).contains(share)) {
        let exporter = settings
            .name
            .as_deref()
            .unwrap_or(exporter.name())
            .to_owned();
        return Err(TracerConfigError::Sampling { exporter, share });
    }
    let Some(disk_buffer) = &exporter.disk_buffer else {
        return Ok(());
    };
    if !exporter.kind.takes_disk_buffer() {
        return Err(TracerConfigError::NoDiskBuffer(exporter.name().to_owned()));
    }
    places::can_be_directory(&disk_buffer.directory).map_err(|source| {
        TracerConfigError::DiskBuffer {
            directory: disk_buffer.directory.clone(),
            source,
        }
    })
}

fn pipeline(
    exporter: Exporter,
    name: &str,
    plan: &Plan<'_>,
) -> Result<Arc<dyn Pipeline>, TracerConfigError> {
    let mut processing = plan.processing.clone();
    processing.omits_content |= exporter.settings.omits_content;
    if let Some(redaction) = exporter.settings.redaction {
        processing.redaction = redaction;
    }
    processing.filters.push(exporter.filter);
    processing.filters.retain(|filter| !filter.is_empty());
    if !processing.filters.is_empty() {
        processing.dropped = Some(Arc::default());
    }
    let mut kind = exporter.kind;
    processing.remote_parent.get_or_insert(kind.remote_parent());
    let dialect = kind.dialect();
    if let Some(resource) = kind.resource() {
        processing.redact_attributes(resource);
    }
    let ready = kind
        .sink(plan.batch.max_export_timeout)
        .map_err(TracerConfigError::Exporter)?;
    let resource = processing.resource(plan.resource);
    let dialect = processing.dialect.or(dialect);
    processing.translator = dialect.map(|dialect| Translator::new(dialect, &resource));
    let mut sink = match ready {
        Ready::Console(writer) => {
            if exporter.disk_buffer.is_some() {
                return Err(TracerConfigError::NoDiskBuffer(name.to_owned()));
            }
            // The tree shows children of dropped spans where they are.
            processing.dropped = None;
            let console = Console::start(plan.service.to_owned(), writer, processing);
            return match console {
                Ok(console) => Ok(Arc::new(console)),
                Err(error) => Err(TracerConfigError::Thread(error)),
            };
        }
        Ready::Sink(sink) => sink,
    };
    let meter = Arc::new(Meter::default());
    sink.set_resource(&resource);
    let target = match exporter.disk_buffer {
        Some(disk_buffer) => buffer_on_disk(sink, &disk_buffer, name, &meter)?,
        None => Target::Sink(sink),
    };
    let names = Names {
        service: plan.service.to_owned(),
        exporter: name.to_owned(),
    };
    match Queued::start(target, processing, plan.batch, meter, names) {
        Ok(queued) => Ok(Arc::new(queued)),
        Err(error) => Err(TracerConfigError::Thread(error)),
    }
}

fn buffer_on_disk(
    sink: Box<dyn Sink>,
    disk_buffer: &DiskBuffer,
    name: &str,
    meter: &Arc<Meter>,
) -> Result<Target, TracerConfigError> {
    let failed = |source| TracerConfigError::DiskBuffer {
        directory: disk_buffer.directory.clone(),
        source,
    };
    let parts = sink.into_parts();
    let parts = parts.ok_or_else(|| TracerConfigError::NoDiskBuffer(name.to_owned()))?;
    // The working directory may change later.
    let directory = std::path::absolute(&disk_buffer.directory).map_err(failed)?;
    let disk_buffer = DiskBuffer {
        directory,
        ..disk_buffer.clone()
    };
    let store = DiskBufferStore::open(&disk_buffer, meter.clone()).map_err(failed)?;
    Ok(Target::Buffered(Box::new((parts, store))))
}

fn unique(name: &str, known: &[Exporting]) -> String {
    let taken = |name: &str| known.iter().any(|exporting| exporting.name == name);
    if !taken(name) {
        return name.to_owned();
    }
    let mut others = (2_usize..).map(|number| format!("{name}#{number}"));
    others.find(|other| !taken(other)).unwrap_or_default()
}

/// An error that occurs while building a tracer from its configuration.
#[derive(Debug)]
#[non_exhaustive]
pub enum TracerConfigError {
    /// The tracer has no exporter.
    NoExporter,
    /// One of the exporters cannot be created.
    Exporter(ExporterError),
    /// The exporter with this name does not support a disk buffer.
    NoDiskBuffer(String),
    /// The directory of a disk buffer cannot be used.
    DiskBuffer {
        /// The directory.
        directory: PathBuf,
        /// The underlying I/O error.
        source: io::Error,
    },
    /// The share of the traces of an exporter is not between 0 and 1.
    Sampling {
        /// The name of the exporter.
        exporter: String,
        /// The given share.
        share: f64,
    },
    /// The thread of an exporter cannot be started.
    Thread(io::Error),
}

impl fmt::Display for TracerConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoExporter => f.write_str(
                "no exporter is configured; add one, for example `Exporter::discard()` to drop \
                 all spans",
            ),
            Self::Exporter(error) => error.fmt(f),
            Self::NoDiskBuffer(name) => write!(
                f,
                "exporter \"{name}\" does not support a disk buffer; only OTLP exporters do"
            ),
            Self::DiskBuffer { directory, .. } => write!(
                f,
                "cannot use {directory:?} as a disk buffer; it must be a writable directory that \
                 only this exporter uses"
            ),
            Self::Sampling { exporter, share } => write!(
                f,
                "invalid sampling {share} of exporter \"{exporter}\"; expected a number from 0 to 1, \
                 where 0.1 sends 10% of the traces"
            ),
            Self::Thread(_) => f.write_str("failed to start the thread of an exporter"),
        }
    }
}

impl Error for TracerConfigError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::NoExporter | Self::NoDiskBuffer(_) | Self::Sampling { .. } => None,
            Self::Exporter(error) => error.source(),
            Self::DiskBuffer { source, .. } | Self::Thread(source) => Some(source),
        }
    }
}
