//! Converts configured addresses to request URLs.

use std::fmt;

use ureq::http::Uri;
use ureq::http::uri::{Parts, PathAndQuery};

/// The path for traces below the base URL of an OTLP receiver over HTTP.
///
/// # Source
/// <https://opentelemetry.io/docs/specs/otlp/#otlphttp-request>
pub(super) const TRACES: &str = "/v1/traces";

/// An address as configured.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// The base URL of a receiver. [`TRACES`] is appended.
    Base(String),
    /// The complete URL.
    Whole(String),
    /// A gRPC receiver, with a host and no path.
    Host(String),
}

/// An invalid address.
pub(super) struct WrongAddress {
    /// The address without its secret parts.
    pub(super) address: String,
    pub(super) problem: String,
}

impl Address {
    fn text(&self) -> &str {
        let (Self::Base(text) | Self::Whole(text) | Self::Host(text)) = self;
        text
    }

    /// Returns the URL for requests, with the host of `origin` if one is given.
    pub(super) fn url(&self, origin: Option<&Self>) -> Result<Uri, WrongAddress> {
        let text = self.text();
        let mut parts = parse(text)?;
        let path = parts.path_and_query.as_ref();
        let path = path.cloned().unwrap_or(PathAndQuery::from_static("/"));
        parts.path_and_query = Some(match self {
            Self::Whole(_) => path,
            Self::Base(_) if base_of(&path).contains(TRACES) => {
                let problem = format!("contains {TRACES} twice; remove it");
                return Err(wrong(text, &problem));
            }
            Self::Base(_) => below(&path).ok_or_else(|| wrong(text, "is not a URL"))?,
            Self::Host(_) if path == "/" => path,
            Self::Host(_) => return Err(wrong(text, "must not have a path for gRPC")),
        });
        if let Some(origin) = origin.map(Self::text) {
            let other = parse(origin)?;
            if other.path_and_query.is_some_and(|path| path != "/") {
                return Err(wrong(origin, "has a path; only the host can be replaced"));
            }
            (parts.scheme, parts.authority) = (other.scheme, other.authority);
        }
        Uri::from_parts(parts).map_err(|_| wrong(text, "is not a URL"))
    }
}

/// Returns the base path without [`TRACES`].
fn base_of(path: &PathAndQuery) -> &str {
    let base = path.path().trim_end_matches('/');
    base.strip_suffix(TRACES).unwrap_or(base)
}

fn below(path: &PathAndQuery) -> Option<PathAndQuery> {
    let base = base_of(path);
    let query = path.query().map(|query| format!("?{query}"));
    format!("{base}{TRACES}{}", query.unwrap_or_default())
        .parse()
        .ok()
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", shown(self.text()))
    }
}

fn parse(text: &str) -> Result<Parts, WrongAddress> {
    if has_split_credentials(text) {
        let problem = "contains credentials, which would be shown; send them in a header";
        return Err(wrong(text, problem));
    }
    if let Some(problem) = surroundings(text) {
        return Err(wrong(text, problem));
    }
    let uri: Uri = text.parse().map_err(|_| wrong(text, "is not a URL"))?;
    match uri.scheme_str() {
        Some("http" | "https") => {}
        Some(_) => return Err(wrong(text, "must use http or https")),
        None => {
            let problem = format!("has no scheme; write \"http://{}\" or https", shown(text));
            return Err(wrong(text, &problem));
        }
    }
    match uri.authority().map(|authority| authority.as_str()) {
        Some(authority) if authority.contains('@') => Err(wrong(
            text,
            "contains credentials, which would be shown; send them in a header",
        )),
        Some(authority) if has_invalid_port(authority) => Err(wrong(
            text,
            "has an invalid port; a port is a number from 1 to 65535",
        )),
        Some(_) if uri.host().is_some_and(|host| !host.is_empty()) => Ok(uri.into_parts()),
        _ => Err(wrong(text, "has no host")),
    }
}

/// Returns the problem with what an environment variable or a file often has around an address.
fn surroundings(text: &str) -> Option<&'static str> {
    let is_quote = |c: char| matches!(c, '"' | '\'' | '`');
    if text.trim().is_empty() {
        return Some("is empty: the address is missing");
    }
    if text.starts_with(is_quote) || text.ends_with(is_quote) {
        return Some("contains quotes; remove them");
    }
    (text.trim() != text).then_some("begins or ends with a space or a line break; remove it")
}

