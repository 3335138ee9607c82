//! The loop of inputs that read datagrams: waits, takes them by the batch, and keeps an eye on what the kernel drops.

use super::source::{Endpoint, Source};
use crate::inputs::InputEdge;
use crate::net::datagrams::Inbox;
use crate::net::socket;
use crate::plugin::{PluginError, Site};
use crate::stats::Counter;
use crate::throttle::Throttle;
use socket2::Socket;
use std::io::ErrorKind;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::unix::AsyncFd;

/// Pause after a failed read, so that a socket that keeps failing costs little.
const ERROR_PAUSE: Duration = Duration::from_millis(50);
/// While the socket is never empty, drops are looked up once in so many batches.
const BATCHES_PER_LOOK: u32 = 64;

/// Who takes the datagrams.
pub(in crate::inputs) trait Taker: Send {
    /// Takes a batch, possibly an empty one. `drained` says that nothing more waits for now; the last call before the
    /// end of the loop says so too.
    fn take(&mut self, inbox: &Inbox, drained: bool) -> impl Future<Output = ()> + Send;
}

/// How to receive.
pub(in crate::inputs) struct Receiver<'a> {
    /// Where datagrams come from.
    pub endpoint: &'a Endpoint,
    /// Whether several sockets may share the address.
    pub reuse_port: bool,
    /// Bytes of the kernel's buffer to ask for.
    pub buffer: usize,
    /// Room for a batch.
    pub inbox: Inbox,
}

impl Receiver<'_> {
    /// Receives until the input is told to stop.
    ///
    /// # Errors
    /// When the address cannot be used, or the socket fails for good.
    pub async fn run(self, edge: &InputEdge, taker: &mut impl Taker) -> Result<(), PluginError> {
        let site = &edge.site;
        let Source { socket, address, file: _file } =
            Source::open(self.endpoint, self.reuse_port).await.map_err(PluginError::retry)?;
        ask_for_buffer(&socket, self.buffer, site);
        let mut inbox = self.inbox;
        let mut drops = KernelDrops::new(&socket, site);
        let complaints = Throttle::default();
        // SAFETY: the socket is owned by the registration, keeps its descriptor, and is closed only after it.
        let socket = unsafe { AsyncFd::register(socket) };
        let socket = socket.map_err(|error| PluginError::retry(format!("ListenUDP failed: {error}")))?;
        site.stats.text("Address", address);
        let mut stopped = std::pin::pin!(edge.stopped());
        let mut batches = 0u32;
        loop {
            let mut ready = tokio::select! {
                biased;
                () = &mut stopped => break,
                ready = socket.readable() => {
                    ready.map_err(|error| PluginError::retry(format!("Read error: {error}")))?
                }
            };
            let result = inbox.receive(socket.get_ref().as_fd());
            let drained = result.is_err() || !inbox.is_full();
            taker.take(&inbox, drained).await;
            batches = batches.wrapping_add(1);
            if drained || batches.is_multiple_of(BATCHES_PER_LOOK) {
                drops.look(socket.get_ref(), site);
            }
            match result {
                Ok(()) if drained => ready.clear_ready(),
                Ok(()) => tokio::task::consume_budget().await,
                Err(error) if error.kind() == ErrorKind::WouldBlock => ready.clear_ready(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    complaints.error(&site.log, || format!("Read error: {error}"));
                    tokio::select! {
                        () = &mut stopped => break,
                        () = tokio::time::sleep(ERROR_PAUSE) => {}
                    }
                }
            }
        }
        // What has reached this machine by now is taken; what comes later is for the next start.
        while inbox.receive(socket.get_ref().as_fd()).is_ok() {
            let full = inbox.is_full();
            taker.take(&inbox, false).await;
            if !full {
                break;
            }
        }
        inbox.clear();
        taker.take(&inbox, true).await;
        drops.look(socket.get_ref(), site);
        Ok(())
    }
}

fn ask_for_buffer(socket: &Socket, wanted: usize, site: &Site) {
    match socket::receive_buffer(socket, wanted) {
        Ok(given) => {
            site.stats.counter("ReceiveBuffer", "B").set(given as i64);
            if given < wanted {
                site.log.info(format!(
                    "asked for a receive buffer of {wanted} bytes, the system gave {given}: raise net.core.rmem_max"
                ));
            }
        }
        Err(error) => site.log.error(format!("cannot set the receive buffer: {error}")),
    }
}

/// What the kernel threw away because the socket's buffer was full.
struct KernelDrops {
    seen: Option<u32>,
    counter: Arc<Counter>,
    complaints: Throttle,
}

impl KernelDrops {
    fn new(socket: &Socket, site: &Site) -> Self {
        KernelDrops {
            seen: socket::receive_drops(socket),
            counter: site.stats.drops("kernel-receive-buffer"),
            complaints: Throttle::default(),
        }
    }

    fn look(&mut self, socket: &Socket, site: &Site) {
        let (Some(seen), Some(now)) = (self.seen, socket::receive_drops(socket)) else { return };
        let new = now.wrapping_sub(seen);
        if new > 0 {
            self.seen = Some(now);
            self.counter.add(new as usize);
            let all = self.counter.get();
            self.complaints.error(&site.log, || {
                format!("the kernel dropped {new} datagrams because the receive buffer was full, {all} in all")
            });
        }
    }
}
