//! Sends spans to backends over OTLP.
//!
//! This module does not use the crate `opentelemetry-otlp`. That crate reads headers,
//! endpoint and timeout from the environment, for every exporter of the process, and the
//! environment overrides the code. One backend would receive the key of another. It also
//! does not report how many spans a backend refused, or how often a batch was sent.
//!
//! # Source
//! <https://opentelemetry.io/docs/specs/otlp/>

mod accepted;
mod answer;
mod certificates;
mod endpoint;
mod error;
#[cfg(feature = "grpc")]
mod grpc;
mod headers;
mod http;
mod late_answer;
mod mask;
mod proxy;
mod remedy;
mod retry;
mod secret;
mod sink;

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::{Key, KeyValue, Value};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use ureq::http::Uri;

use endpoint::Address;
pub use error::{OtlpError, OtlpProblem};
use headers::Headers;
use http::HttpTransport;
use mask::{Hidden, Mask};
use retry::Times;
pub use secret::Secret;
use sink::OtlpSink;

use crate::delivery::{Sink, SizeLimits, Transport};
use crate::exporters::{Dialect, RemoteParent};

const USER_AGENT: &str = concat!("spanmux/", env!("CARGO_PKG_VERSION"));

/// The protocol of a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// Protobuf over HTTP/1.1.
    Http,
    /// gRPC. Requires the feature `grpc`.
    Grpc,
}

/// An exporter for any backend that accepts OTLP.
///
/// For common backends, use a [preset](crate::exporters). A preset converts into an
/// `OtlpExporter`, which can be adjusted further.
///
/// All settings come from these methods. The exporter reads nothing from the environment,
/// neither a proxy nor a header. It does not follow redirects.
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
    origin: Option<Address>,
    headers: Headers,
    gzip: bool,
    timeout: Option<Duration>,
    proxy: Option<Secret>,
    no_proxy: Vec<String>,
    /// Treated as secret, because the text may contain a private key by mistake.
    ca_certificates: Option<Secret>,
    system_certificates: bool,
    resource: Vec<KeyValue>,
    sizes: SizeLimits,
    remote_parent: RemoteParent,
    dialect: Option<Dialect>,
}

/// The limit for requests over HTTP, the default of the OpenTelemetry Collector.
const MAX_HTTP_BYTES: usize = 20 << 20;

/// The limit for requests over gRPC, the default of most gRPC servers.
const MAX_GRPC_BYTES: usize = 4 << 20;

impl OtlpExporter {
    fn to(address: Address) -> Self {
        let request = match address {
            Address::Host(_) => MAX_GRPC_BYTES,
            Address::Base(_) | Address::Whole(_) => MAX_HTTP_BYTES,
        };
        Self {
            name: "otlp",
            address,
            origin: None,
            headers: Headers::default(),
            gzip: false,
            timeout: None,
            proxy: None,
            no_proxy: Vec::new(),
            ca_certificates: None,
            system_certificates: false,
            resource: Vec::new(),
            sizes: SizeLimits {
                request,
                ..SizeLimits::default()
            },
            remote_parent: RemoteParent::Keep,
            dialect: None,
        }
    }

    /// Sends to an OTLP receiver over HTTP. Requests go to `/v1/traces` below this base
    /// URL, as specified by OTLP. If the URL already ends with this path, it is not
    /// appended again.
    pub fn http(base_url: impl Into<String>) -> Self {
        Self::to(Address::Base(base_url.into()))
    }

    /// Sends to exactly this URL, over HTTP.
    pub fn http_to(url: impl Into<String>) -> Self {
        Self::to(Address::Whole(url.into()))
    }

    /// Sends to an OTLP receiver over gRPC, such as `http://localhost:4317`. An `https` URL
    /// uses TLS. Requires the feature `grpc`.
    pub fn grpc(endpoint: impl Into<String>) -> Self {
        Self::to(Address::Host(endpoint.into()))
    }

