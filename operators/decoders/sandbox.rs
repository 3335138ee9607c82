//! SandboxDecoder: a script turns records into messages.

use super::{DecodeError, Decoder, DecoderSpec};
use crate::meter::Meter;
use crate::plugin::{PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use crate::script::{self, DataFile, Script, ScriptSettings, Zone, table_with};
use heka_message::{BatchBuilder, FieldValue, Flags, Row, RowRef, Span, UuidSource};
use heka_sandbox::{Kind, Payload, Refusal, Role};
use heka_settings::{Setting, Settings, settings};
use std::sync::{Arc, LazyLock};

settings! {
    /// Options that every other kind of script has, and that do nothing here.
    pub struct Unused {
        /// Has no effect on a decoder.
        can_exit: Option<bool>,
        /// Has no effect on a decoder.
        timer_event_on_shutdown: bool = false,
    }
}

static SETTINGS: LazyLock<Vec<Setting>> = LazyLock::new(|| table_with(Unused::table()));

/// The type's entry in the registry.
pub static TYPE: PluginType = PluginType {
    name: "SandboxDecoder",
    summary: "Runs a Lua script that turns each record into any number of messages.",
    settings: || &SETTINGS,
    defaults: Defaults::NONE,
    make: Make::Decoder(|table, problems| {
        Unused::read(table, problems);
        Arc::new(Spec { settings: script::read(table, problems) })
    }),
};

struct Spec {
    settings: ScriptSettings,
}

impl DecoderSpec for Spec {
    /// Several instances would overwrite each other's preserved data.
    fn is_singular(&self) -> bool {
        self.settings.preserve_data
    }

    fn build(&self, site: &Site, _: Vec<Box<dyn Decoder>>) -> Result<Box<dyn Decoder>, PluginError> {
        let data = DataFile::new(site, &site.name, None);
        let script = Script::start(&self.settings, Kind::Decoder, site, data, None)?;
        Ok(Box::new(SandboxDecoder {
            script,
            name: self.settings.filename.clone(),
            zone: Zone::named(self.settings.zone_name()),
            meter: Meter::new(&site.stats, ""),
            uuids: UuidSource::new(),
            site: site.clone(),
            calls: 0,
        }))
    }
}

struct SandboxDecoder {
    script: Script,
    /// The script's file, for the log.
    name: String,
    zone: Zone,
    meter: Meter,
    uuids: UuidSource,
    site: Site,
    calls: u32,
}

impl Decoder for SandboxDecoder {
    fn decode(&mut self, record: RowRef<'_>, out: &mut BatchBuilder) -> Result<(), DecodeError> {
        if !self.script.is_alive() {
            return Err(DecodeError { message: "SandboxDecoder has been terminated".to_owned(), fatal: true });
        }
        let begun = self.meter.begin();
        let (site, zone, uuids) = (&self.site, &self.zone, &mut self.uuids);
        let mut role = Decoding { out, site, zone, uuids, signer: record.raw().signer, header: None, injected: 0 };
        let returned = self.script.process_message(Some(record), &mut role);
        let injected = role.injected;
        self.meter.end(begun, returned.as_ref().is_ok_and(|returned| returned.status == 0));
        // Reading the numbers is cheap, but not for every record.
        self.calls = self.calls.wrapping_add(1);
        if self.calls % 256 == 1 || returned.is_err() {
            self.script.report();
        }
        let fatal = |why: String| {
            // The log must say which script it was before the daemon goes down for it.
            self.site.log.error(format!("the script {} has ended: {why}", self.name));
            Err(DecodeError { message: format!("FATAL: {why}"), fatal: true })
        };
        match returned {
            Err(why) => fatal(why),
            Ok(returned) => match (returned.status, returned.error.unwrap_or_default()) {
                (0, _) => Ok(()),
                (1.., why) => fatal(why),
                (_, why) if injected > 0 => {
                    Err(DecodeError::new(format!("Failed after a successful inject_message call: {why}")))
                }
                (_, why) => {
                    let payload = String::from_utf8_lossy(record.payload());
                    Err(DecodeError::new(format!("Failed parsing: {why} payload: {payload}")))
                }
            },
        }
    }
}

impl Drop for SandboxDecoder {
    fn drop(&mut self) {
        // A decoder ends with the dataflow, after its last record.
        self.script.save();
    }
}

/// The plugin's side of one call.
struct Decoding<'a> {
    out: &'a mut BatchBuilder,
    site: &'a Site,
    zone: &'a Zone,
    uuids: &'a mut UuidSource,
    /// Who vouched for the record vouches for what is made of it.
    signer: u16,
    /// What messages inherit, remembered at the first injection.
    header: Option<Row>,
    injected: usize,
}

