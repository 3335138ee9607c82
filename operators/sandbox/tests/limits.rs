//! What scripts may use, and what is said of it.

mod support;

use heka_sandbox::{Entry, Kind, Sandbox, Statistics};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use support::{Rig, Taker, config};

fn filter(body: &str) -> String {
    format!("function process_message() {body} return 0 end")
}

#[test]
fn instructions_are_counted_exactly() {
    let count = |body: &str| {
        let mut rig = Rig::new(Kind::Filter, &filter(body));
        rig.run().unwrap();
        rig.sandbox.statistics().max_instructions
    };
    assert_eq!(count(""), 2, "load the constant, return it");
    assert_eq!(count("local a = 1"), 3);
    // Four to set the loop up, two a round.
    let loops = [10, 1000, 5000, 100_000].map(|n| count(&format!("for i = 1, {n} do local x = i end")));
    assert_eq!([loops[1] - loops[0], loops[2] - loops[0], loops[3] - loops[0]], [1980, 9980, 199_980]);
}

#[test]
fn a_limit_is_met_to_the_instruction() {
    let run = |limit: u64| {
        let mut rig =
            Rig::with(Kind::Filter, &filter("for i = 1, 1000 do local x = i end"), |c| c.instruction_limit = limit)
                .unwrap();
        rig.run()
    };
    let mut free = Rig::new(Kind::Filter, &filter("for i = 1, 1000 do local x = i end"));
    free.run().unwrap();
    let used = free.sandbox.statistics().max_instructions;
    assert!(run(used + 1).is_ok());
    assert_eq!(run(used), Err("process_message() instruction_limit exceeded".to_owned()));
    assert!(run(0).is_ok(), "0 is no limit");
}

#[test]
fn an_error_in_a_called_function_says_where() {
    let mut rig = Rig::new(
        Kind::Filter,
        "local function spin()\n while true do end\nend\nfunction process_message()\n spin()\nend",
    );
    let error = rig.run().unwrap_err();
    assert!(error.ends_with("test.lua:5: instruction_limit exceeded"), "{error}");
}

#[test]
fn memory_is_counted_above_the_empty_state() {
    let empty = Rig::new(Kind::Filter, &filter("")).sandbox.statistics();
    assert!(empty.memory < 100_000, "an idle sandbox takes {} bytes", empty.memory);
    let mut rig =
        Rig::with(Kind::Filter, &filter("t = {} for i = 1, 100 do t[i] = i end"), |c| c.memory_limit = 20_000).unwrap();
    rig.run().unwrap();
    let used = rig.sandbox.statistics();
    assert!(used.memory > empty.memory && used.max_memory >= used.memory, "{used:?}");
    let mut rig =
        Rig::with(Kind::Filter, &filter("t = {} for i = 1, 100000 do t[i] = i end"), |c| c.memory_limit = 0).unwrap();
    rig.run().unwrap();
}

#[test]
fn an_error_of_memory_can_be_caught() {
    let body = "local ok, why = pcall(function() local s = 'x' while true do s = s .. s end end) assert(not ok and why == 'not enough memory')";
    assert_eq!(Rig::new(Kind::Filter, &filter(body)).run(), Ok(String::new()));
}

#[test]
fn garbage_near_the_limit_is_collected_in_time() {
    let body =
        "if not keep then keep = {} for i = 1, 120000 do keep[i] = i end end for i = 1, 20000 do local t = {i, i} end";
    let mut rig = Rig::with(Kind::Filter, &filter(body), |c| c.memory_limit = 4 << 20).unwrap();
    for _ in 0..20 {
        rig.run().unwrap();
    }
}

#[test]
fn a_terminated_script_stays_so() {
    let mut rig = Rig::new(Kind::Filter, &filter("error('x', 0)"));
    for _ in 0..2 {
        assert_eq!(rig.run(), Err("process_message() x".to_owned()));
    }
    let used = rig.sandbox.statistics();
    assert!(!rig.sandbox.is_alive() && used.memory == 0 && used.max_memory > 0, "{used:?}");
    assert_eq!(rig.sandbox.last_error(), "process_message() x");
    assert!(rig.sandbox.preserve().is_err());
}

