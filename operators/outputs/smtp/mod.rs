//! SmtpOutput: sends messages as mails, one each, or all that came within an interval as one.
//!
//! A message is done when the server has taken its mail for somebody, or when it is dropped by a named rule: the server
//! refused the mail, or every recipient, for good. What the server puts off, and everything while it cannot be reached,
//! is tried again. What waits for the end of an interval is sent at a stop, and not acknowledged before; after a crash it
//! comes again.

mod auth;
mod compose;
mod delivery;
mod pending;
mod session;
mod subject;
mod wire;

use crate::net::address::HostPort;
use crate::net::dial::Target;
use crate::net::place;
use crate::outputs::{Feed, Output, OutputSpec};
use crate::plugin::{BoxFuture, PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use crate::stats::{Counter, Stats};
use crate::tls::{self, Side, TlsSettings};
use auth::{Credentials, Mechanism};
use delivery::Delivery;
use heka_settings::{Nested, OneOf, Problem, Problems, Settings, Table, settings};
use session::{Server, StarttlsWords};
use std::sync::Arc;
use std::time::Duration;

settings! {
    /// Options of SmtpOutput.
    pub struct SmtpOutputSettings {
        /// The sender's address.
        send_from: String = "heka@localhost.localdomain",
        /// The recipients' addresses; at least one.
        send_to: Vec<String>,
        /// Subject of all mails; empty means `Heka [NAME]` with the section's name.
        subject: String = "",
        /// The mail server: `host:port`.
        host: String = "127.0.0.1:25",
        /// How to log in: `none`, `Plain`, `Login` or `CRAMMD5`.
        auth: String = "none",
        /// User to log in as.
        user: String = "",
        /// The user's password.
        password: String = "",
        /// Least seconds between two mails. What comes meanwhile is collected for the next one; 0 sends each message at
        /// once.
        send_interval: u32 = 0u32,
        /// Bytes of messages that one mail collects, up to 2 MiB. Further ones are dropped, counted, and the mail says so.
        max_body: u32 = 1_048_576u32,
        /// Whether to encrypt a connection that begins readable: `opportunistic` if the server offers it, `required`, or
        /// `none`.
        starttls: OneOf<StarttlsWords> = "opportunistic",
        /// Whether to speak TLS from the first byte on, as on port 465.
        use_tls: bool = false,
        /// TLS options, with STARTTLS too.
        tls: Option<Nested<TlsSettings>>,
        /// Send a password over a connection that is not encrypted, to a server on another machine.
        allow_readable_password: bool = false,
        /// Seconds after which a mail or a recipient that the server keeps putting off is dropped and counted; 0 for never.
        give_up_after: u32 = 0u32,
    }
}

/// SmtpOutput.
pub static TYPE: PluginType = PluginType {
    name: "SmtpOutput",
    summary: "Sends messages as mails, one each or collected over an interval.",
    settings: SmtpOutputSettings::table,
    defaults: Defaults::NONE,
    make: Make::Output(read),
};

/// Most that `max_body` may be: what an output may hold unacknowledged is not much more.
const LARGEST_BODY: u32 = 2 << 20;

struct Spec {
    settings: SmtpOutputSettings,
    mechanism: Option<Mechanism>,
    target: Result<Target, String>,
    tls: TlsSettings,
}

/// What an instance needs to know.
struct Post {
    server: Server,
    from: String,
    to: Vec<String>,
    subject: String,
    send_interval: Option<Duration>,
    max_body: usize,
    give_up_after: Option<Duration>,
}

/// The counters of an instance.
struct DropRules {
    delivered: Arc<Counter>,
    dropped: Arc<Counter>,
    mails: Arc<Counter>,
    throttled: Arc<Counter>,
    retries: Arc<Counter>,
    /// Messages in mails that the server refused.
    mails_refused: Arc<Counter>,
    /// Recipients refused, summed over mails.
    recipients_refused: Arc<Counter>,
    /// Messages, or recipients where others got the mail, put off for too long.
    given_up: Arc<Counter>,
    /// Messages that found no room in a collected mail.
    full: Arc<Counter>,
}

impl DropRules {
    fn new(stats: &Stats) -> Self {
        DropRules {
            delivered: stats.counter("ProcessMessageCount", "count"),
            dropped: stats.counter("DropMessageCount", "count"),
            mails: stats.counter("SentMailCount", "count"),
            throttled: stats.counter("ThrottledMessageCount", "count"),
            retries: stats.counter("RetryCount", "count"),
            mails_refused: stats.drops("mail-refused"),
            recipients_refused: stats.drops("recipient-refused"),
            given_up: stats.drops("give_up_after"),
            full: stats.drops("max_body"),
        }
    }
}

/// Whether an address can stand in a command and in a header.
fn is_address(text: &str) -> bool {
    let is_plain = |c: char| !c.is_control() && !c.is_whitespace() && !matches!(c, '<' | '>' | ',');
    !text.is_empty() && text.len() <= 254 && text.chars().all(is_plain)
}

fn read(table: &Table, problems: &mut Problems) -> Arc<dyn OutputSpec> {
    let settings = SmtpOutputSettings::read(table, problems);
    let mut refuse = |option: &str, why: String, help: &str| {
        problems.push(Problem::error(place(table, option), why).help(help));
    };
    if settings.send_to.is_empty() {
        let why = "send_to must contain at least one recipient".to_owned();
        refuse("send_to", why, "add for example send_to = [\"root@localhost\"]");
    }
    let address = "write the bare address, such as heka@example.org";
    if let Some(wrong) = settings.send_to.iter().find(|address| !is_address(address)) {
        refuse("send_to", format!("`{wrong}` is no mail address"), address);
    }
    if !is_address(&settings.send_from) {
        refuse("send_from", format!("`{}` is no mail address", settings.send_from), address);
    }
    let mechanism = Mechanism::of(&settings.auth).unwrap_or_else(|why| {
        refuse("auth", why, "use none, Plain, Login or CRAMMD5");
        None
    });
    if mechanism.is_some() && settings.user.is_empty() {
        refuse("user", format!("auth = \"{}\" needs a user", settings.auth), "set user and password");
    }
    if !(1..=LARGEST_BODY).contains(&settings.max_body) {
        let why = format!("max_body must be between 1 and {LARGEST_BODY}, not {}", settings.max_body);
        refuse("max_body", why, "remove the line for 1 MiB");
    }
    let host = HostPort::parse(&settings.host).map_err(|why| {
        refuse(
            "host",
            format!("Host must contain a port specifier: {why}"),
            "write host:port, such as mail.example:587",
        );
        why
    });
    let used = settings.use_tls || settings.starttls.word() != "none";
    let tls = tls::in_effect(used, &settings.tls, Side::Client, table, problems).unwrap_or_default();
    let at_once = settings.use_tls.then(|| tls.clone());
    let target = host.map(|host| Target { tls: at_once, ..Target::plain(host) });
    Arc::new(Spec { settings, mechanism, target, tls })
}

impl OutputSpec for Spec {
    fn build(&self, site: &Site) -> Result<Box<dyn Output>, PluginError> {
        let from = &self.settings;
        let credentials = self.mechanism.map(|mechanism| Credentials {
            user: from.user.clone(),
            password: from.password.clone(),
            mechanism,
        });
        let known = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        let hello: String = site.globals.hostname.chars().filter(known).collect();
        let server = Server {
            target: self.target.clone().map_err(PluginError::fatal)?,
            starttls: from.starttls.word(),
            tls: self.tls.clone(),
            credentials,
            allow_readable_password: from.allow_readable_password,
            hello: if hello.is_empty() { "localhost".to_owned() } else { hello },
        };
        let seconds = |n: u32| (n > 0).then(|| Duration::from_secs(n.into()));
        Ok(Box::new(SmtpOutput(Post {
            server,
            from: from.send_from.clone(),
            to: from.send_to.clone(),
            subject: if from.subject.is_empty() { format!("Heka [{}]", site.name) } else { from.subject.clone() },
            send_interval: seconds(from.send_interval),
            max_body: from.max_body as usize,
            give_up_after: seconds(from.give_up_after),
        })))
    }
}

struct SmtpOutput(Post);

impl Output for SmtpOutput {
    fn run<'a>(&'a mut self, feed: &'a mut Feed) -> BoxFuture<'a, Result<(), PluginError>> {
        Box::pin(async move { Delivery::new(&self.0, feed).run().await })
    }
}

#[cfg(test)]
mod scripted;
#[cfg(test)]
mod tests;
