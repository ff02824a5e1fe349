//! Tests for HTTP proxies: a real proxy on loopback forwards requests and opens tunnels.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use spanmux::delivery::Loss;
use spanmux::exporters::OtlpExporter;

use crate::collector::Collector;
use crate::faults::SHORT;
use crate::support::{PATIENT, end_spans, send, tracer};
use crate::tls::Tls;

/// What a proxy does with a request.
#[derive(Clone)]
enum Rule {
    Allow,
    /// Only with these credentials.
    Credentials(&'static str),
    Refuse(&'static str),
}

/// A proxy, and the first lines of the requests that it received.
struct Proxy {
    address: String,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn start(rule: Rule) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let heard = Arc::clone(&lines);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (rule, heard) = (rule.clone(), Arc::clone(&heard));
                thread::spawn(move || serve(client.unwrap(), &rule, &heard));
            }
        });
        Self { address, lines }
    }

    fn lines(&self) -> Vec<String> {
        self.lines.lock().clone()
    }
}

/// Serves the requests of one connection.
fn serve(client: TcpStream, rule: &Rule, heard: &Mutex<Vec<String>>) {
    let mut requests = BufReader::new(client.try_clone().unwrap());
    while let Some((line, headers)) = head(&mut requests) {
        heard.lock().push(line.clone());
        let mut client = client.try_clone().unwrap();
        let credentials = headers.iter().find_map(|header| {
            let (name, value) = header.split_once(": ")?;
            name.eq_ignore_ascii_case("proxy-authorization")
                .then(|| value.to_owned())
        });
        let refusal = match rule {
            Rule::Refuse(status) => Some(*status),
            Rule::Credentials(pair) => {
                let expected = format!("Basic {}", STANDARD.encode(pair));
                (credentials != Some(expected)).then_some("407 Proxy Authentication Required")
            }
            Rule::Allow => None,
        };
        if let Some(status) = refusal {
            let answer =
                format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            let _ = client.write_all(answer.as_bytes());
            return;
        }
        let target = line.split(' ').nth(1).unwrap().to_owned();
        if line.starts_with("CONNECT ") {
            let backend = TcpStream::connect(target).unwrap();
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            let (mut to, mut from) = (backend.try_clone().unwrap(), backend);
            thread::spawn(move || std::io::copy(&mut requests, &mut to));
            let _ = std::io::copy(&mut from, &mut client);
            return;
        }
        forward(&line, &headers, &mut requests, &mut client);
    }
}

/// Sends a request with the whole URL to its host, and the response back.
fn forward(
    line: &str,
    headers: &[String],
    requests: &mut BufReader<TcpStream>,
    client: &mut TcpStream,
) {
    let url = line.split(' ').nth(1).unwrap();
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_at(rest.find('/').unwrap());
    let mut backend = TcpStream::connect(host).unwrap();
    let mut request = format!("POST {path} HTTP/1.1\r\n");
    let mut length = 0;
    for header in headers {
        let (name, value) = header.split_once(": ").unwrap();
        match &*name.to_ascii_lowercase() {
            "content-length" => length = value.parse().unwrap(),
            "host" => assert_eq!(value, host),
            "proxy-authorization" => continue,
            _ => {}
        }
        request.push_str(&format!("{header}\r\n"));
    }
    request.push_str("connection: close\r\n\r\n");
    backend.write_all(request.as_bytes()).unwrap();
    let mut body = vec![0; length];
    requests.read_exact(&mut body).unwrap();
    backend.write_all(&body).unwrap();
    let mut response = BufReader::new(backend);
    let (status, headers) = head(&mut response).unwrap();
    let length = headers.iter().find_map(|header| {
        let (name, value) = header.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.parse::<usize>().unwrap())
    });
    let mut body = vec![0; length.unwrap_or_default()];
    response.read_exact(&mut body).unwrap();
    let answer = format!(
        "{status}\r\ncontent-type: application/x-protobuf\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    client.write_all(answer.as_bytes()).unwrap();
    client.write_all(&body).unwrap();
}

/// Reads the first line and the headers of a message, or `None` at the end of the connection.
fn head(messages: &mut impl std::io::BufRead) -> Option<(String, Vec<String>)> {
    let mut lines = messages.lines().map_while(Result::ok);
    let first = lines.next().filter(|line| !line.is_empty())?;
    Some((first, lines.take_while(|line| !line.is_empty()).collect()))
}

fn message(exporter: OtlpExporter) -> String {
    let tracer = tracer(exporter, SHORT);
    end_spans(&tracer, 1);
    tracer.force_flush().unwrap_err().to_string()
}

