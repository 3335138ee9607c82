//! SandboxManagerFilter: loads and unloads filters while the daemon runs, as control messages ask.
//!
//! Its filters live inside it: they are offered everything that is routed and pick for themselves. A control message
//! counts from its place on: what stands before it in a batch is processed first.
//!
//! | file | what it holds |
//! |---|---|
//! | `control` | control messages, and names |
//! | `host`, `child` | the running filters, and one of them |
//! | `matchers` | which messages they want |
//! | `store` | what they are made of, kept for the next start |

mod child;
mod control;
mod host;
mod matchers;
mod store;
#[cfg(test)]
mod tests;

use self::control::{Control, Refused, full_name, rule};
use self::host::{Ended, Host};
use self::store::{Found, Kept, Store};
use super::{Filter, FilterSection, FilterSpec, Forced, Injector, endings, sandbox};
use crate::plugin::{PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use crate::script;
use crate::stats::Counter;
use crate::throttle::Throttle;
use heka_matcher::{Compiler, Matcher, Predicates};
use heka_message::{RowRef, RowSet, Selection};
use heka_settings::{Data, Placed, Problem, Settings, settings};
use std::sync::Arc;
use std::time::Duration;

settings! {
    /// Options of a manager of filters.
    pub struct ManagerSettings {
        /// Where the scripts and sections of loaded filters are kept; a relative path is below `base_dir`.
        working_directory: String = "sbxmgrs",
        /// Directories with modules for `require` of all filters, separated by `;`. Default: `lua_modules` below
        /// `share_dir`.
        module_directory: Option<String>,
        /// Bytes that the values of each filter may take; 0: any number.
        memory_limit: u64 = 8_388_608u64,
        /// Instructions that one call of a filter may take; 0: any number.
        instruction_limit: u64 = 1_000_000u64,
        /// Bytes of one message or payload of a filter; 0: any number.
        output_limit: u64 = 64_512u64,
        /// How many filters may run at once; with 0 nothing can be loaded.
        max_filters: Placed<u32> = Placed::nowhere(0u32),
    }
}

/// Filters are ticked in whole seconds.
const PERIOD: Duration = Duration::from_secs(1);
/// For how long filters are measured at least before one can be too slow.
const MEASURED: Duration = Duration::from_millis(500);
/// What control messages are called.
const CONTROL: &str = "Type == 'heka.control.sandbox'";

/// The type's entry in the registry.
pub static TYPE: PluginType = PluginType {
    name: "SandboxManagerFilter",
    summary: "Loads and unloads SandboxFilters while the daemon runs, as signed control messages ask.",
    settings: ManagerSettings::table,
    defaults: Defaults { message_matcher: Some(CONTROL), ..Defaults::NONE },
    make: Make::Filter(|table, problems| {
        let settings = ManagerSettings::read(table, problems);
        let text = |key: &str| match table.get(key).map(|entry| &entry.value.data) {
            Some(Data::String(text)) if !text.is_empty() => Some(text.clone()),
            _ => None,
        };
        let signer = text("message_signer");
        if settings.max_filters.value == 0 {
            let place = settings.max_filters.place;
            problems.push(
                Problem::warning(place, "no filter can be loaded: `max_filters` is 0")
                    .help("say how many filters may run at once, for example max_filters = 10"),
            );
        } else if signer.is_none() {
            let why = "whoever can send messages to this daemon can run programs in it: `message_signer` is not set";
            problems.push(Problem::warning(table.place, why).help(
                "set message_signer, give the splitter of the input the signer's key, and the key to heka-sbmgr",
            ));
        }
        let matcher = text("message_matcher").unwrap_or_else(|| CONTROL.to_owned());
        Arc::new(Spec { settings, matcher, signer })
    }),
};

#[derive(Clone)]
struct Spec {
    settings: ManagerSettings,
    /// `message_matcher`; whether it is one is checked with all others.
    matcher: String,
    /// `message_signer`
    signer: Option<String>,
}

impl Spec {
    /// What filters have whatever their sections say.
    fn forced(&self) -> Vec<Forced> {
        let number = |number: u64| Some(Data::Integer(i64::try_from(number).unwrap_or(i64::MAX)));
        let settings = &self.settings;
        vec![
            // The script comes with its section.
            ("filename", Some(Data::String("script.lua".to_owned()))),
            ("module_directory", settings.module_directory.clone().map(Data::String)),
            ("memory_limit", number(settings.memory_limit)),
            ("instruction_limit", number(settings.instruction_limit)),
            ("output_limit", number(settings.output_limit)),
        ]
    }
}

impl FilterSpec for Spec {
    fn hosts_others(&self) -> bool {
        true
    }

    fn period(&self) -> Option<Duration> {
        Some(PERIOD)
    }

    fn build(&self, site: &Site) -> Result<Box<dyn Filter>, PluginError> {
        let mut compiler = Compiler::new();
        let mut compile = |text: &str, signer: Option<&str>| {
            compiler.compile(text, signer).map_err(|error| PluginError::fatal(error.to_string()))
        };
        let control = compile(&self.matcher, self.signer.as_deref())?;
        // Without a signer, nobody is refused for the lack of one.
        let anybody = self.signer.as_ref().map(|_| compile(&format!("{CONTROL} && ({})", self.matcher), None));
        let anybody = anybody.transpose()?;
        let directory = site.globals.state_path(&self.settings.working_directory);
        let mut manager = SandboxManager {
            host: Host::new(site),
            store: Store::open(directory, site).map_err(PluginError::fatal)?,
            predicates: compiler.finish_uncached(),
            control,
            anybody,
            forced: self.forced(),
            max_filters: self.settings.max_filters.value as usize,
            processed: site.stats.counter("ProcessMessageCount", "count"),
            refusals: Throttle::default(),
            site: site.clone(),
        };
        rule::ALL.iter().for_each(|rule| drop(site.stats.drops(rule)));
        manager.restore();
        Ok(Box::new(manager))
    }
}

struct SandboxManager {
    site: Site,
    host: Host,
    store: Store,
    /// The messages to obey.
    control: Matcher,
    /// Control messages, whoever signed them.
    anybody: Option<Matcher>,
    predicates: Arc<Predicates>,
    forced: Vec<Forced>,
    max_filters: usize,
    processed: Arc<Counter>,
    /// Of what comes from anybody, not every refusal is logged.
    refusals: Throttle,
}

impl SandboxManager {
    /// Runs again what ran when the daemon ended.
    fn restore(&mut self) {
        let prefix = format!("{}-", script::plain(&self.site.name));
        let found = match self.store.find(&prefix) {
            Ok(found) => found,
            Err(why) => return self.site.log.error(format!("restoreSandboxes failed: {why}")),
        };
        for found in found {
            match found {
                Found::Filter(kept) => self.restore_one(kept),
                Found::Ended(name, why) => {
                    self.site.log.info(format!("{name} is not run again, it had ended: {why}"));
                }
                Found::Damaged(why) => self.site.log.error(format!("restoreSandboxes failed: {why}")),
            }
        }
    }

    fn restore_one(&mut self, kept: Kept) {
        let section = match self.section(&kept.config) {
            Ok((name, section)) if name == kept.name => section,
            Ok((name, _)) => {
                let why = format!("{}.toml has the section of {name}", kept.name);
                return self.site.log.error(format!("restoreSandboxes failed: {why}"));
            }
            Err(why) => return self.site.log.error(format!("restoreSandboxes failed: {}: {why}", kept.name)),
        };
        self.site.log.info(format!("Loading: {}", kept.name));
        if let Err(why) = self.host.start(&kept.name, &section, kept.script, self.store.script_path(&kept.name)) {
            self.site.log.error(format!("createRunner failed: {}: {why}", kept.name));
            self.log_failure(self.store.remove(kept.name));
        }
    }

    /// Reads a section; the name is the full one.
    fn section(&self, config: &str) -> Result<(String, FilterSection), String> {
        let section = (self.site.globals.read_section)(config, &self.forced)?;
        Ok((full_name(&self.site.name, &section.name)?, section))
    }

    /// Counts control messages that are not signed as they must be.
    fn refuse_unsigned(&self, messages: &Selection, obeyed: &RowSet) {
        let Some(anybody) = &self.anybody else { return };
        let rows = messages.batch.len();
        let refused = anybody.select(&self.predicates, &messages.batch).and(&messages.rows, rows).without(obeyed, rows);
        if refused.is_none() {
            return;
        }
        self.site.stats.drops(rule::UNSIGNED).add(refused.count(rows));
        self.refusals.error(&self.site.log, || "Refused control message: it is not signed by `message_signer`");
    }

    fn obey(&mut self, message: RowRef<'_>, out: &mut Injector) {
        self.processed.add(1);
        let done = match control::read(message, out.now()) {
            Ok(Control::Load { config, script }) => self.load(config, script),
            Ok(Control::Unload { name }) => {
                self.unload(name, out);
                Ok(())
            }
            Err(refused) => Err(refused),
        };
        let Err(Refused { rule, why }) = done else { return };
        self.site.stats.drops(rule).add(1);
        self.site.log.error(&why);
        if rule == rule::FAILED {
            endings::sandbox_terminated(&self.site.name, &why, out);
        }
    }

    fn load(&mut self, config: &str, script: &[u8]) -> Result<(), Refused> {
        if self.host.len() >= self.max_filters {
            let why = format!("{} attempted to load more than {} filters", self.site.name, self.max_filters);
            return Err(Refused::new(rule::LIMIT, why));
        }
        let failed = |why: String| Refused::new(rule::FAILED, format!("loadSandbox failed: {why}"));
        let (name, section) = self.section(config).map_err(failed)?;
        if self.host.is_running(&name) {
            return Err(failed(format!("{name} is already running")));
        }
        self.site.log.info(format!("Loading: {name}"));
        let script: Arc<[u8]> = script.into();
        self.host
            .start(&name, &section, script.clone(), self.store.script_path(&name))
            .map_err(|why| Refused::new(rule::FAILED, why))?;
        let kept = Kept { name: name.clone(), config: config.to_owned(), script };
        self.store.keep(kept).map_err(|why| {
            drop(self.host.remove(&name));
            failed(why)
        })
    }

    fn unload(&mut self, name: &str, out: &mut Injector) {
        let name = match full_name(&self.site.name, name) {
            Ok(name) => name,
            Err(why) => return self.site.log.error(format!("unloadSandbox failed: {why}")),
        };
        if let Some(mut child) = self.host.remove(&name) {
            if let Err(error) = child.unload(out) {
                child.site().log.error(error);
            }
            sandbox::data_file(child.site()).remove();
            child.site().log.info("has stopped, exiting plugin without shutting down.");
            endings::terminated(&name, sandbox::TYPE.name, "Filter unloaded.", out);
        }
        self.log_failure(self.store.remove(name));
    }

    /// What is said of filters that have ended by themselves.
    fn bury(&mut self, ended: Vec<Ended>) {
        for Ended { child, error } in ended {
            let site = child.site();
            site.log.error(&error);
            site.log.info("has stopped, exiting plugin without shutting down.");
            self.log_failure(self.store.mark(site.name.clone(), error.message));
        }
    }

    fn log_failure(&self, result: Result<(), String>) {
        if let Err(why) = result {
            self.site.log.error(why);
        }
    }
}

/// The messages of a selection that stand between two places of their batch.
fn part(messages: &Selection, from: usize, to: usize) -> Selection {
    let rows = RowSet::from_fn(messages.batch.len(), |row| (from..to).contains(&row) && messages.rows.contains(row));
    Selection { batch: messages.batch.clone(), rows }
}

impl Filter for SandboxManager {
    fn process(&mut self, messages: &Selection, out: &mut Injector) -> Result<(), PluginError> {
        let rows = messages.batch.len();
        let obeyed = self.control.select(&self.predicates, &messages.batch).and(&messages.rows, rows);
        self.refuse_unsigned(messages, &obeyed);
        if obeyed.is_none() {
            let ended = self.host.offer(messages, out);
            self.bury(ended);
            return Ok(());
        }
        let mut next = 0;
        for row in obeyed.iter(rows).chain([rows]) {
            let ended = self.host.offer(&part(messages, next, row + 1), out);
            self.bury(ended);
            if row < rows {
                self.obey(messages.batch.row(row), out);
            }
            next = row + 1;
        }
        Ok(())
    }

    fn tick(&mut self, now: i64, out: &mut Injector) -> Result<(), PluginError> {
        let ended = self.host.tick(now, out);
        self.bury(ended);
        Ok(())
    }

    fn stop(&mut self, out: &mut Injector) -> Result<(), PluginError> {
        self.host.stop(out);
        Ok(())
    }
}
