//! Errors of OTLP exporters.

use std::error::Error;
use std::fmt;

use super::endpoint::WrongAddress;
use super::headers::WrongHeader;

/// The reason why an OTLP exporter could not be created. Contains no secret.
#[derive(Debug)]
#[non_exhaustive]
pub struct OtlpError {
    /// The name of the exporter: `otlp`, `langfuse`, …
    pub exporter: &'static str,
    /// The problem.
    pub problem: OtlpProblem,
}

/// A problem with the settings of an OTLP exporter.
#[derive(Debug)]
#[non_exhaustive]
pub enum OtlpProblem {
    /// The endpoint is not a valid address.
    Endpoint {
        /// The endpoint, without its query and user.
        endpoint: String,
        /// The problem and the remedy.
        problem: String,
    },
    /// A header is invalid.
    Header {
        /// The name of the header.
        header: String,
        /// The problem.
        problem: &'static str,
    },
    /// The exporter uses gRPC, which is not compiled in.
    NoGrpc,
    /// An exception of the proxy is not a host.
    ProxyException {
        /// The exception.
        host: String,
    },
    /// The proxy URL is invalid, or the exporter uses gRPC, which does not support proxies.
    Proxy,
    /// The certificates are not valid PEM text, or the text contains no certificate.
    Certificates,
    /// The operating system has no certificate authorities that can be read.
    SystemCertificates {
        /// The first problem, which may be empty.
        problem: String,
    },
    /// The thread or the connection of gRPC could not be set up.
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
                "exporter {exporter} uses gRPC, which is not compiled in; enable the feature \
                 `grpc` of the crate `spanmux`, or use HTTP if the backend accepts it"
            ),
            OtlpProblem::ProxyException { host } => write!(
                f,
                "the exception {host:?} of the proxy of exporter {exporter} is not a host; write a \
                 host, or \".internal\" for every host below it"
            ),
            OtlpProblem::Proxy => write!(
                f,
                "exporter {exporter} has an invalid proxy URL (expected one such as \
                 \"http://proxy:3128\"), or uses gRPC, which does not support proxies"
            ),
            OtlpProblem::Certificates => write!(
                f,
                "the CA certificates of exporter {exporter} are not PEM text with a \
                 `BEGIN CERTIFICATE` line"
            ),
            OtlpProblem::SystemCertificates { problem } => write!(
                f,
                "the system has no readable certificate authorities for exporter {exporter}; \
                 install the package `ca-certificates`, or give the exporter its own. {problem}"
            ),
            OtlpProblem::Setup(_) => write!(f, "failed to set up gRPC for exporter {exporter}"),
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
