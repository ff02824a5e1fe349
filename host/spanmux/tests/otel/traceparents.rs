//! The rows of the tests of `traceparent` headers.

use crate::trace_context::Trace::{self, Kept, New};

/// Tests of the suite with one `traceparent`, in which `T` and `S` stand for ids.
pub(crate) const SUITE: &[(&str, &str, Trace)] = &[
    ("traceparent_included_tracestate_missing", "00-T-S-01", Kept),
    ("traceparent_version_0x00", "00-T-S-01.", New),
    ("traceparent_version_0xcc", "cc-T-S-01", Kept),
    ("traceparent_version_0xff", "ff-T-S-01", New),
    ("traceparent_version_illegal_characters", ".0-T-S-01", New),
    ("traceparent_version_illegal_characters", "0.-T-S-01", New),
    ("traceparent_version_too_long", "000-T-S-01", New),
    ("traceparent_version_too_long", "0000-T-S-01", New),
    ("traceparent_version_too_short", "0-T-S-01", New),
    (
        "traceparent_trace_id_all_zero",
        "00-00000000000000000000000000000000-S-01",
        New,
    ),
    (
        "traceparent_trace_id_illegal_characters",
        "00-.2345678901234567890123456789012-S-01",
        New,
    ),
    (
        "traceparent_trace_id_illegal_characters",
        "00-1234567890123456789012345678901.-S-01",
        New,
    ),
    ("traceparent_trace_id_too_long", "00-T3-S-01", New),
    (
        "traceparent_trace_id_too_short",
        "00-1234567890123456789012345678901-S-01",
        New,
    ),
    (
        "traceparent_parent_id_all_zero",
        "00-T-0000000000000000-01",
        New,
    ),
    (
        "traceparent_parent_id_illegal_characters",
        "00-T-.234567890123456-01",
        New,
    ),
    (
        "traceparent_parent_id_illegal_characters",
        "00-T-123456789012345.-01",
        New,
    ),
    (
        "traceparent_parent_id_too_long",
        "00-T-12345678901234567-01",
        New,
    ),
    (
        "traceparent_parent_id_too_short",
        "00-T-123456789012345-01",
        New,
    ),
    (
        "traceparent_trace_flags_illegal_characters",
        "00-T-S-.0",
        New,
    ),
    (
        "traceparent_trace_flags_illegal_characters",
        "00-T-S-0.",
        New,
    ),
    ("traceparent_trace_flags_too_long", "00-T-S-001", New),
    ("traceparent_trace_flags_too_short", "00-T-S-1", New),
    ("traceparent_ows_handling", " 00-T-S-01", Kept),
    ("traceparent_ows_handling", "\t00-T-S-01", Kept),
    ("traceparent_ows_handling", "00-T-S-01 ", Kept),
    ("traceparent_ows_handling", "00-T-S-01\t", Kept),
    ("traceparent_ows_handling", "\t 00-T-S-01 \t", Kept),
];

/// Rules for one `traceparent`.
pub(crate) const RULES: &[(&str, &str, Trace)] = &[
    (
        "hexadecimal digits are lower case: version",
        "CC-T-S-01",
        New,
    ),
    (
        "hexadecimal digits are lower case: trace id",
        "00-1234567890123456789012345678901A-S-01",
        New,
    ),
    (
        "hexadecimal digits are lower case: parent id",
        "00-T-123456789012345A-01",
        New,
    ),
    ("hexadecimal digits are lower case: flags", "00-T-S-0A", New),
    ("unknown flags are ignored", "00-T-S-fd", Kept),
    ("fields are separated by dashes", "00_T-S-01", New),
    (
        "fields are separated by dashes",
        "00-T_1234567890123456-01",
        New,
    ),
    (
        "fields are separated by dashes",
        "00-T-1234567890123456_01",
        New,
    ),
    (
        "signs are not digits",
        "00-+2345678901234567890123456789012-S-01",
        New,
    ),
    ("an empty header is invalid", "", New),
    ("whitespace inside is invalid", "00-T -S-01", New),
    ("other whitespace is invalid", "\u{a0}00-T-S-01", New),
    (
        "characters of several bytes are invalid",
        "00-1234567890123456789012345678901ü-123456789012345-01",
        New,
    ),
    ("a later version may end with a dash", "01-T-S-01-", Kept),
];
