//! Finds the end of a value.

use std::ops::Range;

use super::super::shapes::{is_id, run};
use super::super::steps;
use super::{Fields, MAX_NAME, Name, is_quote};

/// Values that are never secrets: nothing, a truth value, or a type in source code.
const NOTHING: &[&str] = &[
    "any",
    "bool",
    "boolean",
    "bytes",
    "false",
    "int",
    "integer",
    "nil",
    "none",
    "null",
    "number",
    "object",
    "optional",
    "str",
    "string",
    "true",
    "undefined",
];

/// Parts of names whose unquoted values contain spaces.
const WHOLE_LINES: &[&str] = &[
    "authorization",
    "cookie",
    "phrase",
    "mnemonic",
    "auth-header",
];

/// Words before the credentials in a header.
const SCHEMES: &[&str] = &[
    "bearer",
    "basic",
    "token",
    "apikey",
    "api-key",
    "key",
    "negotiate",
];

/// The kinds of values without quotes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bare {
    /// Up to a space, or to a sign that is followed by another field.
    Word,
    /// The same, in a URL.
    Parameter,
    /// Up to the end of the line, or to the quote that is before the name.
    Line(Option<u8>),
}

impl Fields<'_> {
    pub(super) fn value(&self, from: usize, name: &Name<'_>) -> Option<Range<usize>> {
        let rest = self.text.get(from..)?;
        if rest.starts_with("//") || rest.starts_with(':') {
            return None;
        }
        // `=>`, `:=`, `==`
        let sign = usize::from(rest.starts_with(['=', '>']));
        let is_space = |byte: u8| {
            matches!(byte, b' ' | b'\t') || (name.is_quoted && byte.is_ascii_whitespace())
        };
        let mut at = from + sign;
        at += self.run(at, is_space);
        if let [
            b'b' | b'r' | b'u' | b'f' | b'B' | b'R' | b'U' | b'F',
            quote,
            ..,
        ] = self.bytes()[at..]
            && is_quote(quote)
        {
            at += 1;
        }
        if self.bytes()[at..].starts_with(b"-----BEGIN") {
            // The shape of a private key matches more than the first word.
            return None;
        }
        let slashes = self.run(at, |byte| byte == b'\\');
        match self.byte(at + slashes)? {
            quote if is_quote(quote) => self.quoted(at + slashes, slashes),
            b'{' | b'[' if !self.bytes()[at..].starts_with(b"[REDACTED]") => {
                self.group(at + slashes)
            }
            b'(' if name.is_quoted => self.group(at + slashes),
            _ => {
                let has = |part: &&str| contains_ignore_case(&name.text, part);
                let before = name
                    .start
                    .checked_sub(1)
                    .and_then(|before| self.byte(before));
                let kind = if WHOLE_LINES.iter().any(has) {
                    Bare::Line(before.filter(|byte| !name.is_quoted && is_quote(*byte)))
                } else if name.is_parameter && name.start > 0 {
                    Bare::Parameter
                } else {
                    Bare::Word
                };
                self.bare(at, kind)
            }
        }
    }

    /// Matches the content of the string whose first quote is here, after some backslashes.
    pub(super) fn quoted(&self, open: usize, slashes: usize) -> Option<Range<usize>> {
        let quote = self.bytes()[open];
        let three = [quote; 3];
        if self.bytes()[open..].starts_with(&three) {
            let start = open + three.len();
            let rest = &self.bytes()[start..];
            let end = rest.windows(three.len()).position(|it| it == three);
            let end = start + end.unwrap_or(rest.len());
            steps::count(end - start);
            return Some(start..end);
        }
        let (end, _) = self.string_end(open + 1, quote, slashes);
        (end > open + 1).then_some(open + 1..end)
    }

    /// Returns the end of the content of a string, and the first byte after its last quote.
    /// `slashes` is the number of backslashes before its first quote: more than that many
    /// mark a quote inside the string, and fewer the end of a string around it.
    fn string_end(&self, start: usize, quote: u8, slashes: usize) -> (usize, usize) {
        let bytes = self.bytes();
        let level = (slashes + 1) * 2;
        let mut before = 0;
        for (at, byte) in bytes.iter().enumerate().skip(start) {
            if *byte == b'\\' {
                before += 1;
                continue;
            }
            if *byte == quote && (before < slashes || before % level == slashes) {
                steps::count(at - start);
                return (at - before.min(slashes), at + 1);
            }
            before = 0;
        }
        steps::count(bytes.len() - start);
        (bytes.len(), bytes.len())
    }

    /// Matches from a bracket to its partner, or to the end of the text.
    fn group(&self, open: usize) -> Option<Range<usize>> {
        let bytes = self.bytes();
        let (mut at, mut depth) = (open, 0_usize);
        while let Some(byte) = self.byte(at) {
            match byte {
                b'{' | b'[' | b'(' => depth += 1,
                b'}' | b']' | b')' => depth -= 1,
                b'"' | b'\'' if !bytes[at - 1].is_ascii_alphanumeric() => {
                    let slashes = bytes[open..at].iter().rev();
                    let slashes = slashes.take_while(|byte| **byte == b'\\').count();
                    at = self.string_end(at + 1, byte, slashes).1;
                    continue;
                }
                _ => {}
            }
            at += 1;
            if depth == 0 {
                break;
            }
        }
        steps::count(at - open);
        let inside = self.text.get(open + 1..at)?;
        let inside = inside.trim_end_matches(['}', ']', ')']).trim();
        (!inside.is_empty()).then_some(open..at)
    }

    /// Matches a value without quotes.
    pub(super) fn bare(&self, start: usize, kind: Bare) -> Option<Range<usize>> {
        let credentials = self.credentials(start);
        let is_whole_line = matches!(kind, Bare::Line(_));
        let (start, kind) = if credentials > start && is_whole_line {
            (credentials, Bare::Word)
        } else {
            (credentials, kind)
        };
        let mut end = start;
        while let Some(byte) = self.byte(end) {
            let length = if byte == b'\\' {
                self.run(end, |byte| byte == b'\\')
            } else {
                1
            };
            if self.ends(end, length, kind) {
                break;
            }
            end += length;
        }
        steps::count(end - start + 1);
        let value = self.text.get(start..end)?;
        let is_nothing = value.starts_with('…')
            || value == "[REDACTED"
            || value.bytes().all(|byte| byte == b'*')
            || NOTHING.iter().any(|word| value.eq_ignore_ascii_case(word));
        (!is_nothing).then_some(start..end)
    }

    /// Returns the start of the credentials in a header, after the scheme.
    fn credentials(&self, start: usize) -> usize {
        let mut at = start;
        loop {
            let end = at + self.run(at, is_id);
            let word = self.text.get(at..end).unwrap_or_default();
            let space = self.run(end, |byte| byte == b' ' || byte == b'\t');
            let is_scheme = |scheme: &&str| word.eq_ignore_ascii_case(scheme);
            if space == 0 || !SCHEMES.iter().any(is_scheme) {
                return at;
            }
            at = end + space;
        }
    }

    /// Returns `true` if a value without quotes ends before this byte, or before this run
    /// of backslashes.
    fn ends(&self, at: usize, length: usize, kind: Bare) -> bool {
        let next = self.byte(at + length);
        let byte = self.bytes()[at];
        if let Bare::Line(quote) = kind {
            return match byte {
                b'\\' => matches!(next, Some(b'n' | b'r')) || (quote.is_some() && next == quote),
                _ => byte == b'\n' || byte == b'\r' || quote == Some(byte),
            };
        }
        match byte {
            b'&' | b'<' => true,
            b'#' => kind == Bare::Parameter,
            b',' | b';' => self.separates(at),
            b'"' | b'\'' | b'`' | b')' | b']' | b'}' | b'>' => {
                !next.is_some_and(|next| next.is_ascii_alphanumeric() || !next.is_ascii())
            }
            b'\\' => next.is_none_or(is_quote) || self.bytes()[at..].starts_with(b"\\u0026"),
            _ => byte.is_ascii_whitespace() || byte.is_ascii_control(),
        }
    }

    /// Returns `true` if the sign here is followed by another field or by nothing, and is
    /// therefore not part of the value.
    fn separates(&self, at: usize) -> bool {
        let near = &self.bytes()[at + 1..];
        let near = &near[..near.len().min(MAX_NAME)];
        let name = run(near, is_id);
        match near.get(name) {
            Some(b'=' | b':') => true,
            Some(byte) => name == 0 && (byte.is_ascii_whitespace() || b"\"'\\)]}".contains(byte)),
            None => name == 0,
        }
    }
}

fn contains_ignore_case(text: &str, part: &str) -> bool {
    let mut windows = text.as_bytes().windows(part.len());
    windows.any(|window| window.eq_ignore_ascii_case(part.as_bytes()))
}
