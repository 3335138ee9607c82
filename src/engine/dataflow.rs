//! From plan to dataflow: every worker calls [`build`] with the same plan and builds the same operators.

use crate::engine::clock::{Clock, Period};
use crate::engine::ledger::Ledger;
use crate::engine::operators::checkpoint::checkpoint;
use crate::engine::operators::decode::{Spread, decode};
use crate::engine::operators::filter::{FilterNode, filter, last_round};
use crate::engine::operators::merge::merge;
use crate::engine::operators::output::{OutputNode, output};
use crate::engine::operators::resequence::resequence;
use crate::engine::operators::rounds::rounds;
use crate::engine::operators::select::select;
use crate::engine::operators::source::source;
use crate::engine::operators::split::split;
use crate::engine::operators::ticks::ticks;
use crate::engine::wiring::Wiring;
use crate::engine::{Lap, Time};
use crate::plan::{Consumer, ConsumerKind, InputNode, Plan, names};
use heka_operators::decoders::{DecodeRunner, DecoderSpec};
use heka_operators::encoders::EncodeRunner;
use heka_operators::log::Log;
use heka_operators::plugin::{PluginError, Site};
use heka_operators::splitters::Deliverer;
use std::rc::Rc;
use std::sync::Arc;
use timely::dataflow::Scope;
use timely::dataflow::operators::{ConnectLoop, Feedback};
use timely::worker::Worker;

/// Something the daemon must react to, reported from inside a worker.
pub type Report = Arc<dyn Fn(Event) + Send + Sync>;

/// What a worker can report.
#[derive(Clone, Debug)]
pub enum Event {
    /// A plugin has ended for good: its name, and whether the daemon may go on without it.
    Ended {
        /// The plugin.
        name: String,
        /// Its `can_exit`.
        may_go_on: bool,
    },
}

/// The periods of all tickers of a plan: every worker's clock moves for each of them.
pub fn periods(plan: &Plan, start: u64) -> Vec<Period> {
    plan.filters().filter_map(|f| period(f, start)).collect()
}

fn period(consumer: &Consumer, start: u64) -> Option<Period> {
    let period = consumer.ticker?.as_millis() as u64;
    (period > 0).then_some(Period { start, period })
}

/// Builds the plan's dataflow on this worker.
pub fn build(worker: &mut Worker, plan: &Arc<Plan>, wiring: &Arc<Wiring>, clock: &Rc<Clock>, report: &Report) {
    let index = worker.index();
    worker.dataflow_named::<Time, _, _>("hekad", |scope| {
        let mut ledgers = Vec::new();
        let mut arriving = Vec::new();
        for input in &plan.inputs {
            arriving.push(input_nodes(scope, input, plan, wiring, clock, index, &mut ledgers, report));
        }
        let loops = plan.filters().next().is_some();
        let most_loops = plan.globals.max_message_loops.max(1);
        let mut feedback = None;
        if loops {
            let (handle, looped) = scope.feedback(Lap::once(last_round(most_loops)));
            feedback = Some(handle);
            arriving.push(looped);
        }
        let routed = merge(scope, names::ROUTER, arriving, wiring.statuses.of(names::ROUTER));
        let mut done = Vec::new();
        let mut injected = Vec::new();
        for consumer in plan.consumers() {
            let selected = select(
                routed.clone(),
                &names::matcher(&consumer.name),
                consumer.matcher.clone(),
                plan.predicates.clone(),
                wiring.statuses.of(&consumer.name),
            );
            let local = consumer.worker == index;
            // With a queue, the matcher's messages are done when they are in it; what comes back out of it has
            // positions, and so a checkpoint, of its own.
            let mut queued = None;
            let selected = match &consumer.queue {
                None => selected,
                Some(queue) => {
                    let writer = &queue.writer;
                    let local = writer.worker == index;
                    let node = if local { output_node(writer, names::CHECKPOINT, wiring, report) } else { None };
                    done.push(output(selected, &names::output(&writer.name), writer.worker, node));
                    let mut own = Vec::new();
                    let read = input_nodes(scope, &queue.reader, plan, wiring, clock, index, &mut own, report);
                    queued = Some((names::checkpoint(&consumer.name), own));
                    match consumer.kind {
                        // Only who injects can close a loop.
                        ConsumerKind::Filter(_) => rounds(read, &names::rounds(&consumer.name), most_loops),
                        ConsumerKind::Output(_) => read,
                    }
                }
            };
            // What lets this consumer's messages count as delivered.
            let checkpoint_name = queued.as_ref().map_or(names::CHECKPOINT, |(name, _)| name);
            let finished = match &consumer.kind {
                ConsumerKind::Filter(_) => {
                    let timer = period(consumer, wiring.start);
                    let ticks = ticks(scope, &names::ticks(&consumer.name), timer, local, clock, &wiring.stop);
                    let node = if local { filter_node(consumer, plan, wiring, report) } else { None };
                    let out = filter(selected, ticks, &names::filter(&consumer.name), consumer.worker, node);
                    injected.push(out.clone());
                    out
                }
                ConsumerKind::Output(_) => {
                    let node = if local { output_node(consumer, checkpoint_name, wiring, report) } else { None };
                    output(selected, &names::output(&consumer.name), consumer.worker, node)
                }
            };
            match queued {
                None => done.push(finished),
                Some((name, own)) => checkpoint(scope, &name, vec![finished], own, wiring.limit(&name)),
            }
        }
        if let Some(handle) = feedback {
            merge(scope, names::INJECTED, injected, wiring.statuses.of(names::INJECTED)).connect_loop(handle);
        }
        if done.is_empty() {
            done.push(routed);
        }
        checkpoint(scope, names::CHECKPOINT, done, ledgers, wiring.limit(names::CHECKPOINT));
    });
}

