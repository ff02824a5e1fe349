//! Recognizes secrets anywhere in a text, by their shape or by the name of their field.
//!
//! Shapes are those that are rarely anything else: tokens after `Bearer` or `Basic`, keys
//! with a prefix of their issuer, JSON web tokens, private keys, and passwords in URLs.
//! Fields are pairs of a name and a value in any notation; see [`Fields`].
//!
//! The text is read once, from left to right. Text that a rule reads ahead is bounded by a
//! constant, part of the secret that it finds, or remembered, so that the work is linear
//! in the length of the text.

use std::ops::Range;

use super::fields::Fields;
use super::shapes::{self, is_id, is_word, run};
use super::steps;
use crate::base64_text;

/// The rules for the names of fields.
pub(super) trait Names {
    /// Returns `true` if the value of this name is a secret.
    fn hides(&self, name: &str) -> bool;

    /// Returns `true` if the value of this URL parameter is a secret.
    fn hides_parameter(&self, name: &str) -> bool;

    /// Returns `true` if secrets are also recognized by their shape and in prose.
    /// Otherwise only fields with quoted names are.
    fn in_texts(&self) -> bool;
}

/// The minimum length of a token after `Bearer` that contains a digit or mixed case.
const MIN_TOKEN: usize = 7;

/// The minimum length of a token that consists of letters of one case. Words in a sentence
/// are shorter.
const MIN_LETTERS: usize = 24;

/// The number of bytes in which the end of the first line of a private key is searched.
const PRIVATE_KEY_LINE: usize = 64;

const BEGIN: &[u8] = b"-----BEGIN ";

const END: &str = "-----END ";

/// The minimum length of a user in a URL that is a token.
const MIN_USER: usize = 16;

/// The ranges of the secrets in a text, in order.
pub(super) struct Secrets<'a> {
    text: &'a str,
    names: &'a dyn Names,
    at: usize,
    /// A secret that was found together with the one before it.
    next: Option<Range<usize>>,
    /// A secret that was found before the words in front of it were read.
    ahead: Option<Range<usize>>,
    /// The last run of identifier characters that was read ahead.
    id: Range<usize>,
    /// The last run of URL characters that was read ahead, and its last `@`.
    url: Range<usize>,
    url_at: Option<usize>,
}

/// Returns the ranges of the secrets in a text, in order.
pub(super) fn secrets<'a>(text: &'a str, names: &'a dyn Names) -> Secrets<'a> {
    Secrets {
        text,
        names,
        at: 0,
        next: None,
        ahead: None,
        id: 0..0,
        url: 0..0,
        url_at: None,
    }
}

impl Iterator for Secrets<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        if let Some(next) = self.next.take() {
            return Some(self.found(next));
        }
        let bytes = self.text.as_bytes();
        let in_texts = self.names.in_texts();
        let from = self.at;
        loop {
            if let Some(ahead) = self.ahead_here() {
                steps::count(self.at - from + 1);
                return Some(self.found(ahead));
            }
            let Some(byte) = bytes.get(self.at) else {
                break;
            };
            let found = match byte {
                b':' | b'=' | b'>' | b'-' => self.after_sign(*byte, in_texts),
                b'\'' | b'"' if in_texts => self.fields().literal(self.at),
                _ if in_texts && byte.is_ascii_alphanumeric() => self.shape(*byte),
                _ => None,
            };
            if let Some(found) = found.filter(|found| self.is_whole(found)) {
                let between = bytes.get(self.at + 1..found.start).unwrap_or_default();
                // What is between may hold a secret as well: `-u KEY:password`.
                if self.ahead.is_some() || !between.iter().any(u8::is_ascii_alphanumeric) {
                    steps::count(self.at - from + 1);
                    let found = self.with_ahead(found);
                    return Some(self.found(found));
                }
                self.ahead = Some(found);
            }
            self.at += 1;
        }
        steps::count(self.at - from);
        None
    }
}

