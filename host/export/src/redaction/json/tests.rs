//! Tests for rewriting JSON.

use super::*;

/// Hides `secret` and replaces `b` with `a`.
struct Simple;

impl Rules for Simple {
    fn hides(&self, key: &str) -> bool {
        key == "secret"
    }

    fn hidden(&self, _text: &str) -> String {
        "*".to_owned()
    }

    fn text(&self, _key: &str, text: &str, done: &mut ProcessingCounts) -> Option<String> {
        let is = text == "b";
        done.redacted += u64::from(is);
        is.then(|| "a".to_owned())
    }

    fn key(&self, key: &str, done: &mut ProcessingCounts) -> Option<String> {
        self.text("", key, done)
    }
}

#[test]
fn rewrite_changes_only_matching_values() {
    for (text, depth, expected) in [
        (
            r#"{"z":1,"secret":"x","a":null}"#,
            9,
            r#"{"z":1,"secret":"*","a":null}"#,
        ),
        (
            r#" [ "b" , 2.50, -7, true, "b" ] "#,
            9,
            r#"["a",2.5,-7,true,"a"]"#,
        ),
        (
            r#"{"secret":{"n":1,"t":["x",null,false]}}"#,
            9,
            r#"{"secret":{"n":"*","t":["*",null,false]}}"#,
        ),
        (
            r#"{"a":{},"e":[],"c":"b","b":2}"#,
            9,
            r#"{"a":{},"e":[],"c":"a","a":2}"#,
        ),
        (
            r#"{"\u0073ecret":"x\ny","k\n":"q\"é"}"#,
            9,
            r#"{"secret":"*","k\n":"q\"é"}"#,
        ),
        (
            r#"{"a":{"e":{"c":1}},"d":[[2]]}"#,
            2,
            r#"{"a":{"e":"…"},"d":["…"]}"#,
        ),
        (
            r#"{"big":18446744073709551615,"secret":1e300}"#,
            9,
            r#"{"big":18446744073709551615,"secret":"*"}"#,
        ),
    ] {
        let mut done = ProcessingCounts::default();
        let written = rewrite(text, "key", depth, &Simple, &mut done);
        assert_eq!(written, Rewritten::Changed(expected.to_owned()), "{text}");
        assert!(done.redacted + done.cut > 0);
    }
}

#[test]
fn unchanged_text_and_invalid_text_are_distinguished() {
    use Rewritten::{Invalid, Unchanged};
    for (text, expected) in [
        (r#"{"a":[1,{"d":"c"}]}"#, Unchanged),
        ("[]", Unchanged),
        ("{}", Unchanged),
        ("[1,", Invalid),
        ("{]", Invalid),
        ("{} x", Invalid),
        (r#"{"secret":"x","n":NaN}"#, Invalid),
        (r#"{"$serde_json::private::Number":"b"}"#, Invalid),
        ("no", Invalid),
        ("", Invalid),
    ] {
        let mut done = ProcessingCounts::default();
        let written = rewrite(text, "key", 9, &Simple, &mut done);
        assert_eq!(written, expected, "{text}");
        assert_eq!(done, ProcessingCounts::default());
    }
}

#[test]
fn arbitrary_precision_number_is_preserved() {
    let member = [(NUMBER, "1.00000000000000000001")];
    let mut walk = Walk {
        rules: &Simple,
        depth: 9,
        out: Some(String::new()),
        place: 0,
        replaced: VecDeque::new(),
        done: ProcessingCounts::default(),
    };
    let step = Step {
        walk: &mut walk,
        key: "key",
        hidden: false,
        level: 0,
    };
    let number = serde::de::value::MapDeserializer::new(member.into_iter());
    let read: Result<bool, serde::de::value::Error> = step.deserialize(number);
    assert_eq!(read, Ok(false));
    assert_eq!(walk.out.as_deref(), Some(member[0].1));
}

#[test]
fn deep_nesting_is_cut() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let mut done = ProcessingCounts::default();
    let written = rewrite(&deep, "key", usize::MAX, &Simple, &mut done);
    let Rewritten::Changed(written) = written else {
        unreachable!("{written:?}")
    };
    assert_eq!(written.matches('[').count(), MAX_DEPTH);
    assert_eq!(done.cut, 1);
}
