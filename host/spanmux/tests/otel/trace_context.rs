//! Tests of the `traceparent` and `tracestate` headers: the 40 tests of the public suite
//! of W3C Trace Context (`test/test.py` at its strictest level), and the rules of the
//! recommendation, each as a row. Every row holds for each inbound setting and carrier.

use std::collections::BTreeSet;

use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{TraceContextExt, Tracer, TracerProvider};
use spanmux::otel::Inbound;

use crate::support::{CARRIERS, Fleet, Headers};

const TRACE: &str = "12345678901234567890123456789012";
const SPAN: &str = "1234567890123456";
const PARENT: &str = "00-12345678901234567890123456789012-1234567890123456-01";

/// The expected trace of the outgoing request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Trace {
    /// That of the received `traceparent`.
    Kept,
    /// A new one.
    New,
}
use Trace::{Kept, New};

/// A request, and the members of other vendors in the outgoing `tracestate`.
#[derive(Debug)]
struct Row {
    name: &'static str,
    headers: Vec<(&'static str, String)>,
    trace: Trace,
    members: Vec<String>,
}

/// Returns a row without a `tracestate`.
fn parent(name: &'static str, headers: &[&str], trace: Trace) -> Row {
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
fn state(name: &'static str, headers: &[&str], members: &[&str]) -> Row {
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
fn named(
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

/// Returns the members `bar01=01` up to this number, in lists of ten.
fn bars(most: usize) -> Vec<String> {
    let members: Vec<String> = (1..=most).map(|n| format!("bar{n:02}={n:02}")).collect();
    members
        .chunks(10)
        .map(|members| members.join(","))
        .collect()
}

fn suite_of_traceparent() -> Vec<Row> {
    vec![
        named("both_traceparent_and_tracestate_missing", &[], New, &[]),
        parent("traceparent_included_tracestate_missing", &[PARENT], Kept),
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
            &["00-12345678901234567890123456789012-1234567890123456-01."],
            New,
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
            &["cc-12345678901234567890123456789012-1234567890123456-01"],
            Kept,
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
        parent(
            "traceparent_version_0xff",
            &["ff-12345678901234567890123456789012-1234567890123456-01"],
            New,
        ),
        parent(
            "traceparent_version_illegal_characters",
            &[".0-12345678901234567890123456789012-1234567890123456-01"],
            New,
        ),
        parent(
            "traceparent_version_illegal_characters",
            &["0.-12345678901234567890123456789012-1234567890123456-01"],
            New,
        ),
        parent(
            "traceparent_version_too_long",
            &["000-12345678901234567890123456789012-1234567890123456-01"],
            New,
        ),
        parent(
            "traceparent_version_too_long",
            &["0000-12345678901234567890123456789012-1234567890123456-01"],
            New,
        ),
        parent(
            "traceparent_version_too_short",
            &["0-12345678901234567890123456789012-1234567890123456-01"],
            New,
        ),
        parent(
            "traceparent_trace_id_all_zero",
            &["00-00000000000000000000000000000000-1234567890123456-01"],
            New,
        ),
        parent(
            "traceparent_trace_id_illegal_characters",
            &["00-.2345678901234567890123456789012-1234567890123456-01"],
            New,
        ),
        parent(
            "traceparent_trace_id_illegal_characters",
            &["00-1234567890123456789012345678901.-1234567890123456-01"],
            New,
        ),
        parent(
            "traceparent_trace_id_too_long",
            &["00-123456789012345678901234567890123-1234567890123456-01"],
            New,
        ),
        parent(
            "traceparent_trace_id_too_short",
            &["00-1234567890123456789012345678901-1234567890123456-01"],
            New,
        ),
        parent(
            "traceparent_parent_id_all_zero",
            &["00-12345678901234567890123456789012-0000000000000000-01"],
            New,
        ),
        parent(
            "traceparent_parent_id_illegal_characters",
            &["00-12345678901234567890123456789012-.234567890123456-01"],
            New,
        ),
        parent(
            "traceparent_parent_id_illegal_characters",
            &["00-12345678901234567890123456789012-123456789012345.-01"],
            New,
        ),
        parent(
            "traceparent_parent_id_too_long",
            &["00-12345678901234567890123456789012-12345678901234567-01"],
            New,
        ),
        parent(
            "traceparent_parent_id_too_short",
            &["00-12345678901234567890123456789012-123456789012345-01"],
            New,
        ),
        parent(
            "traceparent_trace_flags_illegal_characters",
            &["00-12345678901234567890123456789012-1234567890123456-.0"],
            New,
        ),
        parent(
            "traceparent_trace_flags_illegal_characters",
            &["00-12345678901234567890123456789012-1234567890123456-0."],
            New,
        ),
        parent(
            "traceparent_trace_flags_too_long",
            &["00-12345678901234567890123456789012-1234567890123456-001"],
            New,
        ),
        parent(
            "traceparent_trace_flags_too_short",
            &["00-12345678901234567890123456789012-1234567890123456-1"],
            New,
        ),
        parent(
            "traceparent_ows_handling",
            &[" 00-12345678901234567890123456789012-1234567890123456-01"],
            Kept,
        ),
        parent(
            "traceparent_ows_handling",
            &["\t00-12345678901234567890123456789012-1234567890123456-01"],
            Kept,
        ),
        parent(
            "traceparent_ows_handling",
            &["00-12345678901234567890123456789012-1234567890123456-01 "],
            Kept,
        ),
        parent(
            "traceparent_ows_handling",
            &["00-12345678901234567890123456789012-1234567890123456-01\t"],
            Kept,
        ),
        parent(
            "traceparent_ows_handling",
            &["\t 00-12345678901234567890123456789012-1234567890123456-01 \t"],
            Kept,
        ),
    ]
}

fn suite_of_tracestate() -> Vec<Row> {
    let key = "abcdefghijklmnopqrstuvwxyz0123456789_-*/";
    let value: String = (0x20..=0x7e_u8)
        .map(char::from)
        .filter(|c| !",=".contains(*c))
        .collect();
    let plain = format!("{key}={value}");
    let vendor = format!("{key}@a-z0-9_-*/={value}");
    let (long, too_long) = ("z".repeat(256) + "=1", "z".repeat(257) + "=1");
    let longest = format!("{}@{}=1", "t".repeat(241), "v".repeat(14));
    let tenant = format!("{}@v=1", "t".repeat(242));
    let vendor_too_long = format!("t@{}=1", "v".repeat(15));
    let all = bars(32).join(",");
    // Our own member takes the place of the last one.
    let kept: Vec<&str> = all.split(',').take(31).collect();
    let strings =
        |lists: &'static [&'static str], members: &[&str], name| state(name, lists, members);
    let owned = |name, lists: Vec<String>, members: &[&str]| {
        let lists: Vec<&str> = lists.iter().map(String::as_str).collect();
        state(name, &lists, members)
    };
    vec![
        named(
            "tracestate_included_traceparent_missing",
            &[("tracestate", "foo=1")],
            New,
            &[],
        ),
        named(
            "tracestate_included_traceparent_missing",
            &[("tracestate", "foo=1,bar=2")],
            New,
            &[],
        ),
        strings(
            &["foo=1,bar=2"],
            &["foo=1", "bar=2"],
            "tracestate_included_traceparent_included",
        ),
        named(
            "tracestate_header_name",
            &[("traceparent", PARENT), ("trace-state", "foo=1")],
            Kept,
            &[],
        ),
        named(
            "tracestate_header_name",
            &[("traceparent", PARENT), ("trace.state", "foo=1")],
            Kept,
            &[],
        ),
        named(
            "tracestate_header_name_valid_casing",
            &[("traceparent", PARENT), ("TraceState", "foo=1")],
            Kept,
            &["foo=1"],
        ),
        named(
            "tracestate_header_name_valid_casing",
            &[("traceparent", PARENT), ("TrAcEsTaTe", "foo=1")],
            Kept,
            &["foo=1"],
        ),
        named(
            "tracestate_header_name_valid_casing",
            &[("traceparent", PARENT), ("TRACESTATE", "foo=1")],
            Kept,
            &["foo=1"],
        ),
        strings(&[""], &[], "tracestate_empty_header"),
        strings(&["foo=1", ""], &["foo=1"], "tracestate_empty_header"),
        strings(&["", "foo=1"], &["foo=1"], "tracestate_empty_header"),
        strings(
            &["foo=1,bar=2", "rojo=1,congo=2", "baz=3"],
            &["foo=1", "bar=2", "rojo=1", "congo=2", "baz=3"],
            "tracestate_multiple_headers_different_keys",
        ),
        strings(&["foo=1,foo=1"], &[], "tracestate_duplicated_keys"),
        strings(&["foo=1,foo=2"], &[], "tracestate_duplicated_keys"),
        strings(&["foo=1", "foo=1"], &[], "tracestate_duplicated_keys"),
        strings(&["foo=1", "foo=2"], &[], "tracestate_duplicated_keys"),
        state("tracestate_all_allowed_characters", &[&plain], &[&plain]),
        state("tracestate_all_allowed_characters", &[&vendor], &[&vendor]),
        strings(
            &["foo=1 \t , \t bar=2, \t baz=3"],
            &["foo=1", "bar=2", "baz=3"],
            "tracestate_ows_handling",
        ),
        strings(
            &["foo=1\t \t,\t \tbar=2,\t \tbaz=3"],
            &["foo=1", "bar=2", "baz=3"],
            "tracestate_ows_handling",
        ),
        strings(&[" foo=1"], &["foo=1"], "tracestate_ows_handling"),
        strings(&["\tfoo=1"], &["foo=1"], "tracestate_ows_handling"),
        strings(&["foo=1 "], &["foo=1"], "tracestate_ows_handling"),
        strings(&["foo=1\t"], &["foo=1"], "tracestate_ows_handling"),
        strings(&["\t foo=1 \t"], &["foo=1"], "tracestate_ows_handling"),
        strings(&["foo =1"], &[], "tracestate_key_illegal_characters"),
        strings(&["FOO=1"], &[], "tracestate_key_illegal_characters"),
        strings(&["foo.bar=1"], &[], "tracestate_key_illegal_characters"),
        strings(
            &["foo@=1,bar=2"],
            &[],
            "tracestate_key_illegal_vendor_format",
        ),
        strings(
            &["@foo=1,bar=2"],
            &[],
            "tracestate_key_illegal_vendor_format",
        ),
        strings(
            &["foo@@bar=1,bar=2"],
            &[],
            "tracestate_key_illegal_vendor_format",
        ),
        strings(
            &["foo@bar@baz=1,bar=2"],
            &[],
            "tracestate_key_illegal_vendor_format",
        ),
        owned("tracestate_member_count_limit", bars(32), &kept),
        owned("tracestate_member_count_limit", bars(33), &[]),
        state(
            "tracestate_key_length_limit",
            &["foo=1", &long],
            &["foo=1", &long],
        ),
        state("tracestate_key_length_limit", &["foo=1", &too_long], &[]),
        state(
            "tracestate_key_length_limit",
            &["foo=1", &longest],
            &["foo=1", &longest],
        ),
        state("tracestate_key_length_limit", &["foo=1", &tenant], &[]),
        state(
            "tracestate_key_length_limit",
            &["foo=1", &vendor_too_long],
            &[],
        ),
        strings(&["foo=bar=baz"], &[], "tracestate_value_illegal_characters"),
        strings(&["foo=,bar=3"], &[], "tracestate_value_illegal_characters"),
    ]
}

/// The rules that the suite does not contain.
fn rules() -> Vec<Row> {
    let value = "v".repeat(256);
    let (long, too_long) = (format!("foo={value}"), format!("foo={value}v"));
    let unheld = "t@vvvvvvvvvvvvvv=1";
    let mut full: Vec<String> = (1..32).map(|n| format!("bar{n:02}={n:02}")).collect();
    full.insert(3, unheld.to_owned());
    let expected: Vec<&str> = full.iter().take(31).map(String::as_str).collect();
    let full = full.join(",");
    let commas = ",".repeat(10_000);
    vec![
        parent(
            "hexadecimal digits are lower case: version",
            &["CC-12345678901234567890123456789012-1234567890123456-01"],
            New,
        ),
        parent(
            "hexadecimal digits are lower case: trace id",
            &["00-1234567890123456789012345678901A-1234567890123456-01"],
            New,
        ),
        parent(
            "hexadecimal digits are lower case: parent id",
            &["00-12345678901234567890123456789012-123456789012345A-01"],
            New,
        ),
        parent(
            "hexadecimal digits are lower case: flags",
            &["00-12345678901234567890123456789012-1234567890123456-0A"],
            New,
        ),
        parent(
            "unknown flags are ignored",
            &["00-12345678901234567890123456789012-1234567890123456-fd"],
            Kept,
        ),
        parent(
            "fields are separated by dashes",
            &["00_12345678901234567890123456789012-1234567890123456-01"],
            New,
        ),
        parent(
            "fields are separated by dashes",
            &["00-12345678901234567890123456789012_1234567890123456-01"],
            New,
        ),
        parent(
            "fields are separated by dashes",
            &["00-12345678901234567890123456789012-1234567890123456_01"],
            New,
        ),
        parent(
            "signs are not digits",
            &["00-+2345678901234567890123456789012-1234567890123456-01"],
            New,
        ),
        parent("an empty header is invalid", &[""], New),
        parent(
            "two headers are invalid, even if equal",
            &[PARENT, PARENT],
            New,
        ),
        parent(
            "two headers are invalid, even if one is",
            &[PARENT, ""],
            New,
        ),
        parent(
            "two headers joined by the carrier are invalid",
            &[
                "00-12345678901234567890123456789012-1234567890123456-01,00-12345678901234567890123456789012-1234567890123456-01",
            ],
            New,
        ),
        parent(
            "two headers of a later version joined by the carrier are invalid",
            &[
                "cc-12345678901234567890123456789012-1234567890123456-01,cc-12345678901234567890123456789012-1234567890123456-01",
            ],
            New,
        ),
        parent(
            "whitespace inside is invalid",
            &["00-12345678901234567890123456789012 -1234567890123456-01"],
            New,
        ),
        parent(
            "other whitespace is invalid",
            &["\u{a0}00-12345678901234567890123456789012-1234567890123456-01"],
            New,
        ),
        parent(
            "characters of several bytes are invalid",
            &["00-1234567890123456789012345678901ü-123456789012345-01"],
            New,
        ),
        parent(
            "a later version may end with a dash",
            &["01-12345678901234567890123456789012-1234567890123456-01-"],
            Kept,
        ),
        named(
            "an invalid traceparent invalidates the tracestate",
            &[("traceparent", "00-0-0-0"), ("tracestate", "foo=1")],
            New,
            &[],
        ),
        state("an invalid tracestate keeps the traceparent", &["foo"], &[]),
        state("a member has an equals sign", &["foo=1,bar"], &[]),
        state("a key is not empty", &["=1"], &[]),
        state(
            "a key may start with a digit",
            &["1foo=1,2t@3v=1"],
            &["1foo=1", "2t@3v=1"],
        ),
        state(
            "a key does not start with a special character",
            &["_foo=1"],
            &[],
        ),
        state(
            "a vendor does not start with a special character",
            &["t@-v=1"],
            &[],
        ),
        state("a value has at most 256 characters", &[&long], &[&long]),
        state("a value has at most 256 characters", &[&too_long], &[]),
        state("a value is visible ASCII", &["foo=ü"], &[]),
        state("a value has no control characters", &["foo=a\u{7f}b"], &[]),
        state("a value has no tab inside", &["foo=a\tb"], &[]),
        state(
            "a value may contain and begin with spaces",
            &["foo= a b"],
            &["foo= a b"],
        ),
        state(
            "empty members are skipped",
            &["foo=1,, \t ,bar=2,"],
            &["foo=1", "bar=2"],
        ),
        state(
            "empty members do not count",
            &[&commas, "foo=1"],
            &["foo=1"],
        ),
        state(
            "a member of ours that was received is replaced",
            &["foo=1,spanmux=a,bar=2"],
            &["foo=1", "bar=2"],
        ),
        state(
            "two members of ours invalidate the list",
            &["spanmux=a,foo=1,spanmux=b"],
            &[],
        ),
        state(
            "a member that OpenTelemetry cannot hold keeps its place",
            &["foo=1", unheld, "bar=2"],
            &["foo=1", unheld, "bar=2"],
        ),
        state(
            "our member goes first, wherever it was received",
            &["foo=1", unheld, "bar=2,spanmux=a,baz=3"],
            &["foo=1", unheld, "bar=2", "baz=3"],
        ),
        state(
            "our member goes first, wherever it was received",
            &[unheld, "spanmux=a", "u@vvvvvvvvvvvvvv=2"],
            &[unheld, "u@vvvvvvvvvvvvvv=2"],
        ),
        state(
            "a member that OpenTelemetry cannot hold counts",
            &[&full],
            &expected,
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
    // Any reader accepts what we write.
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
    let rows: Vec<Row> = suite_of_traceparent()
        .into_iter()
        .chain(suite_of_tracestate())
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
        rules().iter().for_each(|row| assert_row(row, &fleet));
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
