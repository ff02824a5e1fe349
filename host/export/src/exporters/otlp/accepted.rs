//! Decides whether a success status means that a backend accepted the spans. Proxies,
//! login pages and some backends respond with a success status to a request that was not
//! accepted.
//!
//! # Source
//! <https://opentelemetry.io/docs/specs/otlp/#otlphttp-response>

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message as _;
use serde_json::Value;

/// Plain texts that report success.
const SUCCESS: [&str; 6] = ["ok", "accepted", "success", "created", "true", "null"];

/// The meaning of a success response.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// The spans were accepted, possibly in part.
    Accepted(ExportTraceServiceResponse),
    /// The spans were not accepted. Contains the problem and the remedy.
    Refused {
        problem: &'static str,
        remedy: &'static str,
    },
}

const HTML: Verdict = Verdict::Refused {
    problem: " with an HTML page, often a login page",
    remedy: "; check the endpoint",
};

const ERROR: Verdict = Verdict::Refused {
    problem: " with an error",
    remedy: "; check the key and the endpoint",
};

const FOREIGN: Verdict = Verdict::Refused {
    problem: " with a body that is not an OTLP response",
    remedy: "; check the endpoint",
};

const GRPC: Verdict = Verdict::Refused {
    problem: " with a gRPC message",
    remedy: "; use gRPC, or the endpoint for HTTP",
};

/// Decides by the `content-type` and the decoded body.
pub(super) fn verdict(content_type: Option<&str>, body: &[u8]) -> Verdict {
    let content_type = content_type.unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default();
    match &*essence.trim().to_ascii_lowercase() {
        "text/html" | "application/xhtml+xml" => HTML,
        kind if kind.starts_with("application/grpc") => GRPC,
        _ if body.is_empty() => accepted(),
        "application/x-protobuf" | "application/protobuf" | "application/vnd.google.protobuf" => {
            protobuf(body).unwrap_or(FOREIGN)
        }
        kind if kind.ends_with("/json") || kind.ends_with("+json") => json(body).unwrap_or(FOREIGN),
        "" | "application/octet-stream" => protobuf(body).unwrap_or_else(|| text(body)),
        "text/plain" => text(body),
        _ => FOREIGN,
    }
}

fn accepted() -> Verdict {
    Verdict::Accepted(ExportTraceServiceResponse::default())
}

/// Returns `None` for text, some of which is valid protobuf of unknown fields. The tags of
/// the first fields are control characters.
fn protobuf(body: &[u8]) -> Option<Verdict> {
    if !body.first().is_some_and(u8::is_ascii_control) {
        return None;
    }
    let answer = ExportTraceServiceResponse::decode(body).ok()?;
    Some(Verdict::Accepted(answer))
}

fn text(body: &[u8]) -> Verdict {
    let Ok(text) = std::str::from_utf8(body) else {
        return FOREIGN;
    };
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.starts_with('<') {
        return HTML;
    }
    let word = text.trim_end_matches(['.', '!']);
    if word.is_empty() || SUCCESS.iter().any(|known| word.eq_ignore_ascii_case(known)) {
        return accepted();
    }
    json(text.as_bytes()).unwrap_or(ERROR)
}

fn json(body: &[u8]) -> Option<Verdict> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if body.iter().all(u8::is_ascii_whitespace) {
        return Some(accepted());
    }
    let value: Value = serde_json::from_slice(body).ok()?;
    Some(match &value {
        Value::String(said) => text(said.as_bytes()),
        Value::Bool(false) => ERROR,
        Value::Array(items) if items.iter().any(has_error) => ERROR,
        Value::Object(_) => object(&value),
        _ => accepted(),
    })
}

fn object(value: &Value) -> Verdict {
    let rejected = rejected_of_several(value);
    if rejected.is_none() && has_error(value) {
        return ERROR;
    }
    let partial = member(value, "partialSuccess", "partial_success");
    let partial = partial.map(|partial| ExportTracePartialSuccess {
        rejected_spans: member(partial, "rejectedSpans", "rejected_spans").map_or(0, number),
        error_message: member(partial, "errorMessage", "error_message")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
    });
    let partial_success = partial.or_else(|| {
        Some(ExportTracePartialSuccess {
            rejected_spans: rejected?,
            error_message: "errors in the response".to_owned(),
        })
    });
    Verdict::Accepted(ExportTraceServiceResponse { partial_success })
}