#[test]
fn http_backend_is_reached_with_the_whole_url_in_the_request() {
    let (collector, proxy) = (
        Collector::start(),
        Proxy::start(Rule::Credentials("us:er:pä")),
    );
    let exporter = OtlpExporter::http(collector.origin())
        .header("x-api-key", "a key")
        .proxy(format!("http://us%3Aer:p%C3%A4@{}", proxy.address));
    for spans in [1, 600] {
        let counts = send(exporter.clone(), spans, PATIENT);
        assert_eq!(counts.delivered, spans as u64, "{counts:?}");
    }
    let line = format!("POST {}/v1/traces HTTP/1.1", collector.origin());
    let lines = proxy.lines();
    assert!(
        lines.len() >= 2 && lines.iter().all(|it| *it == line),
        "{lines:?}"
    );
    for received in collector.received() {
        assert_eq!(received.header("x-api-key"), Some("a key"));
        assert_eq!(received.header("proxy-authorization"), None);
    }
}

#[test]
fn several_requests_of_one_connection_name_the_whole_url() {
    let (collector, proxy) = (Collector::start(), Proxy::start(Rule::Allow));
    let exporter = OtlpExporter::http(collector.origin()).proxy(&*proxy.address);
    let tracer = tracer(exporter, PATIENT);
    for _ in 0..3 {
        end_spans(&tracer, 1);
        tracer.force_flush().unwrap();
    }
    assert_eq!(collector.received().len(), 3);
    assert_eq!(proxy.lines().len(), 3);
}

#[test]
fn https_backend_is_reached_through_a_tunnel() {
    let (collector, proxy) = (
        Collector::start(),
        Proxy::start(Rule::Credentials("user:secret")),
    );
    let tls = Tls::before(collector.authority(), b"http/1.1");
    let exporter = OtlpExporter::http(&*tls.origin)
        .ca_certificates(tls.authority)
        .proxy(format!("http://user:secret@{}", proxy.address));
    assert_eq!(send(exporter, 2, PATIENT).delivered, 2);
    let host = tls.origin.strip_prefix("https://").unwrap();
    assert_eq!(proxy.lines(), [format!("CONNECT {host} HTTP/1.1")]);
    assert_eq!(collector.received()[0].header("proxy-authorization"), None);
}

#[test]
fn exceptions_are_reached_without_the_proxy() {
    let (collector, proxy) = (Collector::start(), Proxy::start(Rule::Allow));
    let exporter = OtlpExporter::http(collector.origin()).proxy(&*proxy.address);
    for (exception, is_direct) in [("127.0.0.1", true), ("*", true), (".internal", false)] {
        let before = proxy.lines().len();
        let exporter = exporter.clone().no_proxy([exception]);
        assert_eq!(send(exporter, 1, PATIENT).delivered, 1, "{exception}");
        assert_eq!(proxy.lines().len() == before, is_direct, "{exception}");
    }
}

#[test]
fn refusal_of_a_proxy_is_reported_with_the_remedy() {
    let collector = Collector::start();
    let tls = Tls::before(collector.authority(), b"http/1.1");
    for (rule, remedy) in [
        (
            Rule::Credentials("user:secret"),
            "the proxy requires a user and a password",
        ),
        (
            Rule::Refuse("403 Forbidden"),
            "the proxy does not permit this host",
        ),
        (
            Rule::Refuse("502 Bad Gateway"),
            "the proxy does not reach the backend",
        ),
    ] {
        let proxy = Proxy::start(rule.clone());
        let url = format!("http://user:wrong-pass@{}", proxy.address);
        let text = message(OtlpExporter::http(&*tls.origin).proxy(&*url));
        assert!(text.contains(remedy), "{text}");
        let through = format!("through the proxy {}", proxy.address);
        assert!(
            text.contains(&through) && !text.contains("wrong-pass"),
            "{text}"
        );
        if matches!(rule, Rule::Credentials(_)) {
            let text = message(OtlpExporter::http(collector.origin()).proxy(&*url));
            assert!(text.contains(remedy) && text.contains("407"), "{text}");
            let counts = send(OtlpExporter::http(collector.origin()).proxy(url), 2, SHORT);
            assert_eq!(counts.lost_to(Loss::Unreachable), 2, "{counts:?}");
        }
    }
    assert_eq!(collector.received().len(), 0);
}

#[test]
fn unreachable_proxy_is_named() {
    let text =
        message(OtlpExporter::http("http://backend.invalid:4318").proxy("http://127.0.0.1:9"));
    assert!(text.contains("through the proxy 127.0.0.1:9"), "{text}");
}
