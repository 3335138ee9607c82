//! A client of one server: sends a request, reads its answer, and keeps the connection for the next.
//!
//! A server may close a connection that rests at the very moment a request goes out over it. That is nobody's
//! failure: such a request is sent once more, over a new connection, before its sender hears of it.

use crate::http::address::Address;
use crate::http::body::Pieces;
use crate::http::spelling::spelled;
use crate::net::dial::{Connection, Target};
use crate::tls::TlsSettings;
use http_body_util::BodyExt;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::header::{CONNECTION, HOST, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER, USER_AGENT};
use hyper::http::Extensions;
use hyper::rt::{Read, Write};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use std::error::Error;
use std::fmt::{self, Display};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

/// How long a connection may take to be ready for the next request once its answer is read; then it is closed.
const SETTLE: Duration = Duration::from_millis(100);

/// Seconds between probes of a silent connection, so that a server that is gone is noticed even without a timeout.
const PROBE: u32 = 30;

/// How requests are made.
#[derive(Clone, Debug)]
pub struct Manner {
    /// Bound on looking up and connecting; none leaves it to [`Connection::open`].
    pub connect_timeout: Option<Duration>,
    /// Bound on a whole request, connecting included.
    pub timeout: Option<Duration>,
    /// Whether a connection serves more than one request.
    pub keep_alive: bool,
    /// Of TLS, for `https`.
    pub tls: Option<TlsSettings>,
}

/// What a server answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its `Retry-After` header.
    pub retry_after: Option<HeaderValue>,
    /// Its `Location` header.
    pub location: Option<HeaderValue>,
    /// The body, as far as it was wanted.
    pub body: Vec<u8>,
    /// Whether the body goes on behind what was wanted.
    pub cut: bool,
}

impl Answer {
    /// Code and reason, as in `404 Not Found`.
    pub fn status_line(&self) -> String {
        let reason = self.status.canonical_reason().unwrap_or_default();
        format!("{} {reason}", self.status.as_u16()).trim_end().to_owned()
    }

    /// The beginning of the body, on one line, for logs.
    pub fn excerpt(&self) -> String {
        const LENGTH: usize = 1000;
        let text = String::from_utf8_lossy(&self.body[..self.body.len().min(LENGTH)]);
        let more = if self.body.len() > LENGTH || self.cut { "…" } else { "" };
        format!("{}{more}", text.trim().replace(['\n', '\r'], " "))
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// There was none in time.
    TimedOut(Duration),
    /// One line.
    Broken(String),
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::TimedOut(lasted) => write!(f, "no answer within {lasted:?}"),
            Failure::Broken(why) => f.write_str(why),
        }
    }
}

