//! `filter`: a stateful plugin that watches its selection, is woken by ticks, and injects messages.
//!
//! A tick fires when all data before it has been processed; data at or after a pending tick waits for it. So
//! what a tick sees depends on the messages alone, never on how fast they came.
//!
//! A filter that is slow gives its worker back after a while; what it has not come to waits, in order. What it injects
//! takes the place of the messages it was about in their inputs' budget, so that a filter that makes many messages of
//! one, or whose messages nobody takes, stops its inputs instead of filling the memory.

use crate::engine::operators::ticks::Tick;
use crate::engine::operators::time_of;
use crate::engine::operators::turn::{Pace, Turn};
use crate::engine::{END_OF_TIME, NodeStatus, Time};
use heka_matcher::{Matcher, Predicates};
use heka_message::{RowSet, Selection};
use heka_operators::filters::{Filter, Injector};
use heka_operators::plugin::{PluginError, Site};
use heka_operators::stats::Counter;
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::Stream;
use timely::dataflow::channels::pact::{Exchange, Pipeline};
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::progress::operate::FrontierInterest;

/// How far beyond `max_message_loops` the news of a filter's end may go round: each filter that ends because of such
/// news adds one, and ends only once.
const ENDS: u32 = 1024;

/// The last round that there is: filters inject nothing past `most_loops` rounds but the news of their end.
pub fn last_round(most_loops: u32) -> u32 {
    most_loops.saturating_add(ENDS)
}

/// What becomes of the daemon when a filter has ended for good; `false`: it never ran.
pub type OnEnd = Box<dyn FnMut(bool)>;

/// A filter with everything it needs on its worker.
pub struct FilterNode {
    /// Makes an instance, at the start and for each restart.
    pub build: Box<dyn Fn() -> Result<Box<dyn Filter>, PluginError>>,
    /// Name, counters, log.
    pub site: Site,
    /// The filter's own matcher: it may not inject what it would receive. `None` where it is handed everything, and
    /// sees to that itself.
    pub matcher: Option<Matcher>,
    /// The plan's predicates.
    pub predicates: Arc<Predicates>,
    /// How often it may be made anew: `None` for ever.
    pub max_retries: Option<u32>,
    /// Called when it has ended for good.
    pub on_end: OnEnd,
    /// Progress for reports.
    pub status: Arc<NodeStatus>,
}

struct Running {
    node: FilterNode,
    filter: Option<Box<dyn Filter>>,
    retries: u32,
    injector: Injector,
    injected: Arc<Counter>,
    processed: Arc<Counter>,
    /// Messages that came when the filter had ended.
    dropped: Arc<Counter>,
    started: bool,
    pace: Pace,
}

impl Running {
    fn new(node: FilterNode) -> Self {
        let stats = &node.site.stats;
        let mut injector = Injector::new(node.site.globals.clone());
        if let Some(matcher) = node.matcher.clone() {
            let predicates = node.predicates.clone();
            injector.set_own_match(Box::new(move |row| matcher.matches(&predicates, row)));
        }
        let mut running = Running {
            injector,
            dropped: stats.drops("filter-ended"),
            started: false,
            pace: Pace::default(),
            processed: stats.counter("ProcessMessageCount", "count"),
            injected: stats.counter("InjectMessageCount", "count"),
            filter: None,
            retries: 0,
            node,
        };
        running.start();
        running
    }

    /// Makes the filter for the first time.
    fn start(&mut self) {
        match (self.node.build)() {
            Ok(filter) => (self.filter, self.started) = (Some(filter), true),
            Err(error) => self.fail(error),
        }
    }

    /// A failure: log it, then make the filter anew or end it.
    fn fail(&mut self, error: PluginError) {
        self.filter = None;
        let site = self.node.site.clone();
        site.log.error(&error);
        site.stats.text("Error", &error.message);
        let may_retry = error.retry && self.node.max_retries.is_none_or(|most| self.retries < most);
        if may_retry {
            self.retries += 1;
            site.log.info("now restarting");
            match (self.node.build)() {
                Ok(filter) => {
                    (self.filter, self.started) = (Some(filter), true);
                    site.stats.remove_text("Error");
                    return;
                }
                Err(error) => {
                    site.log.error(&error);
                    site.stats.text("Error", &error.message);
                }
            }
        }
        site.log.info("stopped");
        (self.node.on_end)(self.started);
    }

