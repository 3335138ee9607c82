//! Scripts that try to escape: every one ends with its documented error, within its limits, and takes nothing with it.
//!
//! Each file in `hostile/` begins with comments that say how it is run and what must come of it:
//! `expect` is the exact error, or `ok`, with `*` for any text; `entry: timer` calls `timer_event`; `calls` is how
//! often; `then: preserve` writes the globals afterwards; `module` is a module's name and source.

mod support;

use heka_sandbox::{Kind, Sandbox, Statistics};
use std::path::Path;
use support::{Taker, config, sample};

/// What a comment at the head of a script says.
fn told<'a>(source: &'a str, key: &str) -> Option<&'a str> {
    source
        .lines()
        .take_while(|line| line.starts_with("-- "))
        .find_map(|line| line[3..].strip_prefix(key)?.strip_prefix(": "))
}

/// Whether a text is as expected, `*` standing for any text.
fn fits(text: &str, expected: &str) -> bool {
    let mut parts = expected.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut last = None;
    for part in parts {
        last = Some(part);
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    match last {
        None => rest.is_empty(),
        Some(part) => part.is_empty() || text.ends_with(part),
    }
}

/// What comes of a script, and what it used.
fn outcome(source: &str) -> (String, Statistics) {
    let directory = tempfile::tempdir().unwrap();
    if let Some((name, text)) = told(source, "module").and_then(|module| module.split_once(' ')) {
        std::fs::write(directory.path().join(format!("{name}.lua")), text).unwrap();
    }
    let config = config(Kind::Filter, source, &directory);
    let mut sandbox = match Sandbox::new(&config, &mut |_| ()) {
        Ok(sandbox) => sandbox,
        Err(why) => return (format!("load: {why}"), Statistics::default()),
    };
    let mut taker = Taker::default();
    let batch = sample();
    let calls = told(source, "calls").map_or(1, |count| count.parse().unwrap());
    let mut result = "ok".to_owned();
    for _ in 0..calls {
        result = if told(source, "entry") == Some("timer") {
            sandbox.timer_event(1, &mut taker).err().unwrap_or("ok".to_owned())
        } else {
            match sandbox.process_message(Some(batch.row(0)), &mut taker) {
                Ok(returned) if returned.status > 0 => "positive".to_owned(),
                Ok(_) => "ok".to_owned(),
                Err(why) => why,
            }
        };
    }
    if told(source, "then") == Some("preserve")
        && let Err(why) = sandbox.preserve()
    {
        result = format!("preserve: {why}");
    }
    (result, sandbox.statistics())
}

#[test]
fn every_script_ends_as_documented() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile");
    let mut scripts: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    scripts.sort();
    assert!(scripts.len() >= 60);
    let mut wrong = Vec::new();
    for script in &scripts {
        let source = std::fs::read_to_string(script).unwrap();
        let name = script.file_stem().unwrap().to_string_lossy();
        let expected = told(&source, "expect").expect("every script says what comes of it");
        let begun = std::time::Instant::now();
        let (result, used) = outcome(&source);
        println!("{name}: {:?}", begun.elapsed());
        if !fits(&result, expected) {
            wrong.push(format!("{name}: {result:?} instead of {expected:?}"));
        }
        // The empty state and one block that was still admitted come on top.
        assert!(used.max_memory <= (8 << 20) + (100 << 10), "{name} used {used:?}");
        assert!(used.max_instructions <= 1_000_000, "{name} used {used:?}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn expectations_are_compared_as_said() {
    for (text, expected, same) in [
        ("abc", "abc", true),
        ("abcd", "abc", false),
        ("abc", "a*c", true),
        ("abcx", "a*c", false),
        ("abcx", "a*c*", true),
        ("xabc", "*abc", true),
        ("b", "a*", false),
    ] {
        assert_eq!(fits(text, expected), same, "{text} {expected}");
    }
}
