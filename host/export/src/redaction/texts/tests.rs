//! Tests for secrets that are recognized by their shape, and for the number of steps.

use super::super::shapes::tests::examples;
use super::super::steps;
use super::*;
use crate::redaction::{Redaction, SpanProcessing, safe_end};

fn masked(text: &str) -> String {
    let redaction = Redaction::default();
    let mut masked = String::new();
    let mut from = 0;
    for secret in secrets(text, &redaction) {
        masked.push_str(&text[from..secret.start]);
        masked.push('*');
        from = secret.end;
    }
    masked + &text[from..]
}

#[test]
fn secrets_finds_known_shapes() {
    for (text, expected) in [
        ("Bearer abc123def456ghi", "Bearer *"),
        ("Bearer  abc123def456ghi", "Bearer  *"),
        ("Bearer\tabc123def456ghi", "Bearer\t*"),
        ("bearer:abc123def456ghi", "bearer:*"),
        ("Bearer abcDefGhiJkl", "Bearer *"),
        (
            "authorization: bearer abc123def456ghi, x",
            "authorization: bearer *, x",
        ),
        ("Basic dXNlcjpwYXNzd29yZA==", "Basic *"),
        ("Basic dXNlcjpwYXNz", "Basic *"),
        ("Basic YTpi", "Basic *"),
        ("401 for sk-proj-abcdefghijklmnop1234!", "401 for *!"),
        ("(sk-ant-api03-AAAABBBBCCCCDDDD1)", "(*)"),
        ("a=ghp_0123456789abcdefghijABCDEFGHIJ01 b", "a=* b"),
        (r"a\nsk-proj-abcdefghijklmnop1234", r"a\n*"),
        (r"a\u0022sk-proj-abcdefghijklmnop1234", r"a\u0022*"),
        ("a%20sk-proj-abcdefghijklmnop1234", "a%20*"),
        ("eyJhbGciOi.eyJzdWIiOiIx.c2lnbmF0dXJl and", "* and"),
        ("eyJhbGciOi.eyJzdWIiOiIx", "*"),
        ("a eyJhbGciOi.eyJzdWIiOiIx.c2lnbmF0dXJl.", "a *."),
        (
            "postgres://shop:hunter2@db/shop",
            "postgres://shop:*@db/shop",
        ),
        ("https://u:p@ss#w?rd@db/x", "https://u:*@db/x"),
        ("https://u:pa#ss@db/x", "https://u:*@db/x"),
        ("https://u:p/a@db", "https://u:*@db"),
        (r"https:\/\/u:hunter2@db\/x", r"https:\/\/u:*@db\/x"),
        (
            "https://0123456789abcdef@sentry.io/1",
            "https://*@sentry.io/1",
        ),
        ("https://sk_hunter2:@host/1", "https://*:@host/1"),
        (
            "https://a/b?x=1&api_key=abc&y=2",
            "https://a/b?x=1&api_key=*&y=2",
        ),
        ("GET /?access_token=abc#top", "GET /?access_token=*#top"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\nok",
            "*\nok",
        ),
        (
            "-----BEGIN PGP PRIVATE KEY BLOCK-----\nMII\n-----END PGP PRIVATE KEY BLOCK-----\nok",
            "*\nok",
        ),
        ("-----BEGIN PRIVATE KEY-----\nMII", "*"),
        ("é Bearer abc123def456ghi é", "é Bearer * é"),
        ("sk-abcdefghijklmnop1 sk-abcdefghijklmnop2", "* *"),
    ] {
        assert_eq!(masked(text), expected);
    }
}

