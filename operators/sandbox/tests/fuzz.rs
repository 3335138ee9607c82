//! Every function that a script can reach, called with values that make no sense, in every role: nothing panics, the
//! limits hold, and a state is usable afterwards or has ended for a reason it says. `fuzz.lua` makes the calls.

mod support;

use heka_sandbox::{Config, ConfigValue, Kind, Sandbox};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;
use support::{Taker, config, sample};

/// Calls of each role; `HEKA_FUZZ_CALLS` asks for another number, and `HEKA_FUZZ_SEED` for other values.
const CALLS: usize = 24_000;
/// Calls of the driver in one call of the script: most states do little at a time, some more than the limits allow.
const PER_CALL: [usize; 4] = [40, 40, 40, 1500];
/// Calls of the script in one state.
const ROUNDS: usize = 15;
/// A role without limits may be given work without end; then it is told to stop.
const PATIENCE: Duration = Duration::from_secs(2);
/// A role with limits never needs to be told, however slow the machine.
const ENDLESS: Duration = Duration::from_secs(120);

const KINDS: [Kind; 5] = [Kind::Decoder, Kind::Filter, Kind::Encoder, Kind::Input, Kind::Output];

/// The functions that the contract names for each role, beside those of modules.
fn host_functions(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Decoder | Kind::Encoder => &[
            "read_config",
            "decode_message",
            "read_message",
            "read_next_field",
            "inject_message",
            "inject_match",
            "match_decoder",
            "date_to_ns",
            "inject_payload",
            "add_to_payload",
            "write_message",
        ],
        Kind::Filter => &[
            "read_config",
            "decode_message",
            "read_message",
            "read_next_field",
            "inject_message",
            "inject_match",
            "match_decoder",
            "date_to_ns",
            "inject_payload",
            "add_to_payload",
        ],
        Kind::Input => &["read_config", "decode_message", "date_to_ns", "inject_message", "inject_match"],
        Kind::Output => &["read_config", "decode_message", "date_to_ns", "read_message", "read_next_field"],
    }
}

/// The functions of native modules, and the methods of what they make.
const NATIVE: &str = "string.byte string.char string.dump string.find string.format string.gfind string.gsub \
    string.len string.lower string.match string.rep string.reverse string.sub string.upper table.concat table.foreach \
    table.foreachi table.getn table.insert table.maxn table.remove table.setn table.sort math.abs math.floor math.fmod math.max \
    math.random math.randomseed os.clock os.date os.difftime os.time lpeg.B lpeg.C lpeg.Carg lpeg.Cb lpeg.Cc lpeg.Cf lpeg.Cg \
    lpeg.Cmt lpeg.Cp lpeg.Cs lpeg.Ct lpeg.P lpeg.R lpeg.S lpeg.V lpeg.locale lpeg.match lpeg.setmaxstack lpeg.type lpeg.version \
    re.compile re.find re.gsub re.match re.updatelocale cjson.decode cjson.decode_invalid_numbers cjson.decode_max_depth \
    cjson.decode_null cjson.encode cjson.encode_invalid_numbers cjson.encode_max_depth cjson.encode_number_precision \
    cjson.encode_sparse_array struct.pack struct.size struct.unpack circular_buffer.new circular_buffer.version \
    circular_buffer:add circular_buffer:set circular_buffer:get circular_buffer:get_configuration circular_buffer:set_header \
    circular_buffer:get_header circular_buffer:compute circular_buffer:mannwhitneyu circular_buffer:current_time \
    circular_buffer:format circular_buffer:fromstring bloom_filter.new bloom_filter.version bloom_filter:add bloom_filter:query \
    bloom_filter:count bloom_filter:clear bloom_filter:fromstring cuckoo_filter.new cuckoo_filter.version cuckoo_filter:add \
    cuckoo_filter:query cuckoo_filter:delete cuckoo_filter:count cuckoo_filter:clear cuckoo_filter:fromstring hyperloglog.new \
    hyperloglog.version hyperloglog:add hyperloglog:count hyperloglog:clear hyperloglog:fromstring sax.mindist sax.version \
    sax.window.new sax.word.new sax.window:add sax.window:clear sax.window:get_word";

/// What the fuzzing of one role came to.
#[derive(Default)]
struct Outcome {
    calls: usize,
    states: usize,
    /// How often each function was called, where the state could still tell.
    counts: BTreeMap<String, u64>,
    /// How states ended before their time.
    ends: BTreeMap<String, usize>,
}

/// Runs states with different seeds until there were enough calls.
fn fuzz(kind: Kind, calls: usize) -> Outcome {
    let mut outcome = Outcome::default();
    let first: u32 = std::env::var("HEKA_FUZZ_SEED").map_or(1, |seed| seed.parse().unwrap());
    let mut seed = f64::from(first) + f64::from(kind as u8) * 100_000.0;
    while outcome.calls < calls {
        seed += 1.0;
        outcome.states += 1;
        one_state(kind, seed, PER_CALL[outcome.states % PER_CALL.len()], &mut outcome);
    }
    outcome
}

