//! `heka-flood`: sends messages to a daemon as fast as it takes them, or as slowly as it is told.

mod flood;
mod messages;
mod meter;
mod random;
mod sender;
mod settings;

use flood::Flood;
use heka_operators::log;
use hekad::flags::{Flag, Flags, HELP, Takes};
use hekad::tools::{configure, start};
use std::path::Path;
use std::process::ExitCode;

const FLAGS: Flags = Flags {
    program: "heka-flood",
    operands: "",
    table: &[
        Flag {
            name: "config",
            takes: Takes::Value("path"),
            default: "flood.toml",
            help: "file or directory that describes tests",
        },
        Flag { name: "test", takes: Takes::Value("name"), default: "default", help: "section of the test to run" },
        HELP,
    ],
};

fn main() -> ExitCode {
    let given = match start(&FLAGS) {
        Ok(given) => given,
        Err(code) => return code,
    };
    let name = given.text("test");
    let test = match configure(Path::new(given.or_default("config")), |table, problems| {
        settings::find(table, &name, problems)
    }) {
        Ok(test) => test,
        Err(code) => return code,
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("can't start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(async { Flood::new(test)?.run().await });
    let code = match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            log::error(why);
            ExitCode::FAILURE
        }
    };
    log::flush();
    code
}
