//! The `baggage` header of W3C Baggage: keys, values and their properties.
//!
//! The SDK's propagator cuts values at `=` and does not encode `%`, so the header is read
//! and written here. Source: <https://www.w3.org/TR/baggage/>.

use std::borrow::Cow;

use opentelemetry::baggage::{Baggage, BaggageMetadata};
use opentelemetry::propagation::Extractor;
use opentelemetry::{Key, StringValue};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use super::traceparent::OWS;

/// The name of the header.
pub(super) const HEADER: &str = "baggage";

/// The number of members that every participant propagates. OpenTelemetry holds no more.
const MAX_MEMBERS: usize = 64;

/// The length of a list that every participant propagates.
const MAX_BYTES: usize = 8192;

/// The characters that a value must encode, and `=`, at which some readers cut.
const ENCODED: &AsciiSet = &OUTSIDE.add(b'%').add(b'=');

/// The characters that a value must not contain.
const OUTSIDE: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b',').add(b';').add(b'\\');

/// Returns the baggage of a request, which may be spread over several headers, or `None`
/// if there is none.
pub(super) fn extract(extractor: &dyn Extractor) -> Option<Baggage> {
    let headers = extractor.get_all(HEADER)?;
    let baggage = parse(headers.into_iter());
    (!baggage.is_empty()).then_some(baggage)
}

/// Parses the headers as one list. Invalid members are skipped, and so are members beyond
/// the limits. If two members have the same key, the last one counts.
pub(super) fn parse<'a>(headers: impl Iterator<Item = &'a str>) -> Baggage {
    let mut baggage = Baggage::new();
    // Each member has a comma, except for the last one.
    let mut bytes = 0;
    for member in headers.flat_map(|header| header.split(',')) {
        bytes += member.len() + 1;
        if bytes > MAX_BYTES + 1 {
            break;
        }
        if let Some((key, value, properties)) = parse_member(member)
            && (baggage.len() < MAX_MEMBERS || baggage.get(key).is_some())
        {
            let _previous =
                baggage.insert_with_metadata(key.to_owned(), value.into_owned(), properties);
        }
    }
    baggage
}

fn parse_member(member: &str) -> Option<(&str, Cow<'_, str>, String)> {
    let mut parts = member.split(';');
    let (key, value) = parts.next()?.split_once('=')?;
    let (key, value) = (key.trim_matches(OWS), value.trim_matches(OWS));
    if !is_token(key) || !is_value(value) {
        return None;
    }
    // Bytes that are not UTF-8 become the replacement character.
    let value = percent_decode_str(value).decode_utf8_lossy();
    Some((key, value, properties(parts)))
}

/// Returns the header for a baggage, or `None` if it would be empty. Members that exceed
/// the limits are left out. The member `first` is written before all others, which are
/// sorted, so that the same baggage gives the same header.
pub(super) fn write(baggage: &Baggage, first: &str) -> Option<String> {
    let mut members: Vec<_> = baggage.iter().collect();
    members.sort_unstable_by_key(|(key, _)| (key.as_str() != first, key.as_str()));
    let mut header = String::new();
    for member in members
        .into_iter()
        .take(MAX_MEMBERS)
        .filter_map(write_member)
    {
        let separator = usize::from(!header.is_empty());
        if header.len() + separator + member.len() > MAX_BYTES {
            continue;
        }
        if separator > 0 {
            header.push(',');
        }
        header.push_str(&member);
    }
    (!header.is_empty()).then_some(header)
}

fn write_member(
    (key, (value, metadata)): (&Key, &(StringValue, BaggageMetadata)),
) -> Option<String> {
    if !is_token(key.as_str()) {
        return None;
    }
    let value = utf8_percent_encode(value.as_str(), ENCODED);
    let mut member = format!("{key}={value}");
    let properties = properties(metadata.as_str().split(';'));
    if !properties.is_empty() {
        member.push(';');
        member.push_str(&properties);
    }
    Some(member)
}

/// Returns the valid properties in the form of the header. Their values stay encoded,
/// because OpenTelemetry holds them as one text.
fn properties<'a>(parts: impl Iterator<Item = &'a str>) -> String {
    let all: Vec<String> = parts.filter_map(property).collect();
    all.join(";")
}

fn property(part: &str) -> Option<String> {
    let (key, value) = match part.split_once('=') {
        Some((key, value)) => (key, Some(value.trim_matches(OWS))),
        None => (part, None),
    };
    let key = key.trim_matches(OWS);
    is_token(key).then(|| match value {
        // A property that the application set may contain any character.
        Some(value) => format!("{key}={}", utf8_percent_encode(value, OUTSIDE)),
        None => key.to_owned(),
    })
}

/// Returns `true` for a token of HTTP.
fn is_token(text: &str) -> bool {
    let is_char = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_char)
}

fn is_value(text: &str) -> bool {
    let is_octet =
        |byte: u8| matches!(byte, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e);
    text.bytes().all(is_octet)
}
