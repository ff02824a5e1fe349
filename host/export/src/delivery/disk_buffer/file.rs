//! The file format of the disk buffer: one request with a header that verifies it.
//!
//! ```text
//! "spanmux1"  spans  written  length  checksum  the request as protobuf
//!  8 bytes    8      8 (ms)   8       8         length bytes
//! ```
//! Numbers are little-endian. The checksum (XXH64) covers all other bytes.

use std::fs::{self, File, Metadata};
use std::io::{self, Read as _, Seek as _};
use std::path::Path;
use std::time::{Duration, SystemTime};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use xxhash_rust::xxh64::Xxh64;

const MAGIC: &[u8; 8] = b"spanmux1";

/// The length of the header in bytes.
const HEAD: usize = 40;

/// The maximum number of bytes of a damaged file that are read to count its spans.
const MAX_COUNTED: u64 = 16 << 20;

/// The header of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) spans: u64,
    pub(super) written: SystemTime,
    length: u64,
    checksum: u64,
}

impl Head {
    /// Returns the length of the whole file in bytes.
    pub(super) fn bytes(&self) -> u64 {
        (HEAD as u64).saturating_add(self.length)
    }

    fn parse(head: &[u8; HEAD]) -> Option<Self> {
        let (magic, numbers) = head.split_at(MAGIC.len());
        let number = |place: usize| {
            let bytes = numbers.get(place * 8..place * 8 + 8)?;
            Some(u64::from_le_bytes(bytes.try_into().ok()?))
        };
        if magic != MAGIC {
            return None;
        }
        let written = Duration::from_millis(number(1)?);
        Some(Self {
            spans: number(0)?,
            written: SystemTime::UNIX_EPOCH.checked_add(written)?,
            length: number(2)?,
            checksum: number(3)?,
        })
    }
}

/// Returns the size of the file for the bytes of a request.
pub(super) fn size(request: &[u8]) -> u64 {
    (HEAD + request.len()) as u64
}

/// Encodes the bytes of a request as a file.
pub(super) fn encode(request: &[u8], spans: u64, now: SystemTime) -> Vec<u8> {
    let written = now.duration_since(SystemTime::UNIX_EPOCH);
    let written = written.unwrap_or_default().as_millis() as u64;
    let mut file = Vec::with_capacity(HEAD + request.len());
    file.extend_from_slice(MAGIC);
    for number in [spans, written, request.len() as u64, 0] {
        file.extend_from_slice(&number.to_le_bytes());
    }
    file.extend_from_slice(request);
    let sum = checksum(&file[..HEAD - 8], request);
    file[HEAD - 8..HEAD].copy_from_slice(&sum.to_le_bytes());
    file
}

/// Opens a regular file. A link is not followed, and nothing waits for the other end of a
/// named pipe.
///
/// # Errors
/// Returns an error if the file is of another kind, or was replaced in the meantime.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let is_file = |is_file: bool| {
        let error = || io::Error::other("not a regular file");
        if is_file { Ok(()) } else { Err(error()) }
    };
    let seen = fs::symlink_metadata(path)?;
    is_file(seen.is_file())?;
    let file = File::open(path)?;
    is_file(is_same(&seen, &file.metadata()?))?;
    Ok(file)
}

#[cfg(unix)]
fn is_same(seen: &Metadata, opened: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (seen.dev(), seen.ino()) == (opened.dev(), opened.ino())
}

#[cfg(not(unix))]
fn is_same(_seen: &Metadata, opened: &Metadata) -> bool {
    opened.is_file()
}

/// Reads the header of a file, and checks it against the length of the file. A span takes at
/// least two bytes, so the number of spans is bounded before the checksum is known.
fn head(file: &mut File) -> io::Result<Head> {
    let mut head = [0; HEAD];
    file.read_exact(&mut head)?;
    let head = Head::parse(&head).ok_or_else(|| damaged("not a disk buffer file"))?;
    if file.metadata()?.len() != head.bytes() {
        return Err(damaged("the length does not match the header"));
    }
    if head.spans > head.length / 2 {
        return Err(damaged("more spans than its length allows"));
    }
    Ok(head)
}

/// Reads a file and verifies its checksum, without decoding the request.
pub(super) fn verify(path: &Path) -> io::Result<Head> {
    read_bytes(path).map(|(head, _)| head)
}

/// Reads the request of a file and verifies its checksum and its number of spans.
pub(super) fn read(path: &Path) -> io::Result<ExportTraceServiceRequest> {
    let (head, request) = read_bytes(path)?;
    let request = ExportTraceServiceRequest::decode(&*request);
    let request = request.map_err(|_| damaged("invalid OTLP request"))?;
    if spans(&request) == head.spans {
        Ok(request)
    } else {
        Err(damaged("the number of spans does not match the header"))
    }
}

fn read_bytes(path: &Path) -> io::Result<(Head, Vec<u8>)> {
    let mut file = open(path)?;
    let head = head(&mut file)?;
    file.rewind()?;
    let mut start = [0; HEAD];
    file.read_exact(&mut start)?;
    let mut request = Vec::new();
    file.take(head.length).read_to_end(&mut request)?;
    if checksum(&start[..HEAD - 8], &request) == head.checksum {
        Ok((head, request))
    } else {
        Err(damaged("checksum mismatch"))
    }
}

fn spans(request: &ExportTraceServiceRequest) -> u64 {
    let resources = request.resource_spans.iter();
    let scopes = resources.flat_map(|resource| &resource.scope_spans);
    scopes.map(|scope| scope.spans.len() as u64).sum()
}

/// Counts the spans in a damaged file, as far as it can be read.
pub(super) fn count_damaged(path: &Path) -> u64 {
    let read = || {
        let mut bytes = Vec::new();
        open(path)?.take(MAX_COUNTED).read_to_end(&mut bytes)?;
        io::Result::Ok(bytes)
    };
    let bytes = read().unwrap_or_default();
    bytes
        .get(HEAD..)
        .map_or(0, |request| fields(request, &SPANS))
}

/// The fields that lead to a span: resource spans, scope spans, spans.
const SPANS: [u64; 3] = [1, 2, 2];

/// Counts the messages at the end of a path of fields, as far as the bytes are valid.
/// A message that the end of the bytes cuts off counts.
fn fields(mut bytes: &[u8], path: &[u64]) -> u64 {
    let Some((wanted, rest)) = path.split_first() else {
        return 1;
    };
    let mut count = 0;
    while let Some(tag) = varint(&mut bytes) {
        let length = match tag & 7 {
            0 => varint(&mut bytes).map(|_| 0),
            1 => Some(8),
            2 => varint(&mut bytes),
            5 => Some(4),
            _ => None,
        };
        let Some(length) = length else { break };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let (inner, after) = bytes.split_at_checked(length).unwrap_or((bytes, &[]));
        if tag == (wanted << 3 | 2) {
            count += fields(inner, rest);
        }
        bytes = after;
    }
    count
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for place in 0..10 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn checksum(head: &[u8], request: &[u8]) -> u64 {
    let mut sum = Xxh64::new(0);
    sum.update(head);
    sum.update(request);
    sum.digest()
}

/// Returns `true` if the file can never be read, as opposed to a temporary error.
pub(super) fn is_damage(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, NotFound, UnexpectedEof};
    matches!(error.kind(), InvalidData | NotFound | UnexpectedEof)
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
