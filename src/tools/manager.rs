//! The daemon whose filters heka-sbmgr and heka-sbmgrload load and unload: their configuration, and what they send.

use super::{SignerSettings, peer};
use crate::config::hekad::system_hostname;
use crate::engine::now_ns;
use heka_message::framing::{write_frame, write_signed_frame};
use heka_message::{BatchBuilder, FieldValue, Signer, UuidSource, write_message};
use heka_operators::net::dial::{Connection, Target};
use heka_operators::tls::{self, Side, TlsSettings};
use heka_settings::{Nested, Placed, Problem, Problems, Settings, Table, refuse_unknown, settings};

settings! {
    /// Where a daemon listens, and who vouches for what it is sent.
    pub struct ManagerSettings {
        /// Where the daemon's TcpInput listens, `host:port`. Required.
        ip_address: Placed<String> = Placed::nowhere(String::new()),
        /// Whether to speak TLS.
        use_tls: bool = false,
        /// TLS options.
        tls: Option<Nested<TlsSettings>>,
        /// Who signs.
        signer: Option<Nested<SignerSettings>>,
    }
}

/// Largest message that a daemon takes unless its `max_message_size` says otherwise, in bytes.
const USUAL_LIMIT: usize = 65536;

/// What a control message asks for.
#[derive(Clone, Copy, Debug)]
pub enum Control<'a> {
    /// To run a filter.
    Load {
        /// Its section, as TOML.
        config: &'a str,
        /// The script's text.
        script: &'a [u8],
    },
    /// To end a filter.
    Unload {
        /// The name of its section.
        name: &'a str,
    },
}

/// A daemon, and who vouches for what it is sent.
#[derive(Clone, Debug)]
pub struct Manager {
    target: Target,
    signer: Option<Signer>,
}

/// Reads a configuration of heka-sbmgr and heka-sbmgrload.
pub fn find_manager(table: &Table, problems: &mut Problems) -> Option<Manager> {
    refuse_unknown(table, &[ManagerSettings::table()], problems);
    let settings = ManagerSettings::read(table, problems);
    let address = peer(&settings.ip_address.value).map_err(|why| {
        problems.push(Problem::error(settings.ip_address.place, why).help("write ip_address = \"host:port\""));
    });
    let tls = tls::in_effect(settings.use_tls, &settings.tls, Side::Client, table, problems);
    let signer = settings.signer.as_ref().and_then(|signer| {
        if signer.0.name.is_empty() || signer.0.hmac_key.is_empty() {
            let place = table.get("signer").map_or(table.place, |entry| entry.place);
            let why = "a signer needs `name` and `hmac_key`";
            problems
                .push(Problem::error(place, why).help("give both, or remove the section to send unsigned messages"));
        }
        signer.0.signer(table, problems)
    });
    Some(Manager { target: Target { tls, ..Target::plain(address.ok()?) }, signer })
}

impl Manager {
    /// Whether what is sent is signed.
    pub fn signs(&self) -> bool {
        self.signer.is_some()
    }

    /// The control message in its frame, and a note for the user if the daemon may not take it.
    ///
    /// # Errors
    /// One line: it cannot be framed.
    pub fn frame(&self, control: Control<'_>) -> Result<(Vec<u8>, Option<String>), String> {
        let body = message(control);
        let mut frame = Vec::new();
        // What a receiver allows is for the receiver to say.
        let framed = match &self.signer {
            Some(signer) => write_signed_frame(&body, signer, u32::MAX as usize, &mut frame),
            None => write_frame(&body, u32::MAX as usize, &mut frame),
        };
        framed.map_err(|error| error.to_string())?;
        let note = (body.len() > USUAL_LIMIT).then(|| {
            format!(
                "the message has {} bytes: a daemon takes {USUAL_LIMIT} unless its max_message_size is set",
                body.len()
            )
        });
        Ok((frame, note))
    }

    /// Sends frames made one by one, each when its turn comes, and sees to it that all of them have arrived.
    ///
    /// # Errors
    /// One line.
    pub fn send(&self, frames: impl IntoIterator<Item = Result<Vec<u8>, String>>) -> Result<(), String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(|error| error.to_string())?.block_on(async {
            let address = &self.target.address;
            let opened = Connection::open(&self.target).await;
            let mut connection = opened.map_err(|why| format!("Error creating sender: {address}: {why}"))?;
            let failed = |error: std::io::Error| format!("Error sending message: {error}");
            for frame in frames {
                connection.write_all(&frame?).await.map_err(failed)?;
            }
            match connection.close().await.map_err(failed)? {
                true => Ok(()),
                false => Err(format!("{address} has not read everything so far")),
            }
        })
    }
}

/// The message, encoded; stamped with the time, which the receiver compares with its own.
fn message(control: Control<'_>) -> Vec<u8> {
    let mut builder = BatchBuilder::default();
    let hostname = system_hostname();
    let (action, payload): (&str, &[u8]) = match control {
        Control::Load { script, .. } => ("load", script),
        Control::Unload { .. } => ("unload", b""),
    };
    let [msg_type, logger, hostname, payload] =
        [&b"heka.control.sandbox"[..], b"hekad", hostname.as_bytes(), payload].map(|text| builder.text(text));
    let row = builder.row();
    row.set_uuid(UuidSource::new().next_uuid());
    row.set_timestamp(now_ns());
    (row.msg_type, row.logger, row.hostname, row.payload) = (msg_type, logger, hostname, payload);
    let mut field = |name: &str, representation: &str, value: &str| {
        let [name, representation] = [name, representation].map(|text| builder.text(text.as_bytes()));
        builder.field(name, representation, FieldValue::String(value.as_bytes()));
    };
    field("action", "", action);
    match control {
        Control::Load { config, .. } => field("config", "toml", config),
        Control::Unload { name } => field("name", "", name),
    }
    let mut body = Vec::new();
    write_message(builder.finish().row(0), &mut body);
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use heka_settings::Data;

    fn manager(table: Table) -> Result<Manager, Vec<String>> {
        let mut problems = Problems::default();
        let manager = find_manager(&table, &mut problems);
        let errors: Vec<_> = problems.iter().map(|problem| problem.message.clone()).collect();
        manager.filter(|_| errors.is_empty()).ok_or(errors)
    }

    fn here() -> Table {
        Table::default().with("ip_address", Data::String("127.0.0.1:5565".into()))
    }

    #[test]
    fn a_manager_is_read_and_mistakes_are_refused() {
        assert!(!manager(here()).unwrap().signs());
        let signer = |key: &str| {
            let table = Table::default().with("name", Data::String("ops".into()));
            here().with("signer", Data::Table(table.with("hmac_key", Data::String(key.into()))))
        };
        assert!(manager(signer("secret")).unwrap().signs());
        assert_eq!(manager(signer("")).unwrap_err(), ["a signer needs `name` and `hmac_key`"]);
        assert_eq!(manager(Table::default()).unwrap_err(), ["Error creating sender: missing port in address ``"]);
        assert_eq!(manager(here().with("use_tsl", Data::Bool(true))).unwrap_err(), ["unknown config setting: use_tsl"]);
    }

    #[test]
    fn a_large_script_is_noted() {
        let manager = manager(here()).unwrap();
        let load = |script: &[u8]| manager.frame(Control::Load { config: "[a]", script }).unwrap().1;
        assert!(load(b"x").is_none() && load(&[b' '; 70_000]).is_some_and(|note| note.contains("max_message_size")));
    }
}
