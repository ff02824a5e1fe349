//! Why an OTLP exporter was not made.

use std::error::Error;
use std::fmt;

use super::endpoint::WrongAddress;
use super::headers::WrongHeader;

/// Why an OTLP exporter was not made. No secret is in it.
#[derive(Debug)]
pub struct OtlpError {
    /// The word for the exporter: `otlp`, `langfuse`, …
    pub exporter: &'static str,
    /// What is wrong.
    pub problem: OtlpProblem,
}

/// What is wrong with an OTLP exporter.
#[derive(Debug)]
#[non_exhaustive]
pub enum OtlpProblem {
    /// Its endpoint is no address.
    Endpoint {
        /// The endpoint, without a query or a user.
        endpoint: String,
        /// What is wrong with it, and the remedy.
        problem: String,
    },
    /// A header cannot be sent.
    Header {
        /// The header's name.
        header: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// It speaks gRPC, and this build does not.
    NoGrpc,
    /// Its proxy is no address, or it speaks gRPC, which goes through none.
    Proxy,
    /// Its certificates are no PEM text, or none.
    Certificates,
    /// The thread or the connection of gRPC cannot be set up.
    Setup(Box<dyn Error + Send + Sync>),
}

impl From<WrongAddress> for OtlpProblem {
    fn from(wrong: WrongAddress) -> Self {
        Self::Endpoint {
            endpoint: wrong.address,
            problem: wrong.problem,
        }
    }
}

impl From<WrongHeader> for OtlpProblem {
    fn from(wrong: WrongHeader) -> Self {
        Self::Header {
            header: wrong.name,
            problem: wrong.problem,
        }
    }
}

impl fmt::Display for OtlpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exporter = self.exporter;
        match &self.problem {
            OtlpProblem::Endpoint { endpoint, problem } => {
                write!(
                    f,
                    "the endpoint {endpoint:?} of exporter {exporter} {problem}"
                )
            }
            OtlpProblem::Header { header, problem } => {
                write!(f, "the header {header:?} of exporter {exporter} {problem}")
            }
            OtlpProblem::NoGrpc => write!(
                f,
                "exporter {exporter} speaks gRPC, which is not built in; switch on the feature \
                 `grpc` of the crate `spanmux`, or use HTTP where the backend takes it"
            ),
            OtlpProblem::Proxy => write!(
                f,
                "exporter {exporter} has a proxy that is no URL such as \"http://proxy:3128\", \
                 or speaks gRPC, which goes through none"
            ),
            OtlpProblem::Certificates => write!(
                f,
                "the certificates that exporter {exporter} shall trust are no PEM text with a \
                 `BEGIN CERTIFICATE` line"
            ),
            OtlpProblem::Setup(_) => write!(f, "exporter {exporter} cannot be set up for gRPC"),
        }
    }
}

impl Error for OtlpError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.problem {
            OtlpProblem::Setup(source) => Some(&**source),
            _ => None,
        }
    }
}
