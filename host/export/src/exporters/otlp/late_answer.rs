//! Reads the response to a request that could not be written completely.
//!
//! A backend may refuse a large request before it has read it, and close the connection or
//! read no further. Then writing fails or stalls, but the response has arrived. `ureq` returns
//! the error of the write; this layer drops the rest of the request instead, so that the
//! response is read.

use std::io;

use ureq::unversioned::transport::time::Duration;
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, NextTimeout, RustlsConnector,
    TcpConnector, Transport,
};
use ureq::{Error, Timeout};

use super::proxy::ForwardConnector;

/// Returns the connector of `ureq` for TCP, TLS and HTTP proxies, with this layer between
/// TCP and TLS, and the layer for proxies that read the requests above them.
pub(super) fn connector(forward: ForwardConnector) -> impl Connector {
    ().chain(ConnectProxyConnector::default())
        .chain(TcpConnector::default())
        .chain(LateAnswerConnector)
        .chain(RustlsConnector::default())
        .chain(forward)
}

#[derive(Debug)]
struct LateAnswerConnector;

impl<T: Transport> Connector<T> for LateAnswerConnector {
    type Out = LateAnswer<T>;

    fn connect(
        &self,
        _details: &ConnectionDetails<'_>,
        chained: Option<T>,
    ) -> Result<Option<Self::Out>, Error> {
        Ok(chained.map(|inner| LateAnswer {
            inner,
            unwritten: None,
        }))
    }
}

#[derive(Debug)]
struct LateAnswer<T> {
    inner: T,
    /// The error of the first write that failed. `None` after it was returned, or while all
    /// writes succeed.
    unwritten: Option<io::Error>,
}

impl<T: Transport> Transport for LateAnswer<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if self.unwritten.is_some() {
            return Ok(());
        }
        // A stalled write ends after one or two such times, because it may write a part first.
        // The rest is for reading.
        let quarter = match timeout.after {
            Duration::Exact(time) => Some(Duration::Exact(time / 4)),
            Duration::NotHappening => None,
        };
        let stalled = NextTimeout {
            per_write: quarter,
            ..timeout
        };
        match self.inner.transmit_output(amount, stalled) {
            Err(Error::Io(error)) if is_closed(&error) => {
                self.unwritten = Some(error);
                Ok(())
            }
            Err(Error::Timeout(Timeout::PerWrite)) => {
                self.unwritten = Some(io::ErrorKind::TimedOut.into());
                Ok(())
            }
            result => result,
        }
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let read = self.inner.await_input(timeout);
        match (read, &self.unwritten) {
            // No response: the failed write is the reason.
            (Ok(false) | Err(Error::Io(_)), Some(error)) => {
                Err(Error::Io(io::Error::new(error.kind(), error.to_string())))
            }
            (read, _) => read,
        }
    }

    fn is_open(&mut self) -> bool {
        self.unwritten.is_none() && self.inner.is_open()
    }
}

fn is_closed(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    matches!(
        error.kind(),
        BrokenPipe | ConnectionAborted | ConnectionReset
    )
}