#[test]
fn every_issued_key_is_hidden_wherever_it_is() {
    for (issuer, prefix, tail) in examples() {
        let key = format!("{prefix}{tail}");
        for text in [
            key.clone(),
            format!("it failed for {key}."),
            format!(r#"{{"a":["{key}"],"x":NaN}}"#),
            format!(r#"{{"a":"{key}"}}"#),
            format!("x\\n{key}\\n"),
            format!("密码{key}密码"),
        ] {
            let left = Redaction::default().redact("text", &text).into_owned();
            assert!(!left.contains(&tail), "{issuer}: {text}: {left}");
        }
    }
}

#[test]
fn secrets_ignores_similar_text() {
    for text in [
        "",
        "Bearer",
        "Bearer of bad news",
        "the bearer authentication scheme",
        "Basic understanding",
        "Basic need for speed",
        "Basic_usage of arithmetic1234",
        "sk-learn",
        "sk-learn-contrib-estimators",
        "task-0123456789abcdefghijkl",
        "ask-me-0123456789012345",
        "hf_hub_download_with_retries_and_timeouts",
        "pattern.matching.is.a.useful.feature.of.many.programming.languages.today",
        "eyJ",
        "eyJhbGciOi.something.else",
        "eyebrow",
        "https://example.com:8080/path@2",
        "https://user@example.com/",
        "http://[::1]:8080/a@b",
        "mailto:someone@example.com",
        "https://a/b?max_tokens=100&page=2",
        "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----",
        "---- -----BEGIN",
        "密码 ümlaut Bearer é",
    ] {
        assert_eq!(masked(text), text);
    }
}

#[test]
fn text_is_never_shortened_inside_a_secret() {
    let keys = examples()
        .into_iter()
        .map(|(_, prefix, tail)| format!("{prefix}{tail}"));
    let others = [
        "Bearer abc123def456ghi",
        "Basic dXNlcjpwYXNzd29yZA==",
        "eyJhbGciOi.eyJzdWIiOiIx.c2lnbmF0dXJl",
        "postgres://shop:hunter2hunter2@db",
        "-----BEGIN PRIVATE KEY-----\nMIIMIIMII\n-----END PRIVATE KEY-----",
        "password=hunter2hunter2",
        "'password': 'hunter2 hunter2'",
    ];
    for secret in keys.chain(others.map(str::to_owned)) {
        let text = format!("It is {secret} and more");
        let whole = masked(&text);
        for end in 0..=text.len() {
            let kept = &text[..safe_end(&text, end)];
            let left = masked(kept);
            assert!(kept.len() <= end);
            assert!(whole.starts_with(left.as_str()), "{text}, {end}: {left:?}");
        }
    }
}

/// Texts in which a rule reads ahead at many places, without finding its end.
const REPEATED: &[&str] = &[
    "?a=",
    "&a=",
    "a=",
    "=",
    ":",
    "::",
    "://",
    "://a:",
    "://a:b",
    "://a:b/",
    "://a@",
    "://a:b#",
    ":\\/\\/a",
    "@",
    "#",
    "%",
    "%20",
    "\"",
    "'",
    "`",
    "\\",
    "\\\"",
    "\\\\\"",
    "\\u0022",
    "{",
    "[",
    "(",
    "}",
    "]",
    ")",
    "<",
    ">",
    "<a>",
    "</",
    "<password>",
    "<password> ",
    ":password>",
    ":password> ",
    "<password><![CDATA[",
    "<password>]]>",
    "-",
    "--",
    "--a",
    "--a ",
    "--password",
    "--password ",
    "--password -",
    "-----BEGIN ",
    "-----BEGIN PRIVATE KEY-----",
    "PRIVATE KEY",
    "-----BEGIN CERTIFICATE-----",
    "eyJ",
    "eyJ-",
    "eyJ.",
    "eyJ.eyJ",
    ".eyJ",
    "sk-",
    "sk-a",
    "sk-1",
    "AIza",
    "ghp_",
    "AQ.",
    "SG.",
    "pat",
    "pat.",
    "xoxe.",
    "hooks.slack.com/services/",
    "Bearer",
    "Bearer ",
    "bearer%20",
    "bearer bearer",
    "basic ",
    "Basic a",
    "a",
    "A",
    "0",
    "_",
    ".",
    ",",
    ";",
    ", ",
    "; ",
    " ",
    "\t",
    "\n",
    "\r\n",
    "é",
    "密",
    "a:",
    "a: ",
    "a :",
    "a = ",
    "\"a\":",
    "'a':",
    "\"a\" : ",
    "\\\"a\\\":",
    "password",
    "password=",
    "password:",
    "password: ",
    "password=,",
    "password=;",
    "password=a,",
    "password=#",
    "password=\\",
    "password=\\\\",
    "password=\"",
    "password='",
    "password=\"\"",
    "password=\"\"\"",
    "password=''",
    "password={",
    "password=[",
    "password={}",
    "password=[]",
    "password=()",
    "password: null",
    "password: null ",
    "\"password\"",
    "\"password\":",
    "\"password\": ",
    "\"password\":\\",
    "\"password\":\\\"",
    "\"password\":{",
    "\"password\":(",
    "\"password\":null",
    "{\"password\":\"",
    "[\"password\",",
    "{\"a\":",
    "[{\"a\":",
    "[[",
    "{{",
    "[]",
    "{}",
    "[1,",
    "[\"",
    "cookie: ",
    "cookie:",
    "authorization: ",
    "authorization: bearer ",
    "Authorization: x y ",
    "passphrase: \\",
    "max token: ",
    "api key: ",
    "%70",
    "%70=",
    "\\u0070",
    "\\u0026sig=",
    "?sig=",
    "sig=",
    "data: ",
    "data: {",
    "&amp;a=",
    "1",
    "1:",
    "1e",
    "-1",
    "…",
    "\u{feff}",
    "\0",
    "a\\",
    "a\\n",
    "password '",
    "password \"",
    "identified by '",
    "-u=",
    "-u a:",
    " -U'a&b=",
    " --user password=a:",
    " -u sk-proj-",
];

fn steps_of(text: &str) -> usize {
    let processing = SpanProcessing::default();
    steps::of(|| {
        let mut done = Default::default();
        processing.redacted("text", text, &mut done);
    })
}

/// Returns the number of times that a unit is repeated: always an even one, so that a
/// pattern that one unit opens and the next one closes is closed at the end of each text.
fn number(length: usize, unit: &str) -> usize {
    length / unit.len() / 4 * 4
}

#[test]
fn steps_are_linear_for_adversarial_texts() {
    const LENGTH: usize = 6_000;
    let ends = [
        ("", ""),
        ("{\"", "\"}"),
        ("[", "]"),
        ("?x=", ""),
        ("password=\"", ""),
    ];
    for unit in REPEATED {
        for (begin, end) in ends {
            let text = |length: usize| format!("{begin}{}{end}", unit.repeat(number(length, unit)));
            let (one, two) = (steps_of(&text(LENGTH)), steps_of(&text(2 * LENGTH)));
            let ratio = two as f64 / one as f64;
            assert!(ratio <= 2.1, "{begin}{unit:?}: {one}, then {two}");
            assert!(one <= 400 * LENGTH, "{begin}{unit:?}: {one}");
        }
    }
}

#[test]
fn steps_are_linear_for_two_repeated_parts() {
    const LENGTH: usize = 8_000;
    let text = |a: &str, b: &str, length: usize| {
        a.repeat(number(length / 2, a)) + &b.repeat(number(length / 2, b))
    };
    for (place, a) in REPEATED.iter().enumerate() {
        for b in REPEATED.iter().skip(place % 29).step_by(29) {
            let one = steps_of(&text(a, b, LENGTH));
            let two = steps_of(&text(a, b, 2 * LENGTH));
            assert!(
                two as f64 / one as f64 <= 2.1,
                "{a:?} {b:?}: {one}, then {two}"
            );
        }
    }
}

#[test]
fn steps_are_few_for_ordinary_text() {
    let text = "The order 17 was shipped to Paris at 12:30, see https://example.com/o?id=17. ";
    let text = text.repeat(100);
    let steps = steps_of(&text);
    assert!(
        steps <= 3 * text.len(),
        "{steps} steps for {} bytes",
        text.len()
    );
}

#[test]
fn steps_are_linear_for_nested_json() {
    let nested = |length: usize| {
        let inner = format!(r#"{{"a":"{}","password":"x"}}"#, "x".repeat(length));
        (0..4).fold(inner, |json, _| {
            serde_json::json!({ "j": json }).to_string()
        })
    };
    let (one, two) = (steps_of(&nested(10_000)), steps_of(&nested(20_000)));
    assert!(two as f64 / one as f64 <= 2.1, "{one}, then {two}");
    assert!(one <= 12 * 10_000, "{one}");
}
