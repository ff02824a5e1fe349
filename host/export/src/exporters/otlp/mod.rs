//! Backends over OTLP.
//!
//! The senders are our own, and not those of the crate `opentelemetry-otlp`. That
//! one reads headers, endpoint and timeout from the environment, for every exporter
//! of the process and over what is said in code, so that one backend is sent
//! another's key; and it tells nobody how many spans a backend refused, or how often
//! a batch was sent.
//!
//! # Source
//! <https://opentelemetry.io/docs/specs/otlp/>

mod answer;
mod certificates;
mod endpoint;
mod error;
#[cfg(feature = "grpc")]
mod grpc;
mod headers;
mod http;
mod retry;
mod secret;
mod sink;

use std::time::Duration;

use opentelemetry::{Key, KeyValue, Value};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use ureq::http::Uri;

use endpoint::Address;
pub use error::{OtlpError, OtlpProblem};
use headers::Headers;
use http::HttpTransport;
use retry::Times;
pub use secret::Secret;
use sink::OtlpSink;

use crate::delivery::{Sink, Spilling, Transport};

const USER_AGENT: &str = concat!("spanmux/", env!("CARGO_PKG_VERSION"));

/// How a backend is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// Protobuf over HTTP/1.1.
    Http,
    /// gRPC. Needs the feature `grpc`.
    Grpc,
}

/// An exporter that speaks OTLP, to any backend that takes it.
///
/// For a backend with a name there is a [preset](crate::exporters). A preset becomes
/// an `OtlpExporter`, and can be changed as one.
///
/// What is sent where is said here and nowhere else: nothing comes from the
/// environment, no proxy and no header. Redirects are not followed.
///
/// # Examples
/// ```
/// use spanmux::exporters::{Exporter, OtlpExporter};
/// use std::time::Duration;
///
/// let exporter = OtlpExporter::http("https://collector.example.com:4318")
///     .header("x-tenant", "acme")
///     .gzip()
///     .timeout(Duration::from_secs(3));
/// let exporter = Exporter::from(exporter);
/// assert_eq!(
///     exporter.endpoint().as_deref(),
///     Some("https://collector.example.com:4318/v1/traces")
/// );
/// ```
#[derive(Clone, Debug)]
#[must_use = "an exporter does nothing until a tracer has it"]
pub struct OtlpExporter {
    name: &'static str,
    address: Address,
    origin: Option<String>,
    headers: Headers,
    gzip: bool,
    timeout: Option<Duration>,
    proxy: Option<Secret>,
    /// A key may stand beside them by mistake.
    ca_certificates: Option<Secret>,
    resource: Vec<KeyValue>,
}

impl OtlpExporter {
    fn to(address: Address) -> Self {
        Self {
            name: "otlp",
            address,
            origin: None,
            headers: Headers::default(),
            gzip: false,
            timeout: None,
            proxy: None,
            ca_certificates: None,
            resource: Vec::new(),
        }
    }

    /// To a receiver of OTLP over HTTP. Requests go to `/v1/traces` below this base
    /// URL, as OTLP says; it is not added a second time.
    pub fn http(base_url: impl Into<String>) -> Self {
        Self::to(Address::Base(base_url.into()))
    }

    /// To this very URL, over HTTP.
    pub fn http_to(url: impl Into<String>) -> Self {
        Self::to(Address::Whole(url.into()))
    }

    /// To a receiver of OTLP over gRPC, such as `http://localhost:4317`. With `https`
    /// it is spoken to over TLS. Needs the feature `grpc`.
    pub fn grpc(endpoint: impl Into<String>) -> Self {
        Self::to(Address::Host(endpoint.into()))
    }

