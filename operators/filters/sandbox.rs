//! SandboxFilter: a script watches messages and injects new ones.

use super::{Filter, FilterSpec, Injector, endings};
use crate::plugin::{PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use crate::script::{self, DataFile, Script, ScriptSettings, Timing, plain, table_with};
use crate::stats::Counter;
use heka_message::{BatchBuilder, FieldValue, Flags, Row, RowRef, Selection, Span};
use heka_sandbox::{Entry, Kind, Payload, Refusal, Role};
use heka_settings::{Data, Problems, Setting, Settings, Table, settings};
use std::sync::{Arc, LazyLock};

settings! {
    /// Options beside those of every script.
    pub struct Shutdown {
        /// Call `timer_event` once more when the daemon stops.
        timer_event_on_shutdown: bool = false,
    }
}

static SETTINGS: LazyLock<Vec<Setting>> = LazyLock::new(|| table_with(Shutdown::table()));

/// The type's entry in the registry.
pub static TYPE: PluginType = PluginType {
    name: "SandboxFilter",
    summary: "Runs a Lua script that watches messages, keeps state, and injects messages of its own.",
    settings: || &SETTINGS,
    defaults: Defaults { can_exit: true, ..Defaults::NONE },
    make: Make::Filter(|table, problems| Arc::new(Spec::read(table, problems))),
};

/// The common option, which is checked elsewhere.
fn has_ticker(table: &Table) -> bool {
    let data = table.get("ticker_interval").map(|entry| &entry.value.data);
    matches!(data, Some(Data::Integer(1..)))
}

/// The settings of a script that watches messages.
pub(super) struct Spec {
    pub(super) settings: ScriptSettings,
    /// `timer_event_on_shutdown`
    shutdown: bool,
    ticks: bool,
}

/// Calls that `profile` measures.
const PROFILED: u32 = 290;

impl FilterSpec for Spec {
    fn build(&self, site: &Site) -> Result<Box<dyn Filter>, PluginError> {
        Ok(Box::new(self.start(site, self.settings.config(Kind::Filter, site))?))
    }
}

impl Spec {
    /// Reads a section.
    pub(super) fn read(table: &Table, problems: &mut Problems) -> Self {
        let shutdown = Shutdown::read(table, problems).timer_event_on_shutdown;
        Spec { settings: script::read(table, problems), shutdown, ticks: has_ticker(table) }
    }

    /// Loads the script that `config` describes.
    ///
    /// # Errors
    /// `Init() …`: the script cannot be loaded.
    pub(super) fn start(&self, site: &Site, config: heka_sandbox::Config) -> Result<SandboxFilter, PluginError> {
        let data = self.settings.preserve_data.then(|| data_file(site));
        let script = Script::open(config, site, data)?;
        if self.ticks || self.shutdown {
            script.warn_without(Entry::TimerEvent);
        }
        let stats = &site.stats;
        Ok(SandboxFilter {
            script,
            shutdown: self.shutdown,
            failures: stats.counter("ProcessMessageFailures", "count"),
            dropped: stats.drops("filter-ended"),
            messages: Timing::new(stats, "ProcessMessage"),
            ticks: Timing::new(stats, "TimerEvent"),
            profile: self.settings.profile.then(|| (Timing::new(stats, "ProfileMessage"), PROFILED)),
            site: site.clone(),
        })
    }
}

/// Where a filter's data is preserved.
pub(super) fn data_file(site: &Site) -> DataFile {
    DataFile::new(site, &plain(&site.name), None)
}

/// A running script that watches messages.
pub(super) struct SandboxFilter {
    script: Script,
    site: Site,
    shutdown: bool,
    failures: Arc<Counter>,
    dropped: Arc<Counter>,
    messages: Timing,
    ticks: Timing,
    /// Measures every call until so many were.
    profile: Option<(Timing, u32)>,
}

impl SandboxFilter {
    fn call(&mut self, message: RowRef<'_>, out: &mut Injector) -> Result<(), String> {
        let profiled = match &mut self.profile {
            Some((timing, left)) if *left > 0 => {
                *left -= 1;
                timing.begin_always()
            }
            _ => None,
        };
        let begun = if profiled.is_none() { self.messages.begin() } else { None };
        let limit = self.site.globals.max_process_inject;
        let mut role = Filtering { out, site: &self.site, left: limit };
        let returned = self.script.process_message(Some(message), &mut role)?;
        if let Some((timing, _)) = &mut self.profile {
            timing.end(profiled);
        }
        self.messages.end(begun);
        let why = returned.error.unwrap_or_default();
        if returned.status > 0 {
            return Err(why);
        }
        if returned.status < 0 {
            self.failures.add(1);
            if !why.is_empty() {
                self.site.log.error(why);
            }
        }
        Ok(())
    }

    fn timer_event(&mut self, now: i64, out: &mut Injector) -> Result<(), String> {
        let begun = self.ticks.begin();
        let mut role = Filtering { out, site: &self.site, left: self.site.globals.max_timer_inject };
        let result = self.script.timer_event(now, &mut role);
        self.ticks.end(begun);
        result
    }

    /// Takes the next messages, so many at most, and says how many there were.
    ///
    /// # Errors
    /// The script has ended; the rest of the messages is dropped.
    pub(super) fn process_some<'a>(
        &mut self,
        messages: &mut impl Iterator<Item = RowRef<'a>>,
        most: usize,
        out: &mut Injector,
    ) -> Result<usize, PluginError> {
        let mut count = 0;
        while count < most
            && let Some(message) = messages.next()
        {
            count += 1;
            if let Err(why) = self.call(message, out) {
                self.dropped.add(messages.by_ref().count());
                return Err(self.terminated(&why, out));
            }
        }
        self.script.report();
        Ok(count)
    }

    /// The last tick, where the section asks for one.
    ///
    /// # Errors
    /// `FATAL: …`: it failed.
    pub(super) fn last_tick(&mut self, out: &mut Injector) -> Result<(), PluginError> {
        if !self.shutdown {
            return Ok(());
        }
        self.timer_event(out.now(), out).map_err(|why| PluginError::fatal(format!("FATAL: {why}")))
    }

    /// Tells everybody that the filter has ended, and why.
    fn terminated(&mut self, why: &str, out: &mut Injector) -> PluginError {
        self.script.report();
        endings::sandbox_terminated(&self.site.name, why, out);
        PluginError::fatal(format!("Terminated. Reason: {why}"))
    }
}

