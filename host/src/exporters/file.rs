//! Spans as OTLP JSON lines in a file.
//!
//! # Source
//! <https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/>: each line is
//! one request as the JSON encoding of OTLP has it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;
use parking_lot::Mutex;

use crate::delivery::{Loss, Sent, Sink};
use crate::otel::attributes::not_finite;

/// When a file exporter begins a new file, and how many it keeps.
///
/// The file that is written to keeps its name; the ones before it have `.1`, `.2`, …
/// behind it, the youngest first. A line is never torn over two files, so a file may
/// be larger by one line.
///
/// # Examples
/// ```
/// use spanway::exporters::{Exporter, Rotation};
///
/// let rotation = Rotation { max_bytes: 10 << 20, keep: 2 };
/// let exporter = Exporter::file_rotated("spans.jsonl", rotation);
/// # drop(exporter);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// Bytes from which on a new file is begun; zero for never. Default: 104,857,600.
    pub max_bytes: u64,
    /// How many files are kept beside the one that is written to. Default: 4.
    pub keep: usize,
}

impl Default for Rotation {
    fn default() -> Self {
        Self {
            max_bytes: 100 << 20,
            keep: 4,
        }
    }
}

/// Appends one line for each batch.
#[derive(Debug)]
pub(super) struct OtlpFile {
    path: PathBuf,
    lines: Mutex<Lines>,
    resource: ResourceAttributesWithSchema,
}

#[derive(Debug)]
struct Lines {
    file: File,
    /// A write failed and may have left half a line behind.
    torn: bool,
}

impl OtlpFile {
    pub(super) fn append(path: &Path, _rotation: Rotation) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        Ok(Self {
            path: path.to_owned(),
            lines: Mutex::new(Lines { file, torn: false }),
            resource: ResourceAttributesWithSchema::default(),
        })
    }

    fn write(&self, batch: Vec<SpanData>) -> io::Result<()> {
        let mut resource_spans = group_spans_by_resource_and_scope(batch, &self.resource);
        for value in values(&mut resource_spans) {
            make_json(value);
        }
        let mut line = vec![b'\n'];
        serde_json::to_writer(&mut line, &ExportTraceServiceRequest { resource_spans })?;
        line.push(b'\n');
        self.lines.lock().append(&line)
    }
}

impl Lines {
    /// Appends a line, which has a line break before it and one behind.
    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        let was_torn = std::mem::replace(&mut self.torn, true);
        self.file.write_all(&line[usize::from(!was_torn)..])?;
        self.torn = false;
        if was_torn {
            tracing::info!("spans are written to their file again");
        }
        Ok(())
    }
}

impl Sink for OtlpFile {
    fn send(&self, batch: Vec<SpanData>) -> Sent {
        let spans = batch.len() as u64;
        let was_torn = self.lines.lock().torn;
        match self.write(batch) {
            Ok(()) => Sent::all(spans),
            Err(error) => {
                // Once until it works again, and not once for each batch.
                if !was_torn {
                    tracing::warn!(path = %self.path.display(), %error, "spans are lost: their file cannot be written");
                }
                Sent::none(
                    spans,
                    Loss::Failed,
                    format!("{}: {error}", self.path.display()),
                )
            }
        }
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.resource = resource.into();
        for value in self.resource.attributes.0.iter_mut().filter_map(value) {
            make_json(value);
        }
    }
}

/// Every attribute value of a request but the resource's.
fn values(
    resource_spans: &mut [opentelemetry_proto::tonic::trace::v1::ResourceSpans],
) -> impl Iterator<Item = &mut AnyValue> {
    let scopes = resource_spans.iter_mut().flat_map(|of| &mut of.scope_spans);
    scopes
        .flat_map(|scope| {
            let own = scope
                .scope
                .iter_mut()
                .flat_map(|scope| &mut scope.attributes);
            let spans = scope.spans.iter_mut().flat_map(|span| {
                let events = span
                    .events
                    .iter_mut()
                    .flat_map(|event| &mut event.attributes);
                let links = span.links.iter_mut().flat_map(|link| &mut link.attributes);
                span.attributes.iter_mut().chain(events).chain(links)
            });
            own.chain(spans)
        })
        .filter_map(value)
}

fn value(attribute: &mut KeyValue) -> Option<&mut AnyValue> {
    attribute.value.as_mut()
}

/// Floats that are no JSON number become text, or the line would hold a null that
/// no reader can turn back.
fn make_json(value: &mut AnyValue) {
    match &mut value.value {
        Some(Value::DoubleValue(float)) => {
            if let Some(word) = not_finite(*float) {
                value.value = Some(Value::StringValue(word.to_owned()));
            }
        }
        // The attributes of a span nest no deeper than one array.
        Some(Value::ArrayValue(array)) => array.values.iter_mut().for_each(make_json),
        _ => {}
    }
}
