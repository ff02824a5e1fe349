//! OTLP as protobuf over HTTP.
//!
//! # Source
//! <https://opentelemetry.io/docs/specs/otlp/#otlphttp>

use std::fmt;
use std::io::{self, Write as _};
use std::time::{Duration, SystemTime};

use flate2::Compression;
use flate2::write::GzEncoder;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;
use tracing::Dispatch;
use tracing::dispatcher::with_default;
use ureq::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use ureq::tls::TlsConfig;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::{Agent, Body};

use super::accepted::{self, Verdict};
use super::certificates::Authorities;
use super::mask::Mask;
use super::proxy::{self, ForwardConnector, Way};
use super::retry::{self, Again, Attempt, Failure, Times};
use super::{OtlpExporter, OtlpProblem, USER_AGENT, answer, late_answer, remedy, spans};
use crate::delivery::{Loss, Sent, Terms, Transport};

const PROTOBUF: HeaderValue = HeaderValue::from_static("application/x-protobuf");

/// The port on which OTLP receivers usually expect gRPC.
const GRPC_PORT: u16 = 4317;

const EXPECTS_GRPC: &str = "; the server may expect gRPC: check the port or use gRPC";

pub(super) struct HttpTransport {
    agent: Agent,
    /// The URL to connect to: that of the backend, or of a proxy that reads the requests.
    uri: Uri,
    way: Way,
    headers: HeaderMap,
    secrets: Mask,
    gzip: bool,
    times: Times,
}

impl HttpTransport {
    pub(super) fn new(exporter: &OtlpExporter, times: Times) -> Result<Self, OtlpProblem> {
        let mut headers = exporter.headers.checked()?;
        headers.insert(header::CONTENT_TYPE, PROTOBUF);
        if exporter.gzip {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        let uri = exporter.uri()?;
        let way = Way::of(exporter, &uri)?;
        Ok(Self {
            agent: agent(exporter, &way, &uri)?,
            uri: way.forward(uri, &mut headers)?,
            way,
            headers,
            secrets: exporter.mask(),
            gzip: exporter.gzip,
            times,
        })
    }

    fn attempt(&self, body: &[u8], time: Duration) -> Attempt {
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        let request = self
            .agent
            .configure_request(request)
            .timeout_global(Some(time))
            // Distinguishes an unreachable backend from a slow one.
            .timeout_resolve(Some(time / 2))
            .timeout_connect(Some(time / 2))
            .build();
        // `ureq` logs the bytes that it sends, including keys, at the finest level. An
        // empty dispatcher keeps them from the subscribers of the application.
        with_default(&Dispatch::none(), || match self.agent.run(request) {
            Ok(response) => self.answered(response),
            Err(error) => Attempt::Failed(self.not_answered(&error)),
        })
    }

    fn answered(&self, mut response: Response<Body>) -> Attempt {
        let status = response.status();
        let asked = retry_after(response.headers());
        let text = |name| {
            response
                .headers()
                .get(name)?
                .to_str()
                .ok()
                .map(str::to_owned)
        };
        let content_type = text(header::CONTENT_TYPE);
        let encoding = text(header::CONTENT_ENCODING);
        let body = answer::read(response.body_mut().as_reader(), encoding.as_deref());
        let is_unknown = body.is_none();
        let body = body.unwrap_or_default();
        if status.is_success() {
            let verdict = match status {
                StatusCode::NO_CONTENT => accepted::verdict(None, &[]),
                _ => accepted::verdict(content_type.as_deref(), &body),
            };
            return self.judged(status, verdict, &body, is_unknown);
        }
        Attempt::Failed(Failure {
            cause: cause(status),
            message: format!(
                "answered {status}{}{}",
                self.said(&body),
                self.advice(status)
            ),
            again: again(status, asked),
        })
    }

    fn judged(
        &self,
        status: StatusCode,
        verdict: Verdict,
        body: &[u8],
        is_unknown: bool,
    ) -> Attempt {
        match verdict {
            Verdict::Accepted(_) if is_unknown => Attempt::Taken {
                rejected: 0,
                said: "responded in an unknown content encoding".to_owned(),
            },
            Verdict::Accepted(answer) => answer::taken(answer, &self.secrets),
            // Another server may have answered, so a disk buffer keeps the spans.
            Verdict::Refused { problem, remedy } => Attempt::Failed(Failure {
                cause: Loss::Unavailable,
                message: format!("answered {status}{problem}{}{remedy}", self.said(body)),
                again: Again::Later,
            }),
        }
    }

    /// Returns the message of the backend in quotes.
    fn said(&self, body: &[u8]) -> String {
        match answer::excerpt(body, &self.secrets) {
            Some(text) => format!(" {text:?}"),
            None => String::new(),
        }
    }

    /// Returns the remedy for a status, of the backend or of a proxy that reads the requests.
    fn advice(&self, status: StatusCode) -> &'static str {
        match self.way {
            Way::Forward(_) if status == StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                proxy::advice(status.as_u16())
            }
            _ => advice(status),
        }
    }

    fn not_answered(&self, error: &ureq::Error) -> Failure {
        let cause = unanswered(error);
        let text = error.to_string();
        let hint = match error {
            ureq::Error::ConnectProxyFailed(message) => {
                proxy::refused(message).map_or("", |status| proxy::advice(status.as_u16()))
            }
            _ => self.hint(error, &text),
        };
        let proxy = self.way.shown().filter(|_| cause == Loss::Unreachable);
        let through = proxy.map(|proxy| format!(", through the proxy {proxy}"));
        Failure {
            cause,
            message: self.secrets.hide(text) + &through.unwrap_or_default() + hint,
            again: match cause {
                Loss::Failed => Again::Later,
                _ => Again::Soon,
            },
        }
    }

    /// Returns the remedy for a server that does not speak HTTP/1.1, or for a failed handshake.
    fn hint(&self, error: &ureq::Error, text: &str) -> &'static str {
        // Many gRPC servers close a connection that does not begin like HTTP/2. Others close
        // connections for many reasons.
        let is_grpc_port = self.uri.port_u16() == Some(GRPC_PORT);
        match error {
            ureq::Error::Protocol(_) => EXPECTS_GRPC,
            ureq::Error::Io(_) if is_grpc_port && unanswered(error) == Loss::Unavailable => {
                EXPECTS_GRPC
            }
            _ => remedy::of(text),
        }
    }

    fn compressed(&self, bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        if !self.gzip {
            return Ok(bytes);
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&bytes)?;
        encoder.finish()
    }
}

