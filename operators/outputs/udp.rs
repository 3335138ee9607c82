//! UdpOutput: sends every record as a datagram, many with one system call.
//!
//! A record is done when the kernel has taken it; what the network does to it then is UDP's business. What is
//! known not to have been taken is not lost in silence: records that can never go out are dropped by a named
//! rule, and as long as there is nobody to send to (the name is not known, the socket's file is not there, the
//! network is down) records wait.

pub(in crate::outputs) mod destination;
pub(in crate::outputs) mod sender;

use crate::net::deadline::Deadline;
use crate::net::place;
use crate::outputs::{Feed, FeedEvent, Output, OutputSpec};
use crate::plugin::{BoxFuture, PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use destination::Destination;
use heka_settings::{Problem, Problems, Settings, Table, settings};
use sender::Sender;
use std::sync::Arc;

settings! {
    /// Options of UdpOutput.
    pub struct UdpOutputSettings {
        /// `udp`, `udp4`, `udp6` or `unixgram`.
        net: String = "udp",
        /// Where to send: `host:port`; for `unixgram` a path, or a name behind `@`.
        address: String = "",
        /// Source address: an IP address, with or without a port; for `unixgram` a path.
        local_address: String = "",
        /// Largest record in bytes; longer ones are dropped.
        max_message_size: u32 = 65507u32,
    }
}

/// UdpOutput.
pub static TYPE: PluginType = PluginType {
    name: "UdpOutput",
    summary: "Sends records as datagrams to a UDP address or a UNIX datagram socket.",
    settings: UdpOutputSettings::table,
    defaults: Defaults::NONE,
    make: Make::Output(read),
};

struct Spec {
    destination: Result<Destination, String>,
    max_message_size: usize,
}

fn read(table: &Table, problems: &mut Problems) -> Arc<dyn OutputSpec> {
    let settings = UdpOutputSettings::read(table, problems);
    let mut refuse = |option: &str, why: &str, help: &str| {
        problems.push(Problem::error(place(table, option), why).help(help));
    };
    if settings.max_message_size < 512 {
        let why = "Maximum message size can't be smaller than 512 bytes.";
        refuse("max_message_size", why, "remove `max_message_size`, or make it larger");
    }
    let destination = Destination::parse(&settings.net, &settings.address, &settings.local_address);
    if let Err(wrong) = &destination {
        refuse(wrong.option, &wrong.why, wrong.help);
    }
    Arc::new(Spec {
        destination: destination.map_err(|wrong| wrong.why),
        max_message_size: settings.max_message_size as usize,
    })
}

impl OutputSpec for Spec {
    fn build(&self, _site: &Site) -> Result<Box<dyn Output>, PluginError> {
        let destination = self.destination.clone().map_err(PluginError::fatal)?;
        Ok(Box::new(UdpOutput { destination, max_message_size: self.max_message_size }))
    }
}

struct UdpOutput {
    destination: Destination,
    max_message_size: usize,
}

impl Output for UdpOutput {
    fn run<'a>(&'a mut self, feed: &'a mut Feed) -> BoxFuture<'a, Result<(), PluginError>> {
        Box::pin(async move {
            let sent = feed.site.stats.counter("ProcessMessageCount", "count");
            let deadline = Deadline::new(feed.stopping.clone());
            let mut sender = Sender::new(&self.destination, self.max_message_size, &feed.site, sent, deadline);
            loop {
                match feed.next().await {
                    FeedEvent::Block(block) => {
                        sender.deliver(&block).await?;
                        feed.ack(block.ticket);
                    }
                    FeedEvent::Tick | FeedEvent::Reopen => {}
                    FeedEvent::End => return Ok(()),
                }
            }
        })
    }
}

#[cfg(test)]
mod tests;