impl Filter for SandboxFilter {
    fn process(&mut self, selection: &Selection, out: &mut Injector) -> Result<(), PluginError> {
        self.process_some(&mut selection.iter(), usize::MAX, out).map(drop)
    }

    fn tick(&mut self, now: i64, out: &mut Injector) -> Result<(), PluginError> {
        let result = self.timer_event(now, out);
        self.script.report();
        result.map_err(|why| self.terminated(&why, out))
    }

    fn stop(&mut self, out: &mut Injector) -> Result<(), PluginError> {
        self.last_tick(out)?;
        self.script.save();
        Ok(())
    }
}

/// The plugin's side of one call.
struct Filtering<'a> {
    out: &'a mut Injector,
    site: &'a Site,
    /// Messages that the call may still inject.
    left: u32,
}

impl Filtering<'_> {
    /// Refuses the last message if the filter would receive it itself.
    fn check_last(&mut self) -> Result<(), Refusal> {
        if self.out.would_receive_last() {
            self.site.log.error("attempted to Inject a message to itself");
            return Err(Refusal::Circular);
        }
        Ok(())
    }
}

impl Role for Filtering<'_> {
    fn builder(&mut self) -> &mut BatchBuilder {
        self.out.builder()
    }

    fn admit(&mut self) -> Result<(), Refusal> {
        self.left = self.left.checked_sub(1).ok_or(Refusal::Count)?;
        if self.out.is_at_last_round() { Err(Refusal::Loops) } else { Ok(()) }
    }

    fn message(&mut self, _: Option<RowRef<'_>>) -> Result<(), Refusal> {
        let now = self.out.now();
        let builder = self.out.builder();
        let Some(row) = builder.last_row().map(|row| *row) else { return Ok(()) };
        let msg_type = prefixed(builder, row);
        let logger = builder.text(self.site.name.as_bytes());
        let hostname = builder.text(self.site.globals.hostname.as_bytes());
        if let Some(row) = builder.last_row() {
            (row.msg_type, row.logger, row.hostname) = (msg_type, logger, hostname);
            if !row.flags.has(Flags::TIMESTAMP) {
                row.set_timestamp(now);
            }
            row.flags.set(Flags::TOUCHED);
        }
        self.check_last()
    }

    fn payload(&mut self, _: Option<RowRef<'_>>, payload: Payload<'_>) -> Result<(), Refusal> {
        let mark = self.out.builder().mark();
        let builder = self.out.message();
        let [msg_type, logger, text] =
            [&b"heka.sandbox-output"[..], self.site.name.as_bytes(), payload.bytes].map(|text| builder.text(text));
        if let Some(row) = builder.last_row() {
            (row.msg_type, row.logger, row.payload) = (msg_type, logger, text);
        }
        let [kind, name] = [&b"payload_type"[..], b"payload_name"].map(|name| builder.text(name));
        let [extension, empty] = [&b"file-extension"[..], b""].map(|text| builder.text(text));
        builder.field(kind, extension, FieldValue::String(payload.kind));
        builder.field(name, empty, FieldValue::String(payload.name));
        self.check_last().inspect_err(|_| self.out.builder().rollback(mark))
    }

    fn log(&mut self, line: &str) {
        self.site.log.error(line);
    }
}

/// The type that a script gave its message, behind the prefix that says where it comes from.
fn prefixed(builder: &mut BatchBuilder, row: Row) -> Span {
    let mut text = b"heka.sandbox.".to_vec();
    text.extend_from_slice(builder.batch().text(row.msg_type));
    builder.text(&text)
}

#[cfg(test)]
mod tests;
