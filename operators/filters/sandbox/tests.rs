//! The documented behaviour of scripts that watch messages.

use super::*;
use crate::plugin::Globals;
use crate::script::testing::{Place, checked, message, number, text};
use heka_message::{Batch, RowSet};

const NOW: i64 = 1_425_943_800_000_000_000;

/// A filter, called as the engine calls it.
struct Bench {
    place: Place,
    site: Site,
    filter: Box<dyn Filter>,
    out: Injector,
}

fn build(place: &Place, site: &Site, section: &Table) -> Result<Box<dyn Filter>, PluginError> {
    let Make::Filter(read) = TYPE.make else { panic!("not a filter") };
    assert!(place.directory.path().exists());
    checked(read, section).build(site)
}

impl Bench {
    fn new(script: &str) -> Self {
        Bench::with(script, |section| section, |_| ())
    }

    fn with(script: &str, section: impl FnOnce(Table) -> Table, globals: impl FnOnce(&mut Globals)) -> Self {
        let place = Place::new(script);
        let site = place.site_with("f", globals);
        let filter = build(&place, &site, &section(place.section())).unwrap();
        let mut out = Injector::new(site.globals.clone());
        out.set_now(NOW);
        Bench { place, site, filter, out }
    }

    fn process(&mut self) -> Result<Vec<Batch>, Box<(String, Batch)>> {
        let selection = Selection { batch: Arc::new(message()), rows: RowSet::All };
        let result = self.filter.process(&selection, &mut self.out);
        let batch = self.out.take();
        match result {
            Ok(()) => Ok(batch.into_iter().collect()),
            Err(error) => Err(Box::new((error.message, batch.unwrap()))),
        }
    }

    /// Processes a message, which must end the filter, and gives the reason it told everybody.
    fn reason(&mut self) -> String {
        let (message, batch) = *self.process().map(|_| ()).unwrap_err();
        let last = batch.row(batch.len() - 1);
        assert_eq!((last.msg_type(), last.logger()), (&b"heka.sandbox-terminated"[..], &b"hekad"[..]));
        assert_eq!((text(last, "plugin"), last.hostname(), last.pid()), ("f".into(), &b"here"[..], 7));
        let reason = String::from_utf8(last.payload().to_vec()).unwrap();
        assert_eq!(message, format!("Terminated. Reason: {reason}"));
        reason
    }
}

#[test]
fn injected_tables_are_marked_as_the_filters() {
    let mut bench = Bench::new(
        "function process_message() inject_message{Fields = {a = {value = 5, value_type = 2, representation = 'ms'}}} return 0 end",
    );
    let batches = bench.process().unwrap();
    let row = batches[0].row(0);
    assert_eq!((row.msg_type(), row.logger(), row.hostname()), (&b"heka.sandbox."[..], &b"f"[..], &b"here"[..]));
    let field = row.field(b"a", 0).unwrap();
    assert_eq!((field.value(0), field.representation()), (Some(FieldValue::Integer(5)), &b"ms"[..]));
    assert_eq!(
        (row.timestamp(), row.raw().flags.has(Flags::PID), row.raw().flags.has(Flags::SEVERITY)),
        (NOW, false, false)
    );
    let mut bench =
        Bench::new("function process_message() inject_message{Type = 'x', Timestamp = 5, Logger = 'no'} return 0 end");
    let batches = bench.process().unwrap();
    let row = batches[0].row(0);
    assert_eq!((row.msg_type(), row.logger(), row.timestamp()), (&b"heka.sandbox.x"[..], &b"f"[..], 5));
}

#[test]
fn injected_payloads_are_messages_of_their_own() {
    let mut bench = Bench::new(
        "function process_message() add_to_payload('a', 1.5, true, nil) return 0 end
         function timer_event(ns) inject_payload('json', 'name', ns == 5 and 'five' or 'other') end",
    );
    assert!(bench.process().unwrap().is_empty());
    assert!(bench.process().unwrap().is_empty());
    bench.filter.tick(5, &mut bench.out).unwrap();
    let batch = bench.out.take().unwrap();
    let row = batch.row(0);
    assert_eq!(row.payload(), b"a1.5truenila1.5truenilfive");
    assert_eq!((row.msg_type(), row.logger(), row.hostname()), (&b"heka.sandbox-output"[..], &b"f"[..], &b"here"[..]));
    assert_eq!((text(row, "payload_type"), text(row, "payload_name")), ("json".into(), "name".into()));
    assert_eq!((row.pid(), row.timestamp()), (7, NOW));
    assert!(batch.len() == 1 && row.uuid().is_some());
}

#[test]
fn one_injection_a_message_and_ten_a_tick() {
    let script = "function process_message() inject_payload('txt','n','x') inject_payload('txt','n','y') return 0 end";
    let reason = Bench::new(script).reason();
    assert!(
        reason.starts_with("process_message() ") && reason.ends_with("inject_payload() exceeded InjectMessage count"),
        "{reason}"
    );
    let two = Bench::with(script, |section| section, |globals| globals.max_process_inject = 2).process();
    assert_eq!(two.unwrap()[0].len(), 2);
    let ticks = "function process_message() return 0 end function timer_event() for i = 1, 11 do inject_message{Payload = i} end end";
    let mut bench = Bench::new(ticks);
    let error = bench.filter.tick(NOW, &mut bench.out).unwrap_err();
    assert!(error.message.ends_with("inject_message() exceeded InjectMessage count"), "{error}");
    let batch = bench.out.take().unwrap();
    assert_eq!(batch.len(), 11, "ten messages in order, then the end");
    let payloads: Vec<_> =
        batch.rows().take(10).map(|row| String::from_utf8(row.payload().to_vec()).unwrap()).collect();
    assert_eq!(payloads, (1..=10).map(|i| i.to_string()).collect::<Vec<_>>());
}

