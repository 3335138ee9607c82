//! TcpOutput: writes records to a TCP or TLS peer, in order, and loses none to a peer that fails.
//!
//! TCP tells what the peer's *kernel* has, not what its program has read. So:
//!
//! - a block is acknowledged when the peer's kernel has acknowledged its last byte; while the peer stalls, the
//!   blocks it took last are not acknowledged either;
//! - the most recent acknowledged blocks are kept (`replay_window`), and written again to the next connection
//!   when this one breaks, before anything new. What a dead peer had not yet read from its kernel is thus not
//!   lost, as long as its kernel held no more than the window; some records arrive twice, which
//!   `ReplayedRecords` counts;
//! - a peer that closes in order has read everything, but its program may still have died with it: the window
//!   is written once more, with the next new block, and not again for the same records;
//! - when this side closes (`reconnect_after`, shutdown), it waits for the peer to close as well. That proves
//!   that everything was read, and nothing is repeated.
//!
//! Records that the peer's kernel has not acknowledged are never given up while the daemon runs; a shutdown
//! leaves them unacknowledged, with their source or in the disk queue.

pub(in crate::outputs) mod delivery;
mod link;
mod window;

use crate::net::address::{Family, HostPort, parse_local};
use crate::net::dial::Target;
use crate::net::place;
use crate::outputs::{Feed, Output, OutputSpec};
use crate::plugin::{BoxFuture, PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use crate::tls::{self, Side, TlsSettings};
use delivery::{Closing, Delivery};
use heka_settings::{Nested, Problem, Problems, Settings, Table, settings};
use std::sync::Arc;

settings! {
    /// Options of TcpOutput.
    pub struct TcpOutputSettings {
        /// Where to connect: `host:port`.
        address: String = "localhost:9125",
        /// Source address: an IP address, with or without a port.
        local_address: String = "",
        /// Whether to speak TLS.
        use_tls: bool = false,
        /// TLS options.
        tls: Option<Nested<TlsSettings>>,
        /// Whether to probe an idle connection.
        keep_alive: bool = false,
        /// Seconds between probes; 0 leaves it to the system.
        keep_alive_period: u32 = 0u32,
        /// Messages after which the connection is closed and made anew, for example to spread load; 0 for never.
        reconnect_after: u64 = 0u64,
        /// Bytes of acknowledged records that are kept to be sent again when a connection breaks.
        replay_window: u32 = 4_194_304u32,
    }
}

/// TcpOutput.
pub static TYPE: PluginType = PluginType {
    name: "TcpOutput",
    summary: "Sends records to a TCP or TLS peer, at least once and in order.",
    settings: TcpOutputSettings::table,
    defaults: Defaults {
        encoder: Some("ProtobufEncoder"),
        frames_protobuf: true,
        use_buffering: Some(true),
        buffering: Some((128 << 20, 50)),
        no_ticker: true,
        ..Defaults::NONE
    },
    make: Make::Output(read),
};

struct Spec {
    target: Result<Target, String>,
    closing: Closing,
    replay_window: usize,
}

fn read(table: &Table, problems: &mut Problems) -> Arc<dyn OutputSpec> {
    let settings = TcpOutputSettings::read(table, problems);
    let address = HostPort::parse(&settings.address);
    if let Err(why) = &address {
        problems.push(
            Problem::error(place(table, "address"), format!("Error resolving TCP address: {why}"))
                .help("write host:port"),
        );
    }
    let local = match settings.local_address.as_str() {
        "" => None,
        text => parse_local(text)
            .map_err(|why| {
                let problem =
                    Problem::error(place(table, "local_address"), format!("Error resolving local TCP address: {why}"));
                problems.push(problem.help("write an IP address of this machine, with a port if it must be that one"));
            })
            .ok(),
    };
    let tls = tls::in_effect(settings.use_tls, &settings.tls, Side::Client, table, problems);
    let keep_alive = settings.keep_alive.then_some(settings.keep_alive_period);
    Arc::new(Spec {
        target: address.map(|address| Target { address, family: Family::Any, local, tls, keep_alive }),
        closing: match settings.reconnect_after {
            0 => Closing::Never,
            n => Closing::After(n),
        },
        replay_window: settings.replay_window as usize,
    })
}

impl OutputSpec for Spec {
    fn build(&self, _site: &Site) -> Result<Box<dyn Output>, PluginError> {
        let target = self.target.clone().map_err(PluginError::fatal)?;
        Ok(Box::new(TcpOutput { target, closing: self.closing, replay_window: self.replay_window }))
    }
}

struct TcpOutput {
    target: Target,
    closing: Closing,
    replay_window: usize,
}

impl Output for TcpOutput {
    fn run<'a>(&'a mut self, feed: &'a mut Feed) -> BoxFuture<'a, Result<(), PluginError>> {
        Box::pin(async move {
            Delivery::new(&self.target, feed, self.closing, self.replay_window, &mut |block| block).run().await
        })
    }
}

#[cfg(test)]
mod tests;
