//! ElasticSearchOutput: sends documents to ElasticSearch's bulk interface, and reads what has become of each.
//!
//! A bulk request succeeds as a whole even when the server has not stored all of its documents; the answer tells of
//! every one. What the server had no room for is sent again, before anything new; what it will never take (a value
//! that does not fit the mapping) is dropped by a rule or kept in a file. `docs/src/http.md` has the whole table.

mod bulk;
mod courier;
mod datagrams;
mod reply;
mod server;
mod types;

use crate::http::auth;
use crate::http::client::{Client, Manner};
use crate::net::place;
use crate::outputs::batched::{DeadLetters, Delivery, Limits, Refusals};
use crate::outputs::http::{check_statuses, dead_letters, limits, milliseconds, refuse};
use crate::outputs::{Feed, Output, OutputSpec};
use crate::plugin::{BoxFuture, PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use crate::tls::{self, Side, TlsSettings};
use courier::Courier;
use datagrams::Datagrams;
use heka_settings::{Nested, OneOf, Problem, Problems, Settings, Table, Words, settings};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use server::Server;
use std::sync::Arc;

/// What becomes of the `_type` of actions.
#[derive(Debug)]
pub struct DocumentTypes;
impl Words for DocumentTypes {
    const WORDS: &'static [&'static str] = &["auto", "keep", "omit"];
}

settings! {
    /// Options of ElasticSearchOutput.
    pub struct ElasticSearchOutputSettings {
        /// The server: a URL with `http`, `https` or `udp`, or `host:port` for http. A path comes before `/_bulk`.
        server: String = "http://localhost:9200",
        /// Milliseconds that a message waits for others to join it; 0: not at all.
        flush_interval: u32 = 1000u32,
        /// Messages in one request at most.
        flush_count: u32 = 10u32,
        /// Bytes in one request at most, but for a single message that has more; at most 4194304. Over udp at most
        /// 65000.
        flush_bytes: u32 = 1_048_576u32,
        /// Milliseconds for looking up and connecting; 0: ten seconds for each address of the server.
        connect_timeout: u32 = 0u32,
        /// Milliseconds for a whole request, connecting included; 0: no limit.
        http_timeout: u32 = 60_000u32,
        /// Whether every request has a connection of its own.
        http_disable_keepalives: bool = false,
        /// User for basic authentication; needs `password` too.
        username: String = "",
        /// Password for basic authentication; needs `username` too.
        password: String = "",
        /// API key, as the server shows it encoded, in place of `username` and `password`.
        api_key: String = "",
        /// TLS options, for `https`.
        tls: Option<Nested<TlsSettings>>,
        /// Whether requests are compressed.
        gzip: bool = false,
        /// What becomes of the `_type` that encoders write: `keep`, `omit`, or `auto`, which keeps it until the server
        /// says that it knows no types (as from version 8 on), and then omits it.
        document_types: OneOf<DocumentTypes> = "auto",
        /// Further statuses, of answers and of documents, after which they are sent again, such as 401 or 403 when
        /// messages had rather wait than be dropped while the password is wrong.
        retry_statuses: Vec<u16>,
        /// File, below `base_dir`, that keeps what the server refuses, with the reasons; empty: it is dropped.
        dead_letter_file: String = "",
        /// Bytes that the file may have; what does not fit is dropped.
        dead_letter_max_size: u64 = 104_857_600u64,
    }
}

/// ElasticSearchOutput.
pub static TYPE: PluginType = PluginType {
    name: "ElasticSearchOutput",
    summary: "Sends documents to ElasticSearch's bulk interface, at least once, and reads what has become of each.",
    settings: ElasticSearchOutputSettings::table,
    defaults: Defaults { use_buffering: Some(true), no_ticker: true, ..Defaults::NONE },
    make: Make::Output(|table, problems| Arc::new(read(table, problems))),
};

/// What `read` made of the settings. Where it found mistakes, something harmless stands in.
struct Spec {
    server: Option<Server>,
    manner: Manner,
    headers: HeaderMap,
    limits: Limits,
    settings: ElasticSearchOutputSettings,
}

