//! Certificate authorities that servers are verified with.

use ureq::tls::{Certificate, PemItem, parse_pem};

use super::{OtlpExporter, OtlpProblem};

/// Returns the configured certificate authorities, or `None` for the public ones.
pub(super) fn of(
    exporter: &OtlpExporter,
) -> Result<Option<Vec<Certificate<'static>>>, OtlpProblem> {
    let Some(pem) = &exporter.ca_certificates else {
        return Ok(None);
    };
    let mut certificates = Vec::new();
    for item in parse_pem(pem.expose().as_bytes()) {
        // The text may also contain keys.
        if let PemItem::Certificate(certificate) = item.map_err(|_| OtlpProblem::Certificates)? {
            certificates.push(certificate);
        }
    }
    // An empty list would reject every server, which is never intended.
    if certificates.is_empty() {
        Err(OtlpProblem::Certificates)
    } else {
        Ok(Some(certificates))
    }
}
