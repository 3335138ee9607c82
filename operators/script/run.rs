//! A sandbox as a plugin runs it: made with its preserved data, measured, and saved at the end.

use super::{Called, DataFile, ScriptSettings};
use crate::plugin::{PluginError, Site};
use crate::stats::{Counter, Stats};
use heka_message::RowRef;
use heka_sandbox::{Config, Entry, Kind, Returned, Role, Sandbox};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// One call in so many is timed.
const SAMPLE: u32 = 1000;

/// How often something was timed, and how long it takes on average.
pub struct Timing {
    samples: Arc<Counter>,
    average: Arc<Counter>,
    /// Calls until the next sample; the first call is one.
    wait: u32,
    timed: i64,
    nanos: i64,
}

impl Timing {
    /// Registers `<name>Samples` and `<name>AvgDuration`.
    pub fn new(stats: &Stats, name: &str) -> Self {
        Timing {
            samples: stats.counter(&format!("{name}Samples"), "count"),
            average: stats.counter(&format!("{name}AvgDuration"), "ns"),
            wait: 0,
            timed: 0,
            nanos: 0,
        }
    }

    /// Begins a call; hand the result to [`Self::end`].
    pub fn begin(&mut self) -> Option<Instant> {
        if self.wait > 0 {
            self.wait -= 1;
            return None;
        }
        self.wait = SAMPLE - 1;
        Some(Instant::now())
    }

    /// Begins a call that is timed whatever its turn.
    pub fn begin_always(&mut self) -> Option<Instant> {
        Some(Instant::now())
    }

    /// Ends a call.
    pub fn end(&mut self, begun: Option<Instant>) {
        let Some(begun) = begun else { return };
        self.timed += 1;
        self.nanos = self.nanos.saturating_add(i64::try_from(begun.elapsed().as_nanos()).unwrap_or(i64::MAX));
        self.samples.set(self.timed);
        self.average.set(self.nanos / self.timed);
    }
}

/// A plugin's script.
pub struct Script {
    sandbox: Sandbox,
    site: Site,
    /// None without `preserve_data`.
    data: Option<DataFile>,
    memory: Arc<Counter>,
    max_memory: Arc<Counter>,
    max_output: Option<Arc<Counter>>,
    max_instructions: Arc<Counter>,
}

impl Script {
    /// Makes the sandbox and restores its data. Damaged data is set aside, and the script starts without it.
    ///
    /// # Errors
    /// `Init() …`: the script cannot be loaded. Trying again does not help.
    pub fn start(
        settings: &ScriptSettings,
        kind: Kind,
        site: &Site,
        data: DataFile,
        stop: Option<Arc<AtomicBool>>,
    ) -> Result<Script, PluginError> {
        let config = Config { stop, ..settings.config(kind, site) };
        Script::open(config, site, settings.preserve_data.then_some(data))
    }

    /// As [`Self::start`], of a sandbox's configuration; `data` where data is preserved.
    ///
    /// # Errors
    /// As for [`Self::start`].
    pub fn open(config: Config, site: &Site, data: Option<DataFile>) -> Result<Script, PluginError> {
        let kind = config.kind;
        let mut sandbox = load(&config, site)?;
        if let Some(data) = &data {
            if let Err(error) = data.prepare() {
                site.log.error(format!("can't make the folder for {}: {error}", data.path().display()));
            }
            sandbox = restore(sandbox, &config, site, data)?;
        }
        let stats = &site.stats;
        let mut script = Script {
            memory: stats.counter("Memory", "B"),
            max_memory: stats.counter("MaxMemory", "B"),
            max_output: (kind != Kind::Output).then(|| stats.counter("MaxOutput", "B")),
            max_instructions: stats.counter("MaxInstructions", "count"),
            sandbox,
            site: site.clone(),
            data,
        };
        let unread: Vec<String> = script.sandbox.unread_config().into_iter().filter(|name| name != "tz").collect();
        if !unread.is_empty() {
            let list = unread.join(", ");
            script.site.log.info(format!("the script has not read these settings of its config so far: {list}"));
        }
        script.warn_without(Entry::ProcessMessage);
        script.report();
        script.watched(Called::Load);
        Ok(script)
    }

    /// Says so when the script lacks a function that will be called; it may still define it later.
    pub fn warn_without(&self, entry: Entry) {
        if !self.sandbox.defines(entry) {
            let name = if entry == Entry::TimerEvent { "timer_event" } else { "process_message" };
            self.site.log.info(format!("the script defines no {name} function"));
        }
    }

    /// Calls `process_message`.
    ///
    /// # Errors
    /// The script was terminated, and why.
    pub fn process_message(&mut self, message: Option<RowRef<'_>>, role: &mut dyn Role) -> Result<Returned, String> {
        let result = self.sandbox.process_message(message, role);
        self.watched(Called::ProcessMessage(&result));
        result
    }

    /// Calls `timer_event` with a time in nanoseconds since the UNIX epoch.
    ///
    /// # Errors
    /// The script was terminated, and why.
    pub fn timer_event(&mut self, nanos: i64, role: &mut dyn Role) -> Result<(), String> {
        let result = self.sandbox.timer_event(nanos, role);
        self.watched(Called::TimerEvent(nanos, &result));
        result
    }

    #[inline]
    fn watched(&self, called: Called<'_>) {
        self.site.globals.watch.tell(called, || self.sandbox.statistics());
    }

    /// Whether the last call ended because the plugin was told to stop.
    pub fn was_stopped(&self) -> bool {
        self.sandbox.was_stopped()
    }

    /// Whether the script can be called.
    pub fn is_alive(&self) -> bool {
        self.sandbox.is_alive()
    }

    /// Brings the report up to date.
    pub fn report(&mut self) {
        let now = self.sandbox.statistics();
        let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        self.memory.set(number(now.memory));
        self.max_memory.set(number(now.max_memory));
        if let Some(counter) = &self.max_output {
            counter.set(number(now.max_output));
        }
        self.max_instructions.set(i64::try_from(now.max_instructions).unwrap_or(i64::MAX));
    }

    /// Writes the data, if the script's section asks for it and the script was not terminated.
    pub fn save(&mut self) {
        self.report();
        let Some(data) = self.data.take() else { return };
        if !self.sandbox.is_alive() {
            return;
        }
        match self.sandbox.preserve() {
            Ok(text) => {
                if let Err(error) = data.write(&text) {
                    let path = data.path().display();
                    self.site.log.error(format!("lsb_preserve_global_data could not open: {path}: {error}"));
                }
            }
            Err(why) => {
                data.remove();
                self.site.log.error(format!("Destroy() {why}"));
            }
        }
    }
}

fn load(config: &Config, site: &Site) -> Result<Sandbox, PluginError> {
    Sandbox::new(config, &mut |line| site.log.info(line)).map_err(PluginError::fatal)
}

fn restore(mut sandbox: Sandbox, config: &Config, site: &Site, data: &DataFile) -> Result<Sandbox, PluginError> {
    let Some((text, path)) = data.read() else { return Ok(sandbox) };
    let Err(why) = sandbox.restore(&text, &path) else { return Ok(sandbox) };
    let aside = match DataFile::set_aside(&path) {
        Ok(aside) => format!("it is kept as {}", aside.display()),
        Err(error) => format!("it could not be set aside: {error}"),
    };
    site.log.error(format!("{why}; the script starts without its data, {aside}"));
    // What was restored by then would be half of a state.
    load(config, site)
}
