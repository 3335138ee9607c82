//! What listening on an address of the Internet Protocol takes, whatever then comes in.

use crate::net::address::{Family, HostPort};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// Why an endpoint cannot be used, as a setting.
#[derive(Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The option that says so.
    pub option: &'static str,
    /// One line.
    pub why: String,
    /// The remedy.
    pub help: &'static str,
}

/// What logs call the two steps of listening.
#[derive(Clone, Copy, Debug)]
pub struct Steps {
    /// Looking the address up.
    pub resolve: &'static str,
    /// Listening on what was found.
    pub listen: &'static str,
}

/// Looks an address up, and listens with `bind` on the first that can be listened on.
///
/// # Errors
/// One line: the step that failed, and why; when nothing can be listened on, why the first cannot.
pub async fn first<T>(
    address: &HostPort,
    family: Family,
    steps: Steps,
    bind: impl Fn(SocketAddr) -> io::Result<T>,
) -> Result<T, String> {
    let found = address.to_listen(family).await.map_err(|why| format!("{} failed: {why}", steps.resolve))?;
    let mut first_error = None;
    for candidate in found {
        match bind(candidate) {
            Ok(bound) => return Ok(bound),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    let why = first_error.map_or("no address".to_owned(), |error| error.to_string());
    Err(format!("{} failed: {address}: {why}", steps.listen))
}

/// A socket that can be bound to `address`. One of version 6 takes version 4 as well, unless `family` says not.
///
/// # Errors
/// What the system says.
pub fn socket(address: SocketAddr, family: Family, kind: Type, protocol: Protocol) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
    if address.is_ipv6() {
        socket.set_only_v6(family == Family::V6)?;
    }
    Ok(socket)
}

/// Connections that may wait to be accepted; the system's limit applies as well.
pub const BACKLOG: i32 = 1024;

/// A socket that accepts connections at `address`.
///
/// # Errors
/// What the system says.
pub fn tcp(address: SocketAddr, family: Family) -> io::Result<TcpListener> {
    let socket = socket(address, family, Type::STREAM, Protocol::TCP)?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Whether accepting may succeed later: the system is short of something, or the connection is gone already.
pub fn may_pass(error: &io::Error) -> bool {
    !matches!(error.raw_os_error(), Some(libc::EBADF | libc::EINVAL | libc::ENOTSOCK | libc::EOPNOTSUPP))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: Steps = Steps { resolve: "Look-up", listen: "Listening" };

    #[tokio::test]
    async fn the_first_address_that_can_be_is_listened_on() {
        let any = HostPort::parse(":0").unwrap();
        let only_v4 = |address: SocketAddr| match address.is_ipv4() {
            true => Ok(address),
            false => Err(io::ErrorKind::AddrNotAvailable.into()),
        };
        assert!(first(&any, Family::Any, STEPS, only_v4).await.is_ok_and(|address| address.is_ipv4()));
        let refused = first(&any, Family::V6, STEPS, only_v4).await.unwrap_err();
        assert!(refused.starts_with("Listening failed: :0: "), "{refused}");
        let unknown = HostPort::parse("127.0.0.1:0").unwrap();
        let unknown = first(&unknown, Family::V6, STEPS, only_v4).await.unwrap_err();
        assert!(unknown.starts_with("Look-up failed: "), "{unknown}");
    }
}
