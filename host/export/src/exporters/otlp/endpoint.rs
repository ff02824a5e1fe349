//! Converts configured addresses to request URLs.

use ureq::http::Uri;
use ureq::http::uri::{Parts, PathAndQuery};

/// The path for traces below the base URL of an OTLP receiver over HTTP.
///
/// # Source
/// <https://opentelemetry.io/docs/specs/otlp/#otlphttp-request>
pub(super) const TRACES: &str = "/v1/traces";

/// An address as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// Returns the URL for requests, with the host of `origin` if one is given.
    pub(super) fn url(&self, origin: Option<&str>) -> Result<Uri, WrongAddress> {
        let (Self::Base(text) | Self::Whole(text) | Self::Host(text)) = self;
        let mut parts = parse(text)?;
        let path = parts.path_and_query.as_ref();
        let path = path.cloned().unwrap_or(PathAndQuery::from_static("/"));
        parts.path_and_query = Some(match self {
            Self::Whole(_) => path,
            Self::Base(_) => below(&path).ok_or_else(|| wrong(text, "is not a URL"))?,
            Self::Host(_) if path == "/" => path,
            Self::Host(_) => return Err(wrong(text, "must not have a path for gRPC")),
        });
        if let Some(origin) = origin {
            let other = parse(origin)?;
            if other.path_and_query.is_some_and(|path| path != "/") {
                return Err(wrong(origin, "has a path; only the host can be replaced"));
            }
            (parts.scheme, parts.authority) = (other.scheme, other.authority);
        }
        Uri::from_parts(parts).map_err(|_| wrong(text, "is not a URL"))
    }
}

fn below(path: &PathAndQuery) -> Option<PathAndQuery> {
    let base = path.path().trim_end_matches('/');
    let base = base.strip_suffix(TRACES).unwrap_or(base);
    let query = path.query().map(|query| format!("?{query}"));
    format!("{base}{TRACES}{}", query.unwrap_or_default())
        .parse()
        .ok()
}

fn parse(text: &str) -> Result<Parts, WrongAddress> {
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
        Some(_) if uri.host().is_some_and(|host| !host.is_empty()) => Ok(uri.into_parts()),
        _ => Err(wrong(text, "has no host")),
    }
}

fn wrong(text: &str, problem: &str) -> WrongAddress {
    WrongAddress {
        address: shown(text),
        problem: problem.to_owned(),
    }
}

/// Hides the user, the password and the query of an address, because each of them may
/// contain keys.
pub(super) fn shown(text: &str) -> String {
    let (before, query) = match text.split_once('?') {
        Some((before, _)) => (before, "?***"),
        None => (text, ""),
    };
    let (scheme, rest) = before.split_once("://").unwrap_or(("", before));
    let slashes = if scheme.is_empty() { "" } else { "://" };
    match rest.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}{slashes}***@{host}{query}"),
        None => format!("{before}{query}"),
    }
}
