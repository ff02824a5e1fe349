//! The file format of the disk buffer: one request with a header that verifies it.
//!
//! ```text
//! "spanmux1"  spans  written  length  checksum  the request as protobuf
//!  8 bytes    8      8 (ms)   8       8         length bytes
//! ```
//! Numbers are little-endian. The checksum (XXH64) covers all other bytes.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, SystemTime};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use xxhash_rust::xxh64::Xxh64;

const MAGIC: &[u8; 8] = b"spanmux1";

/// The length of the header in bytes.
const HEAD: usize = 40;

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

/// Encodes a request as a file.
pub(super) fn encode(request: &ExportTraceServiceRequest, spans: u64, now: SystemTime) -> Vec<u8> {
    let written = now.duration_since(SystemTime::UNIX_EPOCH);
    let written = written.unwrap_or_default().as_millis() as u64;
    let length = request.encoded_len();
    let mut file = Vec::with_capacity(HEAD + length);
    file.extend_from_slice(MAGIC);
    for number in [spans, written, length as u64, 0] {
        file.extend_from_slice(&number.to_le_bytes());
    }
    // Encoding fails only if the buffer has too little capacity, and a `Vec` grows.
    let _ = request.encode(&mut file);
    let sum = checksum(&file[..HEAD - 8], &file[HEAD..]);
    file[HEAD - 8..HEAD].copy_from_slice(&sum.to_le_bytes());
    file
}

/// Reads the header of a file and checks that the length of the file matches it.
pub(super) fn head(path: &Path) -> io::Result<Head> {
    let mut file = File::open(path)?;
    let mut head = [0; HEAD];
    file.read_exact(&mut head)?;
    let head = Head::parse(&head).ok_or_else(|| damaged("not a disk buffer file"))?;
    if file.metadata()?.len() == head.bytes() {
        Ok(head)
    } else {
        Err(damaged("the length does not match the header"))
    }
}

/// Reads the request of a file and verifies its checksum.
pub(super) fn read(path: &Path) -> io::Result<ExportTraceServiceRequest> {
    let head = head(path)?;
    let file = std::fs::read(path)?;
    let (start, request) = file
        .split_at_checked(HEAD)
        .ok_or_else(|| damaged("truncated header"))?;
    if checksum(&start[..HEAD - 8], request) != head.checksum {
        return Err(damaged("checksum mismatch"));
    }
    ExportTraceServiceRequest::decode(request).map_err(|_| damaged("invalid OTLP request"))
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
