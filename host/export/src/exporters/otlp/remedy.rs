//! Remedies for errors of connections, which other crates report in their own words.

/// Parts of error messages, each with its remedy.
const REMEDIES: [(&str, &str); 5] = [
    (
        "UnknownIssuer",
        "; the issuer of the server's certificate is not trusted: set its CA certificates",
    ),
    (
        "CaUsedAsEndEntity",
        "; the server uses a CA certificate as its own: issue a server certificate",
    ),
    (
        "CertificateRequired",
        "; the server requires a client certificate, which is not supported",
    ),
    (
        "frame with invalid size",
        "; the server does not answer with HTTP/2: check the port or use HTTP, or https for TLS",
    ),
    (
        "invalid compression flag",
        "; the server does not answer with gRPC, often a login page: check the endpoint",
    ),
];

/// Returns the remedy for an error of a connection, or an empty text.
pub(super) fn of(message: &str) -> &'static str {
    let known = REMEDIES.iter().find(|(part, _)| message.contains(part));
    known.map_or("", |(_, remedy)| remedy)
}
