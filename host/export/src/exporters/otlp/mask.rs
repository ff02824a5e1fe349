//! Hides the secrets of one exporter in messages.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::secret::HIDDEN;
use crate::redaction::is_sensitive;

/// Shorter values are ids rather than secrets, and occur in ordinary text.
const SHORTEST: usize = 8;

/// The shortest key that is hidden where it stands alone, between other characters than letters
/// and digits.
const SHORTEST_KEY: usize = 4;

/// The shortest beginning of a secret that is hidden at the end of a text.
const SHORTEST_BEGINNING: usize = 4;

/// The characters that most encoders of URLs change.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A value that messages must not contain.
#[derive(Clone, Copy)]
pub(super) enum Hidden<'a> {
    /// A key, a token or a password.
    Key(&'a str),
    /// Another value, which may be a key or an id.
    Value(&'a str),
}

impl<'a> Hidden<'a> {
    /// Treats the value of a header or of a parameter as a key if its name says so.
    pub(super) fn named(name: &str, value: &'a str) -> Self {
        if is_sensitive(name) {
            Self::Key(value)
        } else {
            Self::Value(value)
        }
    }
}

/// The secrets of one exporter in each form in which a message may repeat them. Messages
/// are masked before they are shortened. The beginning or the end of a key is hidden as well,
/// because some backends shorten the key that they repeat.
#[derive(Clone, Default)]
pub(super) struct Mask {
    /// The longest is first, because it may contain others.
    forms: Vec<String>,
    /// Keys that are too short to be hidden inside of words.
    words: Vec<String>,
    /// Keys of which a part is hidden as well.
    keys: Vec<String>,
}

impl Mask {
    pub(super) fn of<'a>(secrets: impl IntoIterator<Item = Hidden<'a>>) -> Self {
        let mut mask = Self::default();
        for secret in secrets {
            let (Hidden::Key(value) | Hidden::Value(value)) = secret;
            for part in parts(value) {
                let is_key = matches!(secret, Hidden::Key(_)) && !part.contains(' ');
                for form in encoded(&part) {
                    mask.add(form, is_key);
                }
                if is_key && part.is_ascii() && part.len() >= SHORTEST {
                    mask.keys.push(part);
                }
            }
        }
        let Self { forms, words, keys } = &mut mask;
        for list in [forms, words, keys] {
            list.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
            list.dedup();
        }
        mask
    }

    fn add(&mut self, form: String, is_key: bool) {
        if form.len() >= SHORTEST {
            self.forms.push(form);
        } else if is_key && form.len() >= SHORTEST_KEY {
            self.words.push(form);
        }
    }

    /// Removes all secrets from a message, the parts of keys, and the beginning of a secret at
    /// the end.
    pub(super) fn hide(&self, mut text: String) -> String {
        for form in &self.forms {
            if text.contains(form.as_str()) {
                text = text.replace(form.as_str(), HIDDEN);
            }
        }
        for word in &self.words {
            text = without(&text, |rest, before| word_at(rest, before, word));
        }
        for key in &self.keys {
            text = without(&text, |rest, _| beginning_at(rest, key));
            text = without(&text, |rest, _| end_at(rest, key));
        }
        let beginnings = self.forms.iter().filter_map(|form| beginning(&text, form));
        if let Some(length) = beginnings.max() {
            text.truncate(text.len() - length);
            text.push_str(HIDDEN);
        }
        text
    }
}

