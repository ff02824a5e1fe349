//! An in-process gRPC backend that records every header.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use parking_lot::Mutex;
use prost::bytes::{BufMut as _, Bytes, BytesMut};
use tokio::net::{TcpListener, TcpStream};
use tonic_types::{ErrorDetails, StatusExt as _};
use ureq::http::{HeaderMap, Request, Response};

use crate::collector::Received;

/// The reaction of the backend to a request.
#[derive(Clone, Debug)]
pub(crate) enum GrpcAnswer {
    /// Accepts the request with this response message.
    Taken(Vec<u8>),
    /// A status, and the requested delay.
    Status(tonic::Code, Option<Duration>),
    /// A page of another server, with this status.
    Page(u16),
    /// Accepts a message of at most this number of bytes, and refuses a larger one as a server
    /// in Go does.
    Within(usize),
    Hang,
    /// Resets the stream without a response.
    Reset,
}

pub(crate) struct GrpcCollector {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    _runtime: tokio::runtime::Runtime,
}

impl GrpcCollector {
    pub(crate) fn start() -> Self {
        Self::answering([GrpcAnswer::Taken(Vec::new())])
    }

    /// Starts a backend. The last answer also applies to all later requests.
    pub(crate) fn answering(answers: impl IntoIterator<Item = GrpcAnswer>) -> Self {
        let answers: Arc<[GrpcAnswer]> = answers.into_iter().collect();
        let received = Arc::new(Mutex::new(Vec::new()));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let log = received.clone();
        runtime.spawn(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, answers.clone(), log.clone()));
            }
        });
        Self {
            address,
            received,
            _runtime: runtime,
        }
    }

    pub(crate) fn authority(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().clone()
    }
}

async fn serve(stream: TcpStream, answers: Arc<[GrpcAnswer]>, log: Arc<Mutex<Vec<Received>>>) {
    let Ok(mut connection) = h2::server::handshake(stream).await else {
        return;
    };
    while let Some(Ok((request, respond))) = connection.accept().await {
        let (answers, log) = (answers.clone(), log.clone());
        tokio::spawn(async move {
            let received = read(request).await;
            let length = received.body.len();
            let answer = {
                let mut log = log.lock();
                log.push(received);
                answers[log.len().min(answers.len()) - 1].clone()
            };
            let answer = match answer {
                GrpcAnswer::Within(most) if length <= most => GrpcAnswer::Taken(Vec::new()),
                other => other,
            };
            reply(respond, answer, length).await;
        });
    }
}

async fn read(request: Request<RecvStream>) -> Received {
    let (head, mut body) = request.into_parts();
    let mut frame = BytesMut::new();
    while let Some(Ok(data)) = body.data().await {
        let _ = body.flow_control().release_capacity(data.len());
        frame.extend_from_slice(&data);
    }
    let mut headers: Vec<_> = head
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.push((
        ":authority".to_owned(),
        head.uri.authority().unwrap().to_string(),
    ));
    Received {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        headers,
        // Skips the compression flag (one byte) and the length (four bytes).
        body: frame.split_off(5).to_vec(),
    }
}

async fn reply(mut respond: SendResponse<Bytes>, answer: GrpcAnswer, length: usize) {
    let head = |headers: &[(&'static str, String)]| {
        let mut response = Response::new(());
        *response.headers_mut() = map(headers);
        response
    };
    let kind = ("content-type", "application/grpc".to_owned());
    match answer {
        GrpcAnswer::Taken(message) => {
            let mut body = respond.send_response(head(&[kind]), false).unwrap();
            let mut frame = BytesMut::new();
            frame.put_u8(0);
            frame.put_u32(message.len().try_into().unwrap());
            frame.put_slice(&message);
            body.send_data(frame.freeze(), false).unwrap();
            body.send_trailers(map(&[("grpc-status", "0".to_owned())]))
                .unwrap();
        }
        GrpcAnswer::Status(code, wait) => {
            let details = match wait {
                Some(wait) => ErrorDetails::with_retry_info(Some(wait)),
                None => ErrorDetails::new(),
            };
            let status = tonic::Status::with_error_details(code, "no", details);
            let mut response = status.into_http::<()>();
            response.headers_mut().extend(map(&[kind]));
            respond.send_response(response.map(|_| ()), true).unwrap();
        }
        GrpcAnswer::Within(most) => {
            let message = format!("grpc: received message larger than max ({length} vs. {most})");
            let status = tonic::Status::resource_exhausted(message);
            let mut response = status.into_http::<()>();
            response.headers_mut().extend(map(&[kind]));
            respond.send_response(response.map(|_| ()), true).unwrap();
        }
        GrpcAnswer::Page(status) => {
            let mut response = head(&[("content-type", "text/html".to_owned())]);
            *response.status_mut() = status.try_into().unwrap();
            let mut body = respond.send_response(response, false).unwrap();
            let page = Bytes::from_static(b"<html><title>Log in</title></html>");
            body.send_data(page, true).unwrap();
        }
        GrpcAnswer::Hang => tokio::time::sleep(Duration::from_secs(60)).await,
        GrpcAnswer::Reset => respond.send_reset(Reason::REFUSED_STREAM),
    }
}

fn map(headers: &[(&'static str, String)]) -> HeaderMap {
    let headers = headers.iter();
    headers
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect()
}
