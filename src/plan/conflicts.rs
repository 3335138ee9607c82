//! What no section shows by itself: sections that do not go together.

use crate::config::{Common, Config, Section, Spec};
use heka_operators::decoders::DecoderSpec;
use heka_operators::queue::mangle;
use heka_operators::registry::Category;
use heka_operators::script;
use heka_settings::{Place, Problem, Problems};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Decoders that call each other in a circle could never be made.
pub(super) fn refuse_cycles(
    config: &Config,
    decoders: &BTreeMap<String, Arc<dyn DecoderSpec>>,
    problems: &mut Problems,
) {
    fn reaches(
        from: &str,
        goal: &str,
        decoders: &BTreeMap<String, Arc<dyn DecoderSpec>>,
        seen: &mut Vec<String>,
    ) -> bool {
        let Some(spec) = decoders.get(from) else { return false };
        spec.subs().iter().any(|sub| {
            sub == goal
                || (!seen.contains(sub) && {
                    seen.push(sub.clone());
                    reaches(sub, goal, decoders, seen)
                })
        })
    }
    for section in config.sections.iter().filter(|s| s.plugin.category() == Category::Decoder) {
        if reaches(&section.name, &section.name, decoders, &mut Vec::new()) {
            let why = format!("circular dependency detected: '{}' calls itself", section.name);
            problems.push(Problem::error(section.place, why).help("remove one decoder of the circle from its `subs`"));
        }
        let Spec::Decoder(spec) = &section.spec else { continue };
        for sub in spec.subs().iter().filter(|sub| !decoders.contains_key(*sub)) {
            problems.push(Problem::error(section.place, format!("Non-existent subdecoder: {sub}")));
        }
    }
}

/// Statistics are submitted by name: the name must be an accumulator's.
pub(super) fn refuse_missing_accumulators(config: &Config, problems: &mut Problems) {
    for section in &config.sections {
        let named = match &section.spec {
            Spec::Input(spec) => spec.submits_to(),
            Spec::Filter(spec) => spec.submits_to(),
            _ => None,
        };
        let Some(named) = named else { continue };
        let place = if named.place == Place::NOWHERE { section.place } else { named.place };
        let found = config.sections.iter().find(|s| s.name == named.value && s.plugin.category() == Category::Input);
        let problem = match found.map(|found| &found.spec) {
            Some(Spec::Input(spec)) if spec.accumulates() => continue,
            Some(_) => Problem::error(place, format!("Input '{}' is not a StatAccumulator", named.value)),
            None => Problem::error(place, format!("No Input named '{}'", named.value)),
        };
        problems.push(problem.help("add a section [StatAccumInput], or name the one you have in `stat_accum_name`"));
    }
}

/// Two plugins whose names differ only in punctuation would share a queue's folder.
pub(super) fn refuse_shared_queues(config: &Config, problems: &mut Problems) {
    let mut folders: BTreeMap<String, &Section> = BTreeMap::new();
    for section in &config.sections {
        let (Common::Filter(options) | Common::Output(options)) = &section.common else { continue };
        if !options.use_buffering {
            continue;
        }
        if let Some(first) = folders.insert(mangle(&section.name), section) {
            let why = format!("the queues of '{}' and '{}' would share a folder", first.name, section.name);
            let problem = Problem::error(section.place, why).also(first.place, "the other plugin");
            problems.push(problem.help("rename one of the two: letters, digits and `_` must differ"));
        }
    }
}

/// Two hosts of filters whose names differ only in punctuation would run each other's filters.
pub(super) fn refuse_shared_names(config: &Config, problems: &mut Problems) {
    let mut names: BTreeMap<String, &Section> = BTreeMap::new();
    for section in &config.sections {
        let Spec::Filter(spec) = &section.spec else { continue };
        if !spec.hosts_others() {
            continue;
        }
        if let Some(first) = names.insert(script::plain(&section.name), section) {
            let why = format!("the filters of '{}' and '{}' would share their names", first.name, section.name);
            let problem = Problem::error(section.place, why).also(first.place, "the other plugin");
            problems.push(problem.help("rename one of the two: letters, digits and `_` must differ"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Sources, load_sources};
    use crate::plan::resolve;
    use heka_operators::registry;
    use std::time::Duration;

    const MANAGER: &str = "type = \"SandboxManagerFilter\"\nmax_filters = 1\nmessage_signer = \"ops\"\n";

    fn problems(text: &str) -> (Vec<String>, Option<crate::plan::Plan>) {
        let loaded = load_sources(Sources::from_texts([("x", text)]), Problems::default(), registry::TYPES, &|_| None);
        let mut problems = Problems::default();
        let plan = resolve(&loaded.ok().unwrap().config, &mut problems);
        (problems.iter().map(|problem| problem.message.clone()).collect(), plan)
    }

    #[test]
    fn hosts_whose_filters_would_be_called_alike_are_refused() {
        let (told, plan) = problems(&format!("[a-b]\n{MANAGER}[a_b]\n{MANAGER}[c]\n{MANAGER}"));
        assert_eq!(told, ["the filters of 'a-b' and 'a_b' would share their names"]);
        assert!(plan.is_none());
    }

    #[test]
    fn a_host_is_handed_everything_at_once_and_ticked_every_second() {
        let (told, plan) = problems(&format!("[m]\n{MANAGER}ticker_interval = 7\nuse_buffering = true\n"));
        assert_eq!(told, ["`use_buffering` has no effect: 'm' acts on its messages at once or never"]);
        let filter = &plan.unwrap().filters[0];
        assert!(filter.matcher.is_always() && filter.queue.is_none());
        assert_eq!(
            (filter.ticker, filter.expression.as_str()),
            (Some(Duration::from_secs(1)), "Type == 'heka.control.sandbox'")
        );
    }
}
