//! Showing a server who this is. The library knows no CRAM-MD5, so all three mechanisms are spoken here.

use super::session::{Conversation, Failure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use md5::Md5;
use std::fmt;

/// How to show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mechanism {
    Plain,
    Login,
    CramMd5,
}

impl Mechanism {
    /// The mechanism that a value of `auth` means, none being one of them.
    ///
    /// # Errors
    /// When it means nothing.
    pub(super) fn of(word: &str) -> Result<Option<Mechanism>, String> {
        match word {
            "none" => Ok(None),
            "Plain" => Ok(Some(Mechanism::Plain)),
            "Login" => Ok(Some(Mechanism::Login)),
            "CRAMMD5" => Ok(Some(Mechanism::CramMd5)),
            other => Err(format!("Invalid auth type: {other}")),
        }
    }

    /// Whether whoever listens learns the password.
    pub(super) fn tells_password(self) -> bool {
        self != Mechanism::CramMd5
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mechanism::Plain => "PLAIN",
            Mechanism::Login => "LOGIN",
            Mechanism::CramMd5 => "CRAM-MD5",
        })
    }
}

/// Who this is. It has no `Debug`, so that no log ever shows the password.
#[derive(Clone)]
pub(super) struct Credentials {
    pub user: String,
    pub password: String,
    pub mechanism: Mechanism,
}

/// Logs in.
///
/// # Errors
/// The server's refusal, or what broke the conversation.
pub(super) async fn log_in(server: &mut Conversation, who: &Credentials) -> Result<(), Failure> {
    match who.mechanism {
        Mechanism::Plain => {
            let secret = STANDARD.encode(format!("\0{}\0{}", who.user, who.password));
            server.say(&format!("AUTH PLAIN {secret}")).await?;
        }
        Mechanism::Login => {
            server.say("AUTH LOGIN").await?;
            server.say(&STANDARD.encode(&who.user)).await?;
            server.say(&STANDARD.encode(&who.password)).await?;
        }
        Mechanism::CramMd5 => {
            let challenge = server.say("AUTH CRAM-MD5").await?;
            let challenge = STANDARD
                .decode(challenge.trim())
                .map_err(|_| Failure::Broken("the server's CRAM-MD5 challenge is not base64".to_owned()))?;
            server.say(&STANDARD.encode(format!("{} {}", who.user, digest(&who.password, &challenge)))).await?;
        }
    }
    Ok(())
}

/// The keyed digest of a challenge, in hexadecimal digits.
fn digest(password: &str, challenge: &[u8]) -> String {
    // Keys of any length will do: long ones are hashed, short ones are filled up.
    let Ok(mut mac) = Hmac::<Md5>::new_from_slice(password.as_bytes()) else { return String::new() };
    mac.update(challenge);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_the_standards_example() {
        // RFC 2195, section 2.
        let challenge = b"<1896.697170952@postoffice.reston.mci.net>";
        assert_eq!(digest("tanstaaftanstaaf", challenge), "b913a602c7eda7a495b4e6e7334d3890");
    }
}
