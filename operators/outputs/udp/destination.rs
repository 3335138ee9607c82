//! Where UdpOutput sends.

use crate::net::address::{Family, HostPort, parse_local};
use crate::net::unix::{self, SocketFile};
use socket2::{Domain, Protocol, Socket, Type};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use tokio::io::unix::AsyncFd;

/// A destination, as set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::outputs) enum Destination {
    Ip { address: HostPort, family: Family, local: Option<SocketAddr> },
    Unix { path: String, local: Option<String> },
}

/// Why a destination cannot be one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub option: &'static str,
    pub why: String,
    pub help: &'static str,
}

/// A connected socket. Dropping it removes the file of its own address.
pub(super) struct Outlet {
    pub socket: AsyncFd<Socket>,
    #[allow(dead_code, reason = "held for its drop")]
    file: Option<SocketFile>,
}

impl Destination {
    /// Reads the `net`, `address` and `local_address` options.
    pub(super) fn parse(net: &str, address: &str, local: &str) -> Result<Destination, Wrong> {
        let wrong = |option, why, help| Err(Wrong { option, why, help });
        if net == "unixgram" {
            let help = "write the path of a socket, or a name behind @";
            let resolve = |error| format!("Error resolving unixgram address: {error}");
            if let Err(error) = unix::address(address) {
                return wrong("address", resolve(error), help);
            }
            return match unix::address(local) {
                _ if local.is_empty() => Ok(Destination::Unix { path: address.to_owned(), local: None }),
                Ok(_) => Ok(Destination::Unix { path: address.to_owned(), local: Some(local.to_owned()) }),
                Err(error) => wrong("local_address", resolve(error), help),
            };
        }
        let Some(family) = Family::of(net, "udp") else {
            let why = format!("Error resolving UDP address: unknown network {net}");
            return wrong("net", why, "use udp, udp4, udp6 or unixgram");
        };
        let resolve = |why| format!("Error resolving UDP address: {why}");
        let address = match HostPort::parse(address) {
            Ok(address) => address,
            Err(why) => return wrong("address", resolve(why), "write host:port"),
        };
        if local.is_empty() {
            return Ok(Destination::Ip { address, family, local: None });
        }
        match parse_local(local) {
            Ok(local) => Ok(Destination::Ip { address, family, local: Some(local) }),
            Err(why) => wrong("local_address", resolve(why), "write an IP address of this machine"),
        }
    }

    /// Whether datagrams go over IP, where a refusal comes later than the datagram it is about.
    pub(super) fn is_ip(&self) -> bool {
        matches!(self, Destination::Ip { .. })
    }

    /// Looks the name up and makes a socket that sends there.
    ///
    /// # Errors
    /// One line.
    pub(super) async fn open(&self) -> Result<Outlet, String> {
        let (socket, file) = match self {
            Destination::Unix { path, local } => open_unix(path, local.as_deref()).map_err(|e| e.to_string())?,
            Destination::Ip { address, family, local } => {
                let family = match local {
                    Some(local) if local.is_ipv4() => Family::V4,
                    Some(_) => Family::V6,
                    None => *family,
                };
                let found = address.to_dial(family).await?;
                let mut failure = "no address".to_owned();
                let mut opened = None;
                for candidate in found {
                    match open_ip(candidate, *local) {
                        Ok(socket) => {
                            opened = Some(socket);
                            break;
                        }
                        Err(error) => failure = error.to_string(),
                    }
                }
                (opened.ok_or(failure)?, None)
            }
        };
        socket.set_nonblocking(true).map_err(|error| error.to_string())?;
        // SAFETY: the socket is owned by the registration, keeps its descriptor, and is closed only after it.
        let socket = unsafe { AsyncFd::register(socket) }.map_err(|error| error.to_string())?;
        Ok(Outlet { socket, file })
    }
}

fn open_ip(address: SocketAddr, local: Option<SocketAddr>) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if let Some(local) = local {
        socket.bind(&local.into())?;
    }
    if address.is_ipv4() {
        socket.set_broadcast(true)?;
    }
    socket.connect(&address.into())?;
    Ok(socket)
}

fn open_unix(path: &str, local: Option<&str>) -> io::Result<(Socket, Option<SocketFile>)> {
    let (socket, file) = match local {
        Some(local) => unix::bind(Type::DGRAM, local)?,
        None => (Socket::new(Domain::UNIX, Type::DGRAM, None)?, None),
    };
    socket.connect(&unix::address(path)?)?;
    Ok((socket, file))
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Destination::Ip { address, .. } => address.fmt(f),
            Destination::Unix { path, .. } => f.write_str(path),
        }
    }
}
