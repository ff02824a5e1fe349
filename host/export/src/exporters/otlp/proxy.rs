//! Requests through an HTTP proxy.
//!
//! A proxy opens a tunnel to an `https` backend (`CONNECT`), which `ureq` asks for. It reads the
//! requests to an `http` backend itself: they are sent to the proxy and contain the whole URL.
//!
//! # Source
//! RFC 9112, section 3.2.2, "absolute-form".

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ureq::http::uri::{Authority, Scheme};
use ureq::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};
use ureq::{Error, Proxy, ProxyProtocol};

use super::{OtlpExporter, OtlpProblem};

/// The way to a backend.
#[derive(Debug)]
pub(super) enum Way {
    /// Without a proxy.
    Direct,
    /// A tunnel through this proxy.
    Tunnel(Proxy),
    /// This proxy reads the requests.
    Forward(Proxy),
}

impl Way {
    /// Returns the way to the backend of an exporter.
    pub(super) fn of(exporter: &OtlpExporter, uri: &Uri) -> Result<Self, OtlpProblem> {
        let Some(proxy) = &exporter.proxy else {
            return Ok(Self::Direct);
        };
        let invalid = |_| OtlpProblem::Proxy;
        let proxy = Proxy::new(proxy.expose()).map_err(invalid)?;
        let protocol = proxy.protocol();
        let is_http = matches!(protocol, ProxyProtocol::Http | ProxyProtocol::Https);
        if proxy.host().is_empty() || !is_http {
            return Err(OtlpProblem::Proxy);
        }
        let mut exceptions = Proxy::builder(protocol).host(proxy.host());
        for exception in &exporter.no_proxy {
            let host = exception.trim();
            if host.is_empty() || host.contains(['/', ',', ' ']) {
                let host = host.to_owned();
                return Err(OtlpProblem::ProxyException { host });
            }
            exceptions = exceptions.no_proxy(host);
        }
        Ok(if exceptions.build().map_err(invalid)?.is_no_proxy(uri) {
            Self::Direct
        } else if uri.scheme() == Some(&Scheme::HTTP) {
            Self::Forward(proxy)
        } else {
            Self::Tunnel(proxy)
        })
    }

    /// Returns the proxy that `ureq` asks for a tunnel.
    pub(super) fn tunnel(&self) -> Option<Proxy> {
        match self {
            Self::Tunnel(proxy) => Some(proxy.clone()),
            Self::Direct | Self::Forward(_) => None,
        }
    }

    /// Changes a request so that it goes to a proxy that reads it. Returns the URL to connect to.
    pub(super) fn forward(&self, uri: Uri, headers: &mut HeaderMap) -> Result<Uri, OtlpProblem> {
        let Self::Forward(proxy) = self else {
            return Ok(uri);
        };
        let host = uri.authority().map_or("", Authority::as_str);
        let host = HeaderValue::from_str(host).map_err(|_| OtlpProblem::Proxy)?;
        headers.insert(header::HOST, host);
        if let Some(credentials) = credentials(proxy)? {
            headers.insert(header::PROXY_AUTHORIZATION, credentials);
        }
        let mut parts = uri.into_parts();
        let place = format!("{}:{}", bracketed(proxy.host()), proxy.port());
        parts.authority = Some(place.parse().map_err(|_| OtlpProblem::Proxy)?);
        parts.scheme = Some(match proxy.protocol() {
            ProxyProtocol::Https => Scheme::HTTPS,
            _ => Scheme::HTTP,
        });
        Uri::from_parts(parts).map_err(|_| OtlpProblem::Proxy)
    }

    /// Returns the beginning of the request target of a proxy that reads the requests to `uri`.
    pub(super) fn origin(&self, uri: &Uri) -> Option<String> {
        let host = uri.authority().map_or("", Authority::as_str);
        matches!(self, Self::Forward(_)).then(|| format!("http://{host}"))
    }

    /// Returns the proxy for messages, without its credentials.
    pub(super) fn shown(&self) -> Option<String> {
        match self {
            Self::Direct => None,
            Self::Tunnel(proxy) | Self::Forward(proxy) => {
                Some(format!("{}:{}", bracketed(proxy.host()), proxy.port()))
            }
        }
    }
}

/// Returns the remedy for a status of a proxy, or an empty text.
pub(super) fn advice(status: u16) -> &'static str {
    match status {
        407 => {
            "; the proxy requires a user and a password: write them into its URL, \
             \"http://user:password@proxy:3128\", and encode special characters"
        }
        403 => "; the proxy does not permit this host",
        502..=504 => "; the proxy does not reach the backend",
        _ => "",
    }
}

/// Returns the status in the message of a tunnel that a proxy refused.
pub(super) fn refused(message: &str) -> Option<StatusCode> {
    let (_, rest) = message.split_once("responded ")?;
    let digits = rest.split('/').next()?;
    StatusCode::from_bytes(digits.as_bytes()).ok()
}

fn bracketed(host: &str) -> String {
    if host.contains(':') && !host.starts_with('[') {
        format!("[{host}]")
    } else {
        host.to_owned()
    }
}

fn credentials(proxy: &Proxy) -> Result<Option<HeaderValue>, OtlpProblem> {
    if proxy.username().is_none() && proxy.password().is_none() {
        return Ok(None);
    }
    let (user, password) = (proxy.username(), proxy.password());
    let pair = format!(
        "{}:{}",
        user.unwrap_or_default(),
        password.unwrap_or_default()
    );
    let mut value = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair)))
        .map_err(|_| OtlpProblem::Proxy)?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// Writes the whole URL into the first line of each request.
#[derive(Debug)]
pub(super) struct ForwardConnector(pub(super) Option<String>);

impl<T: Transport> Connector<T> for ForwardConnector {
    type Out = ForwardTransport<T>;

    fn connect(
        &self,
        _details: &ConnectionDetails<'_>,
        chained: Option<T>,
    ) -> Result<Option<Self::Out>, Error> {
        Ok(chained.map(|inner| ForwardTransport {
            inner,
            origin: self.0.clone(),
            begins: true,
        }))
    }
}

#[derive(Debug)]
pub(super) struct ForwardTransport<T> {
    inner: T,
    /// The scheme and the host of the backend, or `None` if the request is sent unchanged.
    origin: Option<String>,
    /// `true` if the next output begins a request.
    begins: bool,
}

impl<T: Transport> ForwardTransport<T> {
    /// Returns the output with the whole URL in its first line.
    fn rewritten(&mut self, amount: usize) -> Option<Vec<u8>> {
        let origin = self.origin.as_ref().filter(|_| self.begins)?;
        let output = self.inner.buffers().output().get(..amount)?;
        let target = output.iter().position(|byte| *byte == b' ')? + 1;
        let (method, rest) = output.split_at(target);
        Some([method, origin.as_bytes(), rest].concat())
    }
}

impl<T: Transport> Transport for ForwardTransport<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let rewritten = self.rewritten(amount);
        self.begins = false;
        let Some(rewritten) = rewritten else {
            return self.inner.transmit_output(amount, timeout);
        };
        // The longer output may exceed the buffer.
        let mut rest = &*rewritten;
        while !rest.is_empty() {
            let output = self.inner.buffers().output();
            let length = rest.len().min(output.len());
            output[..length].copy_from_slice(&rest[..length]);
            self.inner.transmit_output(length, timeout)?;
            rest = &rest[length..];
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        // The response arrives; what is written after it is the next request.
        self.begins = true;
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}