#[test]
fn the_text_returned_is_kept_until_the_next_call() {
    let mut rig = Rig::new(
        Kind::Filter,
        "n = 0 function process_message() n = n + 1 if n == 1 then return -1, 'soft' end return 0 end",
    );
    rig.run().unwrap();
    assert_eq!(rig.sandbox.last_error(), "soft");
    rig.run().unwrap();
    assert_eq!(rig.sandbox.last_error(), "");
}

#[test]
fn a_stop_flag_ends_even_a_script_without_limits() {
    let directory = tempfile::tempdir().unwrap();
    let source = "require 'string' function process_message() while true do pcall(function() while true do end end) coroutine.wrap(function() while true do end end)() end end";
    let stop = Arc::new(AtomicBool::new(false));
    let mut config = config(Kind::Input, source, &directory);
    config.stop = Some(stop.clone());
    let mut sandbox = Sandbox::new(&config, &mut |_| ()).unwrap();
    let thread = std::thread::spawn(move || {
        let result = sandbox.process_message(None, &mut Taker::default());
        (result, sandbox.was_stopped(), sandbox.is_alive(), sandbox.preserve().is_ok())
    });
    stop.store(true, Ordering::Relaxed);
    let (result, stopped, alive, preserved) = thread.join().unwrap();
    assert!(result.unwrap_err().ends_with("shutting down") && stopped && alive && preserved);
}

#[test]
fn inputs_and_outputs_have_no_instruction_limit() {
    for kind in [Kind::Input, Kind::Output] {
        let mut rig = Rig::with(kind, &filter("for i = 1, 100000 do end"), |c| c.instruction_limit = 10).unwrap();
        assert_eq!(rig.run(), Ok(String::new()));
    }
}

#[test]
fn scripts_that_cannot_be_loaded() {
    let load = |source: &str| Rig::with(Kind::Filter, source, |_| ()).err().unwrap();
    assert!(load("x = = 1").ends_with("test.lua:1: unexpected symbol near '='"));
    assert!(load("error('at load')").ends_with("test.lua:1: at load"));
    assert_eq!(load("\u{1b}Lua"), "Init() precompiled code is refused: give the source");
    let missing = Rig::with(Kind::Filter, "", |c| c.script = "/nonexistent/x.lua".into()).err().unwrap();
    assert!(missing.starts_with("Init() cannot open /nonexistent/x.lua: "), "{missing}");
    assert!(Rig::with(Kind::Filter, "#!/usr/bin/lua\nx = 1", |_| ()).is_ok());
}

#[test]
fn which_functions_are_there() {
    let rig = Rig::new(Kind::Filter, "function process_message() end timer_event = 5");
    assert!(rig.sandbox.defines(Entry::ProcessMessage) && !rig.sandbox.defines(Entry::TimerEvent));
}

#[test]
fn an_earlier_text_is_not_taken_for_the_reason() {
    let source = "require 'string' n = 0 function process_message() n = n + 1 if n == 1 then return -1, 'stale %s %n' end \
                  if n == 2 then pcall(inject_message, {Fields = {a = {{}}}}) return 0 end add_to_payload(string.rep('x', 70000)) return 0 end";
    let mut rig = Rig::new(Kind::Filter, source);
    assert_eq!(rig.run(), Ok("stale %s %n".to_owned()));
    assert_eq!(rig.run(), Ok(String::new()));
    let error = rig.run().unwrap_err();
    assert!(error.ends_with("test.lua:1: output_limit exceeded"), "{error}");
}

#[test]
fn the_longest_output_is_told() {
    let mut rig = Rig::new(Kind::Filter, &filter("inject_payload('', '', '0123456789')"));
    assert_eq!(rig.sandbox.statistics().max_output, 0);
    rig.run().unwrap();
    let Statistics { max_output, .. } = rig.sandbox.statistics();
    assert_eq!(max_output, 10);
}

#[test]
fn states_move_between_threads_with_all_that_is_theirs() {
    let source = "require 'lpeg' require 'cjson' local p = lpeg.C(lpeg.P'a'^1) function process_message() assert(p:match('aab') == 'aa') \
                  return -1, cjson.encode{1, 2} end";
    let mut rig = Rig::new(Kind::Filter, source);
    for _ in 0..3 {
        rig = std::thread::spawn(move || {
            assert_eq!(rig.run(), Ok("[1,2]".to_owned()));
            rig
        })
        .join()
        .unwrap();
    }
}
