//! Backends on the loopback interface that count spans by their names.

use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use h2::RecvStream;
use h2::server::SendResponse;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use parking_lot::Mutex;
use prost::Message as _;
use prost::bytes::{Bytes, BytesMut};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use ureq::http::{HeaderMap, Request, Response};

/// A kind of outage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outage {
    Refused,
    Hanging,
    Unavailable,
    NotFound,
    DnsGone,
}

impl Outage {
    pub(crate) const ALL: [Self; 5] = [
        Self::Refused,
        Self::Hanging,
        Self::Unavailable,
        Self::NotFound,
        Self::DnsGone,
    ];
}

impl fmt::Display for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "refuses connections",
            Self::Hanging => "hangs",
            Self::Unavailable => "answers 503",
            Self::NotFound => "answers 404",
            Self::DnsGone => "has no address",
        })
    }
}

/// The protocol of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    Http,
    Grpc,
}

impl fmt::Display for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "HTTP",
            Self::Grpc => "gRPC",
        })
    }
}

/// A server whose outages can be switched.
pub(crate) struct Server {
    runtime: Runtime,
    wire: Wire,
    address: SocketAddr,
    state: Arc<State>,
    accepting: Option<JoinHandle<Infallible>>,
}

#[derive(Default)]
struct State {
    outage: Mutex<Option<Outage>>,
    /// The number of times that each span was received, by its number.
    spans: Mutex<Vec<u8>>,
    connections: Mutex<Vec<JoinHandle<Option<()>>>>,
}

impl Server {
    pub(crate) fn start(wire: Wire) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"));
        let listener = listener.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let mut server = Self {
            runtime,
            wire,
            address,
            state: Arc::default(),
            accepting: None,
        };
        server.accept(listener);
        server
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Starts or ends an outage.
    pub(crate) fn set(&mut self, outage: Option<Outage>) {
        *self.state.outage.lock() = outage;
        if outage == Some(Outage::Refused) {
            if let Some(accepting) = self.accepting.take() {
                accepting.abort();
                let _ = self.runtime.block_on(accepting);
            }
            for connection in self.state.connections.lock().drain(..) {
                connection.abort();
            }
        } else if self.accepting.is_none() {
            let listener = self.runtime.block_on(TcpListener::bind(self.address));
            self.accept(listener.expect("the port is still free"));
        }
    }

    /// Returns the number of different spans, and of those received more than once.
    pub(crate) fn received(&self) -> (u64, u64) {
        let spans = self.state.spans.lock();
        let count = |least| spans.iter().filter(|times| **times >= least).count() as u64;
        (count(1), count(2))
    }

    fn accept(&mut self, listener: TcpListener) {
        let (state, wire) = (self.state.clone(), self.wire);
        self.accepting = Some(self.runtime.spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    continue;
                };
                let serving = state.clone();
                let connection = tokio::spawn(async move {
                    match wire {
                        Wire::Http => serving.http(stream).await,
                        Wire::Grpc => serving.grpc(stream).await,
                    }
                });
                let mut connections = state.connections.lock();
                connections.retain(|connection| !connection.is_finished());
                connections.push(connection);
            }
        }));
    }
}

impl State {
    fn outage(&self) -> Option<Outage> {
        *self.outage.lock()
    }

    fn count(&self, request: &[u8]) {
        let request = ExportTraceServiceRequest::decode(request).expect("a valid request");
        let scopes = request.resource_spans.iter().flat_map(|of| &of.scope_spans);
        let mut counts = self.spans.lock();
        for span in scopes.flat_map(|scope| &scope.spans) {
            let number: usize = span.name.parse().expect("a number");
            if counts.len() <= number {
                counts.resize(number + 1, 0);
            }
            counts[number] = counts[number].saturating_add(1);
        }
    }

    /// Serves requests until the client closes the connection.
    async fn http(&self, stream: TcpStream) -> Option<()> {
        let mut stream = BufReader::new(stream);
        loop {
            let mut length = 0;
            loop {
                let mut line = String::new();
                if stream.read_line(&mut line).await.ok()? == 0 {
                    return None;
                }
                let line = line.trim_end().to_ascii_lowercase();
                if line.is_empty() {
                    break;
                }
                if let Some(text) = line.strip_prefix("content-length: ") {
                    length = text.parse().ok()?;
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).await.ok()?;
            let status = match self.outage() {
                None => {
                    self.count(&body);
                    "200 OK"
                }
                Some(Outage::Unavailable) => "503 Service Unavailable",
                Some(Outage::NotFound) => "404 Not Found",
                Some(_) => {
                    std::future::pending::<()>().await;
                    return None;
                }
            };
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.ok()?;
        }
    }

    async fn grpc(self: Arc<Self>, stream: TcpStream) -> Option<()> {
        let mut builder = h2::server::Builder::new();
        builder
            .initial_window_size(1 << 22)
            .initial_connection_window_size(1 << 22);
        let mut connection = builder.handshake::<_, Bytes>(stream).await.ok()?;
        while let Some(Ok((request, respond))) = connection.accept().await {
            let state = self.clone();
            tokio::spawn(async move { state.call(request, respond).await });
        }
        None
    }

    async fn call(
        &self,
        request: Request<RecvStream>,
        mut respond: SendResponse<Bytes>,
    ) -> Option<()> {
        let mut body = request.into_body();
        let mut frame = BytesMut::new();
        while let Some(data) = body.data().await {
            let data = data.ok()?;
            let _ = body.flow_control().release_capacity(data.len());
            frame.extend_from_slice(&data);
        }
        let mut response = Response::new(());
        let headers = response.headers_mut();
        headers.insert("content-type", "application/grpc".parse().ok()?);
        let status = match self.outage() {
            // Skips the compression flag (one byte) and the length (four bytes).
            None => {
                self.count(frame.get(5..)?);
                let mut stream = respond.send_response(response, false).ok()?;
                stream.send_data(Bytes::from_static(&[0; 5]), false).ok()?;
                let mut trailers = HeaderMap::new();
                trailers.insert("grpc-status", "0".parse().ok()?);
                return stream.send_trailers(trailers).ok();
            }
            Some(Outage::Unavailable) => tonic::Code::Unavailable,
            Some(Outage::NotFound) => tonic::Code::NotFound,
            Some(_) => {
                std::future::pending::<()>().await;
                return None;
            }
        };
        let status = (status as i32).to_string();
        headers.insert("grpc-status", status.parse().ok()?);
        respond.send_response(response, true).ok().map(drop)
    }
}
