//! Datagrams by the batch: one system call takes or sends up to [`BATCH`] of them.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd, BorrowedFd};

/// Most datagrams a call.
pub const BATCH: usize = 64;

/// Room for the datagrams of one call. Pages that no datagram reaches are never touched.
pub struct Inbox {
    slot: usize,
    space: Vec<u8>,
    senders: Vec<libc::sockaddr_storage>,
    sizes: Vec<(usize, bool)>,
}

/// One datagram of an [`Inbox`].
#[derive(Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// Who sent it, if the sender has an IP address and the inbox was made to keep it.
    pub sender: Option<IpAddr>,
    /// Whether it was longer than a slot and lost its end.
    pub cut: bool,
}

impl Inbox {
    /// `slots` (at most [`BATCH`]) slots of `slot` bytes.
    pub fn new(slots: usize, slot: usize, keep_senders: bool) -> Self {
        let slots = slots.clamp(1, BATCH);
        // SAFETY: all zero bytes are a valid `sockaddr_storage`: an address of no family.
        let nobody: libc::sockaddr_storage = unsafe { std::mem::zeroed() };
        Inbox {
            slot,
            space: vec![0; slots * slot],
            senders: if keep_senders { vec![nobody; slots] } else { Vec::new() },
            sizes: Vec::with_capacity(slots),
        }
    }

    /// Takes what waits on the socket, without waiting, and forgets what it held before.
    ///
    /// # Errors
    /// The system's; `WouldBlock` when nothing waits.
    pub fn receive(&mut self, socket: BorrowedFd<'_>) -> io::Result<()> {
        self.sizes.clear();
        // SAFETY: all zero bytes are valid for both: null pointers and zero lengths.
        let (mut parts, mut headers): ([libc::iovec; BATCH], [libc::mmsghdr; BATCH]) =
            unsafe { (std::mem::zeroed(), std::mem::zeroed()) };
        let mut senders = self.senders.iter_mut();
        let slots = self.space.chunks_exact_mut(self.slot).zip(&mut parts).zip(&mut headers);
        let mut count = 0;
        for ((slot, part), header) in slots {
            *part = libc::iovec { iov_base: slot.as_mut_ptr().cast(), iov_len: slot.len() };
            header.msg_hdr.msg_iov = part;
            header.msg_hdr.msg_iovlen = 1;
            if let Some(sender) = senders.next() {
                header.msg_hdr.msg_name = (&raw mut *sender).cast();
                header.msg_hdr.msg_namelen = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
            }
            count += 1;
        }
        // SAFETY: the first `count` headers point at distinct live slots and addresses of the lengths they
        // say, none of which moves before the call returns.
        let received = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                headers.as_mut_ptr(),
                count,
                libc::MSG_DONTWAIT as _,
                std::ptr::null_mut(),
            )
        };
        let received = usize::try_from(received).map_err(|_| io::Error::last_os_error())?;
        self.sizes.extend(
            headers
                .iter()
                .take(received)
                .map(|header| (header.msg_len as usize, header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0)),
        );
        Ok(())
    }

    /// Forgets what it holds.
    pub fn clear(&mut self) {
        self.sizes.clear();
    }

    /// How many datagrams it holds.
    pub fn len(&self) -> usize {
        self.sizes.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.sizes.is_empty()
    }

    /// Whether every slot was filled, so that more may wait.
    pub fn is_full(&self) -> bool {
        self.sizes.len() * self.slot == self.space.len()
    }

    /// The datagrams, in order of arrival.
    pub fn iter(&self) -> impl Iterator<Item = Datagram<'_>> {
        self.space.chunks_exact(self.slot).zip(&self.sizes).enumerate().map(|(i, (slot, (length, cut)))| Datagram {
            bytes: slot.get(..*length).unwrap_or(slot),
            sender: self.senders.get(i).and_then(ip_of),
            cut: *cut,
        })
    }
}

/// The IP address in a socket address; version 4 addresses inside version 6 ones come out as themselves.
fn ip_of(address: &libc::sockaddr_storage) -> Option<IpAddr> {
    let at: *const libc::sockaddr_storage = address;
    match i32::from(address.ss_family) {
        // SAFETY: the family says which struct the storage holds, and it is large and aligned enough for all.
        libc::AF_INET => {
            let v4 = unsafe { &*at.cast::<libc::sockaddr_in>() };
            Some(IpAddr::V4(Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr))))
        }
        // SAFETY: as above.
        libc::AF_INET6 => {
            let v6 = unsafe { &*at.cast::<libc::sockaddr_in6>() };
            Some(IpAddr::V6(Ipv6Addr::from(v6.sin6_addr.s6_addr)).to_canonical())
        }
        _ => None,
    }
}

/// Sends the first of `records` over a connected socket, each as a datagram, and returns how many went out:
/// at least one, at most [`BATCH`].
///
/// # Errors
/// The system's, about the first record; `WouldBlock` when there is no room.
pub fn send(socket: BorrowedFd<'_>, records: &[&[u8]]) -> io::Result<usize> {
    // SAFETY: all zero bytes are valid for both: null pointers and zero lengths.
    let (mut parts, mut headers): ([libc::iovec; BATCH], [libc::mmsghdr; BATCH]) =
        unsafe { (std::mem::zeroed(), std::mem::zeroed()) };
    let mut count = 0;
    for ((record, part), header) in records.iter().zip(&mut parts).zip(&mut headers) {
        *part = libc::iovec { iov_base: record.as_ptr().cast_mut().cast(), iov_len: record.len() };
        header.msg_hdr.msg_iov = part;
        header.msg_hdr.msg_iovlen = 1;
        count += 1;
    }
    // SAFETY: the first `count` headers point at live records, which the call only reads.
    let sent = unsafe {
        libc::sendmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), count, (libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL) as _)
    };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;
    use std::os::fd::AsFd;

    #[test]
    fn datagrams_keep_their_bounds_their_order_and_their_sender() {
        let far = UdpSocket::bind("127.0.0.1:0").unwrap();
        let near = UdpSocket::bind("127.0.0.1:0").unwrap();
        near.connect(far.local_addr().unwrap()).unwrap();
        let mut inbox = Inbox::new(BATCH, 1024, true);
        assert_eq!(inbox.receive(far.as_fd()).map_err(|e| e.kind()), Err(io::ErrorKind::WouldBlock));
        let long = [b'x'; 2000];
        let records: [&[u8]; 4] = [b"one", b"", b"three", &long];
        assert_eq!(send(near.as_fd(), &records).unwrap(), 4);
        inbox.receive(far.as_fd()).unwrap();
        assert_eq!((inbox.len(), inbox.is_full()), (4, false));
        let sender = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let wanted = [(&b"one"[..], false), (b"", false), (b"three", false), (&long[..1024], true)];
        assert!(inbox.iter().eq(wanted.map(|(bytes, cut)| Datagram { bytes, sender, cut })));
    }

    #[test]
    fn a_batch_is_full_at_its_limit() {
        let far = UdpSocket::bind("[::1]:0").unwrap();
        let near = UdpSocket::bind("[::1]:0").unwrap();
        near.connect(far.local_addr().unwrap()).unwrap();
        let records = vec![&b"r"[..]; BATCH + 5];
        assert_eq!(send(near.as_fd(), &records).unwrap(), BATCH);
        let mut inbox = Inbox::new(8, 64, false);
        inbox.receive(far.as_fd()).unwrap();
        assert!(inbox.is_full() && inbox.iter().all(|d| d.sender.is_none()));
    }
}