fn read(table: &Table, problems: &mut Problems) -> Spec {
    let settings = ElasticSearchOutputSettings::read(table, problems);
    let server = Server::parse(&settings.server)
        .map_err(|why| refuse(problems, table, "server", why, "write for example \"http://localhost:9200\""))
        .ok();
    let address = match &server {
        Some(Server::Http(address)) => Some(address),
        _ => None,
    };
    let manner = Manner {
        connect_timeout: milliseconds(settings.connect_timeout),
        timeout: milliseconds(settings.http_timeout),
        keep_alive: !settings.http_disable_keepalives,
        tls: tls::in_effect(address.is_some_and(|address| address.tls), &settings.tls, Side::Client, table, problems),
    };
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    if settings.gzip {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    let url_credentials = address.and_then(|address| address.credentials.clone());
    if let Some(value) = authorization(&settings, url_credentials, table, problems) {
        headers.insert(AUTHORIZATION, value);
    }
    check_statuses(&settings.retry_statuses, table, problems);
    let mut limits = limits(settings.flush_count, settings.flush_bytes, settings.flush_interval, table, problems);
    if matches!(server, Some(Server::Udp(_))) {
        limits.bytes = limits.bytes.min(datagrams::BATCH_BYTES);
    }
    Spec { server, manner, headers, limits, settings }
}

/// The `Authorization` header that the options ask for.
fn authorization(
    settings: &ElasticSearchOutputSettings,
    url_credentials: Option<(String, String)>,
    table: &Table,
    problems: &mut Problems,
) -> Option<HeaderValue> {
    let ElasticSearchOutputSettings { username, password, api_key, .. } = settings;
    let (option, made) = match (username.is_empty(), password.is_empty(), api_key.is_empty(), url_credentials) {
        (true, true, true, None) => return None,
        (true, true, true, Some((user, password))) => ("server", auth::basic(&user, &password)),
        (true, true, false, _) => ("api_key", auth::token("ApiKey", api_key)),
        (false, false, true, _) => ("username", auth::basic(username, password)),
        (_, _, false, _) => {
            let message = "`api_key` and `username` or `password` cannot both be used";
            refuse(problems, table, "api_key", message, "remove one of them");
            return None;
        }
        (none, ..) => {
            // As ever: half of the credentials are none.
            let (given, missing) = if none { ("password", "username") } else { ("username", "password") };
            let message = format!("`{given}` has no effect without `{missing}`");
            problems.push(Problem::warning(place(table, given), message).help("give both, or neither"));
            return None;
        }
    };
    made.map_err(|why| refuse(problems, table, option, why, "correct it")).ok()
}

impl OutputSpec for Spec {
    fn build(&self, site: &Site) -> Result<Box<dyn Output>, PluginError> {
        let way = match self.server.clone().ok_or_else(|| PluginError::fatal("`server` is no URL"))? {
            Server::Http(address) => Way::Http(Box::new(Courier {
                client: Client::new(&address, self.manner.clone(), self.headers.clone()),
                path: server::bulk_path(&address.path),
                gzip: self.settings.gzip,
                retry_statuses: self.settings.retry_statuses.clone(),
                omit_types: self.settings.document_types.word() == "omit",
                may_omit_types: self.settings.document_types.word() == "auto",
                site: site.clone(),
            })),
            Server::Udp(peer) => Way::Udp(Datagrams::new(peer)),
        };
        let dead_letters = dead_letters(&self.settings.dead_letter_file, self.settings.dead_letter_max_size, site);
        Ok(Box::new(ElasticSearchOutput { way, limits: self.limits, dead_letters }))
    }
}

enum Way {
    Http(Box<Courier>),
    Udp(Datagrams),
}

struct ElasticSearchOutput {
    way: Way,
    limits: Limits,
    dead_letters: Option<DeadLetters>,
}

impl Output for ElasticSearchOutput {
    fn run<'a>(&'a mut self, feed: &'a mut Feed) -> BoxFuture<'a, Result<(), PluginError>> {
        let refusals = Refusals::new(&feed.site, self.dead_letters.clone());
        let delivered = feed.site.stats.counter("SentMessageCount", "count");
        match &mut self.way {
            Way::Http(courier) => Box::pin(Delivery::new(feed, self.limits, &mut **courier, refusals, delivered).run()),
            Way::Udp(datagrams) => Box::pin(Delivery::new(feed, self.limits, datagrams, refusals, delivered).run()),
        }
    }
}

#[cfg(test)]
mod tests;
