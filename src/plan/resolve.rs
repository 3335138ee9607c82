//! From sections to a plan: names become nodes, matchers are compiled, and whatever does not fit is a problem
//! with a place.

use crate::config::{self, Common, Config, ConsumerCommon, InputCommon, Section, Spec, literal};
use crate::control::self_report::SelfReport;
use crate::plan::conflicts::{refuse_cycles, refuse_missing_accumulators, refuse_shared_names, refuse_shared_queues};
use crate::plan::{Consumer, ConsumerKind, DecoderNode, InputNode, OutputPart, Plan, Retries, SplitterNode};
use heka_matcher::Compiler;
use heka_operators::decoders::DecoderSpec;
use heka_operators::inputs::InputSpec;
use heka_operators::log::Log;
use heka_operators::outputs::OutputSpec;
use heka_operators::plugin::{Globals, Site};
use heka_operators::registry::{self, Category, Make};
use heka_operators::splitters::{DeliverOptions, StreamOptions};
use heka_operators::stats::Stats;
use heka_settings::{Data, Place, Problem, Problems, Table, nearest};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Resolves a configuration. Returns `None` when a problem refuses it.
pub fn resolve(config: &Config, problems: &mut Problems) -> Option<Plan> {
    let globals = Arc::new(config.hekad.globals());
    let workers = usize::try_from(config.hekad.maxprocs).unwrap_or(1).clamp(1, 256);
    let mut resolver = Resolver { config, globals: globals.clone(), workers, compiler: Compiler::new() };
    resolver.check_specs(problems);
    let mut plan = Plan {
        workers,
        memory_budget: config.hekad.memory_budget as usize,
        shutdown_deadline: config.hekad.shutdown_deadline,
        full_buffer_max_retries: config.hekad.full_buffer_max_retries,
        max_pack_idle: config.hekad.max_pack_idle,
        self_report: None,
        inputs: Vec::new(),
        filters: Vec::new(),
        outputs: Vec::new(),
        decoders: BTreeMap::new(),
        predicates: Compiler::new().finish(),
        globals,
    };
    for section in &config.sections {
        match (&section.common, &section.spec) {
            (Common::Input(options), Spec::Input(spec)) => {
                let id = plan.inputs.len();
                plan.inputs.extend(resolver.input(section, options, spec, id, problems));
            }
            (Common::Filter(options), Spec::Filter(spec)) => {
                let kind = ConsumerKind::Filter(spec.clone());
                plan.filters.extend(resolver.consumer(section, options, kind, problems));
            }
            (Common::Output(options), Spec::Output(spec)) => {
                if let Some(part) = resolver.output(section, options, spec, problems) {
                    let kind = ConsumerKind::Output(Box::new(part));
                    plan.outputs.extend(resolver.consumer(section, options, kind, problems));
                }
            }
            (_, Spec::Decoder(spec)) => {
                plan.decoders.insert(section.name.clone(), spec.clone());
            }
            _ => {}
        }
    }
    if let Some(interval) = report_interval(config, &plan) {
        let report = SelfReport::new(interval);
        plan.inputs.push(resolver.self_report(&report, plan.inputs.len(), problems)?);
        plan.self_report = Some(report);
    }
    refuse_missing_accumulators(config, problems);
    refuse_shared_queues(config, problems);
    refuse_shared_names(config, problems);
    refuse_cycles(config, &plan.decoders, problems);
    plan.predicates = resolver.compiler.finish();
    (!problems.has_errors()).then_some(plan)
}

/// How often the daemon reports on itself: as often as the most eager of those who want it, so that several do not
/// multiply the reports.
fn report_interval(config: &Config, plan: &Plan) -> Option<Duration> {
    let wanted = plan.outputs.iter().filter(|consumer| consumer.output().is_some_and(|part| part.spec.wants_reports()));
    let own = Some(Duration::from_secs(config.hekad.report_interval)).filter(|interval| !interval.is_zero());
    wanted.filter_map(|consumer| consumer.ticker).chain(own).min()
}

/// The worker a node lives on: the same for the same name, whatever else the plan holds.
pub(super) fn placement(name: &str, workers: usize) -> usize {
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    (hash % workers as u64) as usize
}

pub(super) fn retries(settings: &config::Retries) -> Retries {
    Retries {
        delay: settings.delay,
        max_delay: settings.max_delay,
        max_jitter: settings.max_jitter,
        max_retries: u32::try_from(settings.max_retries).ok(),
    }
}

pub(super) struct Resolver<'a> {
    config: &'a Config,
    pub(super) globals: Arc<Globals>,
    pub(super) workers: usize,
    compiler: Compiler,
}

