//! SandboxOutput: a script delivers messages itself. It runs on a thread of its own and may block.

use super::{Block, Feed, FeedEvent, Output, OutputSpec};
use crate::inputs::Runs;
use crate::meter::Timing;
use crate::plugin::{BoxFuture, PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use crate::script::{self, DataFile, Script, ScriptSettings, now, plain, table_with};
use crate::stats::Counter;
use heka_message::{BatchBuilder, RowRef, Span, read_message};
use heka_sandbox::{Entry, Kind, Payload, Refusal, Role};
use heka_settings::{Data, Setting, Settings, Table, settings};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

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
    name: "SandboxOutput",
    summary: "Runs a Lua script that delivers messages itself.",
    settings: || &SETTINGS,
    defaults: Defaults { can_exit: true, own_path: true, ..Defaults::NONE },
    make: Make::Output(|table, problems| {
        let shutdown = Shutdown::read(table, problems).timer_event_on_shutdown;
        Arc::new(Spec {
            settings: script::read(table, problems),
            shutdown,
            ticks: has_ticker(table),
            done: Arc::default(),
        })
    }),
};

/// The common option, which is checked elsewhere.
fn has_ticker(table: &Table) -> bool {
    let data = table.get("ticker_interval").map(|entry| &entry.value.data);
    matches!(data, Some(Data::Integer(1..)))
}

/// The block under way and how many of its messages are done with: a run that follows a failed one goes on there.
type Done = Arc<Mutex<(u64, usize)>>;

struct Spec {
    settings: ScriptSettings,
    /// `timer_event_on_shutdown`
    shutdown: bool,
    ticks: bool,
    done: Done,
}

impl OutputSpec for Spec {
    fn must_start(&self) -> bool {
        true
    }

    fn build(&self, site: &Site) -> Result<Box<dyn Output>, PluginError> {
        let data = DataFile::new(site, &plain(&site.name), None);
        let script = Script::start(&self.settings, Kind::Output, site, data, None)?;
        if self.ticks || self.shutdown {
            script.warn_without(Entry::TimerEvent);
        }
        let stats = &site.stats;
        Ok(Box::new(SandboxOutput {
            script,
            shutdown: self.shutdown,
            done: self.done.clone(),
            builder: BatchBuilder::default(),
            count: stats.counter("ProcessMessageCount", "count"),
            failures: stats.counter("ProcessMessageFailures", "count"),
            dropped: stats.drops("output-failure"),
            messages: Timing::new(stats, "ProcessMessage"),
            ticks: Timing::new(stats, "TimerEvent"),
            site: site.clone(),
        }))
    }
}

struct SandboxOutput {
    script: Script,
    site: Site,
    shutdown: bool,
    done: Done,
    /// Holds one message at a time.
    builder: BatchBuilder,
    /// Messages delivered.
    count: Arc<Counter>,
    failures: Arc<Counter>,
    /// Messages that were not delivered, and will not be.
    dropped: Arc<Counter>,
    messages: Timing,
    ticks: Timing,
}

impl SandboxOutput {
    /// Hands the messages of a block to the script. A message that fails is not tried again, not even when it ends
    /// the script: it would only end the next one.
    fn deliver(&mut self, block: &Block) -> Result<(), PluginError> {
        let bytes = bytes::Bytes::copy_from_slice(&block.bytes);
        let done = self.done.clone();
        // Both numbers are replaced at once, so a panic elsewhere cannot leave them half changed.
        let progress = || done.lock().unwrap_or_else(PoisonError::into_inner);
        let skip = if progress().0 == block.ticket { progress().1 } else { 0 };
        let mut start = 0;
        for (index, &end) in block.ends.iter().enumerate() {
            let range = start..end as usize;
            start = range.end;
            if index < skip {
                continue;
            }
            *progress() = (block.ticket, index + 1);
            self.builder.restart(bytes.clone());
            // An index beyond the block cannot be: the ends are those of its records.
            let record = bytes.get(range.clone()).unwrap_or_default();
            if let Err(error) = read_message(&mut self.builder, record, Span::source(range)) {
                self.dropped.add(1);
                self.site.log.error(error);
                continue;
            }
            self.call()?;
        }
        Ok(())
    }

    fn call(&mut self) -> Result<(), PluginError> {
        let begun = self.messages.begin();
        let returned = self.script.process_message(Some(self.builder.batch().row(0)), &mut Alone::new(&self.site));
        self.messages.end(begun);
        let (status, why) = match returned {
            Ok(returned) => (returned.status, returned.error.unwrap_or_default()),
            Err(why) => (1, why),
        };
        match status {
            0 => self.count.add(1),
            1.. => {
                self.dropped.add(1);
                return Err(PluginError::retry(format!("FATAL: {why}")));
            }
            _ => {
                self.failures.add(1);
                self.dropped.add(1);
                if !why.is_empty() {
                    self.site.log.error(why);
                }
            }
        }
        Ok(())
    }

    fn timer_event(&mut self) -> Result<(), PluginError> {
        let begun = self.ticks.begin();
        let result = self.script.timer_event(now(), &mut Alone::new(&self.site));
        self.ticks.end(begun);
        self.script.report();
        result.map_err(|why| PluginError::retry(format!("FATAL: {why}")))
    }
}

impl Output for SandboxOutput {
    fn runs(&self) -> Runs {
        Runs::OwnThread
    }

    fn run<'a>(&'a mut self, feed: &'a mut Feed) -> BoxFuture<'a, Result<(), PluginError>> {
        Box::pin(async move {
            loop {
                match feed.next().await {
                    FeedEvent::Block(block) => {
                        let delivered = self.deliver(&block);
                        self.script.report();
                        delivered?;
                        feed.ack(block.ticket);
                    }
                    FeedEvent::Tick => self.timer_event()?,
                    FeedEvent::Reopen => {}
                    FeedEvent::End => {
                        if self.shutdown {
                            self.timer_event()?;
                        }
                        self.script.save();
                        return Ok(());
                    }
                }
            }
        })
    }
}

/// The plugin's side of a call: nothing can be injected.
struct Alone<'a> {
    site: &'a Site,
    builder: BatchBuilder,
}

impl<'a> Alone<'a> {
    fn new(site: &'a Site) -> Self {
        Alone { site, builder: BatchBuilder::default() }
    }
}

impl Role for Alone<'_> {
    fn builder(&mut self) -> &mut BatchBuilder {
        &mut self.builder
    }

    fn message(&mut self, _: Option<RowRef<'_>>) -> Result<(), Refusal> {
        Err(Refusal::Unsupported)
    }

    fn payload(&mut self, _: Option<RowRef<'_>>, _: Payload<'_>) -> Result<(), Refusal> {
        Err(Refusal::Unsupported)
    }

    fn log(&mut self, line: &str) {
        self.site.log.error(line);
    }
}

#[cfg(test)]
mod tests;
