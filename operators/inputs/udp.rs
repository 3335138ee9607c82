//! UdpInput: takes datagrams by the batch, from an address, a UNIX socket or a descriptor it was given.
//!
//! Every datagram is cut into records by itself, whoever sent the ones around it. Many travel in one chunk. When
//! the budget is used up, at most one batch waits here and the rest in the kernel; what the kernel has to throw
//! away is counted.

mod packer;
mod source;

use crate::inputs::{Input, InputEdge, InputSpec, Runs};
use crate::net::datagrams::Inbox;
use crate::net::place;
use crate::net::socket;
use crate::plugin::{BoxFuture, PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use crate::stats::Counter;
use crate::throttle::Throttle;
use heka_settings::{Problem, Problems, Settings, Table, settings};
use packer::Packer;
use socket2::Socket;
use source::{Endpoint, Source};
use std::io::ErrorKind;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::unix::AsyncFd;

settings! {
    /// Options of UdpInput.
    pub struct UdpInputSettings {
        /// Where to listen: `host:port`; for `unixgram` a path, or a name behind `@`; or `fd:<number>` for a
        /// descriptor that is open already.
        address: String = "",
        /// `udp`, `udp4`, `udp6` or `unixgram`.
        net: String = "udp",
        /// Whether `Hostname` is the sender's IP address.
        set_hostname: bool = false,
        /// Bytes of the kernel's buffer for datagrams that wait to be read; the system may give less.
        receive_buffer: u32 = 8_388_608u32,
        /// Whether several sockets may share the address, each getting a part of the datagrams.
        reuse_port: bool = false,
    }
}

/// UdpInput.
pub static TYPE: PluginType = PluginType {
    name: "UdpInput",
    summary: "Reads datagrams from a UDP address or a UNIX datagram socket.",
    settings: UdpInputSettings::table,
    defaults: Defaults::NONE,
    make: Make::Input(read),
};

/// Pause after a failed read, so that a socket that keeps failing costs little.
const ERROR_PAUSE: Duration = Duration::from_millis(50);
/// While the socket is never empty, drops are looked up once in so many batches.
const BATCHES_PER_LOOK: u32 = 64;

struct Spec {
    settings: UdpInputSettings,
    endpoint: Result<Endpoint, String>,
}

fn read(table: &Table, problems: &mut Problems) -> Arc<dyn InputSpec> {
    let settings = UdpInputSettings::read(table, problems);
    let endpoint = Endpoint::parse(&settings.net, &settings.address);
    let mut refuse = |option: &str, why: &str, help: &str| {
        problems.push(Problem::error(place(table, option), why).help(help));
    };
    match &endpoint {
        Err(wrong) => refuse(wrong.option, &wrong.why, wrong.help),
        Ok(Endpoint::Unix(_)) if settings.set_hostname => {
            refuse("set_hostname", "Can't set Hostname from Unix datagram.", "remove `set_hostname`");
        }
        Ok(Endpoint::Descriptor(_)) if settings.set_hostname => {
            refuse("set_hostname", "Can't set Hostname from file descriptor.", "remove `set_hostname`");
        }
        Ok(_) => {}
    }
    Arc::new(Spec { settings, endpoint: endpoint.map_err(|wrong| wrong.why) })
}

impl InputSpec for Spec {
    fn build(&self, _site: &Site) -> Result<Box<dyn Input>, PluginError> {
        let endpoint = self.endpoint.clone().map_err(PluginError::fatal)?;
        Ok(Box::new(UdpInput { settings: self.settings.clone(), endpoint }))
    }
}

struct UdpInput {
    settings: UdpInputSettings,
    endpoint: Endpoint,
}

impl Input for UdpInput {
    fn runs(&self) -> Runs {
        Runs::OwnThread
    }

    fn run<'a>(&'a mut self, edge: &'a mut InputEdge) -> BoxFuture<'a, Result<(), PluginError>> {
        Box::pin(self.listen(edge))
    }
}

impl UdpInput {
    async fn listen(&self, edge: &InputEdge) -> Result<(), PluginError> {
        let site = &edge.site;
        let Source { socket, address, file: _file } =
            Source::open(&self.endpoint, self.settings.reuse_port).await.map_err(PluginError::retry)?;
        ask_for_buffer(&socket, self.settings.receive_buffer as usize, site);
        let (slots, slot) = self.endpoint.slots();
        let mut inbox = Inbox::new(slots, slot, self.settings.set_hostname);
        let mut packer = Packer::new(edge, self.settings.set_hostname);
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
            for datagram in inbox.iter() {
                packer.add(datagram).await;
            }
            if drained {
                packer.flush();
            }
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
        packer.flush();
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

#[cfg(test)]
mod tests;
