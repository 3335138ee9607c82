//! Socket options and counters that the standard library has no names for.

use socket2::{SockRef, TcpKeepalive};
use std::io;
use std::mem::size_of_val;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

/// Turns keep-alive probes on. `period` seconds is both the idle time before the first probe and the time
/// between probes; 0 leaves the system's values.
///
/// # Errors
/// The system's.
pub fn keep_alive(socket: &impl AsFd, period: u32) -> io::Result<()> {
    let socket = SockRef::from(socket);
    if period == 0 {
        return socket.set_keepalive(true);
    }
    let period = Duration::from_secs(u64::from(period));
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(period).with_interval(period))
}

/// Asks for a receive buffer of `bytes` and returns what the system gave: past its limit
/// (`net.core.rmem_max`) only when the process may exceed it.
///
/// # Errors
/// The system's.
pub fn receive_buffer(socket: &impl AsFd, bytes: usize) -> io::Result<usize> {
    let wanted = libc::c_int::try_from(bytes).unwrap_or(libc::c_int::MAX / 2);
    // SAFETY: the option's value is one `c_int`, which outlives the call.
    let forced = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_RCVBUFFORCE,
            (&raw const wanted).cast(),
            size_of_val(&wanted) as libc::socklen_t,
        )
    };
    let socket = SockRef::from(socket);
    if forced != 0 {
        socket.set_recv_buffer_size(wanted as usize)?;
    }
    // Linux counts its own overhead and reports twice of what was asked for.
    Ok(socket.recv_buffer_size()? / 2)
}

/// How many packets the kernel has thrown away because the socket's receive buffer was full, since the socket
/// was made; `None` where the kernel does not say. The counter wraps at 2³².
pub fn receive_drops(socket: &impl AsFd) -> Option<u32> {
    const DROPS: usize = 8;
    let mut values = [0u32; 16];
    let mut length = size_of_val(&values) as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes into `values`, and the new length into `length`.
    let failed = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_MEMINFO,
            values.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    (failed == 0 && length as usize > DROPS * 4).then_some(values[DROPS])
}

/// Bytes written to a stream socket that the peer's kernel has not acknowledged.
///
/// # Errors
/// The system's.
pub fn unacknowledged(socket: &impl AsFd) -> io::Result<u64> {
    let mut bytes: libc::c_int = 0;
    // TIOCOUTQ is the number that sockets know as SIOCOUTQ.
    // SAFETY: the request writes one `c_int`.
    let failed = unsafe { libc::ioctl(socket.as_fd().as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    if failed != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(u64::try_from(bytes).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::net::{TcpListener, TcpStream, UdpSocket};

    #[test]
    fn bytes_are_unacknowledged_while_the_peer_has_no_room() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let _far = listener.accept().unwrap();
        near.set_nonblocking(true).unwrap();
        assert_eq!(unacknowledged(&near).unwrap(), 0);
        while near.write(&[0; 65536]).is_ok() {}
        assert!(unacknowledged(&near).unwrap() > 0);
    }

    #[test]
    fn packets_that_found_no_room_are_counted() {
        let far = UdpSocket::bind("127.0.0.1:0").unwrap();
        assert!(receive_buffer(&far, 4096).unwrap() >= 1024);
        let near = UdpSocket::bind("127.0.0.1:0").unwrap();
        for _ in 0..1000 {
            near.send_to(&[0; 512], far.local_addr().unwrap()).unwrap();
        }
        let mut received = 0;
        far.set_nonblocking(true).unwrap();
        while far.recv(&mut [0; 512]).is_ok() {
            received += 1;
        }
        assert_eq!(receive_drops(&far), Some(1000 - received));
    }

    #[test]
    fn keep_alive_takes_its_period() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        keep_alive(&near, 77).unwrap();
        let socket = SockRef::from(&near);
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(77));
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(77));
    }
}