    /// Calls the plugin; a panic in it is its failure and nobody else's.
    fn call(&mut self, now: i64, what: impl FnOnce(&mut dyn Filter, &mut Injector) -> Result<(), PluginError>) {
        let Some(filter) = &mut self.filter else { return };
        self.injector.set_now(now);
        let injector = &mut self.injector;
        let result = catch_unwind(AssertUnwindSafe(|| what(filter.as_mut(), injector)))
            .unwrap_or_else(|_| Err(PluginError::fatal("the plugin panicked")));
        if let Err(error) = result {
            self.fail(error);
        }
    }

    /// Processes a selection as far as the turn allows; returns what is left of it.
    fn process(&mut self, round: u32, selection: Selection, turn: &Turn) -> Option<Selection> {
        let mut left = Some(selection);
        while let Some(selection) = left.take() {
            if self.filter.is_none() {
                self.dropped.add(selection.len());
                return None;
            }
            if turn.is_over() {
                return Some(selection);
            }
            let (now, later) = selection.split_first(self.pace.messages());
            self.process_at_once(round, &now);
            left = later;
        }
        None
    }

    fn process_at_once(&mut self, round: u32, selection: &Selection) {
        let (messages, begun) = (selection.len(), Instant::now());
        self.injector.set_round(round);
        if self.node.matcher.is_some() {
            self.processed.add(messages);
        }
        self.node.status.pass(messages);
        let injected = self.injector.len();
        self.call(crate::engine::clock::now_ns(), |filter, out| filter.process(selection, out));
        if self.injector.len() > injected {
            self.injector.builder().hold_credits_of(&selection.batch);
        }
        self.pace.took(messages, begun.elapsed());
    }

    fn tick(&mut self, epoch: u64, tick: Tick) {
        self.injector.set_round(0);
        match tick {
            Tick::Timer => self.call((epoch * 1_000_000) as i64, |f, out| f.tick((epoch * 1_000_000) as i64, out)),
            Tick::Stop => self.call(crate::engine::clock::now_ns(), |filter, out| filter.stop(out)),
        }
    }

    /// What the filter injected at `round`, less what it may not inject. What tells of a filter's end always goes out.
    fn take_injected(&mut self, round: u32) -> Option<Selection> {
        let (batch, exempt) = self.injector.take_with_exempt()?;
        let rows = batch.len();
        let site = &self.node.site;
        let most_loops = site.globals.max_message_loops.max(1);
        let kept = if round >= most_loops {
            let kept = if round < last_round(most_loops) { exempt } else { RowSet::None };
            let dropped = rows - kept.count(rows);
            if dropped > 0 {
                site.log.error(format!("exceeded MaxMsgLoops = {most_loops}"));
                site.stats.drops("max-message-loops").add(dropped);
            }
            kept
        } else {
            let own = self.node.matcher.as_ref().map(|matcher| matcher.select(&self.node.predicates, &batch));
            let own = own.unwrap_or(RowSet::None).without(&exempt, rows);
            let refused = own.count(rows);
            if refused > 0 {
                site.log.error("attempted to Inject a message to itself");
                site.stats.drops("inject-to-itself").add(refused);
            }
            RowSet::All.without(&own, rows)
        };
        self.injected.add(kept.count(rows));
        (!kept.is_none()).then(|| Selection { batch: Arc::new(batch), rows: kept })
    }
}

