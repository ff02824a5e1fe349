//! An in-process backend that records every byte of its requests.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use parking_lot::Mutex;
use prost::Message as _;

/// One request as received. Header names keep their case.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut of_name = self.headers.iter().filter(|(known, _)| known == name);
        let (_, value) = of_name.next()?;
        assert!(of_name.next().is_none(), "{name} is sent twice");
        Some(value)
    }

    pub(crate) fn message(&self) -> ExportTraceServiceRequest {
        ExportTraceServiceRequest::decode(&*self.body).unwrap()
    }
}

/// The reaction of the backend to a request.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// A status, headers including their line breaks, and a body.
    Status(u16, &'static str, Vec<u8>),
    /// Accepts a body of at most this number of bytes, and refuses a larger one.
    Within(usize),
    /// Reads the request and sends no response.
    Hang,
    /// Reads the request and closes the connection.
    Close,
}

impl Answer {
    pub(crate) fn status(status: u16) -> Self {
        Self::Status(status, "", Vec::new())
    }
}

/// An HTTP/1.1 server with persistent connections.
pub(crate) struct Collector {
    address: SocketAddr,
    state: Arc<State>,
}

struct State {
    /// The last answer also applies to all later requests.
    answers: Vec<Answer>,
    received: Mutex<Vec<Received>>,
    connections: AtomicUsize,
}

impl Collector {
    /// Starts a backend that accepts all requests.
    pub(crate) fn start() -> Self {
        Self::answering([Answer::status(200)])
    }

    pub(crate) fn answering(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            answers: answers.into_iter().collect(),
            received: Mutex::default(),
            connections: AtomicUsize::new(0),
        });
        let shared = state.clone();
        // The thread ends with the process.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let state = shared.clone();
                state.connections.fetch_add(1, Ordering::Relaxed);
                thread::spawn(move || state.serve(stream.unwrap()));
            }
        });
        Self { address, state }
    }

    pub(crate) fn authority(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.state.received.lock().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::Relaxed)
    }
}

impl State {
    fn serve(&self, stream: TcpStream) {
        let mut writer = stream.try_clone().unwrap();
        let mut reader = BufReader::new(stream);
        while let Some(request) = read(&mut reader) {
            let length = request.body.len();
            let answer = match self.next(request) {
                Answer::Within(most) if length > most => Answer::status(413),
                Answer::Within(_) => Answer::status(200),
                other => other,
            };
            match answer {
                Answer::Within(_) => unreachable!("it became a status"),
                Answer::Status(status, headers, body) => {
                    let length = body.len();
                    let head = format!(
                        "HTTP/1.1 {status} Said\r\ncontent-length: {length}\r\n{headers}\r\n"
                    );
                    let answer = [head.into_bytes(), body].concat();
                    if writer.write_all(&answer).is_err() {
                        return;
                    }
                }
                Answer::Hang => thread::sleep(Duration::from_secs(60)),
                Answer::Close => return,
            }
        }
    }

    fn next(&self, request: Received) -> Answer {
        let mut received = self.received.lock();
        received.push(request);
        let place = received.len().min(self.answers.len()) - 1;
        self.answers[place].clone()
    }
}

/// Returns `None` when the client closes the connection.
fn read(reader: &mut impl BufRead) -> Option<Received> {
    let first = line(reader)?;
    let mut words = first.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    assert_eq!(words.next(), Some("HTTP/1.1"));
    let mut headers = Vec::new();
    loop {
        let text = line(reader)?;
        let Some((name, value)) = text.split_once(": ") else {
            assert_eq!(text, "");
            break;
        };
        headers.push((name.to_owned(), value.to_owned()));
    }
    let mut request = Received {
        method,
        path,
        headers,
        body: Vec::new(),
    };
    let length = request.header("content-length").unwrap().parse().unwrap();
    request.body = vec![0; length];
    reader.read_exact(&mut request.body).ok()?;
    Some(request)
}

fn line(reader: &mut impl BufRead) -> Option<String> {
    let mut text = String::new();
    match reader.read_line(&mut text) {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(text.trim_end_matches("\r\n").to_owned()),
    }
}
