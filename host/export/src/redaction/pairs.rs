//! Recognizes members that hold the name and the value of a field:
//! `{"name": "password", "value": "x"}`.

/// Members whose text is the name of a field.
const NAMES: [&str; 9] = [
    "name",
    "key",
    "field",
    "header",
    "parameter",
    "param",
    "variable",
    "attribute",
    "k",
];

/// Members with the value of that field.
const VALUES: [&str; 4] = ["value", "values", "val", "v"];

/// Returns `true` if the text of this member names a field.
pub(super) fn is_name(member: &str) -> bool {
    NAMES.iter().any(|name| member.eq_ignore_ascii_case(name))
}

/// Returns `true` if this member holds the value of the field that another member names.
pub(super) fn is_value(member: &str) -> bool {
    VALUES
        .iter()
        .any(|value| member.eq_ignore_ascii_case(value))
}
