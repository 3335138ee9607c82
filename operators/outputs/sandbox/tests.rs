//! The documented behaviour of scripts that deliver.

use super::*;
use crate::outputs::harness::{Harness, wait_until};
use crate::script::testing::{Place, checked, number};
use heka_message::write_message;

/// The protobuf form of a message with this payload.
fn message(payload: &str) -> Vec<u8> {
    let mut builder = BatchBuilder::default();
    let payload = builder.text(payload.as_bytes());
    builder.row().payload = payload;
    let mut out = Vec::new();
    write_message(builder.batch().row(0), &mut out);
    out
}

struct Rig {
    place: Place,
    spec: Arc<dyn OutputSpec>,
    site: Site,
}

impl Rig {
    fn new(script: &str, change: impl FnOnce(Table) -> Table) -> Self {
        let place = Place::new(script);
        let site = place.site("out");
        let Make::Output(read) = TYPE.make else { panic!("not an output") };
        let file = place.directory.path().join("seen").to_str().unwrap().to_owned();
        let config = Table::default().with("file", Data::String(file));
        let spec = checked(read, &change(place.section().with("config", Data::Table(config))));
        Rig { place, spec, site }
    }

    fn start(&self) -> Harness {
        Harness::start_at(self.site.clone(), self.spec.build(&self.site).unwrap())
    }

    fn seen(&self) -> String {
        std::fs::read_to_string(self.place.directory.path().join("seen")).unwrap_or_default()
    }
}

const WRITES: &str = "require 'io' local f = io.open(read_config('file'), 'a') f:setvbuf('no') \
                      local function say(s) f:write(s, ' ') end ";

#[test]
fn messages_are_delivered_in_order_and_acknowledged() {
    let script = format!("{WRITES} function process_message() say(read_message('Payload')) return 0 end");
    let rig = Rig::new(&script, |section| section.with("preserve_data", Data::Bool(true)));
    let mut run = rig.start();
    run.send(&[message("a"), message("b")]);
    let last = run.send(&[message("c")]);
    run.wait_acked(last);
    assert_eq!(run.end(), Ok(()));
    assert_eq!((rig.seen().as_str(), number(&rig.site, "ProcessMessageCount")), ("a b c ", 3));
    assert!(rig.place.data("out").is_some());
}

#[test]
fn a_failed_message_is_counted_and_not_tried_again() {
    let script = format!(
        "{WRITES} function process_message() local p = read_message('Payload') say(p) if p == 'bad' then return -1, 'no' end return 0 end"
    );
    let rig = Rig::new(&script, |section| section);
    let mut run = rig.start();
    let last = run.send(&[message("a"), message("bad"), message("c")]);
    run.wait_acked(last);
    assert_eq!(run.end(), Ok(()));
    assert_eq!(rig.seen(), "a bad c ");
    let counted = ["ProcessMessageCount", "ProcessMessageFailures", "Dropped-output-failure"];
    assert_eq!(counted.map(|name| number(&rig.site, name)), [2, 1, 1]);
}

#[test]
fn a_run_behind_a_failed_one_goes_on_behind_the_message_that_ended_it() {
    let script = format!(
        "{WRITES} function process_message() local p = read_message('Payload') say(p) if p == 'bad' then error('x') end return 0 end"
    );
    let rig = Rig::new(&script, |section| section);
    let mut block = crate::outputs::harness::block(&[message("a"), message("bad"), message("c")]);
    block.ticket = 1;
    let deliver = || {
        let Make::Output(_) = TYPE.make else { panic!("not an output") };
        let mut run = rig.start();
        let ticket = run.send(&[message("a"), message("bad"), message("c")]);
        assert_eq!(ticket, block.ticket);
        run
    };
    let run = deliver();
    wait_until("the failure", || !run.is_running());
    let error = run.end().unwrap_err();
    assert!(error.message.starts_with("FATAL: process_message() ") && error.retry, "{error:?}");
    let run = deliver();
    run.wait_acked(1);
    assert_eq!(run.end(), Ok(()));
    assert_eq!((rig.seen().as_str(), number(&rig.site, "Dropped-output-failure")), ("a bad c ", 1));
}

#[test]
fn the_last_timer_event_comes_at_the_end() {
    let script = format!(
        "{WRITES} function process_message() return 0 end function timer_event(ns) say(tostring(ns > 1e18)) end"
    );
    let rig = Rig::new(&script, |section| section.with("timer_event_on_shutdown", Data::Bool(true)));
    let run = rig.start();
    assert_eq!(run.end(), Ok(()));
    assert_eq!(rig.seen(), "true ");
}

#[test]
fn nothing_can_be_injected() {
    let rig = Rig::new("function process_message() inject_message{} return 0 end", |section| section);
    let mut run = rig.start();
    run.send(&[message("a")]);
    wait_until("the failure", || !run.is_running());
    assert!(run.end().unwrap_err().message.ends_with("attempt to call global 'inject_message' (a nil value)"));
}