/// Replaces each part of which `found` returns the length, given the rest of the text and the
/// character before it.
fn without(text: &str, found: impl Fn(&str, Option<char>) -> Option<usize>) -> String {
    let (mut shown, mut rest, mut before) = (String::new(), text, None);
    while let Some(c) = rest.chars().next() {
        match found(rest, before) {
            Some(length) => {
                shown.push_str(HIDDEN);
                before = rest[..length].chars().next_back();
                rest = &rest[length..];
            }
            None => {
                shown.push(c);
                before = Some(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    shown
}

/// Returns the length of `word` if `rest` begins with it and it stands alone.
fn word_at(rest: &str, before: Option<char>, word: &str) -> Option<usize> {
    let after = rest.strip_prefix(word)?.chars().next();
    let stands_alone = |side: Option<char>| !side.is_some_and(char::is_alphanumeric);
    (stands_alone(before) && stands_alone(after)).then_some(word.len())
}

/// Returns the length of the beginning of `key` with which `rest` begins.
fn beginning_at(rest: &str, key: &str) -> Option<usize> {
    let same = rest.bytes().zip(key.bytes()).take_while(|(a, b)| a == b);
    // The key is ASCII, and so are the equal bytes.
    Some(same.count()).filter(|&length| length >= SHORTEST)
}

/// Returns the length of the end of `key` with which `rest` begins.
fn end_at(rest: &str, key: &str) -> Option<usize> {
    let first = rest.as_bytes().get(..SHORTEST)?;
    let mut starts = (1..=key.len() - SHORTEST).filter(|&start| {
        let end = &key.as_bytes()[start..];
        end.starts_with(first) && rest.as_bytes().starts_with(end)
    });
    starts.next().map(|start| key.len() - start)
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

/// Returns the length of the longest beginning of `form` that ends `text`.
fn beginning(text: &str, form: &str) -> Option<usize> {
    let longest = form.len().min(text.len());
    (SHORTEST_BEGINNING..longest).rev().find(|&length| {
        let end = form.get(..length);
        end.is_some_and(|end| text.ends_with(end))
    })
}

/// Returns the secret and the parts of it that are secret on their own: the token of an
/// `authorization` value, and the user and the password in `Basic` credentials.
fn parts(secret: &str) -> Vec<String> {
    let mut parts = vec![secret.to_owned(), secret.trim().to_owned()];
    if let Some((scheme, token)) = secret.trim().split_once(' ') {
        let token = token.trim();
        parts.push(token.to_owned());
        let pair = STANDARD.decode(token).ok().map(String::from_utf8);
        if let Some(Ok(pair)) = pair.filter(|_| scheme.eq_ignore_ascii_case("basic")) {
            let password = pair
                .split_once(':')
                .map(|(_, password)| password.to_owned());
            parts.extend(password);
            parts.push(pair);
        }
    }
    let decoded = percent_decode_str(secret).decode_utf8();
    parts.extend(decoded.map(|text| text.into_owned()));
    parts
}

fn encoded(secret: &str) -> Vec<String> {
    let mut forms = vec![
        secret.to_owned(),
        STANDARD.encode(secret),
        STANDARD_NO_PAD.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
    ];
    for set in [RESERVED, NON_ALPHANUMERIC] {
        let upper = utf8_percent_encode(secret, set).to_string();
        forms.push(lower_escapes(&upper));
        forms.push(upper.replace("%20", "+"));
        forms.push(upper);
    }
    forms
}

/// Converts the digits after each `%` to lower case, as some encoders write them.
fn lower_escapes(text: &str) -> String {
    let mut digits = 0_u8;
    let lower = text.chars().map(|c| {
        if c == '%' {
            digits = 2;
            return c;
        }
        let is_digit = digits > 0;
        digits = digits.saturating_sub(1);
        if is_digit { c.to_ascii_lowercase() } else { c }
    });
    lower.collect()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::{Hidden, Mask};

    #[test]
    fn hide_removes_every_form_of_a_secret() {
        let key = "a key/with+signs?";
        let mask = Mask::of([Hidden::Value(key)]);
        let rows = [
            key.to_owned(),
            STANDARD.encode(key),
            "a%20key%2Fwith%2Bsigns%3F".to_owned(),
            "a%20key%2fwith%2bsigns%3f".to_owned(),
            "a+key%2Fwith%2Bsigns%3F".to_owned(),
        ];
        for form in rows {
            let said = mask.hide(format!("wrong key {form}, {form}."));
            assert_eq!(said, "wrong key ***, ***.", "{form}");
        }
    }

    #[test]
    fn hide_removes_the_password_of_basic_credentials() {
        let header = format!("Basic {}", STANDARD.encode("user:pass-word"));
        let mask = Mask::of([Hidden::Value(&header)]);
        assert_eq!(mask.hide("wrong pass-word!".to_owned()), "wrong ***!");
    }

    #[test]
    fn hide_removes_the_beginning_of_a_secret_at_the_end() {
        let mask = Mask::of([Hidden::Value("super-secret-key")]);
        assert_eq!(mask.hide("wrong super-sec".to_owned()), "wrong ***");
        assert_eq!(mask.hide("wrong sup".to_owned()), "wrong sup");
    }
    #[test]
    fn hide_removes_a_short_key_that_stands_alone() {
        let mask = Mask::of([Hidden::Key("pass"), Hidden::Value("prod")]);
        assert_eq!(
            mask.hide("wrong \"pass\" of passport, prod".to_owned()),
            "wrong \"***\" of passport, prod"
        );
    }

    #[test]
    fn hide_removes_the_part_of_a_key_that_a_backend_shows() {
        let mask = Mask::of([Hidden::named("authorization", "Bearer sk-1234567890abcdef")]);
        let rows = [
            ("wrong key sk-123456... of you", "wrong key ***... of you"),
            ("wrong key ...67890abcdef.", "wrong key ...***."),
            ("wrong key sk-12345****90abcdef", "wrong key **********"),
            ("Bearer schemes only", "Bearer schemes only"),
        ];
        for (said, shown) in rows {
            assert_eq!(mask.hide(said.to_owned()), shown);
        }
    }
}
