//! The vectors of `bucket` as cases: one row of the matrix for all of them, and one for numbers of
//! buckets that some languages cannot express.

use serde_json::{Value, json};

use super::Case;

/// Returns a case for each line of `bucket-vectors.tsv`.
pub(super) fn cases() -> Vec<Case> {
    let lines = include_str!("../../bucket-vectors.tsv").lines();
    let data = lines.filter(|line| !line.starts_with('#')).skip(1);
    let mut cases: Vec<Case> = data.map(case).collect();
    // Sorted, so that cases of one name are one row.
    cases.sort_by(|one, other| other.name.cmp(&one.name));
    cases
}

fn case(line: &str) -> Case {
    let fields: Vec<&str> = line.split('\t').collect();
    let [kind, value, salt, buckets, expected] = fields[..] else {
        panic!("a vector has five fields: {line}");
    };
    let salt: Value = serde_json::from_str(salt).expect("a salt in JSON");
    let many = buckets.parse::<i32>().is_err();
    let name = ["the vectors of bucket", "those of 2^32 - 1 buckets"][usize::from(many)];
    let mut case = Case {
        name: name.to_owned(),
        context: String::new(),
        floats: Default::default(),
        tracers: Vec::new(),
        generated: 0,
        expect: format!("failed: {expected}"),
        only: Vec::new(),
    };
    let special = ["inf", "-inf", "NaN"].contains(&value);
    if kind == "float" && special {
        case.floats
            .insert("x".to_owned(), value.parse().expect("a float"));
    }
    // As text and not as a value, so that it is parsed as a runtime context is.
    let x = if special {
        String::new()
    } else {
        format!(",\"x\":{value}")
    };
    let salt = json!(salt);
    case.context =
        format!("{{\"op\":\"bucket\",\"key\":\"x\",\"salt\":{salt},\"buckets\":{buckets}{x}}}");
    case
}
