//! Recognizes secrets by their shape, anywhere in a text.
//!
//! Recognizes only shapes that are rarely anything else: tokens after `Bearer` or `Basic`,
//! keys with a prefix of their issuer, JSON web tokens, private keys, passwords in URLs,
//! and URL parameters with a sensitive name.

use std::ops::Range;

use super::keys;

/// The prefix of a key, and the minimum number of characters after it.
const ISSUED: &[(&str, usize)] = &[
    ("AIza", 30),
    ("AKIA", 16),
    ("ASIA", 16),
    ("ghp_", 30),
    ("gho_", 30),
    ("ghs_", 30),
    ("ghu_", 30),
    ("github_pat_", 30),
    ("glpat-", 16),
    ("hf_", 30),
    ("lsv2_pt_", 20),
    ("rk_live_", 16),
    ("sk-", 16),
    ("sk_live_", 16),
    ("sk_test_", 16),
    ("xapp-", 16),
    ("xoxa-", 16),
    ("xoxb-", 16),
    ("xoxp-", 16),
    ("xoxs-", 16),
];

/// The minimum length of a token after `Bearer` or `Basic`. Words in a sentence are shorter
/// or contain no digit.
const MIN_TOKEN: usize = 12;

const PRIVATE_KEY: &str = "PRIVATE KEY-----";

/// Returns the ranges of the secrets in a text, in order.
pub(super) fn secrets(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let found = (from..text.len()).find_map(|at| secret_at(text, at))?;
        from = found.end;
        Some(found)
    })
}

/// Returns the range of the secret whose marker begins at this byte.
fn secret_at(text: &str, at: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let first = *bytes.get(at)?;
    let begins = at == 0 || !is_word(*bytes.get(at - 1)?);
    let found = match first {
        b'B' | b'b' if begins => scheme(&bytes[at..]),
        b'e' if begins => web_token(&bytes[at..]),
        b'A' | b'g' | b'h' | b'l' | b'r' | b's' | b'x' if begins => issued(&bytes[at..]),
        b'-' => private_key(&text[at..]),
        b':' => url_password(&bytes[at..]),
        b'?' | b'&' => parameter(text, at),
        _ => None,
    }?;
    // Markers are ASCII, and so are the characters next to them.
    let (start, end) = (at + found.start, at + found.end);
    (text.is_char_boundary(start) && text.is_char_boundary(end)).then_some(start..end)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)
}

fn is_id(byte: u8) -> bool {
    is_word(byte) || byte == b'-'
}

/// Returns the number of leading bytes that satisfy `of`.
fn run(bytes: &[u8], of: impl Fn(u8) -> bool) -> usize {
    let end = bytes.iter().position(|byte| !of(*byte));
    end.unwrap_or(bytes.len())
}

fn has_digit(bytes: &[u8]) -> bool {
    bytes.iter().any(u8::is_ascii_digit)
}

fn scheme(bytes: &[u8]) -> Option<Range<usize>> {
    let is = |name: &[u8]| {
        bytes
            .get(..name.len())
            .is_some_and(|it| it.eq_ignore_ascii_case(name))
    };
    let start = match () {
        () if is(b"bearer ") => 7,
        () if is(b"basic ") => 6,
        () => return None,
    };
    let length = run(&bytes[start..], is_token);
    let token = &bytes[start..start + length];
    let padded = token.ends_with(b"=");
    (length >= MIN_TOKEN && (has_digit(token) || padded)).then_some(start..start + length)
}

fn issued(bytes: &[u8]) -> Option<Range<usize>> {
    let mut begins = ISSUED
        .iter()
        .filter(|(mark, _)| bytes.starts_with(mark.as_bytes()));
    begins.find_map(|(mark, least)| {
        let length = run(&bytes[mark.len()..], is_id);
        let end = mark.len() + length;
        (length >= *least && has_digit(&bytes[mark.len()..end])).then_some(0..end)
    })
}

