//! HttpOutput: sends encoded messages as bodies of HTTP requests, in order, and takes the answer as the
//! acknowledgement.
//!
//! One request is under way at a time. What may pass (no connection, no answer, 408, 425, 429, 5xx) is tried again
//! until it has passed; what the server will never take is dropped by a rule or kept in a file, so that one message
//! does not block all others for ever. `docs/src/http.md` has the whole table.

mod courier;

use crate::http::address::Address;
use crate::http::auth;
use crate::http::client::{Client, Manner};
use crate::net::place;
use crate::outputs::batched::{DeadLetters, Delivery, Limits, MOST_BYTES, Refusals};
use crate::outputs::{Feed, Output, OutputSpec};
use crate::plugin::{BoxFuture, PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use crate::tls::{self, Side, TlsSettings};
use courier::Courier;
use heka_settings::{Map, Nested, Problem, Problems, Settings, Table, settings};
use hyper::Method;
use hyper::header::{AUTHORIZATION, CONTENT_ENCODING, HeaderMap, HeaderName, HeaderValue};
use std::sync::Arc;
use std::time::Duration;

settings! {
    /// Options of HttpOutput.
    pub struct HttpOutputSettings {
        /// Where to send: an absolute `http` or `https` URL.
        address: String = "",
        /// `POST`, `PUT` or `GET`, in any case. GET sends no body.
        method: String = "POST",
        /// User for basic authentication.
        username: String = "",
        /// Password for basic authentication.
        password: String = "",
        /// A secret for the `Authorization` header, in place of `username` and `password`.
        token: String = "",
        /// What stands before `token`: `Bearer`, or for example `Token` for InfluxDB, `ApiKey`, `Splunk`.
        token_type: String = "Bearer",
        /// Headers of every request: lists of values by name.
        headers: Map<Vec<String>>,
        /// Milliseconds for a whole request, connecting included; 0: no limit.
        http_timeout: u32 = 30_000u32,
        /// Milliseconds for looking up and connecting; 0: ten seconds for each address of the server.
        connect_timeout: u32 = 0u32,
        /// TLS options, for `https`.
        tls: Option<Nested<TlsSettings>>,
        /// Whether bodies are compressed; the server must know `Content-Encoding: gzip`.
        gzip: bool = false,
        /// Messages in one request at most. More than 1 joins bodies, which the server must understand, as it does
        /// for lines.
        flush_count: u32 = 1u32,
        /// Bytes in one request at most, but for a single message that has more; at most 4194304.
        flush_bytes: u32 = 1_048_576u32,
        /// Milliseconds that a message waits for others to join it; 0: not at all.
        flush_interval: u32 = 1000u32,
        /// Stands between two messages of one request, unless the first ends in it.
        separator: String = "\n",
        /// Further statuses after which a request is made again, such as 401, 403 or 404 when messages had rather wait
        /// than be dropped while the address or the password is wrong.
        retry_statuses: Vec<u16>,
        /// File, below `base_dir`, that keeps what the server refuses, with the reasons; empty: it is dropped.
        dead_letter_file: String = "",
        /// Bytes that the file may have; what does not fit is dropped.
        dead_letter_max_size: u64 = 104_857_600u64,
    }
}

/// HttpOutput.
pub static TYPE: PluginType = PluginType {
    name: "HttpOutput",
    summary: "Sends encoded messages as bodies of HTTP requests, at least once and in order.",
    settings: HttpOutputSettings::table,
    defaults: Defaults::NONE,
    make: Make::Output(|table, problems| Arc::new(read(table, problems))),
};

/// What `read` made of the settings. Where it found mistakes, something harmless stands in.
struct Spec {
    address: Option<Address>,
    manner: Manner,
    headers: HeaderMap,
    method: Method,
    limits: Limits,
    settings: HttpOutputSettings,
}

/// Notes a mistake at an option.
pub(super) fn refuse(problems: &mut Problems, table: &Table, option: &str, why: impl Into<String>, help: &str) {
    problems.push(Problem::error(place(table, option), why).help(help));
}

fn read(table: &Table, problems: &mut Problems) -> Spec {
    let settings = HttpOutputSettings::read(table, problems);
    let address = Address::parse(&settings.address)
        .map_err(|why| {
            let message = format!("`address` must contain an absolute http or https URL. ({why})");
            refuse(problems, table, "address", message, "write for example \"http://example.com:8086/write?db=x\"");
        })
        .ok();
    let method = match settings.method.to_ascii_uppercase().as_str() {
        "GET" => Method::GET,
        "PUT" => Method::PUT,
        "POST" => Method::POST,
        _ => {
            let message = "HTTP Method must be POST, GET, or PUT.";
            refuse(problems, table, "method", message, "use one of the three");
            Method::POST
        }
    };
    let secure = address.as_ref().is_some_and(|address| address.tls);
    let manner = Manner {
        connect_timeout: milliseconds(settings.connect_timeout),
        timeout: milliseconds(settings.http_timeout),
        keep_alive: true,
        tls: tls::in_effect(secure, &settings.tls, Side::Client, table, problems),
    };
    let mut headers = headers(&settings.headers, table, problems);
    if let Some(value) = authorization(&settings, address.as_ref(), table, problems) {
        headers.entry(AUTHORIZATION).or_insert(value);
    }
    if settings.gzip && method != Method::GET {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    let limits = limits(settings.flush_count, settings.flush_bytes, settings.flush_interval, table, problems);
    check_statuses(&settings.retry_statuses, table, problems);
    if method == Method::GET && limits.count > 1 {
        let message = "a GET request has no body for several messages";
        refuse(problems, table, "flush_count", message, "remove `flush_count`, or use POST");
    }
    Spec { address, manner, headers, method, limits, settings }
}

/// A time, unless it is 0.
pub(super) fn milliseconds(number: u32) -> Option<Duration> {
    (number > 0).then(|| Duration::from_millis(u64::from(number)))
}

/// The limits of a batch, checked.
pub(super) fn limits(count: u32, bytes: u32, interval: u32, table: &Table, problems: &mut Problems) -> Limits {
    if count == 0 {
        refuse(problems, table, "flush_count", "`flush_count` must be at least 1", "write 1 for every message alone");
    }
    if !(1..=MOST_BYTES).contains(&bytes) {
        let message = format!("`flush_bytes` must be from 1 to {MOST_BYTES}");
        refuse(problems, table, "flush_bytes", message, "remove it, or write less");
    }
    let interval = Duration::from_millis(u64::from(interval));
    Limits { count: count.max(1) as usize, bytes: bytes.clamp(1, MOST_BYTES) as usize, interval }
}

/// Notes statuses that cannot call for another attempt.
pub(super) fn check_statuses(statuses: &[u16], table: &Table, problems: &mut Problems) {
    for status in statuses.iter().filter(|status| !(400..600).contains(*status)) {
        let message = format!("`retry_statuses` holds {status}, which is no status of an error");
        refuse(problems, table, "retry_statuses", message, "use statuses from 400 to 599");
    }
}

fn headers(map: &Map<Vec<String>>, table: &Table, problems: &mut Problems) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, values) in &map.0 {
        let Ok(header) = HeaderName::try_from(name.as_str()) else {
            refuse(problems, table, "headers", format!("`{name}` is no name of a header"), "correct it");
            continue;
        };
        if matches!(header.as_str(), "content-length" | "transfer-encoding" | "connection" | "upgrade" | "expect") {
            let message = format!("the header `{name}` is not yours to set");
            refuse(problems, table, "headers", message, "remove it; it follows from the request");
            continue;
        }
        for value in values {
            match HeaderValue::try_from(value.as_str()) {
                Ok(value) => drop(headers.append(header.clone(), value)),
                Err(_) => {
                    let message = format!("the value of the header `{name}` holds characters that no header can have");
                    refuse(problems, table, "headers", message, "remove them");
                }
            }
        }
    }
    headers
}

