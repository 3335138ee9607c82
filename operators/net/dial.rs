//! Connecting to a TCP or TLS peer: the first of its addresses that answers.

use crate::net::address::{Family, HostPort};
use crate::net::socket;
use crate::tls::{self, TlsSettings};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// How long a peer may take to accept a connection, and again to shake hands.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a peer may take to close its side, once this side is closed.
const CLOSE: Duration = Duration::from_secs(5);

/// Where to connect, and how.
#[derive(Clone, Debug)]
pub struct Target {
    /// The peer.
    pub address: HostPort,
    /// Which of its addresses are tried, unless `local` decides.
    pub family: Family,
    /// The source address.
    pub local: Option<SocketAddr>,
    /// Speak TLS.
    pub tls: Option<TlsSettings>,
    /// Probe an idle connection, so many seconds apart; 0 leaves that to the system.
    pub keep_alive: Option<u32>,
}

impl Target {
    /// A peer without any options.
    pub fn plain(address: HostPort) -> Target {
        Target { address, family: Family::Any, local: None, tls: None, keep_alive: None }
    }
}

/// An open connection.
pub enum Connection {
    /// Over TCP.
    Plain(TcpStream),
    /// Over TLS.
    Tls(Box<TlsStream<TcpStream>>),
}

impl Connection {
    /// Connects to the first address that answers.
    ///
    /// # Errors
    /// One line: why the last address that was tried did not answer.
    pub async fn open(target: &Target) -> Result<Connection, String> {
        let family = match target.local {
            None => target.family,
            Some(local) if local.is_ipv4() => Family::V4,
            Some(_) => Family::V6,
        };
        // Read at every connection, so that renewed certificates need no restart.
        let tls = match &target.tls {
            Some(settings) => {
                let init = |why| format!("TLS init error: {why}");
                let config = tls::client_config(settings).map_err(init)?;
                Some((TlsConnector::from(config), tls::server_name(settings, &target.address.host).map_err(init)?))
            }
            None => None,
        };
        let mut failure = "no address".to_owned();
        for address in target.address.to_dial(family).await? {
            let connected = timeout(CONNECT, connect(address, target)).await;
            let stream = match connected {
                Ok(Ok(stream)) => stream,
                Ok(Err(error)) => {
                    failure = error.to_string();
                    continue;
                }
                Err(_) => {
                    failure = "no answer".to_owned();
                    continue;
                }
            };
            let Some((connector, name)) = &tls else { return Ok(Connection::Plain(stream)) };
            match timeout(CONNECT, connector.connect(name.clone(), stream)).await {
                Ok(Ok(stream)) => return Ok(Connection::Tls(Box::new(stream))),
                Ok(Err(error)) => failure = format!("TLS handshake failed: {error}"),
                Err(_) => failure = "no answer to the TLS handshake".to_owned(),
            }
        }
        Err(failure)
    }

    /// Writes all of `bytes`.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Connection::Plain(stream) => stream.write_all(bytes).await,
            Connection::Tls(stream) => {
                stream.write_all(bytes).await?;
                stream.flush().await
            }
        }
    }

    /// Says that nothing more will come, and waits a while for the peer to close as well: then it has read
    /// everything. What it says meanwhile is thrown away; left unread it would break the connection instead of
    /// ending it. Whether the peer has closed.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn close(mut self) -> io::Result<bool> {
        let ended = async {
            let mut unread = [0; 4096];
            match &mut self {
                Connection::Plain(stream) => {
                    stream.shutdown().await?;
                    while stream.read(&mut unread).await? > 0 {}
                }
                Connection::Tls(stream) => {
                    stream.shutdown().await?;
                    // Below TLS: whether the peer says goodbye in its own terms does not matter.
                    let stream = stream.get_mut().0;
                    while stream.read(&mut unread).await? > 0 {}
                }
            }
            Ok(())
        };
        match timeout(CLOSE, ended).await {
            Ok(result) => result.map(|()| true),
            Err(_) => Ok(false),
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Connection::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Connection::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Connection::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Connection::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Connection::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Connection::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Connection::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Connection::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

async fn connect(address: SocketAddr, target: &Target) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if let Some(local) = target.local {
        // A fixed port may still be held by the connection before.
        socket.set_reuseaddr(true)?;
        socket.bind(local)?;
    }
    let stream = socket.connect(address).await?;
    // Writes are whole blocks; waiting for more to fill a packet would only delay the last one.
    stream.set_nodelay(true)?;
    if let Some(period) = target.keep_alive {
        socket::keep_alive(&stream, period)?;
    }
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[tokio::test]
    async fn a_peer_has_read_everything_when_it_has_closed() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = HostPort::parse(&listener.local_addr().unwrap().to_string()).unwrap();
        let peer = std::thread::spawn(move || {
            let mut all = Vec::new();
            let (mut stream, _) = listener.accept().unwrap();
            // Something that this side never reads.
            std::io::Write::write_all(&mut stream, b"welcome").unwrap();
            stream.read_to_end(&mut all).unwrap();
            all
        });
        let mut connection = Connection::open(&Target::plain(address)).await.unwrap();
        connection.write_all(&[7; 100_000]).await.unwrap();
        assert!(connection.close().await.unwrap());
        assert_eq!(peer.join().unwrap().len(), 100_000);
    }

    #[tokio::test]
    async fn nobody_there_is_an_error_of_one_line() {
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let refused = Connection::open(&Target::plain(HostPort::parse(&address).unwrap())).await;
        assert!(refused.is_err_and(|why| why.contains("refused") && !why.contains('\n')));
    }
}
