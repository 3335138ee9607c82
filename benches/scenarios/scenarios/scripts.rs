//! Scripts: what a line, a message, a document and a sandbox cost.

use super::compare;
use super::files::{begin, hekad};
use crate::Result;
use crate::bench::{Bench, Input};
use crate::daemon::Hekad;
use crate::peers::{lua, wc};
use crate::report::{Outcome, Table};
use std::path::Path;
use std::time::{Duration, Instant};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const LOG_FORMAT: &str = r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent""#;
const COUNTER: &str = "[CounterFilter]\nmessage_matcher = \"TRUE\"\nticker_interval = 3600\n";
const HTTP_STATUS: &str = "[status]\ntype = \"SandboxFilter\"\nmessage_matcher = \"Type == 'nginx.access'\"\n\
    ticker_interval = 3600\nfilename = \"$S/lua_filters/http_status.lua\"\nmodule_directory = \"$S/lua_modules\"\n";
/// The rate that the filter should reach.
const STATUS_GOAL: f64 = 2e6;

const SHIPPED: &str = "share/lua_decoders/nginx_access.lua";
const PLAIN: &str = "benches/scenarios/scripts/nginx_plain.lua";

/// Every line of an access log becomes a message with fields: by the shipped decoder, and by a script as a user writes
/// it, each beside reference Lua with the same grammar.
pub fn access_log(bench: &mut Bench, name: &str) -> Result<()> {
    let (mut table, input) = begin(bench, name)?;
    table.physical("wc -l", &wc::count(bench, &input)?);
    for (script, ours, theirs) in [
        (SHIPPED, "hekad, nginx_access", "lua5.1, its grammar"),
        (PLAIN, "hekad, plain Lua", "lua5.1, the same script"),
    ] {
        table.row(ours, &hekad(bench, &input, 1, &decoder(script, COUNTER))?.0);
        let outcome = compare(bench, &mut table, theirs, "lua5.1", |bench, program| {
            let path = input.path.to_str().ok_or("the input's path is not text")?;
            let begun = Instant::now();
            let script = format!("{ROOT}/{script}");
            let (usage, count) = lua::run(bench, program, "lines", &[&script, path, LOG_FORMAT])?;
            check_count(&count, &input)?;
            Ok(Outcome::all(&input, begun.elapsed(), usage))
        });
        if let Some(outcome) = outcome {
            table.row(theirs, &outcome);
        }
    }
    Ok(())
}

/// The filter's cost is what the daemon takes more than with a counter in its place.
pub fn http_status(bench: &mut Bench, name: &str) -> Result<()> {
    let (table, input) = begin(bench, name)?;
    let (without, _) = hekad(bench, &input, 1, &decoder(SHIPPED, COUNTER))?;
    table.row("hekad, counter", &without);
    let (mut with, _) = hekad(bench, &input, 1, &decoder(SHIPPED, HTTP_STATUS))?;
    let cost = with.usage.cpu.saturating_sub(without.usage.cpu).as_secs_f64() / input.records as f64;
    with.remark = format!("{:.3} µs more: {:.1} M/s of {:.1} M/s", cost * 1e6, 1e-6 / cost, STATUS_GOAL / 1e6);
    table.row("hekad, http_status", &with);
    Ok(())
}

/// Documents of 1 KB become Lua tables.
pub fn json(bench: &mut Bench, name: &str) -> Result<()> {
    let rounds: u64 = bench.options.scale(500_000, 20_000);
    let mut table = Table::new(name, &format!("A document of 1 KB, decoded by `cjson` {rounds} times in one script."));
    let input = Input { path: Default::default(), records: rounds, bytes: rounds * 1024 };
    let begun = Instant::now();
    let section = format!(
        "[json]\ntype = \"SandboxInput\"\nfilename = \"{ROOT}/benches/scenarios/scripts/json.lua\"\n\
         [json.config]\nrounds = {rounds}\n{COUNTER}"
    );
    let mut hekad = Hekad::start(bench, 1, &section)?;
    hekad.wait_for_line("Input 'json': single run completed")?;
    let wall = begun.elapsed();
    table.row("hekad", &Outcome::all(&input, wall, hekad.process.stop()?));
    let outcome = compare(bench, &mut table, "lua5.1", "lua5.1", |bench, program| {
        let begun = Instant::now();
        let (usage, _) = lua::run(bench, program, "json", &[&rounds.to_string()])?;
        Ok(Outcome::all(&input, begun.elapsed(), usage))
    });
    if let Some(outcome) = outcome {
        table.row("lua5.1", &outcome);
    }
    Ok(())
}

/// What a sandbox takes that waits for messages, and what its start takes.
pub fn sandboxes(bench: &mut Bench, name: &str) -> Result<()> {
    let count = bench.options.scale(200, 20);
    let table = Table::new(name, &format!("{count} filters with a script each, that never get a message."));
    let input = "[bench]\ntype = \"LogstreamerInput\"\nlog_directory = \"$D\"\nfile_match = 'none'\n";
    let start = |script: Option<&str>| -> Result<(Duration, u64, crate::measure::Usage)> {
        let section = |n: usize| {
            let script = script.unwrap_or_default();
            format!(
                "[s{n}]\ntype = \"SandboxFilter\"\nmessage_matcher = \"FALSE\"\nfilename = \"{ROOT}/{script}\"\n\
                 module_directory = \"{ROOT}/share/lua_modules\"\n[s{n}.config]\nlog_format = '{LOG_FORMAT}'\n"
            )
        };
        let sections: String = (0..if script.is_some() { count } else { 0 }).map(section).collect();
        let hekad = Hekad::start(bench, 1, &format!("{input}{COUNTER}{sections}"))?;
        // Which is answered when everything has started.
        hekad.report()?;
        let cpu = hekad.process.cpu()?;
        let memory = hekad.process.resident()?;
        Ok((cpu, memory, hekad.process.stop()?))
    };
    let (cpu, memory, usage) = start(None)?;
    table.quiet("hekad, no script", &usage, "");
    for (program, script) in
        [("hekad, empty scripts", "benches/scenarios/scripts/nothing.lua"), ("hekad, nginx_access", SHIPPED)]
    {
        let (with_cpu, with_memory, usage) = start(Some(script))?;
        let kib = with_memory.saturating_sub(memory) as f64 / 1024.0 / count as f64;
        let ms = with_cpu.saturating_sub(cpu).as_secs_f64() * 1e3 / count as f64;
        table.quiet(program, &usage, &format!("{kib:.0} KiB and {ms:.2} ms of CPU for each"));
    }
    Ok(())
}

/// An input's decoder, and what consumes its messages.
fn decoder(script: &str, consumers: &str) -> String {
    let share = Path::new(ROOT).join("share").display().to_string();
    let section = format!(
        "decoder = \"access\"\nsend_decode_failures = true\nlog_decode_failures = false\n\
         [access]\ntype = \"SandboxDecoder\"\nfilename = \"{ROOT}/{script}\"\nmodule_directory = \"$S/lua_modules\"\n\
         [access.config]\ntype = \"nginx.access\"\nlog_format = '{LOG_FORMAT}'\n"
    );
    (section + consumers).replace("$S", &share)
}

/// Some lines of the log are broken, few in a thousand.
fn check_count(count: &str, input: &Input) -> Result<()> {
    let count: u64 = count.trim().parse().map_err(|_| format!("lua5.1 says {count}"))?;
    if count > input.records || count * 100 < input.records * 99 {
        return Err(format!("{count} of {} lines were decoded", input.records).into());
    }
    Ok(())
}