impl Resolver<'_> {
    /// Lets every section check what needs more than the type of one setting.
    fn check_specs(&self, problems: &mut Problems) {
        for section in &self.config.sections {
            let mut found = Problems::of(&section.name);
            let site = Site {
                name: section.name.clone(),
                globals: self.globals.clone(),
                stats: Arc::new(Stats::default()),
                log: Log::new("Plugin", &section.name),
            };
            match &section.spec {
                Spec::Input(spec) => spec.check(&site, &mut found),
                Spec::Splitter(spec) => spec.check(&self.globals, &mut found),
                Spec::Decoder(spec) => spec.check(&mut found),
                Spec::Filter(spec) => spec.check(&mut found),
                Spec::Encoder(spec) => spec.check(&mut found),
                Spec::Output(spec) => spec.check(&site, &mut found),
            }
            // A plugin knows its settings, not its file: what it cannot place belongs to its section.
            for mut problem in found.into_sorted() {
                if problem.place == Place::NOWHERE {
                    problem.place = section.place;
                }
                problems.push(problem);
            }
        }
    }

    /// The section of a category called `name`, or a problem with the nearest name as its remedy.
    fn find(
        &self,
        category: Category,
        name: &str,
        place: Place,
        why: String,
        problems: &mut Problems,
    ) -> Option<&Section> {
        let of_category = || self.config.sections.iter().filter(|s| s.plugin.category() == category);
        let found = of_category().find(|section| section.name == name);
        if found.is_none() {
            let problem = Problem::error(place, why);
            problems.push(match nearest(name, of_category().map(|s| s.name.as_str())) {
                Some(near) => problem.help(format!("did you mean `{near}`?")),
                None => problem.help(format!("add a section [{name}] with a {} type", category.name().to_lowercase())),
            });
        }
        found
    }

    /// Whether something holds of a decoder and of all that it calls.
    fn holds_of_all(&self, decoder: &Section, holds: impl Fn(&dyn DecoderSpec) -> bool) -> bool {
        let mut seen = vec![decoder];
        let mut next = 0;
        while let Some(section) = seen.get(next) {
            let Spec::Decoder(spec) = &section.spec else { return false };
            if !holds(&**spec) {
                return false;
            }
            let subs = self.config.sections.iter().filter(|s| {
                s.plugin.category() == Category::Decoder
                    && spec.subs().contains(&s.name)
                    && !seen.iter().any(|known| known.name == s.name)
            });
            let subs: Vec<_> = subs.collect();
            seen.extend(subs);
            next += 1;
        }
        true
    }

    fn input(
        &self,
        section: &Section,
        options: &InputCommon,
        spec: &Arc<dyn InputSpec>,
        id: usize,
        problems: &mut Problems,
    ) -> Option<InputNode> {
        if section.plugin.defaults.own_path {
            return self.message_input(section, options, spec, id, problems);
        }
        let or_header = |place: Place| if place == Place::NOWHERE { section.place } else { place };
        let splitter_name = options.splitter.value.clone();
        let why = format!("{} specifies undefined splitter {splitter_name}", section.name);
        let place = or_header(options.splitter.place);
        let splitter = self.find(Category::Splitter, &splitter_name, place, why, problems)?;
        let (Common::Splitter(common), Spec::Splitter(splitter_spec)) = (&splitter.common, &splitter.spec) else {
            return None;
        };
        let use_message_bytes = common.use_message_bytes.unwrap_or(splitter.plugin.defaults.use_message_bytes);
        let mut decoder = None;
        if let Some(named) = &options.decoder {
            let (decoder_name, place) = (named.value.clone(), or_header(named.place));
            let why = format!("no registered '{decoder_name}' decoder");
            let found = self.find(Category::Decoder, &decoder_name, place, why, problems)?;
            let Spec::Decoder(spec) = &found.spec else { return None };
            if spec.wants_message_bytes() && !use_message_bytes {
                let why = format!("'{decoder_name}' decodes encoded messages, but '{splitter_name}' delivers text");
                problems.push(
                    Problem::error(place, why)
                        .help("use HekaFramingSplitter, or set use_message_bytes = true on the splitter"),
                );
            }
            let workers = match (options.synchronous_decode, options.decode_workers) {
                (true, _) => 1,
                (false, 0) if !self.holds_of_all(found, |spec| spec.is_stateless()) => 1,
                (false, _) if !self.holds_of_all(found, |spec| !spec.is_singular()) => 1,
                (false, 0) => self.workers,
                (false, wanted) => usize::try_from(wanted).unwrap_or(usize::MAX).min(self.workers),
            };
            decoder = Some(DecoderNode {
                name: decoder_name,
                spec: spec.clone(),
                workers,
                synchronous: options.synchronous_decode,
            });
        }
        Some(InputNode {
            name: section.name.clone(),
            type_name: section.plugin.name,
            is_queue: false,
            id: id as u32,
            spec: spec.clone(),
            splitter: SplitterNode {
                name: splitter_name,
                spec: splitter_spec.clone(),
                options: DeliverOptions {
                    stream: StreamOptions {
                        keep_truncated: common.keep_truncated,
                        deliver_incomplete_final: common.deliver_incomplete_final,
                        ..StreamOptions::up_to(self.globals.max_record_size())
                    },
                    use_message_bytes,
                    whole_packets: spec.sends_messages(),
                },
            },
            decoder,
            send_decode_failures: options.send_decode_failures,
            log_decode_failures: options.log_decode_failures,
            can_exit: options.can_exit,
            retries: retries(&options.retries),
            worker: placement(&section.name, self.workers),
        })
    }

    fn output(
        &self,
        section: &Section,
        options: &ConsumerCommon,
        spec: &Arc<dyn OutputSpec>,
        problems: &mut Problems,
    ) -> Option<OutputPart> {
        let defaults = &section.plugin.defaults;
        // What the type wants of a message is not for the section to say.
        let own = if defaults.own_path {
            Some(("ProtobufEncoder", Table::default()))
        } else if defaults.no_encoder {
            Some(("PayloadEncoder", Table::default().with("append_newlines", Data::Bool(false))))
        } else {
            None
        };
        if let Some((name, options)) = own {
            let Some(Make::Encoder(encoder)) = registry::find(name).map(|plugin| plugin.make) else {
                return None;
            };
            return Some(OutputPart {
                spec: spec.clone(),
                encoder_name: name.to_owned(),
                encoder: encoder(&options, problems),
                use_framing: false,
                keeps_loops: false,
            });
        }
        let (name, place) = match &options.encoder {
            Some(placed) if placed.place != Place::NOWHERE => (placed.value.clone(), placed.place),
            Some(placed) => (placed.value.clone(), section.place),
            None => (String::new(), section.place),
        };
        if name.is_empty() {
            let problem = Problem::error(section.place, format!("'{}': Encoder required.", section.name));
            problems
                .push(problem.help("add for example encoder = \"PayloadEncoder\", with a section [PayloadEncoder]"));
            return None;
        }
        let why = format!("{} can't create encoder {name}", section.name);
        let found = self.find(Category::Encoder, &name, place, why, problems)?;
        let Spec::Encoder(encoder) = &found.spec else { return None };
        let framed = defaults.use_framing.unwrap_or(defaults.frames_protobuf && encoder.is_protobuf());
        Some(OutputPart {
            spec: spec.clone(),
            encoder_name: name,
            encoder: encoder.clone(),
            use_framing: options.use_framing.unwrap_or(framed),
            keeps_loops: false,
        })
    }

    fn consumer(
        &mut self,
        section: &Section,
        options: &ConsumerCommon,
        kind: ConsumerKind,
        problems: &mut Problems,
    ) -> Option<Consumer> {
        let Some(matcher) = &options.message_matcher else {
            let why = format!("'{}' missing message matcher", section.name);
            problems.push(Problem::error(section.place, why).help("add for example message_matcher = \"TRUE\""));
            return None;
        };
        let (expression, place) = (matcher.value.clone(), matcher.place);
        let signer = options.message_signer.as_deref();
        let matcher = match self.compiler.compile(&expression, signer) {
            Ok(matcher) => matcher,
            Err(error) => {
                let place = literal::inside(&self.config.sources, place, error.offset);
                let why = format!("Can't create message matcher for '{}': {error}", section.name);
                let problem = Problem::error(place, why);
                problems.push(match error.help {
                    Some(help) => problem.help(help),
                    None => problem,
                });
                return None;
            }
        };
        let filter = match &kind {
            ConsumerKind::Filter(spec) => Some(spec),
            ConsumerKind::Output(_) => None,
        };
        let hosts_others = filter.is_some_and(|spec| spec.hosts_others());
        // It picks for itself, and for those it hosts.
        let matcher = if hosts_others { Compiler::new().compile("TRUE", None).ok()? } else { matcher };
        let own_ticker = (options.ticker_interval > 0).then(|| Duration::from_secs(options.ticker_interval));
        let queued = options.use_buffering && !hosts_others;
        if options.use_buffering && hosts_others {
            let why =
                format!("`use_buffering` has no effect: '{}' acts on its messages at once or never", section.name);
            problems.push(Problem::warning(section.place, why).help("remove the line"));
        }
        Some(Consumer {
            name: section.name.clone(),
            type_name: section.plugin.name,
            expression,
            matcher,
            ticker: filter.and_then(|spec| spec.period()).or(own_ticker),
            can_exit: options.can_exit,
            retries: retries(&options.retries),
            worker: placement(&section.name, self.workers),
            queue: if queued { self.queue(section, options, problems) } else { None },
            kind,
        })
    }
}