/// Returns the number of errors beside a list of successes, as in a multi-status response.
fn rejected_of_several(value: &Value) -> Option<i64> {
    let successes = value.get("successes")?.as_array()?;
    let errors = value.get("errors")?.as_array()?;
    let is_partial = !successes.is_empty() && !errors.is_empty();
    is_partial.then(|| i64::try_from(errors.len()).unwrap_or(i64::MAX))
}

fn has_error(value: &Value) -> bool {
    let has = |name: &str| value.get(name).is_some_and(is_present);
    let is_no = |name: &str| value.get(name) == Some(&Value::Bool(false));
    let status = value.get("status").or_else(|| value.get("statusCode"));
    has("error")
        || has("errors")
        || has("error_code")
        || is_no("success")
        || is_no("ok")
        || status.is_some_and(is_failed_status)
        // The form of `google.rpc.Status`, in which zero means success.
        || (has("code") && has("message") && !is_success_code(value.get("code")))
}

/// Returns `false` for values that report the absence of errors.
fn is_present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}

fn is_failed_status(status: &Value) -> bool {
    match status {
        Value::Number(_) => number(status) >= 300,
        Value::String(text) => {
            let text = text.to_ascii_lowercase();
            text.starts_with("err") || text.starts_with("fail") || number(status) >= 300
        }
        _ => false,
    }
}

fn is_success_code(code: Option<&Value>) -> bool {
    code.is_some_and(|code| match code {
        Value::String(text) => SUCCESS.iter().any(|known| text.eq_ignore_ascii_case(known)),
        code => (200..300).contains(&number(code)),
    })
}

fn member<'a>(value: &'a Value, name: &str, other: &str) -> Option<&'a Value> {
    let found = value.get(name).or_else(|| value.get(other));
    found.filter(|value| !value.is_null())
}

/// Reads a number that may be written as text, as the JSON form of protobuf does.
fn number(value: &Value) -> i64 {
    let parsed = match value {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_i64(),
    };
    parsed.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Verdict, verdict};

    fn rejected(content_type: &str, body: &str) -> Option<i64> {
        let content_type = Some(content_type).filter(|kind| !kind.is_empty());
        match verdict(content_type, body.as_bytes()) {
            Verdict::Accepted(answer) => {
                Some(answer.partial_success.map_or(0, |of| of.rejected_spans))
            }
            Verdict::Refused { .. } => None,
        }
    }

    #[test]
    #[rustfmt::skip]
    fn verdict_follows_type_and_body() {
        let rows = [
            ("", "", Some(0)),
            ("application/x-protobuf", "", Some(0)),
            ("application/json", "", Some(0)),
            ("application/json; charset=utf-8", "{}", Some(0)),
            ("application/json", r#"{"partialSuccess":{}}"#, Some(0)),
            ("application/json", r#"{"partialSuccess":{"rejectedSpans":"3"}}"#, Some(3)),
            ("application/json", r#"{"partial_success":{"rejected_spans":2}}"#, Some(2)),
            ("application/json", r#"{"error":null,"errors":[],"status":"success"}"#, Some(0)),
            ("application/json", r#"{"successes":[{"id":1}],"errors":[{"id":2}]}"#, Some(1)),
            ("application/json", r#"{"successes":[],"errors":[{"id":2}]}"#, None),
            ("APPLICATION/JSON", r#"{"error":"invalid api key"}"#, None),
            ("application/problem+json", r#"{"status":401}"#, None),
            ("application/json", r#"{"code":16,"message":"no key"}"#, None),
            ("application/json", r#"{"success":false}"#, None),
            ("application/json", "<html>", None),
            ("application/json", "{", None),
            ("", "{\"error\":\"no\"}", None),
            ("", "<!DOCTYPE html>", None),
            ("text/html", "", None),
            ("text/html; charset=utf-8", "<html>", None),
            ("text/plain", "OK\n", Some(0)),
            ("text/plain", "invalid api key", None),
            ("application/x-protobuf", "<html>", None),
            ("application/x-protobuf", "xxxx", None),
            ("", "xxxx", None),
            ("", "\n\x02\x08\x03", Some(3)),
            ("application/x-protobuf", "\x08\x03\x12\x07too old", None),
            ("application/grpc", "", None),
            ("image/png", "x", None),
        ];
        for (content_type, body, expected) in rows {
            assert_eq!(rejected(content_type, body), expected, "{content_type} {body}");
        }
    }
}
