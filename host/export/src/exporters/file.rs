//! Writes spans as OTLP JSON lines to a file.
//!
//! # Source
//! <https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/>: each line is one
//! request in the JSON encoding of OTLP.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;

use crate::delivery::{Loss, Sent, Sink};
use spanmux_core::internal::not_finite;

/// Rotation settings of a file exporter.
///
/// The current file keeps its name. Older files have the suffixes `.1`, `.2`, …, the newest
/// first. A line is never split across files. If renaming fails, the exporter keeps writing
/// to the current file and tries again with the next batch.
///
/// # Examples
/// ```
/// use spanmux::exporters::{Exporter, Rotation};
///
/// let rotation = Rotation::new().max_bytes(10 << 20).keep(2);
/// let exporter = Exporter::file_rotated("spans.jsonl", rotation);
/// # drop(exporter);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rotation {
    /// The maximum size of a file in bytes, unless a single line is larger. Zero means no
    /// limit. Defaults to 104,857,600.
    pub max_bytes: u64,
    /// The number of files to keep in addition to the current one. Defaults to 4.
    pub keep: usize,
}

impl Rotation {
    /// Creates the default settings.
    pub const fn new() -> Self {
        Self {
            max_bytes: 100 << 20,
            keep: 4,
        }
    }

    /// Sets the maximum size of a file in bytes. Zero means no limit.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Sets the number of files to keep in addition to the current one.
    pub fn keep(mut self, files: usize) -> Self {
        self.keep = files;
        self
    }
}

impl Default for Rotation {
    fn default() -> Self {
        Self::new()
    }
}

/// Appends one line per batch.
#[derive(Debug)]
pub(super) struct OtlpFile {
    path: PathBuf,
    rotation: Rotation,
    resource: ResourceAttributesWithSchema,
}

impl OtlpFile {
    /// Creates the file, so that an error appears now and not with the first batch.
    pub(super) fn append(path: &Path, rotation: Rotation) -> io::Result<Self> {
        // The working directory may change later.
        let path = std::path::absolute(path)?;
        if is_open_to_others(&open(&path)?) {
            tracing::warn!(
                path = %path.display(),
                "other users can read this file of spans, which existed before; restrict it with \
                 `chmod 600`"
            );
        }
        Ok(Self {
            path,
            rotation,
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
        // Opened for each batch, so that a removed or renamed file is created again.
        let (mut file, length) = self.file_for(line.len() as u64)?;
        let torn = length > 0 && !ends_in_line_break(&mut file).unwrap_or(true);
        file.write_all(&line[usize::from(!torn)..])
    }

    /// Returns a file with space for `bytes` more bytes, and its current length.
    fn file_for(&self, bytes: u64) -> io::Result<(File, u64)> {
        let file = open(&self.path)?;
        let length = file.metadata()?.len();
        let most = self.rotation.max_bytes;
        if most == 0 || length == 0 || length.saturating_add(bytes) <= most {
            return Ok((file, length));
        }
        if let Err(error) = self.rotate() {
            tracing::debug!(path = %self.path.display(), %error, "failed to rotate a file");
        }
        let file = open(&self.path)?;
        let length = file.metadata()?.len();
        Ok((file, length))
    }

    fn rotate(&self) -> io::Result<()> {
        // Only existing files are renamed, because the limit may be very large.
        let exists = |&number: &usize| self.numbered(number).symlink_metadata().is_ok();
        let files = (0..self.rotation.keep).take_while(exists).count();
        for number in (0..files).rev() {
            let older = self.numbered(number + 1);
            match fs::rename(self.numbered(number), older) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        match self.rotation.keep {
            0 => fs::remove_file(&self.path),
            _ => Ok(()),
        }
    }

    /// Returns the path of the file with this number. The current file has number zero.
    fn numbered(&self, number: usize) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        if number > 0 {
            path.push(format!(".{number}"));
        }
        path.into()
    }
}

/// Returns `true` if users other than the owner can read the file.
#[cfg(unix)]
fn is_open_to_others(file: &File) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata()
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o044 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &File) -> bool {
    false
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    // Spans may contain personal data. The mode of an existing file is not changed.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Returns `false` after a partial line, which a failed write or a killed process may have
/// left.
fn ends_in_line_break(file: &mut File) -> io::Result<bool> {
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

impl Sink for OtlpFile {
    fn send(&self, batch: Vec<SpanData>) -> Sent {
        let spans = batch.len() as u64;
        match self.write(batch) {
            Ok(()) => Sent::all(spans),
            Err(error) => Sent::none(
                spans,
                Loss::Failed,
                format!("{}: {error}", self.path.display()),
            ),
        }
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.resource = resource.into();
        for value in self.resource.attributes.0.iter_mut().filter_map(value) {
            make_json(value);
        }
    }
}

/// Returns all attribute values of a request except those of the resource.
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

/// Converts floats without a JSON representation (infinities, NaN) to text. The line would
/// otherwise contain `null`, which no reader can convert back.
fn make_json(value: &mut AnyValue) {
    match &mut value.value {
        Some(Value::DoubleValue(float)) => {
            if let Some(word) = not_finite(*float) {
                value.value = Some(Value::StringValue(word.to_owned()));
            }
        }
        // Span attributes have at most one level of arrays.
        Some(Value::ArrayValue(array)) => array.values.iter_mut().for_each(make_json),
        _ => {}
    }
}
