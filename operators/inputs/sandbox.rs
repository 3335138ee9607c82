//! SandboxInput: a script makes messages of whatever it reads itself. It runs on a thread of its own and may block.
//!
//! Every injected message goes to the dataflow at once, as a packet of its own: a script may sit in a read for hours
//! behind its last injection.

use super::{Chunk, ChunkBuf, ChunkEnd, Input, InputEdge, InputSpec, Runs, Stream};
use crate::plugin::{BoxFuture, PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use crate::script::{self, DataFile, Script, ScriptSettings, Zone, now, plain, table_with, wait};
use crate::stats::Counter;
use heka_message::{BatchBuilder, Flags, RowRef, UuidSource, message_len, write_message};
use heka_sandbox::{Kind, Payload, Refusal, Role};
use heka_settings::{Data, Setting, Settings, Table, settings};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

settings! {
    /// Options that other kinds of script have, and that do nothing here.
    pub struct Unused {
        /// Has no effect on an input.
        timer_event_on_shutdown: bool = false,
    }
}

static SETTINGS: LazyLock<Vec<Setting>> = LazyLock::new(|| table_with(Unused::table()));

/// The type's entry in the registry.
pub static TYPE: PluginType = PluginType {
    name: "SandboxInput",
    summary: "Runs a Lua script that reads from the world itself and injects messages.",
    settings: || &SETTINGS,
    defaults: Defaults { can_exit: true, own_path: true, ..Defaults::NONE },
    make: Make::Input(|table, problems| {
        Unused::read(table, problems);
        Arc::new(Spec { settings: script::read(table, problems), interval: interval(table), sent: Arc::default() })
    }),
};

/// The common option, which is checked elsewhere.
fn interval(table: &Table) -> Option<Duration> {
    match table.get("ticker_interval").map(|entry| &entry.value.data) {
        Some(Data::Integer(seconds @ 1..)) => Some(Duration::from_secs(seconds.unsigned_abs())),
        _ => None,
    }
}

struct Spec {
    settings: ScriptSettings,
    /// Between two calls; without it there is one.
    interval: Option<Duration>,
    /// Bytes sent so far, by all instances: positions never fall.
    sent: Arc<AtomicU64>,
}

impl InputSpec for Spec {
    fn must_start(&self) -> bool {
        true
    }

    fn sends_messages(&self) -> bool {
        true
    }

    fn build(&self, site: &Site) -> Result<Box<dyn Input>, PluginError> {
        let stop = Arc::new(AtomicBool::new(false));
        let data = DataFile::new(site, &plain(&site.name), None);
        let script = Script::start(&self.settings, Kind::Input, site, data, Some(stop.clone()))?;
        Ok(Box::new(SandboxInput {
            script,
            stop,
            interval: self.interval,
            sender: Sender {
                zone: Zone::named(self.settings.zone_name()),
                stream: Arc::new(Stream { token: site.name.clone(), ..Stream::default() }),
                sent: self.sent.clone(),
                builder: BatchBuilder::default(),
                body: Vec::new(),
                uuids: UuidSource::new(),
                bytes: site.stats.counter("ProcessMessageBytes", "B"),
            },
            failures: site.stats.counter("ProcessMessageFailures", "count"),
        }))
    }
}

struct SandboxInput {
    script: Script,
    /// Ends the running call.
    stop: Arc<AtomicBool>,
    interval: Option<Duration>,
    sender: Sender,
    failures: Arc<Counter>,
}

/// Turns what a script injects into chunks.
struct Sender {
    zone: Zone,
    stream: Arc<Stream>,
    /// Bytes sent so far, by this instance and those before it.
    sent: Arc<AtomicU64>,
    builder: BatchBuilder,
    body: Vec<u8>,
    uuids: UuidSource,
    /// Bytes that the script injected.
    bytes: Arc<Counter>,
}

impl SandboxInput {
    /// Calls the script once; whether it is to be called again.
    fn call(&mut self, edge: &InputEdge) -> Result<bool, PluginError> {
        let mut role = Feeding { edge, sender: &mut self.sender };
        let returned = self.script.process_message(None, &mut role);
        self.script.report();
        match returned {
            Ok(returned) => {
                let why = returned.error.unwrap_or_default();
                if returned.status > 0 {
                    return Err(PluginError::retry(format!("FATAL: {why}")));
                }
                if returned.status < 0 {
                    self.failures.add(1);
                    if !why.is_empty() {
                        edge.site.log.error(why);
                    }
                }
                Ok(self.interval.is_some())
            }
            // Stopped in the middle of its work, which is no failure of its own.
            Err(_) if edge.is_stopping() && self.script.is_alive() => Ok(false),
            Err(why) => Err(PluginError::retry(why)),
        }
    }

    async fn calls(&mut self, edge: &InputEdge) -> Result<(), PluginError> {
        while !edge.is_stopping() {
            if !self.call(edge)? {
                if !edge.is_stopping() {
                    edge.site.log.info("single run completed");
                }
                break;
            }
            tokio::select! {
                () = tokio::time::sleep(self.interval.unwrap_or_default()) => {}
                () = edge.stopped() => {}
            }
        }
        self.script.save();
        Ok(())
    }
}

impl Input for SandboxInput {
    fn runs(&self) -> Runs {
        Runs::OwnThread
    }

    fn run<'a>(&'a mut self, edge: &'a mut InputEdge) -> BoxFuture<'a, Result<(), PluginError>> {
        Box::pin(async move {
            // The script keeps this thread to itself, so another one waits for the stop.
            let (ended, mut running) = tokio::sync::watch::channel(());
            let (stop, mut stopping) = (self.stop.clone(), edge.stopping());
            let watching = std::thread::Builder::new().name("sandbox-stop".to_owned()).spawn(move || {
                wait(async {
                    tokio::select! {
                        told = stopping.wait_for(|stop| *stop) => {
                            if told.is_ok() {
                                stop.store(true, Ordering::Relaxed);
                            }
                        }
                        _ = running.changed() => {}
                    }
                });
            });
            if let Err(error) = watching {
                return Err(PluginError::retry(format!("can't start a thread: {error}")));
            }
            let result = self.calls(edge).await;
            drop(ended);
            result
        })
    }
}

/// The plugin's side of one call.
struct Feeding<'a> {
    edge: &'a InputEdge,
    sender: &'a mut Sender,
}