/// The messages a filter injects. Its selection is gathered on `worker`; `node` is `None` on all others.
pub fn filter<'scope>(
    messages: Stream<'scope, Time, Vec<Selection>>,
    ticks: Stream<'scope, Time, Vec<Tick>>,
    name: &str,
    worker: usize,
    node: Option<FilterNode>,
) -> Stream<'scope, Time, Vec<Selection>> {
    let scope = messages.scope();
    let mut builder = OperatorBuilder::new(name.to_owned(), scope);
    let mut data = builder.new_input(messages, Exchange::new(move |_: &Selection| worker as u64));
    let mut ticks = builder.new_input(ticks, Pipeline);
    builder.set_notify_for(0, FrontierInterest::IfCapability);
    builder.set_notify_for(1, FrontierInterest::IfCapability);
    let (output, stream) = builder.new_output::<Vec<Selection>>();
    let mut output = OutputBuilder::<_, CapacityContainerBuilder<Vec<Selection>>>::from(output);
    let mut running = node.map(Running::new);
    let activator = scope.activator_for(builder.operator_info().address);
    builder.build(move |_capabilities| {
        let mut waiting: BTreeMap<Time, (Capability<Time>, VecDeque<Selection>)> = BTreeMap::new();
        let mut pending: BTreeMap<u64, (Capability<Time>, Tick)> = BTreeMap::new();
        move |frontiers| {
            let Some(running) = &mut running else { return };
            let turn = Turn::begin();
            let mut output = output.activate();
            ticks.for_each(|capability, ticks| {
                let time = time_of(&capability);
                if let Some(tick) = ticks.drain(..).next_back() {
                    pending.insert(time.epoch, (capability.delayed(&time, 0), tick));
                }
            });
            // The earliest tick that is pending or may still come: data before it need not wait.
            let coming = frontiers[1].frontier().iter().map(|t| t.epoch).min().unwrap_or(END_OF_TIME);
            let open = |pending: &BTreeMap<u64, _>| pending.first_key_value().map_or(coming, |(t, _)| coming.min(*t));
            let barrier = open(&pending);
            data.for_each(|capability, selections| {
                let time = time_of(&capability);
                let mut selections = selections.drain(..);
                let mut rest = None;
                // Most data is processed as it comes and needs no capability of its own.
                if time.epoch < barrier && waiting.is_empty() {
                    rest = selections.by_ref().find_map(|selection| running.process(time.round, selection, &turn));
                    if let Some(injected) = running.take_injected(time.round) {
                        output.session(&capability).give(injected);
                    }
                }
                let mut rest = rest.into_iter().chain(selections).peekable();
                if rest.peek().is_some() {
                    let slot = waiting.entry(time).or_insert_with(|| (capability.delayed(&time, 0), VecDeque::new()));
                    slot.1.extend(rest);
                }
            });
            loop {
                let barrier = open(&pending);
                while let Some(mut entry) = waiting.first_entry() {
                    let time = *entry.key();
                    if turn.is_over() || time.epoch >= barrier && !(pending.is_empty() && coming == END_OF_TIME) {
                        break;
                    }
                    let (capability, selections) = entry.get_mut();
                    while let Some(selection) = selections.pop_front() {
                        if let Some(rest) = running.process(time.round, selection, &turn) {
                            selections.push_front(rest);
                            break;
                        }
                    }
                    if let Some(injected) = running.take_injected(time.round) {
                        output.session(&*capability).give(injected);
                    }
                    if selections.is_empty() {
                        entry.remove();
                    }
                }
                if turn.is_over() {
                    // There may be more to do, and nobody else would say so.
                    activator.activate();
                    break;
                }
                let Some(entry) = pending.first_entry() else { break };
                let tick_epoch = *entry.key();
                let before = |t: &Time| t.epoch < tick_epoch || (t.epoch == tick_epoch && t.round == 0);
                if coming < tick_epoch || frontiers[0].frontier().iter().any(before) {
                    break;
                }
                let (capability, tick) = entry.remove();
                running.tick(tick_epoch, tick);
                if let Some(injected) = running.take_injected(capability.time().round) {
                    output.session(&capability).give(injected);
                }
            }
            let status = &running.node.status;
            let oldest = waiting.keys().map(|t| t.epoch).chain(pending.keys().copied()).min();
            status.holds.store(oldest.filter(|e| *e != END_OF_TIME).unwrap_or(0), Ordering::Relaxed);
            status.waiting.store(waiting.values().flat_map(|(_, s)| s).map(Selection::len).sum(), Ordering::Relaxed);
        }
    });
    stream
}