    /// Sends a header with each request and replaces an existing header of the same name.
    /// The value is sent unchanged and never shown.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.headers.set(name.into(), value.into());
        self
    }

    /// Compresses requests with gzip.
    pub fn gzip(mut self) -> Self {
        self.gzip = true;
        self
    }

    /// Sets the most bytes of one request, measured before compression. Defaults to the limit of
    /// the backend if its preset knows it, otherwise to 20 MiB over HTTP and 4 MiB over gRPC, the
    /// defaults of the OpenTelemetry Collector and of gRPC servers.
    ///
    /// A larger batch becomes several requests. If the backend refuses a request for its size
    /// all the same (status 413, or `RESOURCE_EXHAUSTED` in gRPC), it is split in halves until
    /// the oversized span is alone, and later batches are split in advance. A span that is too
    /// large alone is [shortened](crate::delivery::DeliveryCounts::shortened), its largest
    /// values first; if the backend refuses it even then, it alone is lost as
    /// [`Rejected`](crate::delivery::Loss::Rejected).
    ///
    /// # Examples
    /// ```
    /// use spanmux::exporters::OtlpExporter;
    ///
    /// let exporter = OtlpExporter::http("http://gateway:4318").max_request_bytes(1_000_000);
    /// # drop(exporter);
    /// ```
    pub fn max_request_bytes(mut self, bytes: usize) -> Self {
        self.sizes.request = bytes;
        self
    }

    /// Sets the most bytes of one span. A larger span is shortened, its largest values first.
    /// Defaults to the limit of the backend if its preset knows it, otherwise to that of a
    /// request.
    pub fn max_span_bytes(mut self, bytes: usize) -> Self {
        self.sizes.span = bytes;
        self
    }

    /// Sets the maximum time of one attempt. The maximum time of a
    /// [batch](crate::delivery::BatchConfig::max_export_timeout) limits all attempts together. Until an attempt
    /// has timed out, one attempt takes at most half of it, so that a second one on a new
    /// connection is always possible.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sends through an HTTP proxy, such as `http://proxy:3128`. The URL may contain a user
    /// and a password, percent-encoded, and is never shown. Defaults to no proxy; the
    /// environment is not read. gRPC does not support proxies.
    ///
    /// The proxy opens a tunnel to an `https` backend. It reads the requests to an `http`
    /// backend, keys included.
    pub fn proxy(mut self, url: impl Into<Secret>) -> Self {
        self.proxy = Some(url.into());
        self
    }

    /// Sets the hosts that are reached without the proxy: `localhost` is this host,
    /// `.internal` (or `*.internal`) every host below it, and `*` every host.
    ///
    /// # Examples
    /// ```
    /// use spanmux::exporters::OtlpExporter;
    ///
    /// let exporter = OtlpExporter::http("http://collector.internal:4318")
    ///     .proxy("http://proxy:3128")
    ///     .no_proxy(["localhost", ".internal"]);
    /// # drop(exporter);
    /// ```
    pub fn no_proxy(mut self, hosts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.no_proxy = hosts.into_iter().map(Into::into).collect();
        self
    }

    /// Trusts only servers with certificates issued by these certificate authorities (PEM
    /// text), for example a self-hosted server. Defaults to the root certificates of
    /// Mozilla, as compiled into the binary.
    pub fn ca_certificates(mut self, pem: impl Into<String>) -> Self {
        self.ca_certificates = Some(Secret::from(pem.into()));
        self
    }

    /// Trusts servers with certificates issued by the certificate authorities of the operating
    /// system, in addition to [those given](Self::ca_certificates) and instead of those of
    /// Mozilla: for example in a company that issues certificates itself. They are read when
    /// the exporter is built. On Unix, the variables `SSL_CERT_FILE` and `SSL_CERT_DIR` name
    /// other files.
    pub fn system_certificates(mut self) -> Self {
        self.system_certificates = true;
        self
    }

    /// Sends to another host with the same path and headers, for example to a gateway in
    /// front of the backend. An origin consists of a scheme, a host and a port.
    pub fn origin(mut self, origin: impl Into<String>) -> Self {
        self.origin = Some(Address::Host(origin.into()));
        self
    }

    /// Returns the resource attributes of this exporter, which are redacted when it starts.
    pub(crate) fn own_resource(&mut self) -> &mut [KeyValue] {
        &mut self.resource
    }

    /// Adds a resource attribute for this exporter. It overrides the attribute of the
    /// tracer with the same key.
    pub fn resource(mut self, key: impl Into<Key>, value: impl Into<Value>) -> Self {
        self.resource.push(KeyValue::new(key, value));
        self
    }

    /// Returns the protocol.
    pub fn protocol(&self) -> Protocol {
        match self.address {
            Address::Host(_) => Protocol::Grpc,
            Address::Base(_) | Address::Whole(_) => Protocol::Http,
        }
    }

    /// Returns the name of the exporter in reports.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the URL that requests go to, or the host for gRPC. The query is hidden
    /// because it may contain a key.
    ///
    /// # Errors
    /// Returns an [`OtlpError`] if the address is invalid.
    pub fn endpoint(&self) -> Result<String, OtlpError> {
        let uri = self.uri().map_err(|problem| self.error(problem))?;
        let text = endpoint::shown_uri(&uri);
        Ok(match self.protocol() {
            Protocol::Grpc => text.trim_end_matches('/').to_owned(),
            Protocol::Http => text,
        })
    }

    pub(super) fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// Marks a backend for traces of AI applications, which usually receives only the part of a
    /// trace that this process records, and reads the names of this dialect.
    pub(super) fn for_llm(mut self, dialect: Dialect) -> Self {
        self.remote_parent = RemoteParent::Link;
        self.dialect = Some(dialect);
        self
    }

    pub(super) fn remote_parent(&self) -> RemoteParent {
        self.remote_parent
    }

    /// Returns the dialect of the backend, if its preset knows it.
    pub(super) fn dialect(&self) -> Option<Dialect> {
        self.dialect
    }

    /// Sends a token as `authorization: Bearer`.
    pub(super) fn bearer(mut self, token: Secret) -> Self {
        self.headers.set_bearer(token);
        self
    }

    /// Sends a user and a password as `authorization: Basic`.
    pub(super) fn basic(mut self, user: &str, password: Secret) -> Self {
        self.headers.set_basic(user, password);
        self
    }

    /// Checks the settings as [`sink`](Self::sink) does, without a thread or a connection.
    pub(super) fn check(&self, batch: Duration) -> Result<(), OtlpError> {
        self.endpoint()?;
        let times = self.times(batch);
        let checked = match self.protocol() {
            Protocol::Http => HttpTransport::new(self, times).map(drop),
            #[cfg(feature = "grpc")]
            Protocol::Grpc => grpc::check(self, times),
            #[cfg(not(feature = "grpc"))]
            Protocol::Grpc => Err(OtlpProblem::NoGrpc),
        };
        checked.map_err(|problem| self.error(problem))
    }

    fn times(&self, batch: Duration) -> Times {
        Times::new(batch, self.timeout)
    }

    /// Creates the sink, which takes at most `batch` for each batch.
    pub(super) fn sink(self, batch: Duration) -> Result<Box<dyn Sink>, OtlpError> {
        let place = format!("{} at {}", self.name, self.endpoint()?);
        let transport = self
            .transport(self.times(batch))
            .map_err(|problem| self.error(problem))?;
        Ok(Box::new(OtlpSink::new(
            place,
            transport,
            self.resource,
            self.sizes,
        )))
    }

    fn transport(&self, times: Times) -> Result<Arc<dyn Transport>, OtlpProblem> {
        Ok(match self.protocol() {
            Protocol::Http => Arc::new(HttpTransport::new(self, times)?),
            #[cfg(feature = "grpc")]
            Protocol::Grpc => Arc::new(grpc::GrpcTransport::new(self, times)?),
            #[cfg(not(feature = "grpc"))]
            Protocol::Grpc => return Err(OtlpProblem::NoGrpc),
        })
    }

    fn uri(&self) -> Result<Uri, OtlpProblem> {
        Ok(self.address.url(self.origin.as_ref())?)
    }

    /// Returns the mask that each message of the exporter passes: it hides the values of the
    /// headers and of the query, and the credentials of the proxy.
    fn mask(&self) -> Mask {
        let uri = self.uri().ok();
        let query = uri.as_ref().and_then(Uri::query).unwrap_or_default();
        let in_query = query.split('&').map(|pair| match pair.split_once('=') {
            Some((name, value)) => Hidden::named(name, value),
            None => Hidden::Value(pair),
        });
        let proxy = self.proxy.as_ref().map_or("", Secret::expose);
        let rest = proxy.split_once("://").map_or(proxy, |(_, rest)| rest);
        let pair = rest.rsplit_once('@').map_or("", |(pair, _)| pair);
        let password = pair.split_once(':').map_or("", |(_, password)| password);
        let of_proxy = [
            Hidden::Value(proxy),
            Hidden::Value(pair),
            Hidden::Key(password),
        ];
        Mask::of(self.headers.secrets().chain(in_query).chain(of_proxy))
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
