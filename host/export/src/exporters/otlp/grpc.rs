//! OTLP over gRPC.
//!
//! The connection runs on its own thread with its own runtime. The application may have no
//! runtime, or one that is blocked while spans are flushed.
//!
//! # Source
//! <https://opentelemetry.io/docs/specs/otlp/#otlpgrpc>

use std::error::Error;
use std::fmt;
use std::io;
use std::mem;
use std::sync::mpsc;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use parking_lot::Mutex;
use prost::Message as _;
use tokio::runtime::{Builder, Runtime};
use tonic::codec::CompressionEncoding;
use tonic::metadata::MetadataMap;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, ConnectError, Response, Status};
use tonic_types::StatusExt as _;

use super::certificates::Authorities;
use super::mask::Mask;
use super::retry::{self, Again, Attempt, Failure, Times};
use super::{OtlpExporter, OtlpProblem, USER_AGENT, spans};
use super::{answer, remedy};
use crate::delivery::{Loss, Sent, Terms, Transport};

/// The interval of HTTP/2 pings while a request waits, and the maximum time for a response.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

type Answer = Result<Response<ExportTraceServiceResponse>, Status>;

pub(super) struct GrpcTransport {
    /// `None` after shutdown.
    runtime: Mutex<Option<Runtime>>,
    endpoint: Endpoint,
    client: Mutex<TraceServiceClient<Channel>>,
    gzip: bool,
    metadata: MetadataMap,
    secrets: Mask,
    times: Times,
}

impl GrpcTransport {
    pub(super) fn new(exporter: &OtlpExporter, times: Times) -> Result<Self, OtlpProblem> {
        let (metadata, endpoint) = checked(exporter, times)?;
        let runtime = runtime().map_err(setup)?;
        let client = Mutex::new(client(&endpoint, exporter.gzip, &runtime));
        Ok(Self {
            runtime: Mutex::new(Some(runtime)),
            endpoint,
            client,
            gzip: exporter.gzip,
            metadata,
            secrets: exporter.mask(),
            times,
        })
    }

    fn attempt(&self, request: &ExportTraceServiceRequest, time: Duration) -> Attempt {
        match self.call(request, time) {
            Some(Ok(answer)) => answer::taken(answer.into_inner(), &self.secrets),
            Some(Err(status)) => Attempt::Failed(self.failure(&status)),
            None => {
                self.renew();
                Attempt::Failed(Failure {
                    cause: Loss::TimedOut,
                    message: format!("no response within {time:.1?}"),
                    again: Again::Soon,
                })
            }
        }
    }

    /// Leaves the connection, which may be dead without notice. The next attempt uses a new
    /// one.
    fn renew(&self) {
        if let Some(runtime) = &*self.runtime.lock() {
            *self.client.lock() = client(&self.endpoint, self.gzip, runtime);
        }
    }

    /// Waits on a channel instead of a future, so that it also works on threads of a
    /// runtime. Returns `None` if no response arrives in time.
    fn call(&self, request: &ExportTraceServiceRequest, time: Duration) -> Option<Answer> {
        let mut message = tonic::Request::new(request.clone());
        *message.metadata_mut() = self.metadata.clone();
        let mut client = self.client.lock().clone();
        let (sender, answer) = mpsc::sync_channel(1);
        self.runtime.lock().as_ref()?.spawn(async move {
            let call = tokio::time::timeout(time, client.export(message));
            // The receiver may be gone.
            let _ = sender.send(call.await.ok());
        });
        answer.recv().ok().flatten()
    }

    fn failure(&self, status: &Status) -> Failure {
        // A status with a source was created locally, not by the backend.
        match causes(status).last() {
            Some(last) => Failure {
                cause: lost_by(status),
                message: self.secrets.hide(last.to_string()) + remedy::of(&last.to_string()),
                again: Again::Soon,
            },
            None => self.answered(status),
        }
    }

    fn answered(&self, status: &Status) -> Failure {
        let code = status.code();
        let said = answer::clean(&self.secrets.hide(status.message().to_owned()));
        let asked = status.get_details_retry_info();
        let is_too_large = is_too_large(code, status.message());
        Failure {
            cause: if is_too_large {
                Loss::Rejected
            } else {
                cause(code)
            },
            message: format!(
                "answered {code:?} {said:?}{}{}",
                advice(code),
                remedy::of(&said)
            ),
            again: match asked.and_then(|info| info.retry_delay) {
                None if is_too_large => Again::Smaller,
                asked => again(code, asked),
            },
        }
    }
}

impl Transport for GrpcTransport {
    fn send(&self, request: &ExportTraceServiceRequest, terms: &Terms<'_>) -> Sent {
        if self.runtime.lock().is_none() {
            return Sent::none(spans(request), Loss::ShutDown, "the exporter is shut down");
        }
        let bytes = request.encoded_len();
        if bytes > terms.max_bytes {
            return retry::unsent(spans(request), bytes, terms);
        }
        retry::send(spans(request), self.times, terms, |time| {
            self.attempt(request, time)
        })
    }

    fn shutdown(&self) {
        if let Some(runtime) = self.runtime.lock().take() {
            // Blocking until the runtime ends is not allowed on threads of another runtime.
            runtime.shutdown_background();
        }
    }
}

