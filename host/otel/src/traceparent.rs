//! The `traceparent` header of W3C Trace Context: the ids of a span and its flags.
//!
//! The SDK's propagator accepts headers that the recommendation refuses, so the header is
//! read and written here. Source: <https://www.w3.org/TR/trace-context-2/>.

use opentelemetry::propagation::Extractor;
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId};

/// The name of the header.
pub(super) const HEADER: &str = "traceparent";

/// The length of a header of version 00, and of the known part of a later version.
const LENGTH: usize = 55;

/// The flags that the recommendation defines: sampled, and random trace id. Others are
/// ignored and not sent on.
const KNOWN_FLAGS: u8 = 0b11;

/// The optional whitespace of HTTP.
pub(super) const OWS: [char; 2] = [' ', '\t'];

/// The ids and flags in a `traceparent` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Traceparent {
    pub(super) trace: TraceId,
    pub(super) span: SpanId,
    pub(super) flags: TraceFlags,
}

/// Returns the header of a request. A request with two of them counts as one without a
/// header.
pub(super) fn extract(extractor: &dyn Extractor) -> Option<Traceparent> {
    match *extractor.get_all(HEADER)?.as_slice() {
        [only] => parse(only),
        _ => None,
    }
}

/// Parses a header of any version. Whitespace around it does not count.
pub(super) fn parse(header: &str) -> Option<Traceparent> {
    let header = header.trim_matches(OWS);
    let (known, rest) = header.as_bytes().split_at_checked(LENGTH)?;
    let version = byte(&known[..2])?;
    let may_follow = match version {
        // Version ff is forbidden.
        0xff => return None,
        0 => rest.is_empty(),
        // A later version may append fields.
        _ => rest.is_empty() || rest.starts_with(b"-"),
    };
    let are_separated = [2, 35, 52].into_iter().all(|place| known[place] == b'-');
    if !may_follow || !are_separated {
        return None;
    }
    let trace = TraceId::from(number(&known[3..35])?);
    let span = SpanId::from(u64::try_from(number(&known[36..52])?).ok()?);
    let flags = TraceFlags::new(byte(&known[53..])? & KNOWN_FLAGS);
    let is_valid = trace != TraceId::INVALID && span != SpanId::INVALID;
    is_valid.then_some(Traceparent { trace, span, flags })
}

/// Returns the header for a span context.
pub(super) fn write(context: &SpanContext) -> String {
    let (trace, span) = (context.trace_id(), context.span_id());
    let flags = context.trace_flags().to_u8() & KNOWN_FLAGS;
    format!("00-{trace}-{span}-{flags:02x}")
}

fn byte(digits: &[u8]) -> Option<u8> {
    u8::try_from(number(digits)?).ok()
}

/// Parses at most 32 lower-case hexadecimal digits.
fn number(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |number, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(digit))
    })
}
