//! One conversation with a server: greeting, encryption, log in, then a mail after the other. The protocol is lettre's;
//! what is decided here is what each refusal means.

use super::auth::{Credentials, log_in};
use super::wire::Wire;
use crate::net::dial::{Connection, Target};
use crate::tls::TlsSettings;
use heka_settings::Words;
use lettre::transport::smtp::Error;
#[allow(deprecated, reason = "the only way to a session's stream, which encryption replaces")]
use lettre::transport::smtp::client::AsyncNetworkStream;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::Ehlo;
use lettre::transport::smtp::extension::{ClientId, Extension, ServerInfo};
use lettre::transport::smtp::response::Response;
use std::fmt::Display;
use std::time::Duration;
use tokio::time::timeout;

/// How long a server may take over a command.
const ANSWER: Duration = Duration::from_secs(60);
/// How long it may take over a mail's text: it may look for viruses meanwhile.
const ACCEPT: Duration = Duration::from_secs(600);
/// How long a farewell may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// When to encrypt a connection that begins readable.
#[derive(Debug)]
pub struct StarttlsWords;

impl Words for StarttlsWords {
    const WORDS: &'static [&'static str] = &["opportunistic", "required", "none"];
}

/// The server, and what it is told of this side.
#[derive(Clone)]
pub(super) struct Server {
    pub target: Target,
    /// `opportunistic`, `required` or `none`.
    pub starttls: &'static str,
    /// For STARTTLS; what is used from the first byte on is in `target`.
    pub tls: TlsSettings,
    pub credentials: Option<Credentials>,
    /// Whether a password may go over a readable link to another machine.
    pub allow_readable_password: bool,
    /// What this machine calls itself.
    pub hello: String,
}

impl Server {
    /// Keeps a password off links on which others can read it.
    fn guard_password(&self, who: &Credentials, encrypted: bool, local: bool) -> Result<(), String> {
        let how = who.mechanism;
        if !how.tells_password() || encrypted || local || self.allow_readable_password {
            return Ok(());
        }
        Err(format!(
            "{how} would send the password readably: use a server that offers STARTTLS, set use_tls = true, set auth = \
             \"CRAMMD5\", or set allow_readable_password = true on a network you trust"
        ))
    }
}

/// Why something did not work.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The conversation is over; a new one may do better.
    Broken(String),
    /// The server said no.
    Reply { code: u16, text: String },
}

impl Failure {
    /// The server will say no for ever.
    pub(super) fn is_permanent(&self) -> bool {
        matches!(self, Failure::Reply { code: 500.., .. })
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Broken(why) => f.write_str(why),
            Failure::Reply { code, text } => write!(f, "{code} {text}"),
        }
    }
}

/// What became of a mail.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Receipt {
    /// Whether the server has taken it for somebody.
    pub accepted: bool,
    /// To whom it may be sent later, and what the server said.
    pub deferred: Vec<(String, String)>,
    /// To whom it can never be sent, and what the server said.
    pub refused: Vec<(String, String)>,
}

/// Commands and answers.
pub(super) struct Conversation {
    connection: AsyncSmtpConnection,
}

impl Conversation {
    /// Sends a line and returns the first line of the answer, which is not a refusal.
    pub(super) async fn say(&mut self, line: &str) -> Result<String, Failure> {
        let answer = self.ask(format!("{line}\r\n")).await?;
        Ok(answer.first_line().unwrap_or_default().to_owned())
    }

    async fn ask(&mut self, command: String) -> Result<Response, Failure> {
        answered(ANSWER, self.connection.command(command)).await
    }
}

/// Waits for an answer, and tells a refusal from the end of the conversation.
async fn answered<T>(patience: Duration, answer: impl Future<Output = Result<T, Error>>) -> Result<T, Failure> {
    let error = match timeout(patience, answer).await {
        Ok(Ok(answer)) => return Ok(answer),
        Ok(Err(error)) => error,
        Err(_) => return Err(Failure::Broken(format!("no answer within {} s", patience.as_secs()))),
    };
    let Some(code) = error.status() else { return Err(Failure::Broken(described(&error))) };
    let text = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    match u16::from(code) {
        421 => Err(Failure::Broken(format!("421 {text}"))),
        code => Err(Failure::Reply { code, text }),
    }
}

/// An error with what is behind it, in one line.
fn described(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error).and_then(std::error::Error::source);
    while let Some(behind) = cause {
        text = format!("{text}: {behind}");
        cause = behind.source();
    }
    text.replace(['\r', '\n'], " ")
}

/// An open session.
pub(super) struct Session {
    conversation: Conversation,
    knows_utf8: bool,
}