/// Returns `true` if a port is given that is no number from 1 to 65535.
fn has_invalid_port(authority: &str) -> bool {
    let host = authority.rfind(']').map_or(0, |end| end + 1);
    let port = authority[host..].split_once(':').map(|(_, port)| port);
    port.is_some_and(|port| !matches!(port.parse::<u16>(), Ok(1..)))
}

fn wrong(text: &str, problem: &str) -> WrongAddress {
    WrongAddress {
        address: shown(text),
        problem: problem.to_owned(),
    }
}

/// Returns a valid address without its query, which may contain a key.
pub(super) fn shown_uri(uri: &Uri) -> String {
    let scheme = uri.scheme_str().unwrap_or_default();
    let host = uri.authority().map_or("", |authority| authority.as_str());
    let host = host.rsplit('@').next().unwrap_or_default();
    let query = uri.query().map_or("", |_| "?***");
    format!("{scheme}://{host}{}{query}", uri.path())
}

/// Returns `true` if `?` or `#` ends the host and `@` follows. The characters before `@`
/// are then a password with a reserved character, not a host.
fn has_split_credentials(text: &str) -> bool {
    let (_, rest) = text.split_once("://").unwrap_or(("", text));
    let end = rest.find(['/', '?', '#']).map(|place| &rest[place..]);
    end.is_some_and(|end| !end.starts_with('/') && end.contains('@'))
}

/// Hides the user, the password, the query and the fragment of an address that may be
/// invalid, because each of them may contain keys. A password may contain `?` and `#`, so
/// nothing is shown if `@` follows one of them.
pub(super) fn shown(text: &str) -> String {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), text),
    };
    let (before, hidden) = match rest.find(['?', '#']) {
        Some(place) if rest[place..].contains('@') => return format!("{scheme}***"),
        Some(place) => (&rest[..place], format!("{}***", &rest[place..=place])),
        None => (rest, String::new()),
    };
    match before.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}***@{host}{hidden}"),
        None => format!("{scheme}{}{hidden}", without_password(before)),
    }
}

/// Hides what stands in the place of a port and is no port: the password of credentials whose
/// `@` was forgotten.
fn without_password(rest: &str) -> String {
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.find(']').map_or(0, |end| end + 1);
    match authority[host..].split_once(':') {
        Some((name, port)) if port.parse::<u32>().is_err() && !port.is_empty() => {
            // The path may be the rest of the password.
            format!("{}{name}:***", &authority[..host])
        }
        _ => format!("{authority}{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Address, shown};

    #[test]
    fn shown_hides_secret_parts() {
        let rows = [
            ("https://host/v1", "https://host/v1"),
            ("https://host/v1?key=s3cr3t#x", "https://host/v1?***"),
            ("https://host/v1#s3cr3t", "https://host/v1#***"),
            ("https://user:s3cr3t?rest@host", "https://***"),
            ("https://user:s3cr3t#rest@host", "https://***"),
            ("https://user:s3cr3t/rest@host", "https://***@host"),
            ("https://user:s3@cr3t@host/", "https://***@host/"),
            ("https:user:s3cr3t@host", "***@host"),
            ("user:s3cr3t?@host", "***"),
            ("https://s3cr3t@", "https://***@"),
            ("https://user:s3cr3t", "https://user:***"),
            ("https://user:s3cr3t/s3", "https://user:***"),
            ("https://[::1]:4318/v1", "https://[::1]:4318/v1"),
            ("https://host:99999/v1", "https://host:99999/v1"),
            ("https://host:/v1", "https://host:/v1"),
        ];
        for (text, expected) in rows {
            assert_eq!(shown(text), expected);
            let debug = format!("{:?}", Address::Base(text.to_owned()));
            assert!(!debug.contains("s3"), "{debug}");
        }
    }

    #[test]
    fn url_refuses_a_password_that_ends_the_host() {
        for text in ["https://user:123?rest@host", "https://user:123#rest@host"] {
            let wrong = Address::Base(text.to_owned()).url(None).err();
            let wrong = wrong.map(|wrong| format!("{} {}", wrong.address, wrong.problem));
            assert!(
                wrong.is_some_and(|text| text.contains("credentials") && !text.contains("123"))
            );
        }
        assert!(
            Address::Base("https://host:1/in?mail=a@b".to_owned())
                .url(None)
                .is_ok()
        );
    }
}
