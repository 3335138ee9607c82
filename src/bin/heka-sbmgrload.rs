//! `heka-sbmgrload`: loads many filters that count messages into a running daemon, or unloads them again, to see what it
//! bears.

use hekad::flags::{Flag, Flags, HELP, Takes};
use hekad::tools::{Control, Manager, configure, find_manager, start};
use std::path::Path;
use std::process::ExitCode;

const FLAGS: Flags = Flags {
    program: "heka-sbmgrload",
    operands: "",
    table: &[
        Flag {
            name: "config",
            takes: Takes::Value("path"),
            default: "sbmgrload.toml",
            help: "file that says where the daemon listens, and who signs",
        },
        Flag { name: "action", takes: Takes::Value("load|unload"), default: "load", help: "what to do" },
        Flag { name: "num", takes: Takes::Value("n"), default: "1", help: "how many filters" },
        HELP,
    ],
};

/// Counts what heka-flood sends.
const SCRIPT: &[u8] = br#"require "string"
count = 0
local last = 0

function process_message()
    count = count + 1
    return 0
end

function timer_event(ns)
    inject_payload("txt", "count", string.format("Got %d messages, %d since the last tick\n", count, count - last))
    last = count
end
"#;

/// The section of the filter with this number, counted from 1.
fn section(number: u32) -> String {
    format!(
        "[{}]\ntype = \"SandboxFilter\"\nmessage_matcher = \"Type == 'hekabench'\"\nticker_interval = 1\n\
         preserve_data = true\n",
        name(number)
    )
}

fn name(number: u32) -> String {
    format!("CounterSandbox{number}")
}

fn main() -> ExitCode {
    let given = match start(&FLAGS) {
        Ok(given) => given,
        Err(code) => return code,
    };
    let (action, count) = (given.text("action"), given.parsed::<u32>("num"));
    let count = match count {
        Ok(count) if matches!(action.as_str(), "load" | "unload") => count,
        Ok(_) => {
            eprintln!("{}", FLAGS.error(format!("invalid action: {action}")));
            return ExitCode::from(2);
        }
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let manager = match configure(Path::new(given.or_default("config")), find_manager) {
        Ok(manager) => manager,
        Err(code) => return code,
    };
    if !manager.signs() {
        eprintln!("warning: the messages are not signed, because the configuration has no section [signer]");
    }
    match manager.send((1..=count).map(|number| frame(&manager, &action, number))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// The control message for the filter with this number.
fn frame(manager: &Manager, action: &str, number: u32) -> Result<Vec<u8>, String> {
    let (config, name) = (section(number), name(number));
    let control = match action {
        "unload" => Control::Unload { name: &name },
        _ => Control::Load { config: &config, script: SCRIPT },
    };
    manager.frame(control).map(|(frame, _)| frame)
}
