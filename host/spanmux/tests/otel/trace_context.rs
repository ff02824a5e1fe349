//! Tests of the `traceparent` and `tracestate` headers: the 40 tests of the public suite
//! of W3C Trace Context (`test/test.py` at its strictest level), and the rules of the
//! recommendation, each as a row. Every row holds for each inbound setting and carrier.

use std::collections::BTreeSet;

use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{TraceContextExt, Tracer, TracerProvider};
use spanmux::otel::Inbound;

use crate::support::{CARRIERS, Fleet, Headers};
use crate::{traceparents, tracestates};

const TRACE: &str = "12345678901234567890123456789012";
const SPAN: &str = "1234567890123456";
pub(crate) const PARENT: &str = "00-12345678901234567890123456789012-1234567890123456-01";

/// The expected trace of the outgoing request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Trace {
    /// That of the received `traceparent`.
    Kept,
    /// A new one.
    New,
}
use Trace::{Kept, New};

/// A request, and the members of other vendors in the outgoing `tracestate`.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    headers: Vec<(&'static str, String)>,
    trace: Trace,
    members: Vec<String>,
}

/// Returns the rows with one `traceparent`.
fn rows(table: &'static [(&str, &str, Trace)]) -> impl Iterator<Item = Row> {
    table.iter().map(|(name, header, trace)| {
        let header = header.replace('T', TRACE).replace('S', SPAN);
        parent(name, &[&header], *trace)
    })
}

/// Returns a row without a `tracestate`.
pub(crate) fn parent(name: &'static str, headers: &[&str], trace: Trace) -> Row {
    Row {
        name,
        headers: headers
            .iter()
            .map(|value| ("traceparent", (*value).to_owned()))
            .collect(),
        trace,
        members: Vec::new(),
    }
}

/// Returns a row with a valid `traceparent` and these `tracestate` headers.
pub(crate) fn state(name: &'static str, headers: &[&str], members: &[&str]) -> Row {
    let states = headers
        .iter()
        .map(|value| ("tracestate", (*value).to_owned()));
    Row {
        name,
        headers: std::iter::once(("traceparent", PARENT.to_owned()))
            .chain(states)
            .collect(),
        trace: Kept,
        members: members.iter().map(|member| (*member).to_owned()).collect(),
    }
}

