//! The map of running filters: offers them messages, ticks them, and lets go of those that end.

use super::MEASURED;
use super::child::Child;
use super::matchers::{Matchers, own_match};
use crate::filters::sandbox::Spec;
use crate::filters::{FilterSection, Injector};
use crate::log::Log;
use crate::plugin::{PluginError, Site};
use crate::stats::{Counter, Stats};
use heka_message::Selection;
use heka_sandbox::{Config, Kind};
use heka_settings::Problems;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// A filter that has ended by itself, and why.
pub(super) struct Ended {
    pub(super) child: Child,
    pub(super) error: PluginError,
}

/// The running filters of one manager, by their full names.
pub(super) struct Host {
    /// Where the manager lives.
    site: Site,
    children: BTreeMap<String, Child>,
    matchers: Matchers,
    running: Arc<Counter>,
    dropped: Arc<Counter>,
    /// The last tick, in nanoseconds since the UNIX epoch, if there has been one.
    ticked: Option<i64>,
    /// When measuring began.
    measuring: Instant,
}

impl Host {
    /// Nothing runs yet.
    pub(super) fn new(site: &Site) -> Host {
        Host {
            running: site.stats.counter("RunningFilters", "count"),
            dropped: site.stats.drops("filter-ended"),
            site: site.clone(),
            children: BTreeMap::new(),
            matchers: Matchers::default(),
            ticked: None,
            measuring: Instant::now(),
        }
    }

    /// How many filters run.
    pub(super) fn len(&self) -> usize {
        self.children.len()
    }

    /// Whether a filter of this name runs.
    pub(super) fn is_running(&self, name: &str) -> bool {
        self.children.contains_key(name)
    }

    /// Runs a filter under its full name; `path` is what messages call its script.
    ///
    /// # Errors
    /// One line: the section or the script cannot be used.
    pub(super) fn start(
        &mut self,
        name: &str,
        section: &FilterSection,
        script: Arc<[u8]>,
        path: PathBuf,
    ) -> Result<(), String> {
        let site = Site {
            name: name.to_owned(),
            globals: self.site.globals.clone(),
            stats: Arc::new(Stats::default()),
            log: Log::new("Plugin", name),
        };
        section.notes.iter().for_each(|note| site.log.info(note));
        let mut problems = Problems::of(name);
        let spec = Spec::read(&section.settings, &mut problems);
        if let Some(problem) = problems.into_sorted().into_iter().find(|p| p.level == heka_settings::Level::Error) {
            return Err(problem.message);
        }
        let signer = section.message_signer.as_deref();
        let matcher = self
            .matchers
            .take(&section.message_matcher, signer)
            .map_err(|why| format!("Can't create message matcher for '{name}': {why}"))?;
        let config = Config { script: path, source: Some(script), ..spec.settings.config(Kind::Filter, &site) };
        let filter = spec.start(&site, config).map_err(|error| {
            self.matchers.release(&matcher);
            error.message
        })?;
        let own = own_match(&section.message_matcher);
        let child = Child::new(filter, site.clone(), matcher, own, section.ticker_interval, self.ticked);
        self.site.stats.host(name, site.stats);
        self.children.insert(name.to_owned(), child);
        self.count();
        Ok(())
    }

    /// Takes a filter out of the map.
    pub(super) fn remove(&mut self, name: &str) -> Option<Child> {
        let child = self.children.remove(name)?;
        self.matchers.release(&child.matcher);
        self.site.stats.release(name);
        self.count();
        Some(child)
    }

    fn count(&self) {
        self.running.set(i64::try_from(self.children.len()).unwrap_or(i64::MAX));
    }

    /// Offers messages to all filters.
    pub(super) fn offer(&mut self, messages: &Selection, out: &mut Injector) -> Vec<Ended> {
        if self.children.is_empty() || messages.is_empty() {
            return Vec::new();
        }
        let mut ended = Vec::new();
        let mut clock = Instant::now();
        self.matchers.next();
        for (name, child) in &mut self.children {
            let rows = self.matchers.select(&child.matcher, messages, &mut clock);
            if rows.is_none() {
                continue;
            }
            let wanted = Selection { batch: messages.batch.clone(), rows };
            if let Err(error) = child.process(&wanted, &self.matchers, out, &mut clock) {
                ended.push((name.clone(), error));
            }
        }
        self.take_ended(ended)
    }

    /// Ticks the filters that are due by `now`, in nanoseconds since the UNIX epoch, and ends those that are too slow.
    pub(super) fn tick(&mut self, now: i64, out: &mut Injector) -> Vec<Ended> {
        self.ticked = Some(now);
        let mut ended = Vec::new();
        for (name, child) in &mut self.children {
            if let Err(error) = child.tick(now, out) {
                ended.push((name.clone(), error));
            }
        }
        let mut ended = self.take_ended(ended);
        ended.extend(self.end_slow(out));
        ended
    }

    /// Where messages wait for the filters, because these take more than half of the time, who is slow ends, unless he
    /// takes little of it.
    fn end_slow(&mut self, out: &mut Injector) -> Vec<Ended> {
        let elapsed = self.measuring.elapsed();
        if elapsed < MEASURED {
            // The ticks of a worker that was held up come close together.
            return Vec::new();
        }
        let busy = self.children.values().map(Child::busy).sum::<u64>() + self.matchers.busy();
        let mut ended = Vec::new();
        let others_wait = u128::from(busy) > elapsed.as_nanos() / 2;
        if others_wait {
            let most = self.site.globals.max_process_duration;
            let share = busy / (2 * self.children.len().max(1) as u64);
            for (name, child) in &self.children {
                if child.is_slow(&self.matchers, most, share) {
                    ended.push((name.clone(), child.end_slow(&self.matchers, out)));
                }
            }
        }
        let ended = self.take_ended(ended);
        self.children.values_mut().for_each(|child| child.measured(&self.matchers, others_wait));
        self.matchers.forget_costs();
        self.measuring = Instant::now();
        ended
    }

    fn take_ended(&mut self, ended: Vec<(String, PluginError)>) -> Vec<Ended> {
        let mut taken = Vec::new();
        for (name, error) in ended {
            let Some(child) = self.remove(&name) else { continue };
            self.dropped.add(child.dropped());
            taken.push(Ended { child, error });
        }
        taken
    }

    /// Ends all filters until the next start.
    pub(super) fn stop(&mut self, out: &mut Injector) {
        for (name, mut child) in std::mem::take(&mut self.children) {
            if let Err(error) = child.stop(out) {
                child.site().log.error(error);
            }
            self.site.stats.release(&name);
        }
        self.count();
    }
}
