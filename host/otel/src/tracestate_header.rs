//! The `tracestate` header of W3C Trace Context: a list of members, one for each vendor.
//!
//! The parser of OpenTelemetry keeps members that the recommendation refuses, and refuses
//! some that it allows, so the header is read and written here.
//! Source: <https://www.w3.org/TR/trace-context/#tracestate-header>.

use std::collections::HashSet;

use opentelemetry::Context;
use opentelemetry::propagation::Extractor;
use opentelemetry::trace::{TraceId, TraceState};

use super::traceparent::OWS;
use super::tracestate::KEY;

/// The name of the header.
pub(super) const HEADER: &str = "tracestate";

/// Maximum number of members.
const MAX_MEMBERS: usize = 32;

/// Maximum length of a value, and of a key without a vendor.
const MAX_BYTES: usize = 256;

/// Maximum length of the parts of a key `tenant@vendor`.
const MAX_TENANT_BYTES: usize = 241;
const MAX_VENDOR_BYTES: usize = 14;

/// A received list.
#[derive(Debug, Default)]
pub(super) struct Received {
    /// The members that OpenTelemetry can hold.
    pub(super) state: TraceState,
    /// The other ones.
    pub(super) rest: Vec<Rest>,
}

/// A member that a [`TraceState`] refuses although it is valid: one whose vendor has 14
/// characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rest {
    member: String,
    /// Number of members after it.
    after: usize,
    /// Number of members of other vendors after it. It does not change, because new
    /// members go first, and we change no other.
    others_after: usize,
}

/// The members that a [`TraceState`] cannot hold, in the context of their trace.
#[derive(Debug)]
struct Unheld {
    trace: TraceId,
    /// The received members that it can hold.
    state: TraceState,
    rest: Vec<Rest>,
}

/// Returns the members of a request, which may be spread over several headers. A list
/// with a mistake counts as empty.
pub(super) fn extract(extractor: &dyn Extractor) -> Received {
    let headers = extractor.get_all(HEADER).unwrap_or_default();
    parse(headers.into_iter()).unwrap_or_default()
}

/// Parses the headers as one list. Returns `None` if any member is invalid, two members
/// have the same key, or there are too many.
pub(super) fn parse<'a>(headers: impl Iterator<Item = &'a str>) -> Option<Received> {
    let mut members = Vec::new();
    let mut keys = HashSet::new();
    for member in headers.flat_map(|header| header.split(',')) {
        let member = member.trim_matches(OWS);
        if member.is_empty() {
            continue;
        }
        let (key, value) = member.split_once('=')?;
        let fits = members.len() < MAX_MEMBERS;
        if !fits || !is_key(key) || !is_value(value) || !keys.insert(key) {
            return None;
        }
        members.push((key, value));
    }
    Some(Received::of(&members))
}

impl Received {
    fn of(members: &[(&str, &str)]) -> Self {
        if let Ok(state) = TraceState::from_key_value(members.iter().copied()) {
            let rest = Vec::new();
            return Self { state, rest };
        }
        let mut rest = Vec::new();
        let mut held = Vec::new();
        for (place, (key, value)) in members.iter().enumerate() {
            if TraceState::from_key_value([(key, value)]).is_ok() {
                held.push((key, value));
            } else {
                let later = &members[place + 1..];
                rest.push(Rest {
                    member: format!("{key}={value}"),
                    after: later.len(),
                    others_after: later.iter().filter(|(key, _)| *key != KEY).count(),
                });
            }
        }
        // Each of them is valid, so the default is never used.
        let state = TraceState::from_key_value(held).unwrap_or_default();
        Self { state, rest }
    }

    /// Keeps the members that the span context cannot hold, for [`write`].
    pub(super) fn keep_rest(&self, trace: TraceId, cx: Context) -> Context {
        if self.rest.is_empty() {
            return cx;
        }
        cx.with_value(Unheld {
            trace,
            state: self.state.clone(),
            rest: self.rest.clone(),
        })
    }
}

/// Returns the header for the `tracestate` of a span of this trace, or `None` if it would
/// be empty.
pub(super) fn write(state: &TraceState, trace: TraceId, cx: &Context) -> Option<String> {
    let unheld = cx.get::<Unheld>().filter(|unheld| unheld.trace == trace);
    let header = match unheld {
        None => state.header(),
        Some(unheld) => {
            let mut members: Vec<String> = state
                .into_iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            // From the last one on, so that the members after each are already there.
            let is_unchanged = *state == unheld.state;
            for rest in unheld.rest.iter().rev() {
                let place = if is_unchanged {
                    members.len().saturating_sub(rest.after)
                } else {
                    place_before(&members, rest.others_after)
                };
                members.insert(place, rest.member.clone());
            }
            // Our own member is first, so the last one of another vendor goes.
            members.truncate(MAX_MEMBERS);
            members.join(",")
        }
    };
    Some(header).filter(|header| !header.is_empty())
}

/// Returns the place before this number of members of other vendors.
fn place_before(members: &[String], others: usize) -> usize {
    let is_other = |member: &String| member.split('=').next() != Some(KEY);
    let all = members.iter().enumerate().rev();
    let mut after = all.filter(|(_, member)| is_other(member));
    match others.checked_sub(1) {
        Some(last) => after.nth(last).map_or(0, |(place, _)| place),
        None => members.len(),
    }
}

fn is_key(key: &str) -> bool {
    match key.split_once('@') {
        None => is_name(key, MAX_BYTES),
        Some((tenant, vendor)) => {
            is_name(tenant, MAX_TENANT_BYTES) && is_name(vendor, MAX_VENDOR_BYTES)
        }
    }
}

fn is_name(name: &str, most: usize) -> bool {
    let is_start = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_char = |byte: &u8| is_start(byte) || b"_-*/".contains(byte);
    let bytes = name.as_bytes();
    bytes.len() <= most && bytes.first().is_some_and(is_start) && bytes.iter().all(is_char)
}

/// A value does not end with a space, because the whitespace around members does not
/// count.
fn is_value(value: &str) -> bool {
    let is_char = |byte: u8| matches!(byte, 0x20..=0x7e) && byte != b',' && byte != b'=';
    let ends_well = !value.is_empty() && !value.ends_with(' ');
    value.len() <= MAX_BYTES && ends_well && value.bytes().all(is_char)
}