#[allow(clippy::too_many_arguments, reason = "one call site; a struct would only rename the list")]
fn input_nodes<'scope>(
    scope: Scope<'scope, Time>,
    input: &InputNode,
    plan: &Arc<Plan>,
    wiring: &Arc<Wiring>,
    clock: &Rc<Clock>,
    index: usize,
    ledgers: &mut Vec<Ledger>,
    report: &Report,
) -> timely::dataflow::Stream<'scope, Time, Vec<heka_message::Selection>> {
    let ends = if input.worker == index { wiring.take_input(&input.name) } else { None };
    let site = wiring.site(&input.name);
    let mut runner = None;
    let mut decodes = true;
    let spread = input.decoder.as_ref().map(|d| Spread { first: input.worker, count: d.workers, peers: plan.workers });
    if spread.is_some_and(|spread| spread.includes(index)) {
        runner = site.and_then(|site| decode_runner(plan, input, wiring, site, report));
        decodes = runner.is_some();
    }
    let limit = wiring.limit(&names::input(&input.name));
    let splitting = ends.as_ref().zip(site).map(|(ends, site)| {
        let ledger = Ledger::new(ends.commits.clone(), limit.clone());
        ledgers.push(ledger.clone());
        let splitter_site = wiring.part_site(&names::splitter(&input.name, &input.splitter.name), site);
        let spec = input.splitter.spec.clone();
        let deliverer = Deliverer::new(splitter_site, spec, input.splitter.options, input.id);
        (deliverer.on_fatal(ends_daemon(report, &input.name)), ledger)
    });
    // An input that nobody decodes for is cut off here: its positions stay, and nothing waits for it.
    let name = names::input(&input.name);
    let chunks = source(scope, &name, input.is_queue, ends.filter(|_| decodes), clock, wiring.statuses.of(&name));
    let name = names::splitter(&input.name, &input.splitter.name);
    let records = split(chunks, &name, splitting, wiring.statuses.of(&name));
    let (Some(decoder), Some(spread)) = (&input.decoder, spread) else { return records };
    let name = names::decoder(&input.name, &decoder.name);
    let messages = decode(records, &name, spread, runner, limit, wiring.statuses.of(&name));
    match spread.count {
        1 => messages,
        _ => resequence(messages, &names::order(&input.name), input.worker),
    }
}

/// What happens when an input's bytes can no longer be made into messages: the daemon cannot go on.
fn ends_daemon(report: &Report, input: &str) -> Box<dyn FnOnce() + Send> {
    let (report, name) = (report.clone(), input.to_owned());
    Box::new(move || report(Event::Ended { name, may_go_on: false }))
}

