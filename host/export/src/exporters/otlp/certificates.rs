//! Who vouches for a server.

use ureq::tls::{Certificate, PemItem, parse_pem};

use super::{OtlpExporter, OtlpProblem};

/// The certificates that servers are trusted by; none if it is those of the public.
pub(super) fn of(
    exporter: &OtlpExporter,
) -> Result<Option<Vec<Certificate<'static>>>, OtlpProblem> {
    let Some(pem) = &exporter.ca_certificates else {
        return Ok(None);
    };
    let mut certificates = Vec::new();
    for item in parse_pem(pem.expose().as_bytes()) {
        // Keys may stand beside them.
        if let PemItem::Certificate(certificate) = item.map_err(|_| OtlpProblem::Certificates)? {
            certificates.push(certificate);
        }
    }
    // Without any nobody would be trusted, which is not what was meant.
    match certificates.is_empty() {
        true => Err(OtlpProblem::Certificates),
        false => Ok(Some(certificates)),
    }
}