impl Transport for HttpTransport {
    fn send(&self, request: &ExportTraceServiceRequest, terms: &Terms<'_>) -> Sent {
        let spans = spans(request);
        let bytes = request.encode_to_vec();
        if bytes.len() > terms.max_bytes {
            return retry::unsent(spans, bytes.len(), terms);
        }
        match self.compressed(bytes) {
            Ok(body) => retry::send(spans, self.times, terms, |time| self.attempt(&body, time)),
            Err(error) => Sent::none(spans, Loss::Failed, error.to_string()),
        }
    }

    fn shutdown(&self) {
        self.agent.clone().shutdown();
    }
}

impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpTransport").finish_non_exhaustive()
    }
}

fn agent(exporter: &OtlpExporter, way: &Way, uri: &Uri) -> Result<Agent, OtlpProblem> {
    let roots = Authorities::of(exporter)?.roots();
    let config = Agent::config_builder()
        .tls_config(TlsConfig::builder().root_certs(roots).build())
        // By default, `ureq` uses the proxy from the environment, for the whole process.
        .proxy(way.tunnel())
        // A redirect would send the keys to another host.
        .max_redirects(0)
        .http_status_as_error(false)
        .user_agent(USER_AGENT)
        // One request runs at a time. A further connection would only be one that may be
        // dead without notice.
        .max_idle_connections(1)
        .max_idle_connections_per_host(1)
        .build();
    Ok(Agent::with_parts(
        config,
        late_answer::connector(ForwardConnector(way.origin(uri))),
        DefaultResolver::default(),
    ))
}

fn cause(status: StatusCode) -> Loss {
    match status {
        StatusCode::TOO_MANY_REQUESTS => Loss::Unavailable,
        // A proxy answered, and not the backend.
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => Loss::Unreachable,
        _ if status.is_server_error() => Loss::Unavailable,
        _ => Loss::Rejected,
    }
}

/// Returns the retry behaviour for a status. The specification defines which are retried
/// soon.
fn again(status: StatusCode, asked: Option<Duration>) -> Again {
    match (status.as_u16(), asked) {
        (408 | 425 | 429 | 500..=599, Some(asked)) => Again::After(asked),
        (429 | 502..=504, None) => Again::Soon,
        (413, _) => Again::Smaller,
        (401..=403, _) => Again::Denied,
        // The backend refuses the content. Everything else may be another server's answer,
        // or change with its configuration.
        (400 | 422, _) => Again::Never,
        _ => Again::Later,
    }
}

fn advice(status: StatusCode) -> &'static str {
    match status.as_u16() {
        300..=399 => "; redirects are not followed, to keep the key on this host",
        401 | 403 => "; check the key",
        402 => "; check the plan and the payment of the account",
        404 | 405 => "; check the endpoint",
        413 => "; set `max_request_bytes` to the limit of the backend",
        _ => "",
    }
}

/// Reads the `retry-after` header, which contains seconds or a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => {
            let date = httpdate::parse_http_date(text).ok()?;
            date.duration_since(SystemTime::now()).ok()
        }
    }
}

fn unanswered(error: &ureq::Error) -> Loss {
    use io::ErrorKind;
    match error {
        ureq::Error::Timeout(ureq::Timeout::Resolve | ureq::Timeout::Connect) => Loss::Unreachable,
        ureq::Error::Timeout(_) => Loss::TimedOut,
        ureq::Error::Io(error) => match error.kind() {
            ErrorKind::TimedOut => Loss::TimedOut,
            // The connection was established and then closed.
            ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::UnexpectedEof => Loss::Unavailable,
            _ => Loss::Unreachable,
        },
        ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::ConnectProxyFailed(_)
        | ureq::Error::Tls(_)
        | ureq::Error::Rustls(_) => Loss::Unreachable,
        // The response was not valid HTTP.
        ureq::Error::Protocol(_) | ureq::Error::LargeResponseHeader(..) => Loss::Unavailable,
        _ => Loss::Failed,
    }
}