/// An input's decoder on one worker; when it cannot be made the daemon ends.
fn decode_runner(
    plan: &Plan,
    input: &InputNode,
    wiring: &Wiring,
    site: &Site,
    report: &Report,
) -> Option<DecodeRunner> {
    let decoder = input.decoder.as_ref()?;
    let site = wiring.part_site(&names::decoder(&input.name, &decoder.name), site);
    match build_decoder(plan, &decoder.name, &decoder.spec, &site, 0) {
        Ok(built) => {
            let runner = DecodeRunner::new(built, site, input.log_decode_failures, input.send_decode_failures);
            Some(runner.on_fatal(ends_daemon(report, &input.name)))
        }
        Err(error) => {
            site.log.error(&error);
            report(Event::Ended { name: input.name.clone(), may_go_on: false });
            None
        }
    }
}

/// Makes a decoder and, before it, the decoders it calls. The plan has refused cycles.
fn build_decoder(
    plan: &Plan,
    name: &str,
    spec: &Arc<dyn DecoderSpec>,
    site: &Site,
    depth: usize,
) -> Result<Box<dyn heka_operators::decoders::Decoder>, PluginError> {
    if depth > 64 {
        return Err(PluginError::fatal(format!("decoder '{name}' nests too deeply")));
    }
    let mut subs = Vec::new();
    for sub in spec.subs() {
        let spec =
            plan.decoders.get(sub).ok_or_else(|| PluginError::fatal(format!("Non-existent subdecoder: {sub}")))?;
        let sub_name = format!("{}-{sub}", site.name);
        // The decoder above counts what each of its decoders does.
        let sub_site =
            Site { log: Log::new("SubDecoder", &sub_name), name: sub_name, stats: Arc::default(), ..site.clone() };
        subs.push(build_decoder(plan, sub, spec, &sub_site, depth + 1)?);
    }
    spec.build(site, subs)
}

fn filter_node(consumer: &Consumer, plan: &Arc<Plan>, wiring: &Arc<Wiring>, report: &Report) -> Option<FilterNode> {
    let ConsumerKind::Filter(spec) = &consumer.kind else { return None };
    let (spec, site) = (spec.clone(), wiring.site(&consumer.name)?.clone());
    let (report, name, can_exit) = (report.clone(), consumer.name.clone(), consumer.can_exit);
    let (making, hosts_others) = (site.clone(), spec.hosts_others());
    Some(FilterNode {
        build: Box::new(move || spec.build(&making)),
        site,
        matcher: (!hosts_others).then(|| consumer.matcher.clone()),
        predicates: plan.predicates.clone(),
        max_retries: consumer.retries.max_retries,
        // What cannot even start is a mistake of the configuration.
        on_end: Box::new(move |ran| report(Event::Ended { name: name.clone(), may_go_on: can_exit && ran })),
        status: wiring.statuses.of(&consumer.name),
    })
}

fn output_node(consumer: &Consumer, checkpoint: &str, wiring: &Arc<Wiring>, report: &Report) -> Option<OutputNode> {
    let output = consumer.output()?;
    let site = wiring.site(&consumer.name)?.clone();
    let encoder_site = wiring.part_site(&names::encoder(&consumer.name, &output.encoder_name), &site);
    let (ended, name, may_go_on) = (report.clone(), consumer.name.clone(), consumer.can_exit);
    let on_end = move || ended(Event::Ended { name, may_go_on });
    let encode = match output.encoder.build(&encoder_site) {
        Ok(encoder) => Some(EncodeRunner::new(encoder, encoder_site, output.use_framing).on_end(Box::new(on_end))),
        Err(error) => {
            site.log.error(format!("can't create encoder {}: {error}", output.encoder_name));
            report(Event::Ended { name: consumer.name.clone(), may_go_on: false });
            None
        }
    };
    Some(OutputNode {
        encode,
        ends: wiring.take_output(&consumer.name)?,
        site,
        status: wiring.statuses.of(&consumer.name),
        abort: wiring.abort.clone(),
        limit: wiring.limit(checkpoint),
        can_exit: consumer.can_exit,
        keeps_loops: output.keeps_loops,
    })
}