    /// Sends a header with each request, in place of one of the same name. The value
    /// is sent as it is and never shown.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.headers.set(name.into(), value.into());
        self
    }

    /// Compresses requests.
    pub fn gzip(mut self) -> Self {
        self.gzip = true;
        self
    }

    /// How long one attempt may take. Unless it is said, as long as the
    /// [batch](crate::delivery::BatchConfig::timeout) may, which is the bound of all
    /// attempts together.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sends by way of an HTTP proxy, such as `http://proxy:3128`. The URL may hold a
    /// user and a password, and is never shown. There is none unless it is said, and
    /// none for gRPC.
    pub fn proxy(mut self, url: impl Into<Secret>) -> Self {
        self.proxy = Some(url.into());
        self
    }

    /// Trusts servers by these certificates of authorities, as PEM text, and by no
    /// others: for a server of your own. Without them it is those that Mozilla's
    /// browser trusts, as they were when this was built.
    pub fn ca_certificates(mut self, pem: impl Into<String>) -> Self {
        self.ca_certificates = Some(Secret::from(pem.into()));
        self
    }

    /// Sends to another host, by the same path and with the same headers: to a
    /// gateway before the backend. An origin is a scheme, a host and a port.
    pub fn origin(mut self, origin: impl Into<String>) -> Self {
        self.origin = Some(origin.into());
        self
    }

    /// An attribute that the backend wants in the resource. It wins over the
    /// tracer's own, for this exporter alone.
    pub fn resource(mut self, key: impl Into<Key>, value: impl Into<Value>) -> Self {
        self.resource.push(KeyValue::new(key, value));
        self
    }

    /// How the backend is spoken to.
    pub fn protocol(&self) -> Protocol {
        match self.address {
            Address::Host(_) => Protocol::Grpc,
            Address::Base(_) | Address::Whole(_) => Protocol::Http,
        }
    }

    /// The word for it in reports.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The URL that requests go to; for gRPC the host. A query is not shown, because
    /// it may hold a key.
    ///
    /// # Errors
    /// [`OtlpError`] if what was given is no address.
    pub fn endpoint(&self) -> Result<String, OtlpError> {
        let uri = self.uri().map_err(|problem| self.error(problem))?;
        let text = uri.to_string();
        let text = match self.protocol() {
            Protocol::Grpc => text.trim_end_matches('/'),
            Protocol::Http => &text,
        };
        Ok(endpoint::shown(text))
    }

    pub(super) fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// With a token as `authorization: Bearer`.
    pub(super) fn bearer(mut self, token: Secret) -> Self {
        self.headers.set_bearer(token);
        self
    }

    /// With a user and a password as `authorization: Basic`.
    pub(super) fn basic(mut self, user: &str, password: Secret) -> Self {
        self.headers.set_basic(user, password);
        self
    }

    /// What takes the batches, each within this time.
    pub(super) fn sink(self, batch: Duration) -> Result<Box<dyn Sink>, OtlpError> {
        let place = format!("{} at {}", self.name, self.endpoint()?);
        let attempt = self.timeout.unwrap_or(batch).min(batch);
        let transport = self
            .transport(Times { batch, attempt })
            .map_err(|problem| self.error(problem))?;
        Ok(Box::new(OtlpSink {
            place,
            transport: Spilling::new(transport),
            additions: self.resource,
            resource: ResourceAttributesWithSchema::default(),
        }))
    }

    fn transport(&self, times: Times) -> Result<Box<dyn Transport>, OtlpProblem> {
        Ok(match self.protocol() {
            Protocol::Http => Box::new(HttpTransport::new(self, times)?),
            #[cfg(feature = "grpc")]
            Protocol::Grpc => Box::new(grpc::GrpcTransport::new(self, times)?),
            #[cfg(not(feature = "grpc"))]
            Protocol::Grpc => return Err(OtlpProblem::NoGrpc),
        })
    }

    fn uri(&self) -> Result<Uri, OtlpProblem> {
        Ok(self.address.url(self.origin.as_deref())?)
    }

    fn error(&self, problem: OtlpProblem) -> OtlpError {
        OtlpError {
            exporter: self.name,
            problem,
        }
    }
}

fn spans(request: &ExportTraceServiceRequest) -> u64 {
    let scopes = request.resource_spans.iter().flat_map(|of| &of.scope_spans);
    scopes.map(|scope| scope.spans.len() as u64).sum()
}