/// Matches three base64url parts, of which the first two start like JSON objects.
fn web_token(bytes: &[u8]) -> Option<Range<usize>> {
    if !bytes.starts_with(b"eyJ") {
        return None;
    }
    let head = run(bytes, is_id);
    let rest = bytes.get(head..)?.strip_prefix(b".")?;
    if !rest.starts_with(b"eyJ") {
        return None;
    }
    let body = run(rest, is_id);
    let rest = rest.get(body..)?.strip_prefix(b".")?;
    Some(0..head + body + 2 + run(rest, is_id))
}

/// Matches from the first line of the key to its last line, or to the end of the text.
fn private_key(text: &str) -> Option<Range<usize>> {
    let kind = text.strip_prefix("-----BEGIN ")?;
    let head = kind.find("-----")? + 5;
    if !kind[..head].ends_with(PRIVATE_KEY) {
        return None;
    }
    let end = kind.get(head..)?.find(PRIVATE_KEY);
    let end = end.map(|end| text.len() - kind.len() + head + end + PRIVATE_KEY.len());
    Some(0..end.unwrap_or(text.len()))
}

/// Matches the password in `://user:password@host`.
fn url_password(bytes: &[u8]) -> Option<Range<usize>> {
    let rest = bytes.strip_prefix(b"://")?;
    let of_authority = |byte: u8| !byte.is_ascii_whitespace() && !b"/?#\"'<>".contains(&byte);
    let authority = &rest[..run(rest, of_authority)];
    let at = authority.iter().rposition(|byte| *byte == b'@')?;
    let colon = authority[..at].iter().position(|byte| *byte == b':')?;
    (colon + 1 < at).then_some(3 + colon + 1..3 + at)
}

/// Matches the value in `?api_key=…` or `&token=…`.
fn parameter(text: &str, at: usize) -> Option<Range<usize>> {
    let bytes = &text.as_bytes()[at + 1..];
    let name = run(bytes, |byte| is_id(byte) || byte == b'.');
    if bytes.get(name) != Some(&b'=') {
        return None;
    }
    let of_value = |byte: u8| !byte.is_ascii_whitespace() && !b"&#\"'<>".contains(&byte);
    let length = run(&bytes[name + 1..], of_value);
    let sensitive = length > 0 && keys::is_sensitive(text.get(at + 1..at + 1 + name)?);
    sensitive.then_some(name + 2..name + 2 + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> String {
        let mut masked = String::new();
        let mut from = 0;
        for secret in secrets(text) {
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
            (
                "authorization: bearer abc123def456ghi, x",
                "authorization: bearer *, x",
            ),
            ("Basic dXNlcjpwYXNzd29yZA==", "Basic *"),
            ("401 for sk-proj-abcdefghijklmnop1234!", "401 for *!"),
            ("(sk-ant-api03-AAAABBBBCCCCDDDD1)", "(*)"),
            ("a=ghp_0123456789abcdefghijABCDEFGHIJ01 b", "a=* b"),
            ("AKIAIOSFODNN7EXAMPLE", "*"),
            ("xoxb-123456789012-abcdefghijkl", "*"),
            ("eyJhbGciOi.eyJzdWIiOiIx.c2lnbmF0dXJl and", "* and"),
            (
                "postgres://shop:hunter2@db/shop",
                "postgres://shop:*@db/shop",
            ),
            (
                "https://a/b?x=1&api_key=abc&y=2",
                "https://a/b?x=1&api_key=*&y=2",
            ),
            ("GET /?access_token=abc#top", "GET /?access_token=*#top"),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\nok",
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
    fn secrets_ignores_similar_text() {
        for text in [
            "",
            "Bearer",
            "Bearer of bad news",
            "the bearer authentication scheme",
            "Basic understanding",
            "Basic_usage of arithmetic1234",
            "sk-learn",
            "sk-learn-contrib-estimators",
            "task-0123456789abcdefghijkl",
            "ask-me-0123456789012345",
            "eyJ",
            "eyJhbGciOi.something.else",
            "eyebrow",
            "https://example.com:8080/path@2",
            "https://user@example.com/",
            "mailto:someone@example.com",
            "https://a/b?max_tokens=100&page=2",
            "what? token = 5",
            "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----",
            "---- -----BEGIN",
            "密码: ümlaut Bearer é",
        ] {
            assert_eq!(masked(text), text);
        }
    }
}
