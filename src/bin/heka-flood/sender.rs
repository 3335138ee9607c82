//! The way out: a stream or datagrams.

use crate::settings::{Test, Transport};
use heka_operators::net::dial::{Connection, Target};
use std::io;
use tokio::net::UdpSocket;

/// An open way to the receiver.
pub enum Sender {
    /// Frames one behind the other.
    Stream(Connection),
    /// One frame a datagram.
    Datagrams(UdpSocket),
}

impl Sender {
    /// Opens the way a test wants.
    ///
    /// # Errors
    /// One line.
    pub async fn open(test: &Test) -> Result<Sender, String> {
        let failed = |why: String| format!("Error creating sender: {}: {why}", test.address);
        match &test.transport {
            Transport::Tcp { tls } => {
                let target =
                    Target { family: test.family, tls: tls.as_deref().cloned(), ..Target::plain(test.address.clone()) };
                Connection::open(&target).await.map(Sender::Stream).map_err(failed)
            }
            Transport::Udp => {
                let addresses = test.address.to_dial(test.family).await.map_err(failed)?;
                let Some(to) = addresses.first() else { return Err(failed("no address".to_owned())) };
                let any = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
                let socket = UdpSocket::bind(any).await.map_err(|error| failed(error.to_string()))?;
                socket.connect(to).await.map_err(|error| failed(error.to_string()))?;
                Ok(Sender::Datagrams(socket))
            }
        }
    }

    /// How many bytes are best sent at once; 0 means message by message.
    pub fn batch(&self) -> usize {
        match self {
            Sender::Stream(_) => 64 * 1024,
            Sender::Datagrams(_) => 0,
        }
    }

    /// Sends whole frames.
    ///
    /// # Errors
    /// What the system says.
    pub async fn send(&mut self, frames: &[u8]) -> io::Result<()> {
        match self {
            Sender::Stream(connection) => connection.write_all(frames).await,
            Sender::Datagrams(socket) => socket.send(frames).await.map(drop),
        }
    }

    /// Ends in order: a receiver that closes as well has read everything.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn close(self) -> io::Result<()> {
        match self {
            Sender::Stream(connection) => connection.close().await.map(drop),
            Sender::Datagrams(_) => Ok(()),
        }
    }
}