impl Drop for GrpcTransport {
    fn drop(&mut self) {
        self.shutdown();
    }
}

impl fmt::Debug for GrpcTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrpcTransport").finish_non_exhaustive()
    }
}

fn client(endpoint: &Endpoint, gzip: bool, runtime: &Runtime) -> TraceServiceClient<Channel> {
    let channel = {
        let _inside = runtime.enter();
        endpoint.connect_lazy()
    };
    let client = TraceServiceClient::new(channel);
    if gzip {
        client.send_compressed(CompressionEncoding::Gzip)
    } else {
        client
    }
}

/// Checks the settings without starting the runtime.
pub(super) fn check(exporter: &OtlpExporter, times: Times) -> Result<(), OtlpProblem> {
    checked(exporter, times).map(drop)
}

fn checked(exporter: &OtlpExporter, times: Times) -> Result<(MetadataMap, Endpoint), OtlpProblem> {
    if exporter.proxy.is_some() {
        return Err(OtlpProblem::Proxy);
    }
    let headers = exporter.headers.checked()?;
    if let Some((name, _)) = headers.iter().find(|(_, value)| value.to_str().is_err()) {
        return Err(OtlpProblem::Header {
            header: name.to_string(),
            problem: "has a character beyond ASCII, which gRPC does not permit",
        });
    }
    let metadata = MetadataMap::from_headers(headers);
    let uri = exporter.uri()?.to_string();
    let endpoint = endpoint(uri, tls(exporter)?, times).map_err(setup)?;
    Ok((metadata, endpoint))
}

fn setup(error: impl Error + Send + Sync + 'static) -> OtlpProblem {
    OtlpProblem::Setup(Box::new(error))
}

fn tls(exporter: &OtlpExporter) -> Result<ClientTlsConfig, OtlpProblem> {
    let tls = ClientTlsConfig::new();
    Ok(match Authorities::of(exporter)?.pem() {
        Some(pem) => tls.ca_certificate(Certificate::from_pem(pem)),
        None => tls.with_webpki_roots(),
    })
}

fn endpoint(
    uri: String,
    tls: ClientTlsConfig,
    times: Times,
) -> Result<Endpoint, tonic::transport::Error> {
    let is_https = uri.starts_with("https:");
    let endpoint = Endpoint::from_shared(uri)?
        .user_agent(USER_AGENT)?
        .connect_timeout(times.first() / 2)
        // Detects a dead connection during a long attempt. Servers close a connection with
        // frequent or idle pings.
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE);
    if is_https {
        endpoint.tls_config(tls)
    } else {
        Ok(endpoint)
    }
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("spanmux-grpc")
        .enable_all()
        // Tracing events of the connection must not become spans. The scope lasts as long
        // as the thread.
        .on_thread_start(|| mem::forget(Context::enter_telemetry_suppressed_scope()))
        .build()
}

/// Parts of the messages with which gRPC servers and proxies refuse the size of a request. The
/// code alone does not tell a request that is too large from too many requests.
const TOO_LARGE: [&str; 5] = [
    "larger than max",
    "exceeds maximum size",
    "exceeds the maximum",
    "length too large",
    "status code 413",
];

fn is_too_large(code: Code, message: &str) -> bool {
    let may_be = matches!(
        code,
        Code::ResourceExhausted | Code::OutOfRange | Code::Unknown
    );
    may_be && TOO_LARGE.iter().any(|part| message.contains(part))
}

/// Returns the retry behaviour for a code. The specification defines which are retried
/// soon.
fn again(code: Code, asked: Option<Duration>) -> Again {
    match (code, asked) {
        (Code::ResourceExhausted, None) => Again::Later,
        (Code::Unauthenticated | Code::PermissionDenied, _) => Again::Denied,
        // The backend refuses the content. Everything else may be another server's answer,
        // or change with its configuration.
        (Code::InvalidArgument | Code::AlreadyExists, _) => Again::Never,
        (
            Code::ResourceExhausted
            | Code::Cancelled
            | Code::DeadlineExceeded
            | Code::Aborted
            | Code::OutOfRange
            | Code::Unavailable
            | Code::DataLoss,
            asked,
        ) => asked.map_or(Again::Soon, Again::After),
        (Code::Internal | Code::Unknown, Some(asked)) => Again::After(asked),
        _ => Again::Later,
    }
}

fn cause(code: Code) -> Loss {
    match code {
        Code::DeadlineExceeded => Loss::TimedOut,
        Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::Unauthenticated => Loss::Rejected,
        _ => Loss::Unavailable,
    }
}

fn advice(code: Code) -> &'static str {
    match code {
        Code::Unauthenticated | Code::PermissionDenied => "; check the key",
        Code::Unimplemented => "; check that the endpoint accepts traces over gRPC",
        _ => "",
    }
}

fn causes(status: &Status) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(Error::source(status), |&error| error.source())
}

/// Returns the cause of a missing response: the connection failed or was closed.
fn lost_by(status: &Status) -> Loss {
    if causes(status).any(|error| error.is::<ConnectError>()) {
        Loss::Unreachable
    } else {
        Loss::Unavailable
    }
}
