//! The socket UdpInput reads.

use crate::net::address::{Family, HostPort};
use crate::net::datagrams::BATCH;
use crate::net::listen::{self, Steps, Wrong};
use crate::net::unix::{self, SocketFile};
use socket2::{Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{BorrowedFd, RawFd};

const STEPS: Steps = Steps { resolve: "ResolveUDPAddr", listen: "ListenUDP" };

/// Where datagrams come from, as set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::inputs) enum Endpoint {
    Ip(HostPort, Family),
    Unix(String),
    Descriptor(RawFd),
}

impl Endpoint {
    /// Reads the `net` and `address` options.
    pub(in crate::inputs) fn parse(net: &str, address: &str) -> Result<Endpoint, Wrong> {
        let wrong = |why: String, help| Err(Wrong { option: "address", why, help });
        if net == "unixgram" {
            return match unix::address(address) {
                Ok(_) => Ok(Endpoint::Unix(address.to_owned())),
                Err(error) => wrong(
                    format!("Error resolving unixgram address: {error}"),
                    "write the path of the socket, or a name behind @",
                ),
            };
        }
        let Some(family) = Family::of(net, "udp") else {
            let why = format!("ResolveUDPAddr failed: unknown network {net}");
            return Err(Wrong { option: "net", why, help: "use udp, udp4, udp6 or unixgram" });
        };
        if let Some(number) = address.strip_prefix("fd:") {
            return match parse_number(number) {
                Some(fd) => Ok(Endpoint::Descriptor(fd)),
                None => wrong(
                    format!("Error parsing file descriptor '{address}': `{number}` is no descriptor's number"),
                    "write for example fd:3",
                ),
            };
        }
        match HostPort::parse(address) {
            Ok(address) => Ok(Endpoint::Ip(address, family)),
            Err(why) => wrong(format!("ResolveUDPAddr failed: {why}"), "write host:port, or :port for all interfaces"),
        }
    }

    /// How many datagrams to take at a time, and the largest: what IP can carry, or what senders on this machine
    /// may send with the usual limits.
    pub(in crate::inputs) fn slots(&self) -> (usize, usize) {
        match self {
            Endpoint::Ip(..) => (BATCH, 64 * 1024),
            Endpoint::Unix(_) | Endpoint::Descriptor(_) => (BATCH / 4, 256 * 1024),
        }
    }
}

/// A number as Go's source writes it: `12`, `0x0c`, `0o14`, `014`, `0b1100`, with `_` between digits.
fn parse_number(text: &str) -> Option<RawFd> {
    let digits = text.replace('_', "");
    let lower = digits.to_ascii_lowercase();
    let (digits, radix) = match lower.as_bytes() {
        [b'0', b'x', ..] => (&lower[2..], 16),
        [b'0', b'o', ..] => (&lower[2..], 8),
        [b'0', b'b', ..] => (&lower[2..], 2),
        [b'0', _, ..] => (&lower[1..], 8),
        _ => (&lower[..], 10),
    };
    RawFd::from_str_radix(digits, radix).ok().filter(|number| *number >= 0)
}

/// An open socket. Dropping it closes it and removes its file.
pub(in crate::inputs) struct Source {
    pub socket: Socket,
    /// Where it listens, with the port that the system chose where none was given.
    pub address: String,
    /// Held for its drop.
    pub file: Option<SocketFile>,
}

impl Source {
    /// Opens the socket.
    pub(in crate::inputs) async fn open(endpoint: &Endpoint, reuse_port: bool) -> Result<Source, String> {
        let source = match endpoint {
            Endpoint::Ip(address, family) => {
                listen::first(address, *family, STEPS, |candidate| bind(candidate, *family, reuse_port)).await?
            }
            Endpoint::Unix(path) => {
                let (socket, file) = unix::bind(Type::DGRAM, path)
                    .map_err(|error| format!("Error listening on unixgram: {path}: {error}"))?;
                Source { socket, address: path.clone(), file }
            }
            Endpoint::Descriptor(fd) => adopt(*fd).map_err(|error| format!("Error accessing UDP fd: {fd}: {error}"))?,
        };
        source.socket.set_nonblocking(true).map_err(|error| format!("ListenUDP failed: {error}"))?;
        Ok(source)
    }
}

fn bind(address: SocketAddr, family: Family, reuse_port: bool) -> io::Result<Source> {
    let socket = listen::socket(address, family, Type::DGRAM, Protocol::UDP)?;
    if reuse_port {
        socket.set_reuse_port(true)?;
    }
    socket.bind(&address.into())?;
    let local = socket.local_addr()?.as_socket();
    Ok(Source { socket, address: local.map_or_else(|| address.to_string(), |a| a.to_string()), file: None })
}

/// Takes a copy of a descriptor, so that the plugin can be restarted.
fn adopt(fd: RawFd) -> io::Result<Source> {
    // SAFETY: the descriptor belongs to whoever started this process and stays open; if it does not exist,
    // copying it says so. Nothing is read or written through it before it is known to be a datagram socket.
    let socket = Socket::from(unsafe { BorrowedFd::borrow_raw(fd) }.try_clone_to_owned()?);
    if socket.r#type()? != Type::DGRAM {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a datagram socket"));
    }
    Ok(Source { socket, address: format!("fd:{fd}"), file: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_are_numbers_as_go_writes_them() {
        let cases =
            [("3", Some(3)), ("0x3", Some(3)), ("0X1f", Some(31)), ("010", Some(8)), ("0o10", Some(8)), ("0", Some(0))];
        for (text, fd) in cases.into_iter().chain([("0b11", Some(3)), ("1_0", Some(10)), ("", None), ("-1", None)]) {
            assert_eq!(parse_number(text), fd, "{text}");
        }
        assert_eq!(parse_number("0x"), None);
        assert_eq!(parse_number("é"), None);
    }
}
