//! Finds the values of named fields in a text of any notation.
//!
//! A field is a name, a sign and a value: `"password": "x"`, `password=x`, `password: x`,
//! `'password' => 'x'`, `--password x`, `<password>x</password>`. This covers texts that a
//! parser refuses (JSON that was cut off, JSON lines, server-sent events, the repr of
//! Python), JSON inside JSON strings at any level of escapes, form bodies, URLs, headers
//! and log messages. If it is unclear where a value ends, too much is matched rather than
//! too little.

mod values;

use std::borrow::Cow;
use std::ops::Range;

use percent_encoding::percent_decode_str;

use self::values::Bare;
use super::shapes::{is_id, run};
use super::texts::Names;
use super::{pairs, steps};

/// The maximum length of a name, in bytes. Of a longer one, the end is compared.
const MAX_NAME: usize = 128;

/// The maximum number of spaces between a name and its sign.
const MAX_SPACES: usize = 64;

/// The maximum length of the text of an element that contains spaces.
const MAX_ELEMENT: usize = 256;

/// Options that are followed by a user and a password.
const USER_OPTIONS: [&str; 4] = ["-u", "--user", "-U", "--proxy-user"];

/// A text with fields.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    pub(super) text: &'a str,
    pub(super) names: &'a dyn Names,
}

/// The name of a field.
struct Name<'a> {
    text: Cow<'a, str>,
    start: usize,
    is_quoted: bool,
    /// `true` for a parameter of a URL or of a form.
    is_parameter: bool,
}