/// The connection's other half; ends with its owner.
struct Driver(JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Link {
    sender: SendRequest<Pieces>,
    _driver: Driver,
}

/// A client.
pub struct Client {
    target: Target,
    manner: Manner,
    headers: HeaderMap,
    /// Names of headers as the user spelled them, until they are in `spelling`.
    names: Vec<String>,
    spelling: Extensions,
    resting: Option<Link>,
}

impl Client {
    /// A client of the server at `address` that sends `headers` with every request. Connects when there is one to send.
    pub fn new(address: &Address, manner: Manner, mut headers: HeaderMap) -> Client {
        let tls = manner.tls.clone().filter(|_| address.tls);
        let target = Target { tls, keep_alive: Some(PROBE), ..Target::plain(address.peer.clone()) };
        if !headers.contains_key(HOST) {
            headers.insert(HOST, address.host.clone());
        }
        if !headers.contains_key(USER_AGENT) {
            headers.insert(USER_AGENT, HeaderValue::from_static(concat!("hekad/", env!("CARGO_PKG_VERSION"))));
        }
        if !manner.keep_alive {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Client { target, manner, headers, names: Vec::new(), spelling: Extensions::new(), resting: None }
    }

    /// Sends headers of these names, one for each value, as they are spelled here.
    pub fn spelled(self, names: Vec<String>) -> Client {
        Client { names, ..self }
    }

    /// Sends a request and reads its answer, at most `limit` bytes of its body. Not cancel-safe in that a request that
    /// is given up may have arrived.
    ///
    /// # Errors
    /// When there is no whole answer.
    pub async fn send(&mut self, method: &Method, path: &str, body: &Pieces, limit: usize) -> Result<Answer, Failure> {
        let began = Instant::now();
        let bound = self.manner.timeout;
        let exchange = self.exchange(method, path, body, limit);
        match bound {
            None => exchange.await,
            Some(bound) => match timeout(bound, exchange).await {
                Ok(result) => result,
                Err(_) => Err(Failure::TimedOut(began.elapsed())),
            },
        }
    }

    async fn exchange(&mut self, method: &Method, path: &str, body: &Pieces, limit: usize) -> Result<Answer, Failure> {
        if !self.names.is_empty() {
            self.spelling = spelled(&std::mem::take(&mut self.names)).await;
        }
        let request = || {
            let mut request = Request::new(body.clone());
            *request.method_mut() = method.clone();
            *request.uri_mut() = path.parse().map_err(|error| Failure::Broken(format!("`{path}`: {error}")))?;
            *request.headers_mut() = self.headers.clone();
            *request.extensions_mut() = self.spelling.clone();
            Ok(request)
        };
        let first = request()?;
        if let Some(mut link) = self.resting.take()
            && link.sender.is_ready()
            && let Ok(response) = link.sender.send_request(first).await
        {
            return self.read(link, response, limit).await;
        }
        let request = request()?;
        let mut link = self.connect().await?;
        let response = link.sender.send_request(request).await.map_err(broken)?;
        self.read(link, response, limit).await
    }

    async fn read(
        &mut self,
        mut link: Link,
        response: hyper::Response<hyper::body::Incoming>,
        limit: usize,
    ) -> Result<Answer, Failure> {
        let (head, mut incoming) = response.into_parts();
        let (mut body, mut cut) = (Vec::new(), false);
        while let Some(frame) = incoming.frame().await {
            let frame = frame.map_err(broken)?;
            let data = frame.data_ref().map_or(&[][..], |data| data);
            let wanted = data.len().min(limit - body.len());
            body.extend_from_slice(&data[..wanted]);
            if wanted < data.len() {
                cut = true;
                break;
            }
        }
        // A connection whose answer came before the whole request was sent is of no more use, and may never be ready.
        if !cut && self.manner.keep_alive && matches!(timeout(SETTLE, link.sender.ready()).await, Ok(Ok(()))) {
            self.resting = Some(link);
        }
        let header = |name| head.headers.get(name).cloned();
        Ok(Answer { status: head.status, retry_after: header(RETRY_AFTER), location: header(LOCATION), body, cut })
    }

    async fn connect(&self) -> Result<Link, Failure> {
        let opening = Connection::open(&self.target);
        let opened = match self.manner.connect_timeout {
            None => opening.await,
            Some(bound) => timeout(bound, opening).await.unwrap_or_else(|_| Err(format!("no answer within {bound:?}"))),
        };
        let peer = &self.target.address;
        match opened.map_err(|why| Failure::Broken(format!("can't connect to {peer}: {why}")))? {
            Connection::Plain(stream) => handshake(TokioIo::new(stream)).await,
            Connection::Tls(stream) => handshake(TokioIo::new(stream)).await,
        }
    }
}

async fn handshake<T: Read + Write + Unpin + Send + 'static>(io: T) -> Result<Link, Failure> {
    // Names that are ours: they have no case, but some servers know them only as everybody used to write them.
    let (sender, connection) = Builder::new().title_case_headers(true).handshake(io).await.map_err(broken)?;
    let driver = tokio::spawn(async move {
        // What goes wrong here is told to whoever waits for the answer.
        let _ = connection.await;
    });
    Ok(Link { sender, _driver: Driver(driver) })
}

/// The error with what caused it, on one line.
fn broken(error: hyper::Error) -> Failure {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    Failure::Broken(text)
}

#[cfg(test)]
mod tests;
