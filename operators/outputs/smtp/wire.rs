//! The bytes below a session: a socket that can turn into an encrypted one while the session holds on to it, and that
//! ends a conversation in which the server only talks.

use crate::net::dial::Connection;
use crate::tls::{self, TlsSettings};
use lettre::transport::smtp::client::AsyncTokioStream;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsConnector;

/// Most bytes that a server may say before this side has its turn again.
const LONGEST_ANSWER: usize = 128 * 1024;

/// A connection that several hold. Only one of them uses it at a time.
#[derive(Clone)]
pub(super) struct Wire(Arc<Mutex<State>>);

struct State {
    /// `None` while it is being encrypted, and for good when that failed.
    connection: Option<Connection>,
    peer: SocketAddr,
    /// Bytes read since the last write.
    heard: usize,
}

impl Wire {
    /// Over an open connection.
    ///
    /// # Errors
    /// When it is broken already.
    pub(super) fn new(connection: Connection) -> io::Result<Wire> {
        let peer = match &connection {
            Connection::Plain(stream) => stream.peer_addr()?,
            Connection::Tls(stream) => stream.get_ref().0.peer_addr()?,
        };
        Ok(Wire(Arc::new(Mutex::new(State { connection: Some(connection), peer, heard: 0 }))))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves a socket and two numbers.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether bytes are encrypted by now.
    pub(super) fn is_encrypted(&self) -> bool {
        matches!(self.state().connection, Some(Connection::Tls(_)))
    }

    /// Whether the other side is this machine.
    pub(super) fn is_local(&self) -> bool {
        self.state().peer.ip().to_canonical().is_loopback()
    }

    /// Encrypts what follows. Nothing may be on its way.
    ///
    /// # Errors
    /// One line: what is wrong with the options, or with the server's certificate.
    pub(super) async fn encrypt(&self, settings: &TlsSettings, host: &str) -> Result<(), String> {
        let config = tls::client_config(settings)?;
        let name = tls::server_name(settings, host)?;
        let stream = match self.state().connection.take() {
            Some(Connection::Plain(stream)) => stream,
            other => {
                self.state().connection = other;
                return Ok(());
            }
        };
        let stream = TlsConnector::from(config).connect(name, stream).await.map_err(|error| error.to_string())?;
        self.state().connection = Some(Connection::Tls(Box::new(stream)));
        Ok(())
    }

    fn with<T>(&self, act: impl FnOnce(Pin<&mut Connection>) -> Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match &mut self.state().connection {
            Some(connection) => act(Pin::new(connection)),
            None => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.state().peer)
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.state().heard > LONGEST_ANSWER {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, "the server's answer does not end")));
        }
        let before = buf.filled().len();
        let polled = self.with(|connection| connection.poll_read(cx, buf));
        self.state().heard += buf.filled().len() - before;
        polled
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.state().heard = 0;
        self.with(|connection| connection.poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|connection| connection.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|connection| connection.poll_shutdown(cx))
    }
}
