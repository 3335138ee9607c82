//! The server: listens, however long that takes, and serves each connection within limits of time and number.

use super::patient::Patient;
use super::site::Site as Pages;
use super::view;
use crate::backoff::Backoff;
use crate::net::address::{Family, HostPort};
use crate::net::listen::{self, Steps};
use crate::net::socket;
use crate::plugin::Site;
use crate::throttle::Throttle;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

const STEPS: Steps = Steps { resolve: "Looking the address up", listen: "Listening" };

/// What a connection may take.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// How long a client may take over its handshake.
    pub handshake: Duration,
    /// How long a client may take over a request's headers, and be idle between two requests.
    pub headers: Duration,
    /// How long a client may take nothing of what is sent to it.
    pub stall: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let [handshake, headers, stall] = [10, 20, 60].map(Duration::from_secs);
        Limits { handshake, headers, stall }
    }
}

/// Seconds between probes of a silent connection.
const KEEP_ALIVE: u32 = 30;
/// Bytes of a request's headers, and of an answer in the making.
const BUFFER: usize = 32 << 10;
/// Pauses between attempts to listen.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Pause when the system cannot accept a connection right now.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A server with everything it needs.
pub(super) struct Server {
    pub site: Site,
    pub pages: Arc<Pages>,
    pub address: HostPort,
    pub tls: Option<TlsAcceptor>,
    /// Connections at once.
    pub most: usize,
    pub limits: Limits,
}

impl Server {
    /// Serves until dropped.
    pub(super) async fn run(self) {
        let mut pauses = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
        loop {
            // A port that is in use may become free; what comes in is kept meanwhile.
            let why = match listen::first(&self.address, Family::Any, STEPS, |at| listen::tcp(at, Family::Any)).await {
                Ok(listener) => {
                    pauses.reset();
                    self.site.stats.remove_text("Error");
                    self.serve(listener).await
                }
                Err(why) => why,
            };
            let pause = pauses.pause();
            self.site.log.error(format!("{why}; next attempt in {} s", pause.as_secs_f32()));
            self.site.stats.text("Error", why);
            tokio::time::sleep(pause).await;
        }
    }

    /// Serves until the listener fails; says why.
    async fn serve(&self, listener: TcpListener) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        if let Ok(at) = listener.local_addr() {
            self.site.stats.text("Address", format!("{scheme}://{at}/"));
            self.site.log.info(format!("serves the dashboard on {scheme}://{at}/"));
        }
        let open = self.site.stats.counter("OpenConnections", "count");
        let (failures, crowd) = (Throttle::default(), Throttle::default());
        let mut connections = JoinSet::new();
        let mut samples = tokio::time::interval(view::PERIOD);
        samples.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            let room = connections.len() < self.most;
            if !room {
                crowd.error(&self.site.log, || format!("{} connections are open; further ones wait", self.most));
            }
            tokio::select! {
                Some(ended) = connections.join_next(), if !connections.is_empty() => {
                    open.sub(1);
                    if let Err(error) = ended {
                        self.site.log.error(format!("a connection's task failed: {error}"));
                    }
                }
                // Looked at again whenever somebody comes; while nobody is there, nothing wakes the server.
                () = self.pages.readers.arrival() => {}
                _ = samples.tick(), if self.pages.readers.len() > 0 => drop(self.pages.view.refresh(&self.pages.documents)),
                accepted = listener.accept(), if room => match accepted {
                    Ok((stream, _)) => {
                        open.add(1);
                        connections.spawn(connection(stream, self.tls.clone(), self.pages.clone(), self.limits));
                    }
                    Err(error) if listen::may_pass(&error) => {
                        failures.error(&self.site.log, || format!("Accepting a connection failed: {error}"));
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                    Err(error) => return format!("Accepting connections failed: {error}"),
                },
            }
        }
    }
}

/// Serves one connection to its end. Readers come, go and send what they like: how they fail concerns nobody here.
async fn connection(stream: TcpStream, tls: Option<TlsAcceptor>, pages: Arc<Pages>, limits: Limits) -> io::Result<()> {
    socket::keep_alive(&stream, KEEP_ALIVE)?;
    stream.set_nodelay(true)?;
    match tls {
        None => requests(stream, pages, limits).await,
        Some(tls) => match tokio::time::timeout(limits.handshake, tls.accept(stream)).await {
            Ok(stream) => requests(stream?, pages, limits).await,
            Err(_) => Err(ErrorKind::TimedOut.into()),
        },
    }
}

async fn requests(stream: impl AsyncRead + AsyncWrite + Unpin, pages: Arc<Pages>, limits: Limits) -> io::Result<()> {
    let service = service_fn(move |request| {
        let reply = pages.answer(&request);
        async move { Ok::<_, Infallible>(reply) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits.headers).max_buf_size(BUFFER);
    let stream = TokioIo::new(Patient::new(stream, limits.stall));
    builder.serve_connection(stream, service).await.map_err(io::Error::other)
}
