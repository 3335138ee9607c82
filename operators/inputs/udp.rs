//! UdpInput: takes datagrams by the batch, from an address, a UNIX socket or a descriptor it was given.
//!
//! Every datagram is cut into records by itself, whoever sent the ones around it. Many travel in one chunk. When
//! the budget is used up, at most one batch waits here and the rest in the kernel; what the kernel has to throw
//! away is counted.

mod packer;
pub(super) mod receive;
pub(super) mod source;

use crate::inputs::{Input, InputEdge, InputSpec, Runs};
use crate::net::datagrams::Inbox;
use crate::net::place;
use crate::plugin::{BoxFuture, PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use heka_settings::{Problem, Problems, Settings, Table, settings};
use packer::Packer;
use receive::Receiver;
use source::Endpoint;
use std::sync::Arc;

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
        Box::pin(async move {
            let (slots, slot) = self.endpoint.slots();
            let receiver = Receiver {
                endpoint: &self.endpoint,
                reuse_port: self.settings.reuse_port,
                buffer: self.settings.receive_buffer as usize,
                inbox: Inbox::new(slots, slot, self.settings.set_hostname),
            };
            receiver.run(edge, &mut Packer::new(edge, self.settings.set_hostname)).await
        })
    }
}

#[cfg(test)]
mod tests;