impl<'a> Fields<'a> {
    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes().get(at).copied()
    }

    /// Returns the number of bytes at `at` that satisfy `of`.
    fn run(&self, at: usize, of: impl Fn(u8) -> bool) -> usize {
        self.bytes().get(at..).map_or(0, |bytes| run(bytes, of))
    }

    /// Matches the secret value after `:` or `=`.
    pub(super) fn after(&self, sign: usize) -> Option<Range<usize>> {
        let name = self.name_before(sign)?;
        if !name.is_quoted && !self.names.in_texts() {
            return None;
        }
        let hides = self.names.hides(&name.text)
            || self.hides_phrase(&name, sign)
            || self.hides_value_of_pair(&name);
        let hides_parameter = || name.is_parameter && self.names.hides_parameter(&name.text);
        if !hides && !hides_parameter() {
            return None;
        }
        let value = self.value(sign + 1, &name)?;
        // At the begin of a text, only another parameter shows that it is a form.
        let is_form = hides || name.start > 0 || self.byte(value.end) == Some(b'&');
        is_form.then_some(value)
    }

    /// Matches the secret value of a field whose name was taken for a value: `token: pin: x`
    /// or `token= --pin x`.
    pub(super) fn within(&self, value: &Range<usize>) -> Option<Range<usize>> {
        let last = value.end - 1;
        let found = match self.bytes()[last] {
            b':' | b'=' => self.after(last),
            _ if self.bytes()[value.start] == b'-' => self.option(value.start),
            _ => None,
        };
        found.filter(|found| found.start >= value.end)
    }

    /// Matches the secret value after an option of a command line: `--password x`.
    pub(super) fn option(&self, at: usize) -> Option<Range<usize>> {
        let begins = at == 0 || !is_id(self.bytes()[at - 1]);
        if !begins || self.byte(at + 1) != Some(b'-') {
            return None;
        }
        let end = at + 2 + self.run(at + 2, is_id);
        let name = self.text.get((at + 2)..end)?;
        if name.len() > MAX_NAME || !self.names.hides(name) {
            return None;
        }
        let between = self.run(end, |byte| b" \t\"',".contains(&byte));
        let value = end + between;
        if between == 0 || self.byte(value) == Some(b'-') {
            return None;
        }
        self.bare(value, Bare::Word)
    }

    /// Matches the password of a user in the options of `curl`: `-u user:password`.
    pub(super) fn user_option(&self, at: usize) -> Option<Range<usize>> {
        let begins = at == 0 || !is_id(self.bytes()[at - 1]);
        let rest = self.text.get(at..)?;
        let option = USER_OPTIONS.iter().find(|it| rest.starts_with(**it))?;
        let between = at + option.len();
        let start = between + self.run(between, |byte| b" \t=\"',".contains(&byte));
        if !begins || start == between {
            return None;
        }
        let of_word = |byte: u8| !b" \t\r\n\"',".contains(&byte);
        let near = self.bytes().get(start..)?;
        let near = &near[..near.len().min(MAX_NAME)];
        let user = run(near, |byte| of_word(byte) && byte != b':');
        if near.get(user) != Some(&b':') {
            return None;
        }
        let colon = start + user;
        let end = colon + 1 + self.run(colon + 1, of_word);
        let (user, password) = (self.text.get(start..colon)?, self.text.get(colon + 1..end)?);
        // Two numbers are the ids of a user and a group.
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let is_ids = is_number(user) && is_number(password);
        let is_password = !password.is_empty() && !password.starts_with("//") && !is_ids;
        is_password.then_some(end - password.len()..end)
    }

    /// Matches the secret in quotes after a word, as in SQL: `WITH PASSWORD 'x'`. It ends in
    /// the same line, because this quote may also be the last one of another text.
    pub(super) fn literal(&self, at: usize) -> Option<Range<usize>> {
        let end = at.checked_sub(1).filter(|end| self.bytes()[*end] == b' ')?;
        let start = self.unquoted_start(end);
        steps::count(end - start);
        let name = self.text.get(start..end).filter(|name| !name.is_empty())?;
        let is_identified = || name.eq_ignore_ascii_case("by") && self.follows_identified(start);
        if !self.names.hides(name) && !is_identified() {
            return None;
        }
        let near = &self.bytes()[at + 1..];
        let near = &near[..near.len().min(MAX_NAME)];
        let quote = self.bytes()[at];
        let length = run(near, |byte| byte != quote && byte != b'\n');
        (near.get(length) == Some(&quote) && length > 0).then_some(at + 1..at + 1 + length)
    }

    fn follows_identified(&self, at: usize) -> bool {
        let start = at.saturating_sub("identified ".len());
        let before = self.text.get(start..at);
        before.is_some_and(|before| before.eq_ignore_ascii_case("identified "))
    }

    /// Matches the secret value after `<name>`.
    pub(super) fn element(&self, sign: usize) -> Option<Range<usize>> {
        let start = self.unquoted_start(sign);
        let opens = matches!(self.byte(start.checked_sub(1)?), Some(b'<' | b':'));
        let name = self.text.get(start..sign)?;
        if !opens || !self.names.hides(name) {
            return None;
        }
        let from = sign + 1;
        let rest = self.text.get(from..)?;
        if let Some(data) = rest.strip_prefix("<![CDATA[") {
            let start = from + rest.len() - data.len();
            let end = data.find("]]>").unwrap_or(data.len());
            steps::count(end);
            return Some(start..start + end);
        }
        let near = &rest.as_bytes()[..rest.len().min(MAX_ELEMENT)];
        let length = run(near, |byte| byte != b'<');
        if rest.as_bytes()[length..].starts_with(b"</") {
            return (!rest[..length].trim().is_empty()).then_some(from..from + length);
        }
        let length = self.run(from, |byte| byte != b'<' && !byte.is_ascii_whitespace());
        Some(from..from + length)
    }

    fn name_before(&self, sign: usize) -> Option<Name<'a>> {
        let bytes = self.bytes();
        let spaces = bytes[..sign].iter().rev().take(MAX_SPACES);
        let spaces = spaces.take_while(|byte| matches!(byte, b' ' | b'\t'));
        let end = sign - spaces.count();
        let last = *bytes.get(end.checked_sub(1)?)?;
        let (start, end, is_quoted) = if is_quote(last) {
            let slashes = bytes[..end - 1].iter().rev().take(MAX_SPACES);
            let slashes = slashes.take_while(|byte| **byte == b'\\').count();
            let close = end - 1 - slashes;
            (self.quoted_start(close, last), close, true)
        } else {
            (self.unquoted_start(end), end, false)
        };
        steps::count(sign - start);
        let text = self.text.get(start..end).filter(|name| !name.is_empty())?;
        let before = self.text.get(..start)?;
        let (text, is_escaped) = match text.strip_prefix("u0026") {
            // `&`, escaped in JSON.
            Some(text) if before.ends_with('\\') => (text, true),
            _ => (text, false),
        };
        let is_parameter = bytes[sign] == b'='
            && (start == 0
                || is_escaped
                || before.ends_with(['?', '&'])
                || before.ends_with("&amp;"));
        Some(Name {
            text: unescaped(text),
            start,
            is_quoted,
            is_parameter,
        })
    }

    /// Returns the start of a name in quotes, or of the word before a quote without a
    /// partner.
    fn quoted_start(&self, close: usize, quote: u8) -> usize {
        let floor = close.saturating_sub(MAX_NAME);
        let near = &self.bytes()[floor..close];
        let open = near
            .iter()
            .rposition(|byte| *byte == quote || *byte == b'\n');
        match open {
            Some(open) if near[open] == quote => floor + open + 1,
            _ => self.unquoted_start(close),
        }
    }

    fn unquoted_start(&self, end: usize) -> usize {
        let near = self.bytes()[..end].iter().rev().take(MAX_NAME);
        let of_name = |byte: &&u8| is_id(**byte) || b".[]%".contains(byte) || !byte.is_ascii();
        let mut start = end - near.take_while(of_name).count();
        while !self.text.is_char_boundary(start) {
            start += 1;
        }
        start
    }

    /// Returns `true` for the second member of `"name": "password", "value": "x"`.
    fn hides_value_of_pair(&self, name: &Name<'_>) -> bool {
        if !name.is_quoted || !pairs::is_value(&name.text) {
            return false;
        }
        let named = || {
            // A quote without a partner may end the first word of a text.
            let before = self.before_spaces(name.start.checked_sub(1)?, b"\\");
            let comma = self.before_sign(before, b',')?;
            let (text, start) = self.quoted_before(comma)?;
            let sign = self.before_sign(start, b':')?;
            let (member, _) = self.quoted_before(sign)?;
            Some(pairs::is_name(member) && self.names.hides(text))
        };
        named().unwrap_or_default()
    }

    /// Returns the end of what is before the spaces, and before these bytes, that end at `end`.
    fn before_spaces(&self, end: usize, others: &[u8]) -> usize {
        let near = self.bytes()[..end].iter().rev().take(MAX_SPACES);
        let spaces = near.take_while(|byte| byte.is_ascii_whitespace() || others.contains(byte));
        let spaces = spaces.count();
        steps::count(spaces);
        end - spaces
    }

    /// Returns the place of the sign that is before `end`.
    fn before_sign(&self, end: usize, sign: u8) -> Option<usize> {
        let place = self.before_spaces(end, &[]).checked_sub(1)?;
        (self.bytes()[place] == sign).then_some(place)
    }

    /// Returns the text in quotes that ends before `end`, and the place of its first quote or
    /// escape.
    fn quoted_before(&self, end: usize) -> Option<(&'a str, usize)> {
        let close = self.before_spaces(end, &[]).checked_sub(1)?;
        let quote = Some(self.bytes()[close]).filter(|byte| is_quote(*byte))?;
        let close = self.before_spaces(close, b"\\");
        let start = self.quoted_start(close, quote);
        steps::count(close - start);
        let text = self.text.get(start..close)?;
        Some((
            text.trim_end_matches('\\'),
            self.before_spaces(start.checked_sub(1)?, b"\\"),
        ))
    }

    /// Returns `true` if a name of several words is sensitive: `API key: x`.
    fn hides_phrase(&self, name: &Name<'_>, sign: usize) -> bool {
        let is_prose = self.bytes()[sign] == b':' || self.byte(sign.wrapping_sub(1)) == Some(b' ');
        if name.is_quoted || !is_prose {
            return false;
        }
        let Some(space) = name.start.checked_sub(1) else {
            return false;
        };
        let start = self.unquoted_start(space);
        let phrase = self.text.get(start..sign);
        steps::count(sign - start);
        self.bytes()[space] == b' '
            && start < space
            && phrase.is_some_and(|it| self.names.hides(it))
    }
}

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

/// Decodes `\u0070` and `%70` in a name.
fn unescaped(name: &str) -> Cow<'_, str> {
    if name.contains("\\u") {
        let text = format!("\"{name}\"");
        return serde_json::from_str(&text).map_or(Cow::Borrowed(name), Cow::Owned);
    }
    if name.contains('%') {
        return percent_decode_str(name).decode_utf8_lossy();
    }
    Cow::Borrowed(name)
}

#[cfg(test)]
mod tests;
