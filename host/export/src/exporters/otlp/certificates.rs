//! Certificate authorities that servers are verified with.

#[cfg(feature = "grpc")]
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ureq::tls::{Certificate, PemItem, RootCerts, parse_pem};

use super::{OtlpExporter, OtlpProblem};

/// The trusted certificate authorities.
pub(super) enum Authorities {
    /// Those of Mozilla, as compiled into the binary.
    Public,
    /// These, each in DER.
    Only(Vec<Vec<u8>>),
}

impl Authorities {
    /// Returns the authorities that an exporter trusts: its own, those of the system, or both.
    pub(super) fn of(exporter: &OtlpExporter) -> Result<Self, OtlpProblem> {
        let mut all = Vec::new();
        if let Some(pem) = &exporter.ca_certificates {
            own(pem.expose(), &mut all)?;
        }
        if exporter.system_certificates {
            of_system(&mut all)?;
        }
        Ok(if all.is_empty() {
            Self::Public
        } else {
            Self::Only(all)
        })
    }

    /// Converts them for HTTP.
    pub(super) fn roots(self) -> RootCerts {
        match self {
            Self::Public => RootCerts::WebPki,
            Self::Only(all) => {
                let owned = all.iter().map(|der| Certificate::from_der(der).to_owned());
                owned.collect::<Vec<_>>().into()
            }
        }
    }

    /// Converts them to PEM, for gRPC. Returns `None` for the public ones.
    #[cfg(feature = "grpc")]
    pub(super) fn pem(&self) -> Option<String> {
        let Self::Only(all) = self else {
            return None;
        };
        let text = |der: &Vec<u8>| {
            format!(
                "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
                STANDARD.encode(der)
            )
        };
        Some(all.iter().map(text).collect())
    }
}

fn own(pem: &str, all: &mut Vec<Vec<u8>>) -> Result<(), OtlpProblem> {
    let before = all.len();
    for item in parse_pem(pem.as_bytes()) {
        // The text may also contain keys.
        if let PemItem::Certificate(certificate) = item.map_err(|_| OtlpProblem::Certificates)? {
            all.push(certificate.der().to_vec());
        }
    }
    // An empty list would reject every server, which is never intended.
    if all.len() == before {
        Err(OtlpProblem::Certificates)
    } else {
        Ok(())
    }
}

/// Adds the authorities of the operating system. Some of its files may be unreadable.
fn of_system(all: &mut Vec<Vec<u8>>) -> Result<(), OtlpProblem> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        let problem = found.errors.first().map(ToString::to_string);
        return Err(OtlpProblem::SystemCertificates {
            problem: problem.unwrap_or_default(),
        });
    }
    all.extend(found.certs.iter().map(|der| der.to_vec()));
    Ok(())
}
