//! The documented behaviour of filters that come and go.

use super::*;
use crate::plugin::Globals;
use crate::script::testing::{Place, number, text};
use heka_message::{Batch, BatchBuilder, FieldValue};
use heka_settings::{Problems, Table};

const NOW: i64 = 1_425_943_800_000_000_000;
const SECOND: i64 = 1_000_000_000;

/// Stands in for whoever reads configurations: a section is `name|matcher|signer|seconds` and what is forced.
fn read_section(text: &str, forced: &[Forced]) -> Result<FilterSection, String> {
    let parts: Vec<&str> = text.split('|').collect();
    let [name, matcher, signer, seconds] = parts[..] else { return Err(format!("no section: {text}")) };
    let mut settings = Table::default().with("preserve_data", Data::Bool(true));
    for (key, data) in forced {
        settings = data.iter().cloned().fold(settings, |table, data| table.with(key, data));
    }
    Ok(FilterSection {
        name: name.to_owned(),
        message_matcher: matcher.to_owned(),
        message_signer: Some(signer.to_owned()).filter(|signer| !signer.is_empty()),
        ticker_interval: seconds.parse().unwrap(),
        settings,
        notes: Vec::new(),
    })
}

/// A manager, called as the engine calls it.
struct Bench {
    // Dropped before its directory is.
    manager: Box<dyn Filter>,
    place: Place,
    site: Site,
    out: Injector,
    messages: BatchBuilder,
}

fn build(site: &Site, section: &Table) -> Result<Box<dyn Filter>, PluginError> {
    let Make::Filter(read) = TYPE.make else { panic!("not a filter") };
    let mut problems = Problems::default();
    let spec = read(section, &mut problems);
    assert!(!problems.has_errors());
    spec.build(site)
}

impl Bench {
    fn new() -> Self {
        Bench::with(|section| section, |_| ())
    }

    fn with(section: impl FnOnce(Table) -> Table, globals: impl FnOnce(&mut Globals)) -> Self {
        let place = Place::new("");
        let site = place.site_with("mgr", |all| {
            all.read_section = read_section;
            globals(all);
        });
        let manager = build(&site, &section(Table::default().with("max_filters", Data::Integer(3)))).unwrap();
        let mut out = Injector::new(site.globals.clone());
        out.set_now(NOW);
        Bench { place, site, manager, out, messages: BatchBuilder::default() }
    }

    /// Ends the manager in order, and starts another one in the same place.
    fn restart(mut self) -> Self {
        self.manager.stop(&mut self.out).unwrap();
        drop(self.manager);
        let site = Site { stats: Arc::default(), ..self.site };
        let manager = build(&site, &Table::default().with("max_filters", Data::Integer(3))).unwrap();
        Bench { manager, site, ..self }
    }

    fn message(&mut self, msg_type: &str, payload: &str, fields: &[(&str, &str)]) -> &mut Self {
        let [msg_type, payload] = [msg_type, payload].map(|text| self.messages.text(text.as_bytes()));
        let row = self.messages.row();
        row.set_timestamp(NOW);
        (row.msg_type, row.payload) = (msg_type, payload);
        for (name, value) in fields {
            let [name, empty] = [name, ""].map(|text| self.messages.text(text.as_bytes()));
            self.messages.field(name, empty, FieldValue::String(value.as_bytes()));
        }
        self
    }

    fn load(&mut self, section: &str, script: &str) -> &mut Self {
        self.message("heka.control.sandbox", script, &[("action", "load"), ("config", section)])
    }

    fn unload(&mut self, name: &str) -> &mut Self {
        self.message("heka.control.sandbox", "", &[("action", "unload"), ("name", name)])
    }

    fn signed(&mut self, signer: &str) -> &mut Self {
        let signer = self.messages.signer(signer.as_bytes());
        self.messages.last_row().unwrap().signer = signer;
        self
    }

    fn data(&mut self, payload: &str) -> &mut Self {
        self.message("data", payload, &[])
    }

    /// Hands over the messages so far, and shows what is injected.
    fn process(&mut self) -> Vec<String> {
        let batch = std::mem::take(&mut self.messages).finish();
        self.manager.process(&Selection::all(batch), &mut self.out).unwrap();
        self.injected()
    }

    fn tick(&mut self, now: i64) -> Vec<String> {
        self.manager.tick(now, &mut self.out).unwrap();
        self.injected()
    }