/// The `Authorization` header that the options ask for.
fn authorization(
    settings: &HttpOutputSettings,
    address: Option<&Address>,
    table: &Table,
    problems: &mut Problems,
) -> Option<HeaderValue> {
    let HttpOutputSettings { username, password, token, token_type, .. } = settings;
    let basic = !username.is_empty() || !password.is_empty();
    let (option, made) = match (basic, token.is_empty(), address.and_then(|address| address.credentials.as_ref())) {
        (true, false, _) => {
            let message = "`token` and `username` or `password` cannot both be used";
            refuse(problems, table, "token", message, "remove one of them");
            return None;
        }
        (_, false, _) => ("token", auth::token(token_type, token)),
        (true, ..) => ("username", auth::basic(username, password)),
        (false, true, Some((user, password))) => ("address", auth::basic(user, password)),
        (false, true, None) => return None,
    };
    made.map_err(|why| refuse(problems, table, option, why, "correct it")).ok()
}

/// The file of dead letters, if there is one.
pub(super) fn dead_letters(file: &str, most_bytes: u64, site: &Site) -> Option<DeadLetters> {
    (!file.is_empty()).then(|| DeadLetters { path: site.globals.state_path(file), most_bytes })
}

impl OutputSpec for Spec {
    fn build(&self, site: &Site) -> Result<Box<dyn Output>, PluginError> {
        let address = self.address.clone().ok_or_else(|| PluginError::fatal("`address` is no URL"))?;
        let headers = self.settings.headers.0.iter();
        let names = headers.flat_map(|(name, values)| values.iter().map(|_| name.clone())).collect();
        let courier = Courier {
            client: Client::new(&address, self.manner.clone(), self.headers.clone()).spelled(names),
            method: self.method.clone(),
            path: address.path,
            separator: self.settings.separator.clone().into_bytes().into(),
            gzip: self.settings.gzip,
            retry_statuses: self.settings.retry_statuses.clone(),
        };
        let dead_letters = dead_letters(&self.settings.dead_letter_file, self.settings.dead_letter_max_size, site);
        Ok(Box::new(HttpOutput { courier, limits: self.limits, dead_letters }))
    }
}

struct HttpOutput {
    courier: Courier,
    limits: Limits,
    dead_letters: Option<DeadLetters>,
}

impl Output for HttpOutput {
    fn run<'a>(&'a mut self, feed: &'a mut Feed) -> BoxFuture<'a, Result<(), PluginError>> {
        let refusals = Refusals::new(&feed.site, self.dead_letters.clone());
        let delivered = feed.site.stats.counter("ProcessMessageCount", "count");
        Box::pin(Delivery::new(feed, self.limits, &mut self.courier, refusals, delivered).run())
    }
}

#[cfg(test)]
mod tests;
