//! Where TcpInput listens.

use crate::net::address::{Family, HostPort, canonical};
use crate::net::listen::{self, BACKLOG, Steps, Wrong};
use crate::net::unix::{self, SocketFile};
use socket2::Type;
use std::io;
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

const STEPS: Steps = Steps { resolve: "ResolveTCPAddress", listen: "ListenTCP" };

/// Where to listen, as set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    Ip(HostPort, Family),
    Unix(String),
}

impl Endpoint {
    /// Reads the `net` and `address` options.
    pub(super) fn parse(net: &str, address: &str) -> Result<Endpoint, Wrong> {
        if net == "unix" {
            let help = "write the path of the socket, or a name behind @";
            return match unix::address(address) {
                Ok(_) => Ok(Endpoint::Unix(address.to_owned())),
                Err(error) => Err(Wrong { option: "address", why: error.to_string(), help }),
            };
        }
        let Some(family) = Family::of(net, "tcp") else {
            let (why, help) = (format!("unknown network {net}"), "use tcp, tcp4, tcp6 or unix");
            return Err(Wrong { option: "net", why, help });
        };
        let help = "write host:port, or :port for all interfaces";
        match HostPort::parse(address) {
            Ok(address) => Ok(Endpoint::Ip(address, family)),
            Err(why) => Err(Wrong { option: "address", why, help }),
        }
    }
}

/// A socket that accepts connections. Dropping it closes it and removes its file.
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener, String, #[allow(dead_code, reason = "held for its drop")] Option<SocketFile>),
}

/// What was accepted.
pub(super) enum Accepted {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// Who connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    Ip(SocketAddr),
    Local,
}

impl Listener {
    /// Looks the address up and listens on the first that can be.
    pub(super) async fn bind(endpoint: &Endpoint) -> Result<Listener, String> {
        match endpoint {
            Endpoint::Unix(path) => listen_unix(path).map_err(|error| format!("ListenTCP failed: {path}: {error}")),
            Endpoint::Ip(address, family) => {
                listen::first(address, *family, STEPS, |candidate| listen::tcp(candidate, *family))
                    .await
                    .map(Listener::Tcp)
            }
        }
    }

    /// The address it listens on, with the port that the system chose where none was given.
    pub(super) fn address(&self) -> String {
        match self {
            Listener::Tcp(listener) => listener.local_addr().map_or_else(|e| e.to_string(), |a| a.to_string()),
            Listener::Unix(_, path, _) => path.clone(),
        }
    }

    /// The next connection. Cancel-safe.
    pub(super) async fn accept(&self) -> io::Result<(Accepted, Peer)> {
        match self {
            Listener::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok((Accepted::Tcp(stream), Peer::Ip(canonical(peer))))
            }
            Listener::Unix(listener, ..) => {
                let (stream, _) = listener.accept().await?;
                Ok((Accepted::Unix(stream), Peer::Local))
            }
        }
    }
}

fn listen_unix(path: &str) -> io::Result<Listener> {
    let (socket, file) = unix::bind(Type::STREAM, path)?;
    socket.set_nonblocking(true)?;
    socket.listen(BACKLOG)?;
    Ok(Listener::Unix(UnixListener::from_std(socket.into())?, path.to_owned(), file))
}