    fn injected(&mut self) -> Vec<String> {
        let shown = |batch: Batch| {
            let show = |row: RowRef<'_>| {
                let [logger, payload] = [row.logger(), row.payload()].map(String::from_utf8_lossy);
                match row.msg_type() {
                    b"heka.sandbox-terminated" => format!("end of {}: {payload}", text(row, "plugin")),
                    b"heka.terminated" => format!("{payload}"),
                    _ => format!("{logger}: {payload}"),
                }
            };
            batch.rows().map(show).collect()
        };
        self.out.take().map(shown).unwrap_or_default()
    }

    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.place.directory.path().join("sbxmgrs")).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn dropped(&self, rule: &str) -> i64 {
        number(&self.site, &format!("Dropped-{rule}"))
    }
}

const ECHO: &str = "n = 0 function process_message() n = n + 1 inject_payload('txt', 'n', n, read_message('Payload')) \
                    return 0 end function timer_event() inject_payload('txt', 'n', 'tick ', n) end";

#[test]
fn a_filter_sees_what_stands_between_its_load_and_its_unload() {
    let mut bench = Bench::new();
    bench.data("a").load("echo|Type == 'data'||0", ECHO).data("b").data("c").unload("echo").data("d");
    let unloaded = "mgr-echo (type SandboxFilter) terminated. Error: Filter unloaded.";
    assert_eq!(bench.process(), ["mgr-echo: 1b", "mgr-echo: 2c", unloaded]);
    assert_eq!((number(&bench.site, "RunningFilters"), number(&bench.site, "ProcessMessageCount")), (0, 2));
    bench.load("echo|Type == 'data'||0", ECHO);
    assert!(bench.process().is_empty());
    assert_eq!(bench.data("e").process(), ["mgr-echo: 1e"], "what the first one counted is gone");
    let hosted = bench.site.stats.hosted();
    let [(name, stats)] = &hosted[..] else { panic!("{}", hosted.len()) };
    let site = Site { stats: stats.clone(), ..bench.site.clone() };
    let count = |key| number(&site, key);
    assert_eq!((name.as_str(), count("ProcessMessageCount"), count("InjectMessageCount")), ("mgr-echo", 1, 1));
    assert!(count("Memory") > 0 && count("MaxInstructions") > 0);
}

#[test]
fn what_runs_at_the_end_runs_again_with_its_data() {
    let mut bench = Bench::new();
    bench.load("echo|Type == 'data'||0", ECHO).load("gone|Type == 'data'||0", ECHO);
    bench.load("dies|Type == 'data'||0", "function process_message() return 1, 'enough' end").data("a").unload("gone");
    assert_eq!(bench.process().len(), 4);
    let mut bench = bench.restart();
    assert_eq!(
        bench.files(),
        ["dies.lua", "dies.terminated", "dies.toml", "echo.lua", "echo.toml"].map(|f| format!("mgr-{f}"))
    );
    assert_eq!(bench.data("b").process(), ["mgr-echo: 2b"]);
    assert!(bench.place.data("mgr_echo").is_some() && bench.place.data("mgr_gone").is_none());
    // What has ended by itself can be removed, or loaded again.
    bench.unload("dies").unload("echo").process();
    let mut bench = bench.restart();
    assert!(bench.files().is_empty() && bench.place.data("mgr_echo").is_none());
    assert!(bench.data("c").process().is_empty());
}

#[test]
fn files_that_cannot_be_used_harm_nobody() {
    let mut bench = Bench::new();
    for name in ["a", "b", "c", "d"] {
        bench.load(&format!("{name}|Type == 'data'||0"), ECHO).process();
    }
    assert_eq!(number(&bench.site, "RunningFilters"), 3);
    let bench = bench.restart();
    let write = |name: &str, text: &str| {
        std::fs::write(bench.place.directory.path().join(format!("sbxmgrs/mgr-{name}")), text).unwrap();
    };
    write("a.toml", "damaged");
    write("b.lua", "no lua");
    write("other.toml", "echo|TRUE||0");
    write("wrong.toml", "right|TRUE||0");
    write("wrong.lua", "");
    let mut bench = bench.restart();
    assert_eq!(bench.data("x").process(), ["mgr-c: 1x"]);
    let files = bench.restart().files();
    assert_eq!(
        files,
        ["a.lua", "a.toml", "c.lua", "c.toml", "other.toml", "wrong.lua", "wrong.toml"].map(|f| format!("mgr-{f}"))
    );
}

#[test]
fn no_more_run_than_may() {
    let mut bench = Bench::new();
    for name in ["a", "b", "c", "d", "e"] {
        bench.load(&format!("{name}|FALSE||0"), ECHO);
    }
    assert!(bench.process().is_empty());
    assert_eq!((number(&bench.site, "RunningFilters"), bench.dropped("control-max-filters")), (3, 2));
    assert_eq!(bench.unload("b").load("d|FALSE||0", ECHO).load("e|FALSE||0", ECHO).process().len(), 1);
    assert_eq!((number(&bench.site, "RunningFilters"), bench.dropped("control-max-filters")), (3, 3));
}

