//! Valid addresses that are unlikely to accept traces.

/// The ports of OTLP receivers.
///
/// # Source
/// <https://opentelemetry.io/docs/specs/otlp/>: 4317 for gRPC and 4318 for HTTP.
const GRPC: &str = "4317";
const HTTP: &str = "4318";

/// The paths for other signals.
const OTHER_SIGNALS: [&str; 3] = ["/v1/metrics", "/v1/logs", "/v1development/profiles"];

/// Returns a warning for the URL of requests. It shows no part of the URL, which may come from the
/// environment.
pub(super) fn warning(url: &str, grpc: bool) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let rest = rest.split('?').next().unwrap_or_default();
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let port = authority.rsplit_once(':').map(|(_, port)| port);
    if let Some(signal) = OTHER_SIGNALS.iter().find(|signal| path.contains(*signal)) {
        return Some(format!(
            "the endpoint contains {signal:?}, which does not accept traces; remove the path"
        ));
    }
    match (port, grpc) {
        (Some(GRPC), false) => Some(format!(
            "the endpoint has port {GRPC}, on which receivers usually expect gRPC; use port \
             {HTTP}, or set `protocol = \"grpc\"`"
        )),
        (Some(HTTP), true) => Some(format!(
            "the endpoint has port {HTTP}, on which receivers usually expect HTTP; use port \
             {GRPC}, or set `protocol = \"http\"`"
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn warning_names_the_remedy() {
        for (url, grpc, remedy) in [
            (
                "http://a:4317/v1/traces",
                false,
                "set `protocol = \"grpc\"`",
            ),
            ("http://[::1]:4317/v1/traces", false, "use port 4318"),
            ("http://a:4318", true, "set `protocol = \"http\"`"),
            (
                "http://a:4318/v1/metrics/v1/traces",
                false,
                "remove the path",
            ),
            ("http://a/v1/logs", false, "remove the path"),
        ] {
            let warning = warning(url, grpc).unwrap();
            assert!(warning.contains(remedy), "{url}: {warning}");
        }
    }

    #[test]
    fn usual_addresses_have_no_warning() {
        for (url, grpc) in [
            ("http://a:4318/v1/traces", false),
            ("http://a:4317", true),
            ("https://a", true),
            ("http://[::4317]/v1/traces", false),
            ("https://a/api/public/otel/v1/traces?x=:4317", false),
        ] {
            assert_eq!(warning(url, grpc), None, "{url}");
        }
    }
}