/// Returns a row with these headers.
pub(crate) fn named(
    name: &'static str,
    headers: &[(&'static str, &str)],
    trace: Trace,
    members: &[&str],
) -> Row {
    Row {
        headers: headers
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect(),
        trace,
        ..state(name, &[], members)
    }
}

fn suite_of_traceparent() -> Vec<Row> {
    vec![
        named("both_traceparent_and_tracestate_missing", &[], New, &[]),
        parent(
            "traceparent_duplicated",
            &[
                "00-12345678901234567890123456789011-1234567890123456-01",
                PARENT,
            ],
            New,
        ),
        named(
            "traceparent_header_name",
            &[("trace-parent", PARENT)],
            New,
            &[],
        ),
        named(
            "traceparent_header_name",
            &[("trace.parent", PARENT)],
            New,
            &[],
        ),
        named(
            "traceparent_header_name_valid_casing",
            &[("TraceParent", PARENT)],
            Kept,
            &[],
        ),
        named(
            "traceparent_header_name_valid_casing",
            &[("TrAcEpArEnT", PARENT)],
            Kept,
            &[],
        ),
        named(
            "traceparent_header_name_valid_casing",
            &[("TRACEPARENT", PARENT)],
            Kept,
            &[],
        ),
        parent(
            "traceparent_version_0x00",
            &[
                "00-12345678901234567890123456789012-1234567890123456-01-what-the-future-will-be-like",
            ],
            New,
        ),
        parent(
            "traceparent_version_0xcc",
            &[
                "cc-12345678901234567890123456789012-1234567890123456-01-what-the-future-will-be-like",
            ],
            Kept,
        ),
        parent(
            "traceparent_version_0xcc",
            &[
                "cc-12345678901234567890123456789012-1234567890123456-01.what-the-future-will-be-like",
            ],
            New,
        ),
    ]
}

const INBOUND: [Inbound; 4] = [
    Inbound::Select,
    Inbound::FollowTracestate,
    Inbound::FollowBaggage,
    Inbound::FollowBoth,
];

/// Returns a fleet for each inbound setting and carrier.
fn fleets() -> Vec<Fleet> {
    let of = |inbound| CARRIERS.map(|by| Fleet::built(by, |builder| builder.inbound(inbound)));
    INBOUND.into_iter().flat_map(of).collect()
}

/// Handles the request and returns the headers of a request made meanwhile.
fn onwards(fleet: &Fleet, headers: &Headers) -> Headers {
    let propagator = fleet.provider.propagator();
    let incoming = propagator.extract(headers);
    let root = fleet
        .provider
        .tracer("shop")
        .start_with_context("request", &incoming);
    let mut onwards = Headers::default();
    propagator.inject_context(&incoming.with_span(root), &mut onwards);
    onwards
}

fn assert_row(row: &Row, fleet: &Fleet) {
    let headers = Headers(
        row.headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
    );
    let onwards = onwards(fleet, &headers);
    let parents = onwards.get_all("traceparent").unwrap();
    let [parent] = parents[..] else {
        panic!("{row:?}: {parents:?}")
    };
    let fields: Vec<&str> = parent.split('-').collect();
    assert_eq!(fields[0], "00", "{row:?}");
    assert_eq!(fields[1] == TRACE, row.trace == Kept, "{row:?}: {parent}");
    assert_ne!(fields[1], "0".repeat(32), "{row:?}");
    assert_ne!(fields[2], SPAN, "{row:?}");
    assert_eq!(fields[3], "01", "{row:?}");
    // Any reader accepts our headers.
    let again = fleet.provider.propagator().extract(&onwards);
    assert!(again.span().span_context().is_valid(), "{row:?}");

    let states = onwards.get_all("tracestate").unwrap_or_default();
    let members: Vec<&str> = states
        .iter()
        .flat_map(|state| state.split(','))
        .filter(|member| !member.starts_with("spanmux="))
        .collect();
    assert_eq!(members, row.members, "{row:?}");
    assert!(states.iter().all(|state| state.split(',').count() <= 32));
    let is_first = states[0].starts_with("spanmux=a:");
    assert!(is_first && states.len() == 1, "{row:?}: {states:?}");
}

#[test]
fn headers_are_handled_as_the_public_suite_expects_in_every_inbound_mode() {
    let rows: Vec<Row> = rows(traceparents::SUITE)
        .chain(suite_of_traceparent())
        .chain(tracestates::suite())
        .collect();
    let names: BTreeSet<&str> = rows.iter().map(|row| row.name).collect();
    // The other three are below.
    assert_eq!(names.len(), 40 - 3);
    for fleet in fleets() {
        rows.iter().for_each(|row| assert_row(row, &fleet));
    }
}

#[test]
fn headers_follow_each_rule_of_the_recommendation() {
    for fleet in fleets() {
        let rows = rows(traceparents::RULES).chain(tracestates::rules());
        rows.for_each(|row| assert_row(&row, &fleet));
    }
}

/// The tests `multiple_requests_with_valid_traceparent`,
/// `multiple_requests_without_traceparent` and `multiple_requests_with_illegal_traceparent`.
#[test]
fn several_requests_have_their_own_parent_ids_in_every_inbound_mode() {
    for (headers, kept) in [
        (Some(PARENT), true),
        (None, false),
        (
            Some("00-00000000000000000000000000000000-1234567890123456-01"),
            false,
        ),
    ] {
        for fleet in fleets() {
            let propagator = fleet.provider.propagator();
            let headers = headers.map(|value| ("traceparent".to_owned(), value.to_owned()));
            let incoming = propagator.extract(&Headers(headers.into_iter().collect()));
            let mut traces = BTreeSet::new();
            let mut parents = BTreeSet::new();
            for _ in 0..3 {
                let span = fleet
                    .provider
                    .tracer("shop")
                    .start_with_context("request", &incoming);
                let mut onwards = Headers::default();
                propagator.inject_context(&incoming.with_span(span), &mut onwards);
                let parent = onwards.get("traceparent").unwrap().to_owned();
                traces.insert(parent[3..35].to_owned());
                parents.insert(parent[36..52].to_owned());
            }
            assert_eq!(parents.len(), 3);
            assert_eq!(traces.contains(TRACE), kept);
            assert_eq!(traces.len(), if kept { 1 } else { 3 });
            assert!(!traces.contains(&"0".repeat(32)));
        }
    }
}

#[test]
fn context_that_passes_through_is_written_as_it_was_received() {
    let fleet = Fleet::new();
    let state = "foo=1,t@vvvvvvvvvvvvvv=1,spanmux=a,u@vvvvvvvvvvvvvv=1,bar=2";
    let headers = Headers::of(&[
        (
            "traceparent",
            "cc-12345678901234567890123456789012-1234567890123456-ff-later",
        ),
        ("tracestate", state),
    ]);
    let propagator = fleet.provider.propagator();
    let mut onwards = Headers::default();
    propagator.inject_context(&propagator.extract(&headers), &mut onwards);
    let parent = "00-12345678901234567890123456789012-1234567890123456-03";
    assert_eq!(onwards.get("traceparent"), Some(parent));
    assert_eq!(onwards.get("tracestate"), Some(state));
}

#[test]
fn nothing_is_written_without_a_span_and_no_empty_tracestate() {
    let fleet = Fleet::new();
    let propagator = fleet.provider.propagator();
    let mut onwards = Headers::default();
    propagator.inject_context(&Context::new(), &mut onwards);
    assert_eq!(onwards.0, []);
    let headers = Headers::of(&[("traceparent", PARENT)]);
    propagator.inject_context(&propagator.extract(&headers), &mut onwards);
    assert_eq!(onwards.keys(), ["traceparent"]);
}

#[test]
fn unheld_member_is_not_written_into_another_trace() {
    let fleet = Fleet::new();
    let propagator = fleet.provider.propagator();
    let headers = Headers::of(&[
        ("traceparent", PARENT),
        ("tracestate", "t@vvvvvvvvvvvvvv=1"),
    ]);
    let incoming = propagator.extract(&headers);
    let other = fleet
        .provider
        .tracer("shop")
        .start_with_context("job", &Context::new());
    let mut onwards = Headers::default();
    propagator.inject_context(&incoming.with_span(other), &mut onwards);
    assert!(!onwards.get("tracestate").unwrap().contains('@'));
}