#[test]
fn a_load_that_fails_is_told_and_leaves_nothing() {
    let mut bench = Bench::new();
    bench.load("a|FALSE||0", ECHO).load("a|TRUE||0", ECHO).load("b", ECHO);
    bench.load("c|no matcher||0", ECHO).load("d|TRUE||0", "error('no')").load("|TRUE||0", ECHO);
    let told = bench.process();
    assert_eq!(
        told[..2],
        ["end of mgr: loadSandbox failed: mgr-a is already running", "end of mgr: loadSandbox failed: no section: b"]
    );
    assert!(told[2].starts_with("end of mgr: Can't create message matcher for 'mgr-c': "), "{told:?}");
    assert!(told[3].starts_with("end of mgr: Init() "), "{told:?}");
    assert_eq!(told[4..], ["end of mgr: loadSandbox failed: the filter has no name"]);
    assert_eq!((number(&bench.site, "RunningFilters"), bench.dropped("control-load-failed")), (1, 5));
    assert_eq!(bench.restart().files(), ["mgr-a.lua", "mgr-a.toml"]);
}

#[test]
fn what_a_stranger_sends_is_counted_and_not_obeyed() {
    let signer = |section: Table| section.with("message_signer", Data::String("ops".into()));
    let mut bench = Bench::with(signer, |_| ());
    bench.load("a|Type == 'data'||0", ECHO);
    bench.load("b|Type == 'data'||0", ECHO).signed("other");
    bench.load("c|Type == 'data'||0", ECHO).signed("ops");
    // Nothing but control messages needs a signature.
    bench.data("x");
    assert_eq!(bench.process(), ["mgr-c: 1x"]);
    assert_eq!((bench.dropped("control-unsigned"), number(&bench.site, "ProcessMessageCount")), (2, 1));
    assert_eq!(bench.unload("c").process(), [""; 0]);
    assert_eq!(bench.dropped("control-unsigned"), 3);
}

#[test]
fn what_cannot_be_obeyed_is_counted_by_its_rule() {
    let mut bench = Bench::new();
    bench.message("heka.control.sandbox", "x", &[]).load("a|TRUE||0", "");
    bench.message("heka.control.sandbox", "x", &[("action", "reload")]);
    bench.load("a|TRUE||0", ECHO);
    bench.messages.last_row().unwrap().set_timestamp(NOW - 6 * SECOND);
    bench.load("b|FALSE||0", ECHO);
    bench.messages.last_row().unwrap().set_timestamp(NOW + 4 * SECOND);
    assert!(bench.process().is_empty());
    let rules = ["control-damaged", "control-unknown-action", "control-skew"].map(|rule| bench.dropped(rule));
    assert_eq!((rules, number(&bench.site, "RunningFilters")), ([2, 1, 1], 1));
}

#[test]
fn a_filter_that_ends_leaves_the_others_alone() {
    let mut bench = Bench::new();
    bench.load("echo|Type == 'data'||1", ECHO);
    bench.load("grows|Type == 'data'||1", "t = {} function process_message() while true do t[#t + 1] = {} end end");
    bench.load(
        "spins|Type == 'data'||1",
        "function process_message() return 0 end function timer_event() while true do end end",
    );
    bench.process();
    let told = bench.data("a").data("b").process();
    assert_eq!(told, ["mgr-echo: 1a", "mgr-echo: 2b", "end of mgr-grows: process_message() not enough memory"]);
    assert_eq!(bench.dropped("filter-ended"), 1);
    let told = bench.tick(NOW);
    assert_eq!(told, ["mgr-echo: tick 2", "end of mgr-spins: timer_event() instruction_limit exceeded"]);
    assert_eq!(bench.tick(NOW + SECOND), ["mgr-echo: tick 2"]);
    assert_eq!(bench.data("c").process(), ["mgr-echo: 3c"]);
}

#[test]
fn limits_are_the_managers() {
    let limits =
        |section: Table| section.with("instruction_limit", Data::Integer(50)).with("output_limit", Data::Integer(20));
    let mut bench = Bench::with(limits, |_| ());
    bench.load("spins|Type == 'data'||0", "function process_message() for i = 1, 1000 do end return 0 end");
    let long = "function process_message() inject_payload('', '', '0123456789', '0123456789') return 0 end";
    bench.load("long|Type == 'data'||0", long).data("x");
    let told = bench.process();
    assert!(told[0].ends_with("output_limit exceeded"), "{told:?}");
    assert_eq!(told[1], "end of mgr-spins: process_message() instruction_limit exceeded");
}

