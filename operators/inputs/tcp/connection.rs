//! One connection: waits for bytes, takes budget, reads, hands over.

use crate::inputs::tcp::listener::{Accepted, Peer};
use crate::inputs::{Chunk, ChunkBuf, ChunkEnd, ChunkPool, Credit, InputEdge, Stream};
use crate::net::{socket, unix_nanos};
use crate::stats::Counter;
use crate::throttle::Throttle;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How long a client may take over its handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// What all connections of an input share.
#[derive(Clone)]
pub(super) struct Acceptor {
    pub edge: InputEdge,
    pub pool: Arc<ChunkPool>,
    pub tls: Option<TlsAcceptor>,
    pub keep_alive: Option<u32>,
    pub open: Arc<Counter>,
    pub log: Arc<Throttle>,
}

impl Acceptor {
    fn complain(&self, text: impl FnOnce() -> String) {
        // A panic elsewhere leaves the limiter usable: it holds two numbers.
        self.log.error(&self.edge.site.log, text);
    }
}

/// One connection. However it ends, even by a panic or because its task is dropped, the dataflow is told that
/// its stream has ended.
pub(super) struct Connection {
    acceptor: Acceptor,
    stream: Arc<Stream>,
    position: u64,
}

impl Connection {
    /// Reads a connection to its end, or until the input is told to stop.
    pub(super) async fn serve(acceptor: Acceptor, accepted: Accepted, peer: Peer, id: u32) {
        let name = &acceptor.edge.site.name;
        let (token, hostname, shown) = match peer {
            Peer::Ip(address) => {
                (address.ip().to_string(), Some(address.to_string().into_bytes()), address.to_string())
            }
            Peer::Local => ("local".to_owned(), None, "a local peer".to_owned()),
        };
        let (logger, msg_type) = (name.clone().into_bytes(), Some(name.clone().into_bytes()));
        let stream = Arc::new(Stream { id, token, logger, msg_type, hostname, ..Stream::default() });
        acceptor.open.add(1);
        let mut connection = Connection { acceptor, stream, position: 0 };
        let edge = connection.acceptor.edge.clone();
        tokio::select! {
            biased;
            () = edge.stopped() => {}
            result = connection.read_all(accepted) => if let Err(error) = result {
                connection.acceptor.complain(|| format!("connection from {shown}: {error}"));
            },
        }
    }

    /// Reads to the end. May be dropped at any await: nothing is read before everything needed to hand it over
    /// is there.
    async fn read_all(&mut self, accepted: Accepted) -> io::Result<()> {
        let mut socket = self.prepare(accepted).await?;
        loop {
            socket.readable().await?;
            let (mut buf, credit) = self.acceptor.edge.buffer(&self.acceptor.pool).await;
            match socket.try_read(buf.spare()) {
                Ok(0) => return Ok(()),
                Ok(n) => {
                    buf.advance(n);
                    let (buf, credit) = self.acceptor.edge.fit(buf, credit);
                    self.send(buf, Some(credit), ChunkEnd::More);
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(error) => return Err(error),
            }
        }
    }

    async fn prepare(&self, accepted: Accepted) -> io::Result<Socket> {
        let stream = match accepted {
            Accepted::Unix(stream) => return Ok(Socket::Unix(stream)),
            Accepted::Tcp(stream) => stream,
        };
        if let Some(period) = self.acceptor.keep_alive {
            socket::keep_alive(&stream, period)?;
        }
        let Some(tls) = &self.acceptor.tls else { return Ok(Socket::Tcp(stream)) };
        match tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
            Ok(Ok(stream)) => Ok(Socket::Tls(Box::new(stream))),
            Ok(Err(error)) => Err(io::Error::new(error.kind(), format!("TLS handshake failed: {error}"))),
            Err(_) => Err(io::Error::new(ErrorKind::TimedOut, "no TLS handshake came")),
        }
    }

    fn send(&mut self, bytes: ChunkBuf, credit: Option<Credit>, end: ChunkEnd) {
        let length = bytes.len() as u64;
        self.acceptor.edge.send(Chunk {
            bytes,
            stream: self.stream.clone(),
            position: self.position,
            offset: self.position,
            end,
            packets: Vec::new(),
            received: unix_nanos(),
            credit,
        });
        self.position += length;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.send(ChunkBuf::default(), None, ChunkEnd::Stream);
        self.acceptor.open.sub(1);
    }
}

enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Socket {
    /// Waits until a read may bring something.
    async fn readable(&self) -> io::Result<()> {
        match self {
            Socket::Tcp(stream) => stream.readable().await,
            Socket::Unix(stream) => stream.readable().await,
            Socket::Tls(stream) => stream.get_ref().0.readable().await,
        }
    }

    /// Reads without waiting; 0 at the end.
    fn try_read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(stream) => stream.try_read(buf),
            Socket::Unix(stream) => stream.try_read(buf),
            Socket::Tls(stream) => try_read_tls(stream, buf),
        }
    }
}

/// Reads decrypted bytes without waiting, as many as there is room for: a session yields one record a call. It
/// returns nothing only when it holds nothing and its socket has nothing, so waiting for the socket next misses
/// no byte.
fn try_read_tls(stream: &mut TlsStream<TcpStream>, buf: &mut [u8]) -> io::Result<usize> {
    let mut into = ReadBuf::new(buf);
    let mut filled = 0;
    loop {
        let result = Pin::new(&mut *stream).poll_read(&mut Context::from_waker(Waker::noop()), &mut into);
        let more = into.filled().len() > filled;
        filled = into.filled().len();
        match result {
            Poll::Ready(Ok(())) if more && into.remaining() > 0 => {}
            // An end or an error behind bytes shows again at the next call.
            _ if filled > 0 => return Ok(filled),
            Poll::Ready(Ok(())) => return Ok(0),
            // Peers that close without saying goodbye are common; what came before is authentic all the same.
            Poll::Ready(Err(error)) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
            Poll::Ready(Err(error)) => return Err(error),
            Poll::Pending => return Err(ErrorKind::WouldBlock.into()),
        }
    }
}
