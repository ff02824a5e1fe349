//! Tests for TLS: server verification, and requests to a verified server.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection};
use spanmux::delivery::Loss;
use spanmux::exporters::OtlpExporter;

use crate::collector::Collector;
use crate::faults::SHORT;
use crate::support::{PATIENT, send};

/// A TLS server for `localhost` that forwards to a server without TLS.
struct Tls {
    origin: String,
    /// The certificate authority of the server.
    authority: String,
}

impl Tls {
    fn before(backend: String, protocol: &[u8]) -> Self {
        let (config, authority) = certified(protocol);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (config, backend) = (config.clone(), backend.clone());
                thread::spawn(move || end_tls(stream.unwrap(), config, &backend));
            }
        });
        Self {
            origin: format!("https://localhost:{port}"),
            authority,
        }
    }
}

/// Creates a server certificate and its own certificate authority.
fn certified(protocol: &[u8]) -> (Arc<ServerConfig>, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    config.alpn_protocols = vec![protocol.to_vec()];
    (Arc::new(config), authority.pem())
}

/// Copies bytes in both directions by turns. Each read waits only briefly.
fn end_tls(stream: TcpStream, config: Arc<ServerConfig>, backend: &str) {
    let mut inner = TcpStream::connect(backend).unwrap();
    let turn = Some(std::time::Duration::from_millis(5));
    stream.set_read_timeout(turn).unwrap();
    inner.set_read_timeout(turn).unwrap();
    let mut outer = rustls::StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
    let mut buffer = [0; 16 * 1024];
    loop {
        match outer.read(&mut buffer) {
            Ok(0) => return,
            Ok(length) => inner.write_all(&buffer[..length]).unwrap(),
            Err(error) if is_turn(&error) => {}
            Err(_) => return,
        }
        match inner.read(&mut buffer) {
            Ok(0) => return,
            Ok(length) => outer.write_all(&buffer[..length]).unwrap(),
            Err(error) if is_turn(&error) => {}
            Err(_) => return,
        }
    }
}

fn is_turn(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{TimedOut, WouldBlock};
    matches!(error.kind(), TimedOut | WouldBlock)
}

/// Checks that spans are delivered only to a verified server. An unverified server receives
/// nothing.
fn assert_trust(exporter: &OtlpExporter, tls: &Tls, received: impl Fn() -> usize) {
    let stranger = Tls::before("127.0.0.1:1".to_owned(), b"").authority;
    let of_strangers = exporter.clone().ca_certificates(stranger);
    for distrusting in [exporter.clone(), of_strangers] {
        let counts = send(distrusting, 2, SHORT);
        assert_eq!(counts.lost_to(Loss::Unreachable), 2, "{counts:?}");
    }
    assert_eq!(received(), 0);
    let trusting = exporter.clone().ca_certificates(tls.authority.clone());
    let counts = send(trusting, 2, PATIENT);
    assert_eq!(counts.delivered, 2, "{counts:?}");
    assert_eq!(received(), 1);
}

#[test]
fn unknown_issuer_is_reported_with_the_remedy() {
    let message = |exporter: OtlpExporter| {
        let tracer = crate::support::tracer(exporter, SHORT);
        crate::support::end_spans(&tracer, 1);
        tracer.force_flush().unwrap_err().to_string()
    };
    let collector = Collector::start();
    let tls = Tls::before(collector.authority(), b"http/1.1");
    let text = message(OtlpExporter::http(&*tls.origin));
    assert!(text.contains("set its CA certificates"), "{text}");
    #[cfg(feature = "grpc")]
    {
        let tls = Tls::before(collector.authority(), b"h2");
        let text = message(OtlpExporter::grpc(&*tls.origin));
        assert!(text.contains("set its CA certificates"), "{text}");
    }
}

#[test]
fn https_server_is_verified_by_its_authority() {
    let collector = Collector::start();
    let tls = Tls::before(collector.authority(), b"http/1.1");
    let exporter = OtlpExporter::http(&*tls.origin).header("x-api-key", "a key");
    assert_trust(&exporter, &tls, || collector.received().len());
    assert_eq!(collector.received()[0].header("x-api-key"), Some("a key"));
}

#[cfg(feature = "grpc")]
#[test]
fn grpc_server_is_verified_by_its_authority() {
    let collector = crate::grpc_collector::GrpcCollector::start();
    let tls = Tls::before(collector.authority(), b"h2");
    let exporter = OtlpExporter::grpc(&*tls.origin).header("x-api-key", "a key");
    assert_trust(&exporter, &tls, || collector.received().len());
    assert_eq!(collector.received()[0].header("x-api-key"), Some("a key"));
}
