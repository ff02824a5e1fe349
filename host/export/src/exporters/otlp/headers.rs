//! The headers of one exporter.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ureq::http::{HeaderMap, HeaderName, HeaderValue, header};

use super::Secret;
use super::mask::Hidden;
use super::secret::HIDDEN;

/// Headers that the protocols set themselves, as well as all names that start with `grpc-`.
const TAKEN: [HeaderName; 8] = [
    header::CONNECTION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::EXPECT,
    header::HOST,
    header::TE,
    header::TRANSFER_ENCODING,
];

/// Configured names and values. Values are sent unchanged: never decoded, trimmed or
/// truncated.
#[derive(Clone, Default)]
pub(super) struct Headers {
    values: Vec<(String, Secret)>,
    /// Secrets that are part of a value in another form.
    inside: Vec<Secret>,
}

/// An invalid header, without its value.
pub(super) struct WrongHeader {
    pub(super) name: String,
    pub(super) problem: &'static str,
}

impl Headers {
    /// Sets a header and replaces an existing header of the same name.
    pub(super) fn set(&mut self, name: String, value: Secret) {
        self.values
            .retain(|(known, _)| !known.eq_ignore_ascii_case(&name));
        self.values.push((name, value));
    }

    pub(super) fn set_bearer(&mut self, token: Secret) {
        // An empty token must remain an empty value, which is then reported as missing.
        let value = match token.expose() {
            "" => token.clone(),
            token => Secret::from(format!("Bearer {token}")),
        };
        self.inside.push(token);
        self.set("authorization".to_owned(), value);
    }

    pub(super) fn set_basic(&mut self, user: &str, password: Secret) {
        let pair = Secret::from(STANDARD.encode(format!("{user}:{}", password.expose())));
        let value = match (user, password.expose()) {
            ("", _) | (_, "") => Secret::from(""),
            _ => Secret::from(format!("Basic {}", pair.expose())),
        };
        self.inside.extend([pair, password]);
        self.set("authorization".to_owned(), value);
    }

    pub(super) fn checked(&self) -> Result<HeaderMap, WrongHeader> {
        let mut map = HeaderMap::with_capacity(self.values.len() + 2);
        for (name, value) in &self.values {
            let (known, value) = header(name, value).map_err(|problem| WrongHeader {
                name: shown(name),
                problem,
            })?;
            map.insert(known, value);
        }
        Ok(map)
    }

    /// Returns all secrets, which messages must not contain.
    pub(super) fn secrets(&self) -> impl Iterator<Item = Hidden<'_>> {
        let values = self.values.iter();
        let values = values.map(|(name, value)| Hidden::named(name, value.expose()));
        let inside = self.inside.iter().map(Secret::expose);
        values.chain(inside.map(Hidden::Key))
    }
}

/// Returns `true` for `Bearer` or `Basic` without a token, often left by an empty variable.
fn is_scheme_alone(value: &str) -> bool {
    let value = value.trim();
    ["bearer", "basic"]
        .iter()
        .any(|scheme| value.eq_ignore_ascii_case(scheme))
}

fn header(name: &str, value: &Secret) -> Result<(HeaderName, HeaderValue), &'static str> {
    let name: HeaderName = name.parse().map_err(|_| "has an invalid name")?;
    if TAKEN.contains(&name) || name.as_str().starts_with("grpc-") {
        return Err("is set by the protocol itself");
    }
    if name.as_str().ends_with("-bin") {
        return Err("has a name that gRPC reserves for binary values");
    }
    if value.expose().is_empty() {
        return Err("is empty: a key or an id is missing");
    }
    if is_scheme_alone(value.expose()) {
        return Err("has a scheme without a token: the key is missing");
    }
    let mut value: HeaderValue = value.expose().parse().map_err(
        |_| "has a character that is invalid in headers, often a line break at the end of a key",
    )?;
    value.set_sensitive(true);
    Ok((name, value))
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The names are not shown, because a key may be given as a name by mistake.
        write!(f, "{} headers", self.values.len())
    }
}

/// Hides a name that is invalid, because it may contain the value by mistake. A name before
/// a colon or a space is shown.
fn shown(name: &str) -> String {
    if name.parse::<HeaderName>().is_ok() {
        return name.to_owned();
    }
    match name.trim().split_once([':', ' ']) {
        Some((first, _)) if first.parse::<HeaderName>().is_ok() => format!("{first} {HIDDEN}"),
        _ => HIDDEN.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::Headers;
    use crate::exporters::otlp::mask::Mask;

    #[test]
    fn hide_removes_every_form_of_a_key() {
        let mut headers = Headers::default();
        headers.set("x-api-key".to_owned(), "an-api-key".into());
        headers.set("x-mlflow-experiment-id".to_owned(), "0".into());
        headers.set_basic("user", "pass-word".into());
        let said = "an-api-key 0 pass-word dXNlcjpwYXNzLXdvcmQ= Basic dXNlcjpwYXNzLXdvcmQ=";
        let hide = |headers: &Headers, said: &str| Mask::of(headers.secrets()).hide(said.into());
        assert_eq!(hide(&headers, said), "*** 0 *** *** ***");

        headers.set_bearer("a-bearer-token".into());
        let said = "a-bearer-token, Bearer a-bearer-token";
        assert_eq!(hide(&headers, said), "***, ***");
    }
}
