//! `heka-sbmgr`: loads a filter into a running daemon, or unloads it again.

use hekad::config::read_filter;
use hekad::flags::{Flag, Flags, Given, HELP, Takes};
use hekad::tools::{Control, Manager, configure, find_manager, start};
use std::path::Path;
use std::process::ExitCode;

const fn file(name: &'static str, default: &'static str, help: &'static str) -> Flag {
    Flag { name, takes: Takes::Value("path"), default, help }
}

const FLAGS: Flags = Flags {
    program: "heka-sbmgr",
    operands: "",
    table: &[
        file("config", "sbmgr.toml", "file that says where the daemon listens, and who signs"),
        Flag { name: "action", takes: Takes::Value("load|unload"), default: "load", help: "what to do" },
        file("script", "xyz.lua", "load: the script"),
        file("scriptconfig", "xyz.toml", "load: the section of the filter"),
        Flag { name: "filtername", takes: Takes::Value("name"), default: "filter", help: "unload: the section's name" },
        HELP,
    ],
};

fn main() -> ExitCode {
    let given = match start(&FLAGS) {
        Ok(given) => given,
        Err(code) => return code,
    };
    let action = given.text("action");
    if !matches!(action.as_str(), "load" | "unload") {
        eprintln!("{}", FLAGS.error(format!("invalid action: {action}")));
        return ExitCode::from(2);
    }
    let manager = match configure(Path::new(given.or_default("config")), find_manager) {
        Ok(manager) => manager,
        Err(code) => return code,
    };
    match frame(&given, &action, &manager).and_then(|frame| manager.send([Ok(frame)])) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// The control message in its frame. The daemon answers nothing, so what can be seen here is said here.
fn frame(given: &Given, action: &str, manager: &Manager) -> Result<Vec<u8>, String> {
    let name = given.text("filtername");
    let (script, config);
    let control = if action == "unload" {
        Control::Unload { name: &name }
    } else {
        script = read(&given.text("script"))?;
        let path = given.text("scriptconfig");
        config = String::from_utf8(read(&path)?).map_err(|_| format!("{path} is no UTF-8"))?;
        let filename = ("filename", Some(heka_settings::Data::String("script.lua".to_owned())));
        if let Err(why) = read_filter(&config, &[filename]) {
            eprintln!("warning: the daemon may refuse {path}: {why}");
        }
        Control::Load { config: &config, script: &script }
    };
    if !manager.signs() {
        eprintln!("warning: the message is not signed, because the configuration has no section [signer]");
    }
    let (frame, note) = manager.frame(control)?;
    note.iter().for_each(|note| eprintln!("warning: {note}"));
    Ok(frame)
}

fn read(path: &str) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("Error reading {path}: {error}"))
}
