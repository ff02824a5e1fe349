//! The `tracestate` entry that names the selected tracer. It is used for contexts whose
//! trace id is already fixed, and for the next process.
//!
//! The entry is `spanmux=<name>:<provider>-<route>`, with both numbers in hexadecimal.
//! The provider number is random, so an entry from another process does not match a route
//! here.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use opentelemetry::trace::{SpanContext, TraceState};
use percent_encoding::percent_decode_str;
use xxhash_rust::xxh64::xxh64;

/// The key of the `tracestate` entry.
pub(super) const KEY: &str = "spanmux";

/// The maximum length of an encoded name. The value of an entry has at most 256 bytes,
/// and the two numbers with their separators take 30 of them.
const MAX_ENCODED_BYTES: usize = 200;

/// An encoded `tracestate` entry for one tracer under one name.
#[derive(Debug)]
pub(super) struct TracestateEntry {
    name: Arc<str>,
    value: String,
    /// A `tracestate` that contains only this entry.
    alone: TraceState,
}

impl TracestateEntry {
    pub(super) fn new(name: &str, provider: u64, route: u64) -> Self {
        Self::encoded(name, &encode(name), provider, route)
    }

    /// Like [`new`](Self::new), for a name that is already encoded.
    pub(super) fn encoded(name: &str, encoded: &str, provider: u64, route: u64) -> Self {
        let value = format!("{encoded}:{provider:016x}-{route:012x}");
        // The value is always valid, so the default is never used.
        let alone = TraceState::from_key_value([(KEY, &value)]).unwrap_or_default();
        Self {
            name: name.into(),
            value,
            alone,
        }
    }

    pub(super) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Returns `true` if `state` contains this entry.
    pub(super) fn is_in(&self, state: &TraceState) -> bool {
        state.get(KEY) == Some(&self.value)
    }

    /// Returns `state` with this entry in front, replacing any other entry of ours.
    pub(super) fn put(&self, state: &TraceState) -> TraceState {
        if *state == TraceState::NONE {
            return self.alone.clone();
        }
        state
            .insert(KEY, self.value.as_str())
            .unwrap_or_else(|_| self.alone.clone())
    }
}

/// Returns the route number of an entry that this provider wrote.
///
/// This runs for every child, so the numbers have a fixed position at the end.
pub(super) fn read(state: &TraceState, provider: u64) -> Option<u64> {
    let (rest, route) = state.get(KEY)?.as_bytes().split_last_chunk::<12>()?;
    let (rest, by) = rest.strip_suffix(b"-")?.split_last_chunk::<16>()?;
    if !rest.ends_with(b":") || hex(by)? != provider {
        return None;
    }
    hex(route)
}

/// Returns the encoded name in an entry from any provider, with or without numbers after
/// it.
pub(super) fn name(state: &TraceState) -> Option<&str> {
    // An encoded name never contains a colon.
    let name = state.get(KEY)?.split(':').next();
    name.filter(|name| !name.is_empty())
}

/// Parses at most sixteen lower-case hexadecimal digits.
fn hex(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |number, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u64::from(digit))
    })
}

/// Returns `state` with the entry of `from`, or `None` if it is already there. Some
/// samplers drop it.
pub(super) fn copy(state: &TraceState, from: &TraceState) -> Option<TraceState> {
    let value = from.get(KEY)?;
    if state.get(KEY) == Some(value) {
        return None;
    }
    state.insert(KEY, value).ok()
}

/// Returns the context with a different `tracestate`.
pub(super) fn with_state(context: &SpanContext, state: TraceState) -> SpanContext {
    SpanContext::new(
        context.trace_id(),
        context.span_id(),
        context.trace_flags(),
        context.is_remote(),
        state,
    )
}

/// Returns a random number that identifies a provider.
pub(super) fn number() -> u64 {
    RandomState::new().hash_one(0_u8)
}

/// Encodes a name for a `tracestate` entry. Letters, digits and `-_.` are kept; any other
/// byte becomes `%XX`. A long name is truncated and ends in `~` and a hash of the full
/// name, so two names share an encoding only if their hashes collide.
pub fn encode(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    if encoded.len() > MAX_ENCODED_BYTES {
        let hash = format!("~{:016x}", xxh64(name.as_bytes(), 0));
        let mut end = MAX_ENCODED_BYTES - hash.len();
        // Do not cut inside an escape sequence.
        if let Some(escape) = encoded[..end].rfind('%').filter(|at| at + 3 > end) {
            end = escape;
        }
        encoded.truncate(end);
        encoded.push_str(&hash);
    }
    encoded
}