impl Session {
    /// Connects, encrypts and logs in, as `server` says.
    ///
    /// # Errors
    /// One line, with a remedy where there is one.
    pub(super) async fn open(server: &Server) -> Result<Session, Failure> {
        let address = &server.target.address;
        let at = |why: String| Failure::Broken(format!("{address}: {why}"));
        let connection = Connection::open(&server.target).await.map_err(at)?;
        let wire = Wire::new(connection).map_err(|error| at(error.to_string()))?;
        let hello = ClientId::Domain(server.hello.clone());
        let opening = AsyncSmtpConnection::connect_with_transport(Box::new(wire.clone()), &hello);
        let connection = answered(ANSWER, opening).await.map_err(|why| at(why.to_string()))?;
        let mut conversation = Conversation { connection };
        let mut info = conversation.connection.server_info().clone();
        if !wire.is_encrypted() && server.starttls != "none" {
            if info.supports_feature(Extension::StartTls) {
                info = encrypt(&mut conversation, &wire, server, &hello).await.map_err(|why| at(why.to_string()))?;
            } else if server.starttls == "required" {
                return Err(at("the server offers no STARTTLS: set starttls = \"none\" to send readable mails, or \
                               use_tls = true if it expects TLS from the first byte on"
                    .to_owned()));
            }
        }
        if let Some(who) = &server.credentials {
            server.guard_password(who, wire.is_encrypted(), wire.is_local()).map_err(at)?;
            let how = who.mechanism;
            log_in(&mut conversation, who).await.map_err(|why| {
                at(format!("{how} login of user `{}` failed: {why}: check auth, user and password", who.user))
            })?;
        }
        Ok(Session { conversation, knows_utf8: info.supports_feature(Extension::SmtpUtfEight) })
    }

    /// Sends a mail. Recipients that are refused do not keep it from the others.
    ///
    /// # Errors
    /// When the server refuses the mail as such, or the conversation breaks; whether it has taken it then is not known.
    pub(super) async fn send(&mut self, from: &str, to: &[String], mail: &[u8]) -> Result<Receipt, Failure> {
        let server = &mut self.conversation;
        let utf8 = if from.is_ascii() && to.iter().all(|address| address.is_ascii()) {
            ""
        } else if self.knows_utf8 {
            " SMTPUTF8"
        } else {
            let text = "the server takes only ASCII in addresses".to_owned();
            return Err(Failure::Reply { code: 550, text });
        };
        server.say(&format!("MAIL FROM:<{from}>{utf8}")).await.map_err(unless_settings)?;
        let mut receipt = Receipt::default();
        let mut taken = 0;
        for address in to {
            match server.say(&format!("RCPT TO:<{address}>")).await {
                Ok(_) => taken += 1,
                Err(why @ Failure::Broken(_)) => return Err(why),
                Err(why) if why.is_permanent() => receipt.refused.push((address.clone(), why.to_string())),
                Err(why) => receipt.deferred.push((address.clone(), why.to_string())),
            }
        }
        if taken == 0 {
            server.say("RSET").await?;
            return Ok(receipt);
        }
        server.say("DATA").await.map_err(unless_settings)?;
        answered(ACCEPT, server.connection.message(mail)).await?;
        receipt.accepted = true;
        Ok(receipt)
    }

    /// Says goodbye. All mails are in the server's hands already, so how that goes does not matter.
    pub(super) async fn close(mut self) {
        let _ = timeout(FAREWELL, self.conversation.say("QUIT")).await;
    }
}

/// Refusals that are about this daemon's settings, not about the mail: they end with the settings, and the mail waits.
fn unless_settings(why: Failure) -> Failure {
    match why {
        // Authentication required; encryption required.
        Failure::Reply { code: code @ (530 | 534 | 535 | 538), text } => Failure::Broken(format!(
            "{code} {text}: the server wants a login or encryption: check auth, user, password, starttls and use_tls"
        )),
        why => why,
    }
}

/// Encrypts a readable session, and learns anew what the server can do.
async fn encrypt(
    conversation: &mut Conversation,
    wire: &Wire,
    server: &Server,
    hello: &ClientId,
) -> Result<ServerInfo, Failure> {
    conversation.say("STARTTLS").await?;
    let host = &server.target.address.host;
    let shaken = timeout(ANSWER, wire.encrypt(&server.tls, host)).await;
    shaken.unwrap_or_else(|_| Err("no answer".to_owned())).map_err(|why| {
        Failure::Broken(format!(
            "STARTTLS failed: {why}: name the server's authority in tls.root_cafile or its name in tls.server_name, or \
             set starttls = \"none\""
        ))
    })?;
    // A new stream, so that nothing that came readably is taken for something that came encrypted.
    #[allow(deprecated, reason = "the only way to a session's stream")]
    conversation.connection.set_stream(AsyncNetworkStream::use_existing_tokio1(Box::new(wire.clone())));
    let answer = conversation.ask(Ehlo::new(hello.clone()).to_string()).await?;
    ServerInfo::from_response(&answer).map_err(|error| Failure::Broken(described(&error)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::address::HostPort;
    use crate::outputs::smtp::auth::Mechanism;

    #[test]
    fn a_password_stays_off_readable_links_to_other_machines() {
        let who = |mechanism| Credentials { user: "u".into(), password: "very secret".into(), mechanism };
        let mut server = Server {
            target: Target::plain(HostPort { host: "mail.test".into(), port: 25 }),
            starttls: "none",
            tls: TlsSettings::default(),
            credentials: None,
            allow_readable_password: false,
            hello: "here".into(),
        };
        for mechanism in [Mechanism::Plain, Mechanism::Login] {
            let refused = server.guard_password(&who(mechanism), false, false).unwrap_err();
            assert!(refused.contains("use_tls = true") && !refused.contains("very secret"), "{refused}");
            assert_eq!(server.guard_password(&who(mechanism), true, false), Ok(()));
            assert_eq!(server.guard_password(&who(mechanism), false, true), Ok(()));
        }
        assert_eq!(server.guard_password(&who(Mechanism::CramMd5), false, false), Ok(()));
        server.allow_readable_password = true;
        assert_eq!(server.guard_password(&who(Mechanism::Plain), false, false), Ok(()));
    }
}
