//! One connection of TcpOutput: bytes out without waiting, and how far they have come.

use crate::net::dial::{Connection, Target};
use crate::net::socket;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::mem::MaybeUninit;
use tokio::net::TcpStream;
use tokio_rustls::rustls::ClientConnection;

/// What a peer says is thrown away, so much at a time.
const DISCARD: usize = 4096;

/// What came from the peer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Incoming {
    /// Nothing that matters.
    Nothing,
    /// It will say nothing more.
    End,
}

/// An open connection.
pub(super) struct Link {
    stream: TcpStream,
    tls: Option<Box<ClientConnection>>,
    /// Whether the peer closed its direction before anything was written: it never meant to speak.
    pub mute: bool,
    /// Bytes given to the kernel.
    written: u64,
    /// Bytes given to the TLS session that are not all in the kernel.
    in_session: usize,
    /// What the peer's kernel had acknowledged at the last look, and what may be counted on.
    acknowledged: u64,
    settled: u64,
}

impl Link {
    /// Connects to the first address that answers.
    ///
    /// # Errors
    /// One line: why the last address that was tried did not answer.
    pub(super) async fn open(target: &Target) -> Result<Link, String> {
        Ok(match Connection::open(target).await? {
            Connection::Plain(stream) => Link::over(stream, None),
            Connection::Tls(stream) => {
                let (stream, session) = stream.into_inner();
                Link::over(stream, Some(Box::new(session)))
            }
        })
    }

    fn over(stream: TcpStream, tls: Option<Box<ClientConnection>>) -> Link {
        let (written, in_session, acknowledged, settled) = (0, 0, 0, 0);
        Link { stream, tls, mute: false, written, in_session, acknowledged, settled }
    }

    /// Bytes given to the kernel so far: what a write ends at.
    pub(super) fn position(&self) -> u64 {
        self.written
    }

    /// Waits until a write may get on.
    pub(super) async fn writable(&self) -> io::Result<()> {
        self.stream.writable().await
    }

    /// Waits until the peer has said something, or closed.
    pub(super) async fn readable(&self) -> io::Result<()> {
        self.stream.readable().await
    }

    /// Whether the peer has closed its side by now. The runtime may not know yet, and what is written to a peer
    /// that is gone would break the connection instead of ending it: worth a look before the first write after
    /// a rest.
    pub(super) fn is_closed_by_peer(&self) -> bool {
        let mut byte = [MaybeUninit::uninit()];
        !self.mute
            && socket2::SockRef::from(&self.stream)
                .recv_with_flags(&mut byte, libc::MSG_PEEK | libc::MSG_DONTWAIT)
                .is_ok_and(|n| n == 0)
    }

    /// Writes without waiting and returns how many bytes the kernel has now. After `WouldBlock` the same bytes
    /// must be offered again, with or without more behind them.
    ///
    /// # Errors
    /// `WouldBlock` when there is no room; all else means that the connection is broken.
    pub(super) fn try_send(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let Some(session) = &mut self.tls else {
            let n = self.stream.try_write_vectored(slices)?;
            self.written += n as u64;
            return if n == 0 { Err(ErrorKind::WriteZero.into()) } else { Ok(n) };
        };
        if self.in_session == 0 {
            for slice in slices {
                let n = session.writer().write(slice)?;
                self.in_session += n;
                if n < slice.len() {
                    break;
                }
            }
        }
        flush(session, &self.stream, &mut self.written)?;
        Ok(std::mem::take(&mut self.in_session))
    }

    /// Throws away what the peer says; a socket that is closed with bytes unread would break the connection
    /// instead of ending it.
    ///
    /// # Errors
    /// When the connection is broken.
    pub(super) fn discard(&mut self) -> io::Result<Incoming> {
        let mut buf = [0; DISCARD];
        loop {
            let read = match &mut self.tls {
                None => self.stream.try_read(&mut buf),
                Some(session) => read_session(session, &self.stream, &mut self.written, &mut buf),
            };
            match read {
                Ok(0) => return Ok(Incoming::End),
                // There may be more, which readiness will say again.
                Ok(n) if n < DISCARD => return Ok(Incoming::Nothing),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Incoming::Nothing),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Bytes written that the peer's kernel has not acknowledged.
    ///
    /// # Errors
    /// When the connection is broken.
    pub(super) fn unacknowledged(&self) -> io::Result<u64> {
        let bytes = socket::unacknowledged(&self.stream)?;
        // A connection that broke has forgotten its bytes. It notes the error first, so asking afterwards tells
        // whether the number was true.
        match self.stream.take_error()? {
            Some(error) => Err(error),
            None => Ok(bytes),
        }
    }

    /// Up to where the bytes written are in the peer's hands: all of them, or, while some are under way, what
    /// had arrived at the last look, provided that more has arrived since. A peer that stalls thus holds back
    /// what it took last.
    ///
    /// # Errors
    /// When the connection is broken.
    pub(super) fn settled(&mut self) -> io::Result<u64> {
        let now = self.written.saturating_sub(self.unacknowledged()?);
        if now >= self.written {
            self.settled = self.written;
        } else if now > self.acknowledged {
            self.settled = self.settled.max(self.acknowledged);
        }
        self.acknowledged = now;
        Ok(self.settled)
    }

    /// Says that nothing more will be written.
    ///
    /// # Errors
    /// When the connection is broken.
    pub(super) async fn finish(&mut self) -> io::Result<()> {
        if let Some(session) = &mut self.tls {
            session.send_close_notify();
            while let Err(error) = flush(session, &self.stream, &mut self.written) {
                if error.kind() != ErrorKind::WouldBlock {
                    return Err(error);
                }
                self.stream.writable().await?;
            }
        }
        socket2::SockRef::from(&self.stream).shutdown(std::net::Shutdown::Write)
    }
}

/// The socket as the session wants it: reads and writes that do not wait, and are counted.
struct Raw<'a> {
    stream: &'a TcpStream,
    written: &'a mut u64,
}

impl Write for Raw<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let n = self.stream.try_write_vectored(slices)?;
        *self.written += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Raw<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.stream.try_read(buf)
    }
}

/// Writes what the session has ready.
fn flush(session: &mut ClientConnection, stream: &TcpStream, written: &mut u64) -> io::Result<()> {
    while session.wants_write() {
        if session.write_tls(&mut Raw { stream, written })? == 0 {
            return Err(ErrorKind::WriteZero.into());
        }
    }
    Ok(())
}

/// Reads decrypted bytes; 0 at the end.
fn read_session(
    session: &mut ClientConnection,
    stream: &TcpStream,
    written: &mut u64,
    buf: &mut [u8],
) -> io::Result<usize> {
    loop {
        match session.reader().read(buf) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            // A peer that closes without saying goodbye has closed all the same.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
            result => return result,
        }
        session.read_tls(&mut Raw { stream, written })?;
        if let Err(error) = session.process_new_packets() {
            // The alert that says why; whether it arrives does not matter any more.
            let _ = flush(session, stream, written);
            return Err(io::Error::new(ErrorKind::InvalidData, error));
        }
    }
}