#[test]
fn what_comes_back_to_the_filter_is_refused() {
    let script = "function process_message() inject_payload('txt', 'n', 'x') return 0 end";
    let mut bench = Bench::new(script);
    bench.out.set_own_match(Box::new(|_| true));
    let text = "inject_payload() creates a circular reference (matches this plugin's message_matcher)";
    assert!(bench.reason().ends_with(text));
    let mut bench = Bench::new("function process_message() inject_message{} return 0 end");
    bench.out.set_round(4);
    assert!(bench.reason().ends_with("inject_message() exceeded MaxMsgLoops"));
    let caught = "function process_message() local ok, why = pcall(inject_message, {}) assert(not ok) return 0 end";
    let mut bench = Bench::new(caught);
    bench.out.set_own_match(Box::new(|_| true));
    assert!(bench.process().unwrap().is_empty());
}

#[test]
fn the_termination_message_is_exempt() {
    let mut bench = Bench::new("function process_message() return 1, 'done' end");
    let selection = Selection { batch: Arc::new(message()), rows: RowSet::All };
    bench.filter.process(&selection, &mut bench.out).unwrap_err();
    let (batch, exempt) = bench.out.take_with_exempt().unwrap();
    assert_eq!((batch.len(), exempt.count(1)), (1, 1));
}

#[test]
fn endings_have_their_texts() {
    for (script, reason) in [
        ("function process_message() while true do end end", "process_message() instruction_limit exceeded"),
        ("s = 'x' function process_message() while true do s = s .. s end end", "process_message() not enough memory"),
        ("function process_message() return nil end", "process_message() must return a numeric status code"),
        ("function process_message() return '0' end", "process_message() must return a numeric status code"),
        ("function process_message() return -1, {} end", "process_message() must return a nil or string error message"),
        ("", "process_message() function was not found"),
        ("process_message = 5", "process_message() function was not found"),
        ("function process_message() return 1, 'enough' end", "enough"),
    ] {
        assert_eq!(Bench::new(script).reason(), reason, "{script}");
    }
    let mut bench = Bench::new("function process_message() return 0 end");
    assert_eq!(
        bench.filter.tick(0, &mut bench.out).unwrap_err().message,
        "Terminated. Reason: timer_event() function was not found"
    );
}

#[test]
fn a_negative_status_is_counted_and_the_filter_goes_on() {
    let mut bench = Bench::new("function process_message() return -1, 'soft failure' end");
    for _ in 0..3 {
        bench.process().unwrap();
    }
    assert_eq!(number(&bench.site, "ProcessMessageFailures"), 3);
    for name in ["Memory", "MaxMemory", "ProcessMessageSamples"] {
        assert!(number(&bench.site, name) > 0, "{name}");
    }
    assert!(number(&bench.site, "MaxInstructions") < 20);
}

#[test]
fn profiling_measures_every_call() {
    let profile = |section: Table| section.with("profile", Data::Bool(true));
    let mut bench = Bench::with("function process_message() return 0 end", profile, |_| ());
    for _ in 0..400 {
        bench.process().unwrap();
    }
    assert_eq!((number(&bench.site, "ProfileMessageSamples"), number(&bench.site, "ProcessMessageSamples")), (290, 1));
}

#[test]
fn the_last_tick_comes_before_the_data_is_saved() {
    let script = "ticks = 0 function process_message() return 0 end function timer_event() ticks = ticks + 1 inject_payload('', '', ticks) end";
    let section = |section: Table| {
        section.with("timer_event_on_shutdown", Data::Bool(true)).with("preserve_data", Data::Bool(true))
    };
    let mut bench = Bench::with(script, section, |_| ());
    bench.filter.stop(&mut bench.out).unwrap();
    assert_eq!(bench.out.take().unwrap().row(0).payload(), b"1");
    assert!(bench.place.data("f").unwrap().contains("_G[\"ticks\"] = 1\n"));
    let again = build(&bench.place, &bench.site, &section(bench.place.section())).unwrap();
    let mut again = Bench { filter: again, ..bench };
    again.filter.stop(&mut again.out).unwrap();
    assert_eq!(again.out.take().unwrap().row(0).payload(), b"2");
}

#[test]
fn a_terminated_filter_saves_nothing() {
    let section = |section: Table| section.with("preserve_data", Data::Bool(true));
    let mut bench = Bench::with("function process_message() error('x') end", section, |_| ());
    bench.reason();
    drop(bench.filter);
    assert_eq!(bench.place.data("f"), None);
}

#[test]
fn damaged_data_is_set_aside() {
    for damage in ["_G[\"x\"] = ", "x = 5 error('no')"] {
        let place = Place::new("function process_message() inject_payload('', '', x) return 0 end");
        place.store("a_b", damage);
        let site = place.site("a-b");
        let section = place.section().with("preserve_data", Data::Bool(true));
        let filter = build(&place, &site, &section).unwrap();
        let out = Injector::new(site.globals.clone());
        let mut bench = Bench { place, site, filter, out };
        assert_eq!(bench.process().unwrap()[0].row(0).payload(), b"nil", "nothing of the damaged data is left");
        let aside = bench.place.directory.path().join("sandbox_preservation/a_b.data.corrupt");
        assert_eq!(std::fs::read_to_string(aside).unwrap(), damage);
        assert_eq!(bench.place.data("a_b"), None);
    }
}
