//! Starts an exporter: connects its destination with a queue, a worker thread and a disk buffer.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use opentelemetry_sdk::Resource;

use crate::delivery::{
    BatchConfig, DiskBuffer, DiskBufferStore, Exporting, Meter, Names, Pipeline, Queued, Sink,
};
use crate::exporters::{Console, Exporter, ExporterError, Ready};
use crate::redaction::SpanProcessing;

/// The settings that all exporters of one tracer share.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// The service name.
    pub service: &'a str,
    /// The resource of the tracer's spans.
    pub resource: &'a Resource,
    /// How spans are batched.
    pub batch: &'a BatchConfig,
    /// How spans are redacted, filtered and shortened.
    pub processing: &'a SpanProcessing,
}

/// Starts an exporter beside those in `others`. A second exporter of a kind is named `file#2`.
///
/// # Errors
/// [`StartError`] if the destination, the disk buffer or the thread cannot be set up.
pub fn start(
    exporter: Exporter,
    others: &[Exporting],
    plan: &Plan<'_>,
) -> Result<Exporting, StartError> {
    let name = unique(exporter.name(), others);
    let pipeline = pipeline(exporter, &name, plan)?;
    Ok(Exporting::new(name, pipeline))
}

fn pipeline(
    exporter: Exporter,
    name: &str,
    plan: &Plan<'_>,
) -> Result<Arc<dyn Pipeline>, StartError> {
    let mut processing = plan.processing.clone();
    processing.filters.push(exporter.filter);
    let ready = exporter
        .kind
        .sink(plan.batch.max_export_timeout)
        .map_err(StartError::Exporter)?;
    let mut sink = match ready {
        Ready::Console(writer) => {
            if exporter.disk_buffer.is_some() {
                return Err(StartError::NoDiskBuffer(name.to_owned()));
            }
            return Ok(Arc::new(Console::new(
                plan.service.to_owned(),
                writer,
                processing,
            )));
        }
        Ready::Sink(sink) => sink,
    };
    let meter = Arc::new(Meter::default());
    if let Some(disk_buffer) = exporter.disk_buffer {
        buffer_on_disk(&mut *sink, &disk_buffer, name, &meter)?;
    }
    sink.set_resource(plan.resource);
    let names = Names {
        service: plan.service.to_owned(),
        exporter: name.to_owned(),
    };
    match Queued::start(sink, processing, plan.batch, meter, names) {
        Ok(queued) => Ok(Arc::new(queued)),
        Err(error) => Err(StartError::Thread(error)),
    }
}

fn buffer_on_disk(
    sink: &mut dyn Sink,
    disk_buffer: &DiskBuffer,
    name: &str,
    meter: &Arc<Meter>,
) -> Result<(), StartError> {
    let failed = |source| StartError::DiskBuffer {
        directory: disk_buffer.directory.clone(),
        source,
    };
    // The working directory may change later.
    let directory = std::path::absolute(&disk_buffer.directory).map_err(failed)?;
    let disk_buffer = DiskBuffer {
        directory,
        ..disk_buffer.clone()
    };
    let store = DiskBufferStore::open(&disk_buffer, meter.clone()).map_err(|source| {
        StartError::DiskBuffer {
            directory: disk_buffer.directory.clone(),
            source,
        }
    })?;
    if sink.keep(store) {
        Ok(())
    } else {
        Err(StartError::NoDiskBuffer(name.to_owned()))
    }
}

fn unique(name: &str, known: &[Exporting]) -> String {
    let taken = |name: &str| known.iter().any(|exporting| exporting.name == name);
    if !taken(name) {
        return name.to_owned();
    }
    let mut others = (2_usize..).map(|number| format!("{name}#{number}"));
    others.find(|other| !taken(other)).unwrap_or_default()
}

/// The reason why an exporter was not started.
#[derive(Debug)]
pub enum StartError {
    /// The destination cannot be set up.
    Exporter(ExporterError),
    /// An exporter of this name has no disk buffer.
    NoDiskBuffer(String),
    /// The directory of the disk buffer cannot be used.
    DiskBuffer {
        /// The directory.
        directory: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The worker thread cannot be started.
    Thread(io::Error),
}