#[test]
fn filters_are_ticked_in_their_own_periods() {
    let mut bench = Bench::new();
    let ticks = "function process_message() return 0 end function timer_event(ns) inject_payload('', '', 't') end";
    bench.load("one|FALSE||1", ticks).load("three|FALSE||3", ticks).process();
    let mut ticked =
        |seconds| bench.tick(NOW + seconds * SECOND).into_iter().map(|t| t.replace("mgr-", "")).collect::<Vec<_>>();
    let all: Vec<Vec<String>> = (0..7).map(&mut ticked).collect();
    let three: Vec<usize> = (0..7).filter(|i| all[*i].contains(&"three: t".to_owned())).collect();
    assert_eq!(three, [2, 5]);
    assert!(all.iter().all(|tick| tick[0] == "one: t"), "{all:?}");
    // The worker was held up: one tick for those that were missed, and back to the old beat.
    assert_eq!(ticked(13), ["one: t", "three: t"]);
    assert_eq!(ticked(14), ["one: t", "three: t"]);
    assert_eq!(ticked(15), ["one: t"]);
    bench.load("late|FALSE||2", ticks).unload("one").unload("three").process();
    assert_eq!((bench.tick(NOW + 16 * SECOND).len(), bench.tick(NOW + 17 * SECOND).len()), (0, 1));
}

#[test]
fn a_slow_filter_ends_when_others_wait_for_it() {
    let slow = "function process_message() for i = 1, 90000 do end return 0 end";
    let mut bench = Bench::with(|section| section, |globals| globals.max_process_duration = 5_000);
    bench.load("slow|Type == 'data'||0", slow).process();
    let mut count = 0;
    // After half a second, or later when somebody else has the processor meanwhile.
    let batch = loop {
        count += 40;
        (0..40).fold(&mut bench, |bench, _| bench.data("x"));
        let messages = std::mem::take(&mut bench.messages).finish();
        bench.manager.process(&Selection::all(messages), &mut bench.out).unwrap();
        bench.manager.tick(NOW + SECOND, &mut bench.out).unwrap();
        if let Some(batch) = bench.out.take() {
            break batch;
        }
        assert!(count < 1_000_000, "it goes on for ever");
    };
    let row = batch.row(0);
    let shown = |name: &str| text(row, name);
    assert_eq!((shown("plugin"), shown("ProcessMessageCount")), ("mgr-slow".to_owned(), count.to_string()));
    assert_eq!(row.payload(), b"sandbox is running slowly and blocking the router");
    assert!(shown("ProcessMessageAvgDuration").parse::<i64>().unwrap() > 5_000);
    let units: Vec<&[u8]> = row.fields().map(|field| field.representation()).collect();
    assert_eq!(units, [&b""[..], b"count", b"count", b"count", b"ns", b"ns", b"count", b"count", b"count"]);
    assert_eq!((batch.len(), number(&bench.site, "RunningFilters")), (1, 0));
}

#[test]
fn a_filter_may_not_inject_what_it_would_receive() {
    let mut bench = Bench::new();
    let loops = "function process_message() inject_message{Type = 'data', Payload = 'again'} return 0 end";
    bench.load("loops|Type =~ /data/||0", loops).load("signed|Type =~ /data/|ops|0", loops);
    bench.data("x").signed("ops");
    let told = bench.process();
    assert!(
        told.iter().all(|told| told.ends_with("creates a circular reference (matches this plugin's message_matcher)")),
        "{told:?}"
    );
    assert_eq!(told.len(), 2, "whether a message is signed does not matter then");
    bench.load("passes|Type == 'data'||0", loops).data("y");
    assert_eq!(bench.process(), ["mgr-passes: again"]);
}

#[test]
fn mistakes_in_the_section_are_told() {
    let Make::Filter(read) = TYPE.make else { panic!("not a filter") };
    let told = |table: Table| {
        let mut problems = Problems::default();
        read(&table, &mut problems);
        problems.iter().map(|problem| problem.message.clone()).collect::<Vec<_>>()
    };
    assert_eq!(told(Table::default()), ["no filter can be loaded: `max_filters` is 0"]);
    let some = || Table::default().with("max_filters", Data::Integer(1));
    assert!(told(some())[0].contains("`message_signer` is not set"));
    assert!(told(some().with("message_signer", Data::String("ops".into()))).is_empty());
}
