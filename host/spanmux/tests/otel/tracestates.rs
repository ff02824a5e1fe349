//! The rows of the tests of `tracestate` headers.

use crate::trace_context::Trace::{Kept, New};
use crate::trace_context::{PARENT, Row, named, parent, state};

/// Returns the members `bar01=01` up to this number, in lists of ten.
fn bars(most: usize) -> Vec<String> {
    let members: Vec<String> = (1..=most).map(|n| format!("bar{n:02}={n:02}")).collect();
    members
        .chunks(10)
        .map(|members| members.join(","))
        .collect()
}

/// The tests of the suite with a `tracestate`.
pub(crate) fn suite() -> Vec<Row> {
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
pub(crate) fn rules() -> Vec<Row> {
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
