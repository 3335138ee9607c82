//! Control messages to a manager of filters: whoever has the key may be careless, and without a key anybody sends them.

use super::site;
use crate::runner::{Target, outcome};
use heka_message::{BatchBuilder, FieldValue, Selection};
use heka_operators::filters::{Filter, Injector, sandbox_manager};
use heka_operators::plugin::{Globals, Site};
use heka_operators::registry::Make;
use heka_settings::{Data, Problems, Table};
use hekad::config::read_filter;
use std::sync::Arc;

const WORDS: &[&str] = &[
    "[a]\n",
    "[b]\n",
    "[a.config]\n",
    "[\"../x\"]\n",
    "type = \"SandboxFilter\"\n",
    "type = \"LogOutput\"\n",
    "message_matcher = \"TRUE\"\n",
    "message_matcher = \"Type == 'x'\"\n",
    "ticker_interval = 1\n",
    "filename = \"/etc/passwd\"\n",
    "script_type = \"../lua\"\n",
    "memory_limit = 0\n",
    "preserve_data = true\n",
    "x = \"%ENV[HOME]\"\n",
    "function process_message() return 0 end\n",
    "function timer_event() inject_payload('', '', 'x') end\n",
    "error('x')\n",
    "\0",
];

fn manager(at: &Site) -> Box<dyn Filter> {
    let Make::Filter(read) = sandbox_manager::TYPE.make else { panic!("not a filter") };
    let options = Table::default()
        .with("max_filters", Data::Integer(2))
        .with("memory_limit", Data::Integer(200_000))
        .with("instruction_limit", Data::Integer(10_000));
    read(&options, &mut Problems::default()).build(at).unwrap()
}

/// A section and, behind a zero byte, its script; without one, the name of a filter to unload.
#[test]
fn control() {
    let directory = tempfile::tempdir().unwrap();
    let at = site("m", directory.path());
    let at = Site { globals: Arc::new(Globals { read_section: read_filter, ..(*at.globals).clone() }), ..at };
    let (mut manager, mut out) = (manager(&at), Injector::new(at.globals.clone()));
    let section = "[a]\ntype = \"SandboxFilter\"\nmessage_matcher = \"TRUE\"\nticker_interval = 1\n";
    let script = "n = 0 function process_message() n = n + 1 return 0 end function timer_event() n = 0 end";
    let seeds = vec![format!("{section}\0{script}").into_bytes(), b"a".to_vec()];
    let target = Target { name: "control", seeds, words: WORDS, runs: 2000, memory: (4 << 20, 4096) };
    let mut now = 1_400_000_000_000_000_000;
    target.run(|input| {
        now += 1_000_000_000;
        out.set_now(now);
        let mut builder = BatchBuilder::default();
        let (action, name, value, script) = match input.iter().position(|byte| *byte == 0) {
            Some(zero) => ("load", "config", &input[..zero], &input[zero + 1..]),
            None => ("unload", "name", input, &b""[..]),
        };
        let [kind, payload] = [&b"heka.control.sandbox"[..], script].map(|text| builder.text(text));
        let row = builder.row();
        row.set_timestamp(now);
        (row.msg_type, row.payload) = (kind, payload);
        for (name, value) in [("action", action.as_bytes()), (name, value)] {
            let [name, empty] = [name, ""].map(|text| builder.text(text.as_bytes()));
            builder.field(name, empty, FieldValue::String(value));
        }
        let messages = Selection::all(builder.finish());
        manager.process(&messages, &mut out).unwrap();
        // Everybody sees a message and has a tick.
        let running = at.stats.hosted().len();
        manager.process(&messages, &mut out).unwrap();
        manager.tick(now, &mut out).unwrap();
        assert!(running <= 2, "{running} filters");
        let cause =
            |text: &[u8]| text.iter().filter(|byte| !byte.is_ascii_digit()).take(60).copied().collect::<Vec<_>>();
        let told = out.take().map(|batch| batch.rows().map(|row| cause(row.payload())).collect::<Vec<_>>());
        outcome((running, told))
    });
    drop(manager);
    // Whatever the names were, nothing has left its place.
    let places = std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let mut places: Vec<_> = places.map(|name| name.into_string().unwrap()).collect();
    places.sort();
    assert!(places.iter().all(|place| ["sandbox_preservation", "sbxmgrs"].contains(&place.as_str())), "{places:?}");
    for file in std::fs::read_dir(directory.path().join("sbxmgrs")).unwrap() {
        let file = file.unwrap().file_name().into_string().unwrap();
        assert!(file.starts_with("m-"), "{file}");
    }
}