/// Returns `true` for the encoding of a name that was truncated.
pub(super) fn is_truncated(encoded: &str) -> bool {
    let (head, hash) = encoded.split_once('~').unwrap_or_default();
    // At most two bytes are missing, if an escape sequence did not fit.
    let shortest = MAX_ENCODED_BYTES - 2;
    let length = shortest..=MAX_ENCODED_BYTES;
    length.contains(&encoded.len()) && !head.is_empty() && hash.len() == 16
}

/// Decodes the name in an entry. Returns `None` if it was truncated or is not valid
/// UTF-8.
pub(super) fn decode(encoded: &str) -> Option<Cow<'_, str>> {
    if encoded.contains('~') {
        return None;
    }
    percent_decode_str(encoded).decode_utf8().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_names_are_unique_and_valid() {
        for (name, encoded) in [
            ("langfuse", "langfuse"),
            ("eu-west_1.prod", "eu-west_1.prod"),
            ("a,b=c d", "a%2Cb%3Dc%20d"),
            ("50%", "50%25"),
            ("a~b:c", "a%7Eb%3Ac"),
            ("größe", "gr%C3%B6%C3%9Fe"),
        ] {
            assert_eq!(encode(name), encoded);
            assert_eq!(decode(encoded).as_deref(), Some(name));
        }
        assert_eq!(decode("gr%c3%b6%C3%9Fe").as_deref(), Some("größe"));
        assert_eq!(decode("%FF"), None, "not valid UTF-8");
        let long = "ü".repeat(128);
        let longer = format!("{}x", "ü".repeat(127));
        assert_ne!(encode(&long), encode(&longer));
        for name in [long, longer, "a".repeat(256)] {
            assert!(encode(&name).len() <= MAX_ENCODED_BYTES);
            let entry = TracestateEntry::new(&name, u64::MAX, (1 << 48) - 1);
            assert!(entry.is_in(&entry.alone), "{}", entry.value);
        }
    }

    #[test]
    fn read_accepts_only_entries_of_its_own_provider() {
        let entry = TracestateEntry::new("a:1-2", 7, 11);
        assert_eq!(read(&entry.alone, 7), Some(11));
        assert_eq!(read(&entry.alone, 8), None);
        for value in [
            "",
            "a",
            "a:",
            "a:0000000000000007-",
            "a:0000000000000007-00000000000",
            "a:0000000000000007-0000000000xb",
            "a:0000000000000007-00000000000B",
            "a:0000000000000007 00000000000b",
            "a0000000000000007-00000000000b",
            "a:000000000000007-00000000000b",
            "a:+000000000000007-00000000000b",
        ] {
            let state = TraceState::from_key_value([(KEY, value)]).unwrap_or_default();
            assert_eq!(read(&state, 7), None, "{value}");
        }
    }

    #[test]
    fn name_is_read_from_entries_of_any_provider() {
        for (value, expected) in [
            ("b", Some("b")),
            ("b:", Some("b")),
            ("b:0000000000000007-00000000000b", Some("b")),
            ("a%3Ab:x:y", Some("a%3Ab")),
            ("", None),
            (":7-1", None),
        ] {
            let state = TraceState::from_key_value([("vendor", "1"), (KEY, value)]);
            assert_eq!(name(&state.unwrap_or_default()), expected, "{value}");
        }
        assert_eq!(name(&TraceState::NONE), None);
    }

    #[test]
    fn put_keeps_other_entries_and_replaces_its_own() {
        let old = TraceState::from_key_value([("vendor", "1"), (KEY, "old:1-1"), ("other", "2")])
            .unwrap_or_default();
        let entry = TracestateEntry::new("new", 1, 2);
        let new = "spanmux=new:0000000000000001-000000000002";
        assert_eq!(entry.put(&old).header(), format!("{new},vendor=1,other=2"));
        assert_eq!(entry.put(&TraceState::NONE).header(), new);
    }
}