impl Feeding<'_> {
    /// Sends the builder's only row, once the budget has room for it.
    fn send(&mut self) -> Result<(), Refusal> {
        let Sender { builder, body, stream, sent, .. } = &mut *self.sender;
        body.clear();
        write_message(builder.batch().row(0), body);
        // Rows and arena of the batch made of it take about as much again.
        let edge = self.edge;
        let size = body.len() * 2;
        let credit = wait(async {
            tokio::select! {
                biased;
                () = edge.stopped() => None,
                credit = edge.credits().take(size) => Some(credit),
            }
        });
        let credit = credit.ok_or(Refusal::Aborted)?;
        self.edge.send(Chunk {
            bytes: ChunkBuf::copy_of(body),
            stream: stream.clone(),
            position: sent.fetch_add(body.len() as u64, Ordering::Relaxed),
            offset: 0,
            end: ChunkEnd::Packet,
            packets: Vec::new(),
            received: now(),
            credit: Some(credit),
        });
        Ok(())
    }
}

impl Role for Feeding<'_> {
    fn builder(&mut self) -> &mut BatchBuilder {
        &mut self.sender.builder
    }

    fn message(&mut self, _: Option<RowRef<'_>>) -> Result<(), Refusal> {
        let Sender { builder, zone, bytes, uuids, .. } = &mut *self.sender;
        let name = self.edge.site.name.as_bytes();
        let logger = builder.text(name);
        if let Some(row) = builder.last_row() {
            if row.flags.has(Flags::TIMESTAMP) {
                let local = zone.local(row.timestamp);
                if local != row.timestamp {
                    row.set_timestamp(local);
                    row.flags.set(Flags::TOUCHED);
                }
            } else {
                row.set_timestamp(now());
                row.flags.set(Flags::TOUCHED);
            }
        }
        // Counted as the script made it, with an identity and a time.
        bytes.add(message_len(builder.batch().row(builder.len() - 1)));
        if let Some(row) = builder.last_row() {
            if !row.flags.has(Flags::UUID) {
                row.set_uuid(uuids.next_uuid());
                row.flags.set(Flags::TOUCHED);
            }
            if row.logger.is_none() {
                row.logger = logger;
                row.flags.set(Flags::TOUCHED);
            }
        }
        let sent = self.send();
        self.sender.builder.restart(Default::default());
        sent
    }

    fn payload(&mut self, _: Option<RowRef<'_>>, _: Payload<'_>) -> Result<(), Refusal> {
        Err(Refusal::Unsupported)
    }

    fn log(&mut self, line: &str) {
        self.edge.site.log.error(line);
    }
}

#[cfg(test)]
mod tests;
