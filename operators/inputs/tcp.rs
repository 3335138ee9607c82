//! TcpInput: listens, and reads every connection as a stream of its own.
//!
//! A connection costs a task and nothing else while it is idle: buffers and budget are taken when bytes wait,
//! and given back when none came. Without budget nothing is read, and TCP's own flow control holds the sender.

mod connection;
mod listener;

use crate::inputs::{ChunkPool, Input, InputEdge, InputSpec};
use crate::net::{listen, place};
use crate::plugin::{BoxFuture, PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use crate::throttle::Throttle;
use crate::tls::{self, Side, TlsSettings};
use connection::{Acceptor, Connection};
use heka_settings::{Nested, Problem, Problems, Settings, Table, settings};
use listener::{Endpoint, Listener};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{JoinError, JoinSet};
use tokio_rustls::TlsAcceptor;

settings! {
    /// Options of TcpInput.
    pub struct TcpInputSettings {
        /// Where to listen: `host:port`, an empty host for all interfaces; for `unix` a path, or a name behind
        /// `@`.
        address: String = "",
        /// `tcp`, `tcp4`, `tcp6` or `unix`.
        net: String = "tcp",
        /// Whether connections speak TLS.
        use_tls: bool = false,
        /// TLS options.
        tls: Option<Nested<TlsSettings>>,
        /// Whether to probe idle connections.
        keep_alive: bool = false,
        /// Seconds between probes; 0 leaves it to the system.
        keep_alive_period: u32 = 0u32,
        /// Most connections at a time; 0 for no limit. Further ones wait to be accepted.
        max_connections: u32 = 0u32,
    }
}

/// TcpInput.
pub static TYPE: PluginType = PluginType {
    name: "TcpInput",
    summary: "Listens on a TCP address or a UNIX socket and reads a stream of records from every connection.",
    settings: TcpInputSettings::table,
    defaults: Defaults { decoder: Some("ProtobufDecoder"), splitter: Some("HekaFramingSplitter"), ..Defaults::NONE },
    make: Make::Input(read),
};

/// Bytes read at a time: what comes with a read costs several wake-ups and a batch, whatever its size.
const READ_SIZE: usize = 128 * 1024;
/// Room before them for the partial record of the read before.
const HEADROOM: usize = 8 * 1024;
/// Idle buffers kept.
const KEEP: usize = 32;
/// How long accepting pauses when the system has no room for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

struct Spec {
    settings: TcpInputSettings,
    endpoint: Result<Endpoint, String>,
    tls: Option<TlsSettings>,
}

fn read(table: &Table, problems: &mut Problems) -> Arc<dyn InputSpec> {
    let settings = TcpInputSettings::read(table, problems);
    let endpoint = Endpoint::parse(&settings.net, &settings.address);
    if let Err(wrong) = &endpoint {
        let problem = Problem::error(place(table, wrong.option), format!("ResolveTCPAddress failed: {}", wrong.why));
        problems.push(problem.help(wrong.help));
    }
    let tls = tls::in_effect(settings.use_tls, &settings.tls, Side::Server, table, problems);
    if settings.use_tls && matches!(endpoint, Ok(Endpoint::Unix(_))) {
        problems.push(
            Problem::error(place(table, "use_tls"), "TLS is for TCP connections, not for UNIX sockets")
                .help("remove `use_tls`: who may write to a UNIX socket is a matter of its directory's mode"),
        );
    }
    Arc::new(Spec { settings, endpoint: endpoint.map_err(|wrong| wrong.why), tls })
}

impl InputSpec for Spec {
    fn build(&self, _site: &Site) -> Result<Box<dyn Input>, PluginError> {
        let endpoint = self.endpoint.clone().map_err(PluginError::fatal)?;
        let tls = match &self.tls {
            Some(settings) => {
                let config = tls::server_config(settings);
                Some(TlsAcceptor::from(config.map_err(|why| PluginError::retry(format!("TLS init error: {why}")))?))
            }
            None => None,
        };
        let keep_alive = self.settings.keep_alive.then_some(self.settings.keep_alive_period);
        let most = match self.settings.max_connections {
            0 => usize::MAX,
            most => most as usize,
        };
        Ok(Box::new(TcpInput { endpoint, tls, keep_alive, most }))
    }
}

struct TcpInput {
    endpoint: Endpoint,
    tls: Option<TlsAcceptor>,
    keep_alive: Option<u32>,
    most: usize,
}

impl Input for TcpInput {
    fn run<'a>(&'a mut self, edge: &'a mut InputEdge) -> BoxFuture<'a, Result<(), PluginError>> {
        Box::pin(self.serve(edge))
    }
}

impl TcpInput {
    async fn serve(&self, edge: &InputEdge) -> Result<(), PluginError> {
        let site = &edge.site;
        let listener = Listener::bind(&self.endpoint).await.map_err(PluginError::retry)?;
        site.stats.text("Address", listener.address());
        let acceptor = Acceptor {
            edge: edge.clone(),
            pool: ChunkPool::new(READ_SIZE, HEADROOM, KEEP),
            tls: self.tls.clone(),
            keep_alive: self.keep_alive,
            open: site.stats.counter("OpenConnections", "count"),
            log: Arc::default(),
        };
        let mut connections = JoinSet::new();
        let mut next_stream = 0u32;
        let failures = Throttle::default();
        let crowd = Throttle::default();
        let mut stopped = std::pin::pin!(edge.stopped());
        loop {
            let room = connections.len() < self.most;
            if !room {
                crowd.error(&site.log, || format!("{} connections are open; further ones wait", self.most));
            }
            tokio::select! {
                biased;
                () = &mut stopped => break,
                Some(ended) = connections.join_next(), if !connections.is_empty() => report(site, ended),
                accepted = listener.accept(), if room => match accepted {
                    Ok((socket, peer)) => {
                        next_stream = next_stream.wrapping_add(1);
                        connections.spawn(Connection::serve(acceptor.clone(), socket, peer, next_stream));
                    }
                    Err(error) if listen::may_pass(&error) => {
                        failures.error(&site.log, || format!("TCP accept failed: {error}"));
                        tokio::select! {
                            () = &mut stopped => break,
                            () = tokio::time::sleep(ACCEPT_PAUSE) => {}
                        }
                    }
                    Err(error) => return Err(PluginError::retry(format!("TCP accept failed: {error}"))),
                },
            }
        }
        drop(listener);
        while let Some(ended) = connections.join_next().await {
            report(site, ended);
        }
        Ok(())
    }
}

fn report(site: &Site, ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        site.log.error(format!("a connection's task failed: {error}"));
    }
}

#[cfg(test)]
mod tests;
