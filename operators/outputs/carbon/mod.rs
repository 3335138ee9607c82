//! CarbonOutput: sends Graphite's lines in payloads to Carbon, over TCP or in datagrams.
//!
//! Over TCP it delivers as TcpOutput does, by the same code: what a peer's kernel has acknowledged is kept for a while
//! and written again when the connection breaks. Without `tcp_keep_alive` each connection is closed as soon as what
//! waits is written, and a peer that closes as well has read all of it. A point that arrives twice is no harm: Carbon
//! keeps one value for a name and a time.
//!
//! Payloads are taken as they are, without an encoder, and no connection is made for payloads without a valid line.

mod filter;
mod lines;

use crate::net::address::{Family, HostPort};
use crate::net::deadline::Deadline;
use crate::net::dial::Target;
use crate::net::place;
use crate::outputs::tcp::delivery::{Closing, Delivery};
use crate::outputs::udp::destination::Destination;
use crate::outputs::udp::sender::Sender;
use crate::outputs::{Feed, FeedEvent, Output, OutputSpec};
use crate::plugin::{BoxFuture, PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use filter::Filter;
use heka_settings::{Problem, Problems, Settings, Table, settings};
use std::sync::Arc;

settings! {
    /// Options of CarbonOutput.
    pub struct CarbonOutputSettings {
        /// Where Carbon listens: `host:port`. The name is looked up at every connection.
        address: String = "localhost:2003",
        /// `tcp` or `udp`; empty means `tcp`.
        protocol: String = "",
        /// TCP: keep the connection open, and probe it while it is idle. Otherwise it is closed when everything that
        /// waits is sent.
        tcp_keep_alive: bool = false,
        /// TCP: bytes of acknowledged lines that are kept to be sent again when a connection breaks.
        replay_window: u32 = 4_194_304u32,
        /// UDP: bytes past which a datagram takes no further line. Less than 1432 keeps datagrams whole on most networks.
        datagram_size: u32 = 63_488u32,
    }
}

/// CarbonOutput.
pub static TYPE: PluginType = PluginType {
    name: "CarbonOutput",
    summary: "Sends the Graphite lines in payloads (`name value time`) to Carbon over TCP or UDP. It takes no encoder.",
    settings: CarbonOutputSettings::table,
    defaults: Defaults { no_encoder: true, ..Defaults::NONE },
    make: Make::Output(read),
};

/// The most that a datagram takes over IP version 4.
const MOST: usize = 65_507;

#[derive(Clone)]
enum Way {
    Tcp { target: Box<Target>, closing: Closing, replay_window: usize },
    Udp { destination: Destination, full: usize },
}

struct Spec(Result<Way, String>);

fn read(table: &Table, problems: &mut Problems) -> Arc<dyn OutputSpec> {
    let settings = CarbonOutputSettings::read(table, problems);
    let address = HostPort::parse(&settings.address).map_err(|why| {
        let problem = Problem::error(place(table, "address"), format!("Error resolving Carbon address: {why}"));
        problems.push(problem.help("write host:port"));
        why
    });
    let way = address.and_then(|address| match settings.protocol.as_str() {
        "" | "tcp" => Ok(Way::Tcp {
            target: Box::new(Target { keep_alive: settings.tcp_keep_alive.then_some(0), ..Target::plain(address) }),
            closing: if settings.tcp_keep_alive { Closing::Never } else { Closing::WhenIdle },
            replay_window: settings.replay_window as usize,
        }),
        "udp" => Ok(Way::Udp {
            destination: Destination::Ip { address, family: Family::Any, local: None },
            full: settings.datagram_size as usize,
        }),
        other => {
            let why = format!("CarbonOutput: \"{other}\" is not a supported protocol, must be \"tcp\" or \"udp\"");
            problems.push(Problem::error(place(table, "protocol"), &why).help("write protocol = \"tcp\""));
            Err(why)
        }
    });
    Arc::new(Spec(way))
}

impl OutputSpec for Spec {
    fn build(&self, _site: &Site) -> Result<Box<dyn Output>, PluginError> {
        Ok(Box::new(CarbonOutput(self.0.clone().map_err(PluginError::fatal)?)))
    }
}

struct CarbonOutput(Way);

impl Output for CarbonOutput {
    fn run<'a>(&'a mut self, feed: &'a mut Feed) -> BoxFuture<'a, Result<(), PluginError>> {
        Box::pin(async move {
            let filter = Filter::new(&feed.site);
            match &self.0 {
                Way::Tcp { target, closing, replay_window } => {
                    let mut prepare = |block| filter.stream(block);
                    Delivery::new(target, feed, *closing, *replay_window, &mut prepare).run().await
                }
                Way::Udp { destination, full } => send_datagrams(destination, *full, &filter, feed).await,
            }
        })
    }
}

async fn send_datagrams(
    destination: &Destination,
    full: usize,
    filter: &Filter,
    feed: &mut Feed,
) -> Result<(), PluginError> {
    let messages = feed.site.stats.counter("ProcessMessageCount", "count");
    let datagrams = feed.site.stats.counter("SentDatagrams", "count");
    let mut sender = Sender::new(destination, MOST, &feed.site, datagrams, Deadline::new(feed.stopping.clone()));
    loop {
        match feed.next().await {
            FeedEvent::Block(block) => {
                sender.deliver(&filter.datagrams(&block, full, MOST)).await?;
                messages.add(block.len());
                feed.ack(block.ticket);
            }
            FeedEvent::Tick | FeedEvent::Reopen => {}
            FeedEvent::End => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
