//! Reads the responses of backends.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;

use super::retry::Attempt;

/// The maximum length of a message from a backend, in characters.
const MAX_SAID: usize = 200;

/// Converts a success response. The response may report rejected spans.
pub(super) fn taken(
    answer: ExportTraceServiceResponse,
    hide: impl FnOnce(String) -> String,
) -> Attempt {
    let partial = answer.partial_success.unwrap_or_default();
    let rejected = u64::try_from(partial.rejected_spans).unwrap_or_default();
    let said = hide(clean(&partial.error_message));
    let said = match (rejected, &*said) {
        (0, "") => said,
        (0, _) => format!("warned {said:?}"),
        _ => format!("refused {rejected} spans {said:?}"),
    };
    Attempt::Taken { rejected, said }
}

/// Returns the readable part of an error body: plain text, or the message of the
/// `google.rpc.Status` that OTLP specifies.
pub(super) fn excerpt(body: &[u8]) -> Option<String> {
    #[derive(Message)]
    struct Status {
        #[prost(string, tag = "2")]
        message: String,
    }
    let text = std::str::from_utf8(body).map(clean).ok();
    let is_text =
        |text: &String| !text.is_empty() && !body.first().is_some_and(u8::is_ascii_control);
    text.filter(is_text).or_else(|| {
        let status = Status::decode(body).ok()?;
        Some(clean(&status.message)).filter(|text| !text.is_empty())
    })
}

/// Converts text to one short line.
pub(super) fn clean(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.take(MAX_SAID).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::excerpt;

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
            assert_eq!(excerpt(body).as_deref(), expected, "{body:?}");
        }
        let long = excerpt(&[b'x'; 1000]);
        assert_eq!(long.map(|text| text.len()), Some(200));
    }
}