fn one_state(kind: Kind, seed: f64, per_call: usize, outcome: &mut Outcome) {
    let directory = tempfile::tempdir().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let values = vec![
        ("seed".to_owned(), ConfigValue::Number(seed)),
        ("calls".to_owned(), ConfigValue::Number(per_call as f64)),
        ("a\0b".to_owned(), ConfigValue::String(b"\0".to_vec())),
    ];
    let config = Config { values, stop: Some(stop.clone()), ..config(kind, include_str!("fuzz.lua"), &directory) };
    let (finished, running) = channel::<()>();
    let patience = if kind.is_trusted() { PATIENCE } else { ENDLESS };
    // Every call of the script says that it has returned.
    let watching = std::thread::spawn(move || {
        loop {
            match running.recv_timeout(patience) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) => stop.store(true, Ordering::Relaxed),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
    });
    let mut sandbox = Sandbox::new(&config, &mut |_| ()).unwrap_or_else(|why| panic!("{kind:?}: {why}"));
    let batch = sample();
    let rounds = if per_call > PER_CALL[0] { 4 } else { ROUNDS };
    for round in 0..rounds {
        let mut taker = Taker::default();
        let message = (kind != Kind::Input).then(|| batch.row(0));
        let result = match round % 4 {
            3 => sandbox.timer_event(1_425_943_801_123_456_789, &mut taker).map(|()| per_call),
            _ => sandbox.process_message(message, &mut taker).map(|returned| {
                let done = returned.error.unwrap_or_default();
                done.parse().unwrap_or_else(|_| panic!("{kind:?} {seed} {round}: returned {done:?}"))
            }),
        };
        finished.send(()).unwrap();
        let used = sandbox.statistics();
        // The empty state and one block that was still admitted come on top.
        assert!(used.memory <= (8 << 20) + (200 << 10), "{kind:?} {seed} {round}: {used:?}");
        match result {
            Ok(done) => outcome.calls += done,
            Err(why) => {
                assert!(!why.contains("internal error") && !why.contains("panic"), "{kind:?} {seed} {round}: {why}");
                assert!(why.len() <= 255, "{why}");
                if !kind.is_trusted() {
                    assert!(used.instructions <= 1_000_000, "{kind:?} {seed} {round}: {used:?}");
                    assert!(!sandbox.was_stopped(), "{kind:?} {seed} {round}: needed to be stopped: {why}");
                }
                // A state that was terminated stays so; one that was stopped can still be saved.
                assert!(sandbox.was_stopped() || !sandbox.is_alive() || why.ends_with("aborted"), "{why}");
                *outcome.ends.entry(ending(&why)).or_default() += 1;
                outcome.calls += 1;
                break;
            }
        }
    }
    if let Ok(data) = sandbox.preserve() {
        count(&data, &mut outcome.counts);
    }
    drop(finished);
    watching.join().unwrap();
}

/// The reason without the place in the script.
fn ending(why: &str) -> String {
    why.rsplit(": ").next().unwrap_or(why).to_owned()
}

/// Reads the driver's own counts out of the preserved globals.
fn count(data: &[u8], counts: &mut BTreeMap<String, u64>) {
    for line in String::from_utf8_lossy(data).lines() {
        let entry = line.strip_prefix("_G[\"count\"][\"").and_then(|rest| rest.split_once("\"] = "));
        if let Some((name, number)) = entry.and_then(|(name, number)| Some((name, number.parse::<u64>().ok()?))) {
            *counts.entry(name.to_owned()).or_default() += number;
        }
    }
}

fn check(kind: Kind) {
    let calls = std::env::var("HEKA_FUZZ_CALLS").map_or(CALLS, |calls| calls.parse().unwrap());
    let outcome = fuzz(kind, calls);
    println!("{kind:?}: {} calls in {} states; ended: {:?}", outcome.calls, outcome.states, outcome.ends);
    let missing: Vec<&str> = NATIVE
        .split_whitespace()
        .chain(host_functions(kind).iter().copied())
        .filter(|name| !outcome.counts.contains_key(*name))
        .collect();
    assert!(missing.is_empty(), "{kind:?}: never called: {missing:?}");
}

#[test]
fn decoders() {
    check(KINDS[0]);
}

#[test]
fn filters() {
    check(KINDS[1]);
}

#[test]
fn encoders() {
    check(KINDS[2]);
}

#[test]
fn inputs() {
    check(KINDS[3]);
}

#[test]
fn outputs() {
    check(KINDS[4]);
}
