//! Tests for connections that die without notice, and for responses to requests that were
//! not read completely.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use spanmux::delivery::{DiskBuffer, Loss};
use spanmux::exporters::{Exporter, OtlpExporter};
use spanmux::otel::OtelTracer;

use crate::collector::Collector;
use crate::support::{PATIENT, counts, end_spans, tracer};

/// A load balancer that forgets connections: it keeps them open and forwards nothing.
struct Balancer {
    address: String,
    generation: Arc<AtomicUsize>,
}

impl Balancer {
    fn to(backend: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let generation = Arc::new(AtomicUsize::new(0));
        let current = generation.clone();
        // The threads end with the process.
        thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                let server = TcpStream::connect(&backend).unwrap();
                let pairs = [
                    (client.try_clone().unwrap(), server.try_clone().unwrap()),
                    (server, client),
                ];
                let born = current.load(Ordering::SeqCst);
                for (from, to) in pairs {
                    let current = current.clone();
                    thread::spawn(move || {
                        forward(from, to, || current.load(Ordering::SeqCst) == born)
                    });
                }
            }
        });
        Self {
            address,
            generation,
        }
    }

    fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Forgets all connections.
    fn forget(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }
}

fn forward(mut from: TcpStream, mut to: TcpStream, is_known: impl Fn() -> bool) {
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        if is_known() && to.write_all(&bytes[..count]).is_err() {
            return;
        }
    }
}

/// Sends a batch, kills its connection, and sends two more.
fn leaves_dead_connection(exporter: OtlpExporter, balancer: &Balancer) {
    let tracer = tracer(exporter, Duration::from_secs(4));
    end_spans(&tracer, 3);
    tracer.force_flush().unwrap();
    balancer.forget();
    for _ in 0..2 {
        end_spans(&tracer, 3);
        tracer.force_flush().unwrap();
    }
    let counts = counts(&tracer);
    assert_eq!((counts.delivered, counts.lost()), (9, 0));
    assert_eq!(counts.retries, 1, "one attempt on the dead connection");
}

#[test]
fn dead_http_connection_is_replaced_within_the_same_batch() {
    let collector = Collector::start();
    let balancer = Balancer::to(collector.authority());
    leaves_dead_connection(OtlpExporter::http(balancer.origin()), &balancer);
    assert_eq!(collector.received().len(), 3);
}

#[cfg(feature = "grpc")]
#[test]
fn dead_grpc_connection_is_replaced_within_the_same_batch() {
    let collector = crate::grpc_collector::GrpcCollector::start();
    let balancer = Balancer::to(collector.authority());
    leaves_dead_connection(OtlpExporter::grpc(balancer.origin()), &balancer);
    assert_eq!(collector.received().len(), 3);
}

/// A server that reads a few bytes of a request and answers 413. Then it closes the
/// connection, or reads no further. Returns its origin and its number of requests.
fn early(closes: bool) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = requests.clone();
    thread::spawn(move || {
        let mut open = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
            let _read = stream.read(&mut [0; 512]).unwrap();
            let answer = "HTTP/1.1 413 Content Too Large\r\ncontent-length: 9\r\n\
                          connection: close\r\n\r\ntoo large";
            let _ = stream.write_all(answer.as_bytes());
            if !closes {
                open.push(stream);
            }
        }
    });
    (origin, requests)
}

const LARGE: u64 = 150;

/// Ends a batch that is larger than the buffers of both sockets.
fn end_large_spans(tracer: &OtelTracer) {
    let sdk = tracer.provider().tracer("library");
    for _ in 0..LARGE {
        let mut span = sdk.start("large");
        span.set_attribute(KeyValue::new("text", "x".repeat(100_000)));
        span.end();
    }
}

#[test]
fn early_refusal_is_read_while_the_request_is_sent() {
    for (closes, is_buffered) in [(true, false), (true, true), (false, false)] {
        let (origin, requests) = early(closes);
        let dir = tempfile::tempdir().unwrap();
        let mut exporter = Exporter::otlp(OtlpExporter::http(origin));
        if is_buffered {
            exporter = exporter.disk_buffer(DiskBuffer::new(dir.path()));
        }
        let time = if closes {
            PATIENT
        } else {
            Duration::from_secs(4)
        };
        let tracer = tracer(exporter, time);
        end_large_spans(&tracer);
        let error = tracer.force_flush_with_timeout(PATIENT).unwrap_err();
        assert!(error.to_string().contains("413"), "{error}");
        let counts = counts(&tracer);
        assert_eq!(counts.lost_to(Loss::Rejected), LARGE, "{counts:?}");
        assert_eq!(counts.lost(), LARGE, "{counts:?}");
        assert_eq!(counts.buffered, 0);
        // The batch is split until two small spans are refused alone.
        let requests = requests.load(Ordering::SeqCst);
        assert!(requests < 30, "{requests}");
    }
}

#[test]
fn closed_connection_without_response_is_retried() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let is_over = Arc::new(AtomicBool::new(false));
    let over = is_over.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let _read = stream.unwrap().read(&mut [0; 512]).unwrap();
            if over.load(Ordering::SeqCst) {
                return;
            }
        }
    });
    let tracer = tracer(OtlpExporter::http(origin), Duration::from_millis(700));
    end_large_spans(&tracer);
    let _ = tracer.force_flush();
    is_over.store(true, Ordering::SeqCst);
    let counts = counts(&tracer);
    assert_eq!(counts.lost_to(Loss::Unavailable), LARGE, "{counts:?}");
    assert!(counts.retries > 0);
}