impl Secrets<'_> {
    /// Markers are ASCII, and so are the characters next to them. This is a safeguard
    /// against a panic.
    fn is_whole(&self, found: &Range<usize>) -> bool {
        let is_boundary = |place| self.text.is_char_boundary(place);
        found.start < found.end && is_boundary(found.start) && is_boundary(found.end)
    }

    /// Returns the rest of the secret that was found ahead, once it is reached.
    fn ahead_here(&mut self) -> Option<Range<usize>> {
        let ahead = self.ahead.take_if(|ahead| ahead.start <= self.at)?;
        let start = ahead.start.max(self.at);
        (start < ahead.end).then_some(start..ahead.end)
    }

    /// Returns a secret together with the one ahead, if they overlap.
    fn with_ahead(&mut self, found: Range<usize>) -> Range<usize> {
        match self.ahead.take_if(|ahead| found.end > ahead.start) {
            Some(ahead) => found.start.min(ahead.start)..found.end.max(ahead.end),
            None => found,
        }
    }

    /// Continues after a secret, and after the private key whose first word it includes.
    fn found(&mut self, mut secret: Range<usize>) -> Range<usize> {
        if self.text.as_bytes()[..secret.end].ends_with(BEGIN.trim_ascii())
            && let Some(key) = self.private_key(secret.end + 1 - BEGIN.len())
        {
            secret.end = key.end;
        }
        self.at = secret.end;
        let next = self.fields().within(&secret);
        self.next = next.filter(|next| self.is_whole(next));
        secret
    }

    fn fields(&self) -> Fields<'_> {
        Fields {
            text: self.text,
            names: self.names,
        }
    }

    fn after_sign(&mut self, sign: u8, in_texts: bool) -> Option<Range<usize>> {
        if let (b':', true, Some(password)) = (sign, in_texts, self.url_password()) {
            return Some(password);
        }
        let fields = self.fields();
        match sign {
            b'-' if in_texts => self
                .private_key(self.at)
                .or_else(|| fields.option(self.at))
                .or_else(|| fields.user_option(self.at)),
            b'>' if in_texts => fields.element(self.at),
            b'-' | b'>' => None,
            _ => fields.after(self.at),
        }
    }

    /// Matches a secret whose first letter or digit is here.
    fn shape(&mut self, byte: u8) -> Option<Range<usize>> {
        let bytes = &self.text.as_bytes()[self.at..];
        let next = bytes.get(1).copied().unwrap_or_default();
        let may_begin = shapes::may_begin(byte, next)
            || matches!(
                (byte, next),
                (b'B' | b'b', b'E' | b'e' | b'A' | b'a') | (b'e', b'y')
            );
        if !may_begin || !self.begins() {
            return None;
        }
        let found = match byte {
            b'B' | b'b' => scheme(bytes).or_else(|| shapes::issued(bytes)),
            b'e' => self.web_token().or_else(|| shapes::issued(bytes)),
            _ => shapes::issued(bytes),
        }?;
        Some(self.at + found.start..self.at + found.end)
    }

    /// Returns `true` if a word begins here, also after an escape: `\n`, `\u0022`, `%20`.
    fn begins(&self) -> bool {
        let before = &self.text.as_bytes()[..self.at];
        let is_hex = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_hexdigit);
        match before {
            [] => true,
            [.., last] if !is_word(*last) => true,
            [.., b'\\', b'n' | b'r' | b't' | b'b' | b'f'] => true,
            [.., b'%', a, b] if is_hex(&[*a, *b]) => true,
            [.., b'\\', b'u', a, b, c, d] => is_hex(&[*a, *b, *c, *d]),
            _ => false,
        }
    }

    /// Matches two or three base64url parts, of which the first two start like JSON
    /// objects. The third may have been cut off.
    fn web_token(&mut self) -> Option<Range<usize>> {
        let text = self.text.as_bytes();
        if !text[self.at..].starts_with(b"eyJ") {
            return None;
        }
        if !self.id.contains(&self.at) {
            self.id = self.at..self.at + run(&text[self.at..], is_id);
        }
        let bytes = &text[self.at..];
        let head = self.id.end - self.at;
        if !bytes[head..].starts_with(b".eyJ") {
            return None;
        }
        let of_token = |byte| is_id(byte) || byte == b'.';
        let end = head + run(&bytes[head..], of_token);
        let dots = bytes[..end].iter().rev().take_while(|byte| **byte == b'.');
        Some(0..end - dots.count())
    }

    /// Matches from the first line of a key to its last line, or to the end of the text.
    fn private_key(&self, at: usize) -> Option<Range<usize>> {
        let kind = self.text.as_bytes()[at..].strip_prefix(BEGIN)?;
        let line = &kind[..kind.len().min(PRIVATE_KEY_LINE)];
        let head = line.windows(5).position(|five| five == b"-----")?;
        let is_private = |kind: &str| kind.contains("PRIVATE KEY");
        if !std::str::from_utf8(&line[..head]).is_ok_and(is_private) {
            return None;
        }
        let body = at + BEGIN.len() + head;
        let rest = &self.text[body..];
        let end = rest.find(END).map_or(rest.len(), |end| {
            let last = &rest.as_bytes()[end + END.len()..];
            let name = run(last, |byte| byte == b' ' || byte.is_ascii_uppercase());
            end + END.len() + name + run(&last[name..], |byte| byte == b'-').min(5)
        });
        steps::count(end);
        Some(at..body + end)
    }

    /// Matches the password in `://user:password@host`, or a user that is a token.
    fn url_password(&mut self) -> Option<Range<usize>> {
        let text = self.text.as_bytes();
        let mark = [&b"://"[..], br":\/\/"];
        let mark = mark
            .into_iter()
            .find(|mark| text[self.at..].starts_with(mark))?;
        let start = self.at + mark.len();
        let is_plain = |byte: u8| is_url(byte) && !b"/?#\\".contains(&byte);
        let end = start + run(&text[start..], is_plain);
        let authority = &text[start..end];
        if authority.starts_with(b"[") {
            return None;
        }
        let colon = authority.iter().position(|byte| *byte == b':');
        let last = authority.iter().rposition(|byte| *byte == b'@');
        let user = match (last, text.get(end)) {
            // `?` and `#` may be part of a password that was not escaped.
            (Some(last), Some(b'?' | b'#')) => self.last_at(start, end).unwrap_or(start + last),
            (Some(last), _) => start + last,
            (None, _) => {
                let after = &authority[colon? + 1..];
                if after.iter().all(u8::is_ascii_digit) {
                    return None;
                }
                self.last_at(start, end)?
            }
        } - start;
        match colon.filter(|colon| *colon < user) {
            // The user may hold a secret of its own: `://?pin=1:x@host`.
            Some(colon) if authority[..colon].contains(&b'=') => Some(start..start + user),
            Some(colon) if colon + 1 < user => Some(start + colon + 1..start + user),
            Some(colon) => Some(start..start + colon),
            None => {
                let user = &text[start..start + user];
                let is_token = user.len() >= MIN_USER && user.iter().any(u8::is_ascii_digit);
                is_token.then_some(start..start + user.len())
            }
        }
    }

    /// Returns the last `@` of the URL that begins at `start`, if it is after `after`.
    fn last_at(&mut self, start: usize, after: usize) -> Option<usize> {
        if !self.url.contains(&start) {
            let bytes = &self.text.as_bytes()[start..];
            let length = run(bytes, is_url);
            self.url = start..start + length;
            let last = bytes[..length].iter().rposition(|byte| *byte == b'@');
            self.url_at = last.map(|last| start + last);
            steps::count(length);
        }
        self.url_at.filter(|at| *at > after)
    }
}

