//! Hides the secrets of one exporter in messages.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::secret::HIDDEN;

/// Shorter values are ids rather than secrets, and occur in ordinary text.
const SHORTEST: usize = 8;

/// The shortest beginning of a secret that is hidden at the end of a text.
const SHORTEST_BEGINNING: usize = 4;

/// The characters that most encoders of URLs change.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The secrets of one exporter in each form in which a message may repeat them. Messages
/// are masked before they are shortened: a part of a secret cannot be recognized.
#[derive(Clone, Default)]
pub(super) struct Mask {
    /// The longest is first, because it may contain others.
    forms: Vec<String>,
}

impl Mask {
    pub(super) fn of<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut forms = Vec::new();
        for secret in secrets {
            forms.extend(parts(secret).iter().flat_map(|part| encoded(part)));
        }
        forms.retain(|form| form.len() >= SHORTEST);
        forms.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        forms.dedup();
        Self { forms }
    }

    /// Removes all secrets from a message, and the beginning of one at its end.
    pub(super) fn hide(&self, mut text: String) -> String {
        for form in &self.forms {
            if text.contains(form.as_str()) {
                text = text.replace(form.as_str(), HIDDEN);
            }
        }
        let beginnings = self.forms.iter().filter_map(|form| beginning(&text, form));
        if let Some(length) = beginnings.max() {
            text.truncate(text.len() - length);
            text.push_str(HIDDEN);
        }
        text
    }
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

    use super::Mask;

    #[test]
    fn hide_removes_every_form_of_a_secret() {
        let key = "a key/with+signs?";
        let mask = Mask::of([key]);
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
        let mask = Mask::of([&*format!("Basic {}", STANDARD.encode("user:pass-word"))]);
        assert_eq!(mask.hide("wrong pass-word!".to_owned()), "wrong ***!");
    }

    #[test]
    fn hide_removes_the_beginning_of_a_secret_at_the_end() {
        let mask = Mask::of(["super-secret-key"]);
        assert_eq!(mask.hide("wrong super-sec".to_owned()), "wrong ***");
        assert_eq!(mask.hide("wrong sup".to_owned()), "wrong sup");
    }
}
