//! Sends batches as datagrams. Nothing answers: a batch is done when the kernel has taken it.

use crate::net::address::{Family, HostPort};
use crate::outputs::batched::{Outcome, Post, Record};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::net::UdpSocket;

/// A batch is full with so many bytes.
pub(super) const BATCH_BYTES: usize = 65_000;

pub(super) struct Datagrams {
    peer: HostPort,
    socket: Option<UdpSocket>,
}

impl Datagrams {
    pub(super) fn new(peer: HostPort) -> Self {
        Datagrams { peer, socket: None }
    }

    async fn open(&self) -> Result<UdpSocket, String> {
        let mut failure = "no address".to_owned();
        for address in self.peer.to_dial(Family::Any).await? {
            let local: SocketAddr = match address.is_ipv4() {
                true => (Ipv4Addr::UNSPECIFIED, 0).into(),
                false => (Ipv6Addr::UNSPECIFIED, 0).into(),
            };
            let connected = async {
                let socket = UdpSocket::bind(local).await?;
                socket.connect(address).await.map(|()| socket)
            };
            match connected.await {
                Ok(socket) => return Ok(socket),
                Err(error) => failure = error.to_string(),
            }
        }
        Err(failure)
    }
}

impl Post for &mut Datagrams {
    async fn post(&mut self, records: &[Record]) -> Outcome {
        let again =
            |why: String, peer: &HostPort| Outcome::Again { why: format!("sending to {peer}: {why}"), after: None };
        let socket = match self.socket.take() {
            Some(socket) => socket,
            None => match self.open().await {
                Ok(socket) => socket,
                Err(why) => return again(why, &self.peer),
            },
        };
        let datagram: Vec<u8> = records.iter().flat_map(|record| record.as_slice()).copied().collect();
        match socket.send(&datagram).await {
            Ok(_) => {
                self.socket = Some(socket);
                Outcome::Done
            }
            Err(error) if error.raw_os_error() == Some(libc::EMSGSIZE) => {
                self.socket = Some(socket);
                Outcome::TooLarge { why: format!("a datagram of {} bytes: {error}", datagram.len()) }
            }
            // The answer to an earlier datagram may come as the error of this one, which was not sent; or there is no
            // way to the server. Its name is looked up again.
            Err(error) => again(error.to_string(), &self.peer),
        }
    }
}
