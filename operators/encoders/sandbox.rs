//! SandboxEncoder: a script turns messages into bytes.

use super::{Encoder, EncoderSpec};
use crate::meter::Meter;
use crate::plugin::{PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use crate::script::{self, DataFile, Script, ScriptSettings};
use heka_message::{BatchBuilder, Flags, RowRef, write_message};
use heka_sandbox::{Kind, Payload, Refusal, Role};
use heka_settings::Settings;
use std::sync::Arc;

/// The type's entry in the registry.
pub static TYPE: PluginType = PluginType {
    name: "SandboxEncoder",
    summary: "Runs a Lua script that turns each message into bytes, or into nothing.",
    settings: ScriptSettings::table,
    defaults: Defaults::NONE,
    make: Make::Encoder(|table, problems| {
        let name = problems.owner().unwrap_or_default().to_owned();
        Arc::new(Spec { settings: script::read(table, problems), name })
    }),
};

struct Spec {
    settings: ScriptSettings,
    /// The section's name, by which older versions called the data file of all outputs' encoders.
    name: String,
}

/// A message that means "nothing to send".
const NOTHING: i64 = -2;

impl EncoderSpec for Spec {
    fn build(&self, site: &Site) -> Result<Box<dyn Encoder>, PluginError> {
        let data = DataFile::new(site, &site.name, Some(&self.name));
        let script = Script::start(&self.settings, Kind::Encoder, site, data, None)
            .map_err(|error| PluginError::fatal(format!("Sandbox initialization failed: {error}")))?;
        let (meter, builder) = (Meter::new(&site.stats, ""), BatchBuilder::default());
        Ok(Box::new(SandboxEncoder { script, meter, site: site.clone(), builder, ended: None, calls: 0 }))
    }
}

struct SandboxEncoder {
    script: Script,
    meter: Meter,
    site: Site,
    /// Where injected messages are built, one at a time.
    builder: BatchBuilder,
    ended: Option<String>,
    calls: u32,
}

impl Encoder for SandboxEncoder {
    fn encode(&mut self, message: RowRef<'_>, out: &mut Vec<u8>) -> Result<bool, String> {
        if let Some(why) = &self.ended {
            return Err(why.clone());
        }
        let begun = self.meter.begin();
        let start = out.len();
        let mut role = Encoding { out, start, builder: &mut self.builder, site: &self.site, injected: false };
        let returned = self.script.process_message(Some(message), &mut role);
        let success = returned.as_ref().is_ok_and(|returned| matches!(returned.status, 0 | NOTHING));
        self.meter.end(begun, success);
        // Reading the numbers is cheap, but not for every message.
        self.calls = self.calls.wrapping_add(1);
        if self.calls % 256 == 1 || returned.is_err() {
            self.script.report();
        }
        let why = match returned {
            Err(why) => why,
            Ok(returned) => match (returned.status, returned.error.unwrap_or_default()) {
                (0, _) => return Ok(true),
                (NOTHING, _) => return Ok(false),
                (1.., why) => why,
                (_, why) => return Err(format!("Failed serializing: {why}")),
            },
        };
        let why = format!("FATAL: {why}");
        self.ended = Some(why.clone());
        Err(why)
    }

    fn ended(&self) -> Option<&str> {
        self.ended.as_deref()
    }
}

impl Drop for SandboxEncoder {
    fn drop(&mut self) {
        // An encoder ends with its output, after the last message.
        if self.ended.is_none() {
            self.script.save();
        }
    }
}

/// The plugin's side of one call: the last injection is the result.
struct Encoding<'a> {
    out: &'a mut Vec<u8>,
    /// Where this message's bytes begin in `out`.
    start: usize,
    builder: &'a mut BatchBuilder,
    site: &'a Site,
    injected: bool,
}

impl Encoding<'_> {
    /// The result is now what `write` writes.
    fn result(&mut self, write: impl FnOnce(&mut Vec<u8>, &BatchBuilder)) {
        self.out.truncate(self.start);
        write(self.out, self.builder);
        self.injected = true;
    }
}

impl Role for Encoding<'_> {
    fn builder(&mut self) -> &mut BatchBuilder {
        self.builder
    }

    fn message(&mut self, _: Option<RowRef<'_>>) -> Result<(), Refusal> {
        if let Some(row) = self.builder.last_row()
            && !row.flags.has(Flags::TIMESTAMP)
        {
            row.set_timestamp(crate::script::now());
        }
        self.result(|out, builder| write_message(builder.batch().row(builder.len() - 1), out));
        // Only the last injection counts: none is kept.
        self.builder.restart(Default::default());
        Ok(())
    }

    fn payload(&mut self, _: Option<RowRef<'_>>, payload: Payload<'_>) -> Result<(), Refusal> {
        self.result(|out, _| out.extend_from_slice(payload.bytes));
        Ok(())
    }

    fn encoded(&mut self, bytes: &[u8]) -> Option<Result<(), Refusal>> {
        self.result(|out, _| out.extend_from_slice(bytes));
        Some(Ok(()))
    }

    fn returned(&mut self, status: i64, current: Option<RowRef<'_>>) {
        if let (0, false, Some(current)) = (status, self.injected, current) {
            write_message(current, self.out);
        }
    }

    fn log(&mut self, line: &str) {
        self.site.log.error(line);
    }
}

#[cfg(test)]
mod tests;