fn is_url(byte: u8) -> bool {
    !byte.is_ascii_whitespace() && !b"\"'<>`".contains(&byte)
}

fn is_token(byte: u8) -> bool {
    is_id(byte) || b".~+/=".contains(&byte)
}

/// Matches the token after `Bearer` or `Basic`.
fn scheme(bytes: &[u8]) -> Option<Range<usize>> {
    let is = |name: &[u8]| {
        let begin = bytes.get(..name.len());
        begin.is_some_and(|it| it.eq_ignore_ascii_case(name))
    };
    let is_basic = is(b"basic");
    let name = if is_basic {
        5
    } else if is(b"bearer") {
        6
    } else {
        return None;
    };
    let rest = &bytes[name..];
    let space = if rest.starts_with(b"%20") {
        3
    } else {
        run(rest, |byte| byte == b' ' || byte == b'\t')
    };
    if space == 0 {
        return None;
    }
    let start = name + space;
    let length = run(&bytes[start..], is_token);
    let token = &bytes[start..start + length];
    let is_secret = is_opaque(token) || (is_basic && is_basic_pair(token));
    is_secret.then_some(start..start + length)
}

/// Returns `true` if a token is not a word of a sentence.
fn is_opaque(token: &[u8]) -> bool {
    let digit = token.iter().any(u8::is_ascii_digit);
    let upper = token.iter().skip(1).any(u8::is_ascii_uppercase);
    let mixed = upper && token.iter().any(u8::is_ascii_lowercase);
    let padded = token.ends_with(b"=");
    token.len() >= MIN_LETTERS || (token.len() >= MIN_TOKEN && (digit || mixed || padded))
}

/// Returns `true` if a token is a user and a password in base64.
fn is_basic_pair(token: &[u8]) -> bool {
    let encoded = token.split(|byte| *byte == b'=').next();
    let pair = encoded.and_then(base64_text::decode).unwrap_or_default();
    pair.contains(&b':') && !pair.iter().any(u8::is_ascii_control)
}

#[cfg(test)]
mod tests;
