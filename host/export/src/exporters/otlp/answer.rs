//! Reads the responses of backends.

use std::io::Read;

use flate2::read::{MultiGzDecoder, ZlibDecoder};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;

use super::mask::Mask;
use super::retry::Attempt;

/// The maximum number of bytes read from a response. A valid response has a few dozen.
const MAX_ANSWER: u64 = 64 * 1024;

/// The maximum length of a message from a backend, in characters.
const MAX_SAID: usize = 200;

/// Converts a success response. The response may report rejected spans.
pub(super) fn taken(answer: ExportTraceServiceResponse, mask: &Mask) -> Attempt {
    let partial = answer.partial_success.unwrap_or_default();
    let rejected = u64::try_from(partial.rejected_spans).unwrap_or_default();
    let said = clean(&mask.hide(partial.error_message));
    let said = match (rejected, &*said) {
        (0, "") => said,
        (0, _) => format!("warned {said:?}"),
        _ => format!("refused {rejected} spans {said:?}"),
    };
    Attempt::Taken { rejected, said }
}

/// Returns the readable part of an error body: plain text, or the message of the
/// `google.rpc.Status` that OTLP specifies.
/// Secrets are hidden before the text is shortened.
pub(super) fn excerpt(body: &[u8], mask: &Mask) -> Option<String> {
    #[derive(Message)]
    struct Status {
        #[prost(string, tag = "2")]
        message: String,
    }
    let readable = |text: &str| clean(&mask.hide(text.to_owned()));
    let text = beginning(body).map(readable);
    let is_text =
        |text: &String| !text.is_empty() && !body.first().is_some_and(u8::is_ascii_control);
    text.filter(is_text).or_else(|| {
        let status = Status::decode(body).ok()?;
        Some(readable(&status.message)).filter(|text| !text.is_empty())
    })
}

/// Returns the body as text. Its last character may be incomplete, because only the
/// beginning of a long body is read.
fn beginning(body: &[u8]) -> Option<&str> {
    match std::str::from_utf8(body) {
        Ok(text) => Some(text),
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&body[..error.valid_up_to()]).ok()
        }
        Err(_) => None,
    }
}

/// Reads the beginning of a body and removes its `content-encoding`. The decoded length is
/// limited too, because a small compressed body can become very large. Returns `None` if
/// the encoding is unknown.
pub(super) fn read(body: impl Read, encoding: Option<&str>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let body = body.take(MAX_ANSWER);
    // The part that arrived before a failure is used.
    let _ = match &*encoding.unwrap_or_default().trim().to_ascii_lowercase() {
        "" | "identity" => { body }.read_to_end(&mut bytes),
        "gzip" | "x-gzip" => MultiGzDecoder::new(body)
            .take(MAX_ANSWER)
            .read_to_end(&mut bytes),
        "deflate" => ZlibDecoder::new(body)
            .take(MAX_ANSWER)
            .read_to_end(&mut bytes),
        _ => return None,
    };
    Some(bytes)
}

/// Converts text to one short line.
pub(super) fn clean(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.take(MAX_SAID).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{MAX_ANSWER, excerpt, read};
    use crate::exporters::otlp::mask::{Hidden, Mask};

    #[test]
    fn excerpt_returns_readable_part_of_an_error() {
        // A `google.rpc.Status` with code 3 and a message.
        let status = b"\x08\x03\x12\x07too old";
        let rows: [(&[u8], Option<&str>); 5] = [
            (b"", None),
            (b"Field\nrequired\n", Some("Field required")),
            (status, Some("too old")),
            (b"\x08\x03", None),
            (b"\xff\xfe\xfd", None),
        ];
        for (body, expected) in rows {
            assert_eq!(
                excerpt(body, &Mask::default()).as_deref(),
                expected,
                "{body:?}"
            );
        }
        let long = excerpt(&[b'x'; 1000], &Mask::default());
        assert_eq!(long.map(|text| text.len()), Some(200));
    }

    #[test]
    fn excerpt_hides_a_secret_that_the_limit_would_cut() {
        let mask = Mask::of([Hidden::Value("super-secret-key-0123456789")]);
        for before in 170..=200 {
            let body = format!("{}super-secret-key-0123456789", "x".repeat(before));
            let said = excerpt(body.as_bytes(), &mask).unwrap();
            assert!(!said.contains("su"), "{said}");
        }
    }

    #[test]
    fn read_limits_the_decoded_length() {
        use std::io::Write as _;
        let level = flate2::Compression::best();
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
        encoder.write_all(&vec![0; 8 << 20]).unwrap();
        let bomb = encoder.finish().unwrap();
        let read_of = |encoding| read(&*bomb, encoding).map(|bytes| bytes.len() as u64);
        assert_eq!(read_of(Some("GZIP")), Some(MAX_ANSWER));
        assert_eq!(read_of(None), Some(bomb.len() as u64));
        assert_eq!(read_of(Some("br")), None);
    }
}
