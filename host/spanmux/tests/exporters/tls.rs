//! Tests for TLS: server verification, and requests to a verified server.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ConfigBuilder, ServerConfig, ServerConnection, WantsVerifier};
use spanmux::delivery::Loss;
use spanmux::exporters::OtlpExporter;

use crate::collector::Collector;
use crate::faults::SHORT;
use crate::support::{PATIENT, send};

/// A TLS server for `localhost` that forwards to a server without TLS.
pub(crate) struct Tls {
    pub(crate) origin: String,
    /// The certificate authority of the server.
    pub(crate) authority: String,
}

impl Tls {
    pub(crate) fn before(backend: String, protocol: &[u8]) -> Self {
        let (authority, certificate, key) = issued();
        let config = builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let mut tls = Self::with(config, backend, protocol);
        tls.authority = authority.pem();
        tls
    }

    fn with(mut config: ServerConfig, backend: String, protocol: &[u8]) -> Self {
        config.alpn_protocols = vec![protocol.to_vec()];
        let config = Arc::new(config);
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
            authority: String::new(),
        }
    }
}

/// Issues a certificate for `localhost` by an authority of its own.
fn issued() -> (
    CertifiedIssuer<'static, KeyPair>,
    CertificateDer<'static>,
    PrivateKeyDer<'static>,
) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    (authority, certificate.der().clone(), key)
}

fn builder() -> ConfigBuilder<ServerConfig, WantsVerifier> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider);
    builder.with_safe_default_protocol_versions().unwrap()
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
            Err(_) => return linger(outer.sock),
        }
        match inner.read(&mut buffer) {
            Ok(0) => return,
            Ok(length) => outer.write_all(&buffer[..length]).unwrap(),
            Err(error) if is_turn(&error) => {}
            Err(_) => return,
        }
    }
}

/// Closes a connection so that the other side can read the alert.
fn linger(mut stream: TcpStream) {
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let _ = stream.set_read_timeout(Some(std::time::Duration::from_secs(1)));
    let _ = std::io::copy(&mut stream, &mut std::io::sink());
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

/// The message of an exporter that sends one span.
fn message(exporter: OtlpExporter) -> String {
    let tracer = crate::support::tracer(exporter, SHORT);
    crate::support::end_spans(&tracer, 1);
    tracer.force_flush().unwrap_err().to_string()
}

#[test]
fn ca_certificate_as_server_certificate_is_reported_with_the_remedy() {
    let collector = Collector::start();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let server = |protocol: &[u8]| {
        let config = builder()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        Tls::with(config, collector.authority(), protocol).origin
    };
    let remedy = "issue a server certificate";
    let exporter = OtlpExporter::http(server(b"http/1.1")).ca_certificates(certificate.pem());
    let text = message(exporter);
    assert!(text.contains(remedy), "{text}");
    #[cfg(feature = "grpc")]
    {
        let exporter = OtlpExporter::grpc(server(b"h2")).ca_certificates(certificate.pem());
        let text = message(exporter);
        assert!(text.contains(remedy), "{text}");
    }
}

#[test]
fn required_client_certificate_is_reported_with_the_remedy() {
    let collector = Collector::start();
    let server = |protocol: &[u8]| {
        let (authority, certificate, key) = issued();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(authority.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier =
            rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        let config = builder()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let mut tls = Tls::with(config, collector.authority(), protocol);
        tls.authority = authority.pem();
        tls
    };
    let remedy = "the server requires a client certificate";
    let tls = server(b"http/1.1");
    let text = message(OtlpExporter::http(&*tls.origin).ca_certificates(tls.authority));
    assert!(text.contains(remedy), "{text}");
    #[cfg(feature = "grpc")]
    {
        let tls = server(b"h2");
        let text = message(OtlpExporter::grpc(&*tls.origin).ca_certificates(tls.authority));
        assert!(text.contains(remedy), "{text}");
    }
}

/// The system trusts the authority in the file that a variable names.
#[test]
fn certificate_authorities_of_the_system_are_trusted_on_request() {
    let collector = Collector::start();
    let tls = Tls::before(collector.authority(), b"http/1.1");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &tls.authority).unwrap();
    let variables = [
        ("SSL_CERT_FILE", file.path().display().to_string()),
        ("SPANMUX_TEST_ORIGIN", tls.origin.clone()),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value));
    let name = "tls::certificate_authorities_of_the_system_are_trusted_on_request";
    crate::process::alone(name, &variables, || {
        let origin = std::env::var("SPANMUX_TEST_ORIGIN").unwrap();
        let exporter = OtlpExporter::http(&*origin);
        let counts = send(exporter.clone(), 1, SHORT);
        assert_eq!(counts.lost_to(Loss::Unreachable), 1, "{counts:?}");
        let counts = send(exporter.clone().system_certificates(), 1, PATIENT);
        assert_eq!(counts.delivered, 1, "{counts:?}");
        // Both are trusted.
        let stranger = Tls::before("127.0.0.1:1".to_owned(), b"").authority;
        let both = exporter.ca_certificates(stranger).system_certificates();
        assert_eq!(send(both, 1, PATIENT).delivered, 1);
    });
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