impl Decoding<'_> {
    /// What messages inherit from the one being decoded; unset texts count as empty.
    fn inherited(&mut self, current: Option<RowRef<'_>>) -> Row {
        if let Some(header) = self.header {
            return header;
        }
        let mut header = Row::default();
        if let Some(current) = current {
            let shared = current.batch().source().as_ptr() == self.out.batch().source().as_ptr();
            let mut text = |span: Span| match span {
                span if shared && span.is_some() && !span.in_arena() => span,
                span => self.out.text(current.batch().text(span)),
            };
            let row = current.raw();
            header.msg_type = text(row.msg_type);
            header.logger = text(row.logger);
            header.hostname = text(row.hostname);
            header.set_timestamp(current.timestamp());
            header.set_severity(current.severity());
            header.set_pid(current.pid());
        }
        self.header = Some(header);
        header
    }

    /// Fills in what the last message lacks.
    fn complete(&mut self, header: Row) {
        let (zone, signer, uuids) = (self.zone, self.signer, &mut *self.uuids);
        let Some(row) = self.out.last_row() else { return };
        row.signer = signer;
        let before = (row.flags, row.timestamp);
        if !row.flags.has(Flags::UUID) {
            row.set_uuid(uuids.next_uuid());
        }
        if row.flags.has(Flags::TIMESTAMP) {
            row.set_timestamp(zone.local(row.timestamp));
        } else {
            row.set_timestamp(header.timestamp);
        }
        if !row.flags.has(Flags::SEVERITY) {
            row.set_severity(header.severity);
        }
        if !row.flags.has(Flags::PID) {
            row.set_pid(header.pid);
        }
        let mut changed = before != (row.flags, row.timestamp);
        for (text, inherited) in [
            (&mut row.msg_type, header.msg_type),
            (&mut row.logger, header.logger),
            (&mut row.hostname, header.hostname),
        ] {
            if text.is_none() {
                (*text, changed) = (inherited, true);
            }
        }
        if changed {
            row.flags.set(Flags::TOUCHED);
        }
    }
}

impl Role for Decoding<'_> {
    fn builder(&mut self) -> &mut BatchBuilder {
        self.out
    }

    fn message(&mut self, current: Option<RowRef<'_>>) -> Result<(), Refusal> {
        let header = self.inherited(current);
        self.complete(header);
        self.injected += 1;
        Ok(())
    }

    fn payload(&mut self, current: Option<RowRef<'_>>, payload: Payload<'_>) -> Result<(), Refusal> {
        let header = self.inherited(current);
        match current.filter(|_| self.injected == 0) {
            // The first payload goes into the message itself, all it holds included.
            Some(current) => self.out.copy_row(current),
            None => {
                let uuid = self.uuids.next_uuid();
                let signer = self.signer;
                let row = self.out.push(header);
                row.set_uuid(uuid);
                row.signer = signer;
            }
        }
        let text = self.out.text(payload.bytes);
        if let Some(row) = self.out.last_row() {
            row.payload = text;
            row.flags.set(Flags::TOUCHED);
        }
        let [kind, name] = [&b"payload_type"[..], b"payload_name"].map(|name| self.out.text(name));
        let [extension, empty] = [&b"file-extension"[..], b""].map(|text| self.out.text(text));
        self.out.field(kind, extension, FieldValue::String(payload.kind));
        self.out.field(name, empty, FieldValue::String(payload.name));
        self.injected += 1;
        Ok(())
    }

    fn returned(&mut self, status: i64, current: Option<RowRef<'_>>) {
        if let (0, 0, Some(current)) = (status, self.injected, current) {
            self.out.copy_row(current);
        }
    }

    fn log(&mut self, line: &str) {
        self.site.log.error(line);
    }
}

#[cfg(test)]
mod tests;
