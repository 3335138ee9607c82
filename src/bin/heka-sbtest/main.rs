//! `heka-sbtest`: runs a script of any kind on sample input, with the daemon's own host, and shows what comes of it.

mod drive;
mod messages;
mod samples;
mod show;
mod subject;
mod threads;
mod ticks;

use hekad::flags::{Flag, Flags, Given, HELP, Takes};
use hekad::tools::{golden, start};
use show::{Show, Tally};
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use subject::Subject;

const FLAGS: Flags = Flags {
    program: "heka-sbtest",
    operands: "",
    table: &[
        Flag { name: "config", takes: Takes::Value("path"), default: "", help: "configuration with the script" },
        Flag { name: "section", takes: Takes::Value("name"), default: "", help: "the script's section in it" },
        Flag {
            name: "type",
            takes: Takes::Value("decoder|filter|encoder|input|output"),
            default: "",
            help: "without a configuration: what the script is",
        },
        Flag { name: "script", takes: Takes::Value("file"), default: "", help: "without a configuration: the script" },
        Flag { name: "set", takes: Takes::Value("key=value"), default: "", help: "for read_config; may be repeated" },
        Flag {
            name: "option",
            takes: Takes::Value("key=value"),
            default: "",
            help: "of the section, such as instruction_limit; may be repeated",
        },
        Flag { name: "share", takes: Takes::Value("dir"), default: "/usr/share/heka", help: "share_dir" },
        Flag { name: "state", takes: Takes::Value("dir"), default: "", help: "base_dir; without it no data is kept" },
        Flag { name: "input", takes: Takes::Value("file|-"), default: "-", help: "sample input" },
        Flag {
            name: "read",
            takes: Takes::Value("auto|lines|frames|case"),
            default: "auto",
            help: "the input is text, framed messages, or a golden case",
        },
        Flag {
            name: "splitter",
            takes: Takes::Value("name"),
            default: "",
            help: "section or type that cuts the input",
        },
        Flag { name: "match", takes: Takes::Value("matcher"), default: "", help: "messages that the script gets" },
        Flag {
            name: "tick",
            takes: Takes::Value("seconds"),
            default: "",
            help: "timer events, by the messages' time; 0: only one, behind the input",
        },
        Flag { name: "count", takes: Takes::Value("n"), default: "0", help: "stop an input behind n messages" },
        Flag {
            name: "format",
            takes: Takes::Value("rst|json|payload|heka"),
            default: "rst",
            help: "how to show messages",
        },
        Flag { name: "costs", takes: Takes::Bool, default: "", help: "show what every call returned and used" },
        HELP,
    ],
};

/// Why the tool ends before its work is done: the exit code, and what is wrong.
struct Failure(u8, String);

/// A message failed, a record was refused, a case did not come out as it says.
const FAILED: u8 = 1;
/// The command line or the configuration is wrong.
const USAGE: u8 = 2;
/// The script cannot be loaded.
const UNLOADABLE: u8 = 3;
/// The script was terminated.
const TERMINATED: u8 = 4;
/// The input cannot be read, or the output not written.
const UNREADABLE: u8 = 5;

impl Failure {
    fn usage(why: impl std::fmt::Display) -> Self {
        Failure(USAGE, why.to_string())
    }

    fn io(error: &io::Error) -> Self {
        Failure(UNREADABLE, error.to_string())
    }
}

fn main() -> ExitCode {
    let given = match start(&FLAGS) {
        Ok(given) => given,
        Err(code) => return code,
    };
    // Standard output is for what the script makes.
    heka_operators::log::keep_off_stdout();
    heka_operators::log::set_flags(0);
    let result = run(&given);
    heka_operators::log::flush();
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(FAILED),
        Err(Failure(code, why)) => {
            eprintln!("{}", why.trim_end());
            ExitCode::from(code)
        }
    }
}

/// Runs the script; whether nothing failed.
fn run(given: &Given) -> Result<bool, Failure> {
    let tally = Arc::new(Tally::new(given.is_on("costs")));
    let subject = Subject::find(given, &tally)?;
    let input = given.or_default("input");
    let is_case = match given.text("read").as_str() {
        "auto" => Path::new(input).extension().is_some_and(|extension| extension == "toml"),
        "case" => true,
        "lines" | "frames" => false,
        other => return Err(Failure::usage(FLAGS.error(format!("invalid value {other:?} for flag -read")))),
    };
    if is_case {
        return case(&subject, Path::new(input));
    }
    let mut show = Show::new(&given.text("format"))?;
    let result = drive::run(&subject, given, &tally, &mut show);
    // What was made before an error is shown with it.
    let shown = show.finish().map_err(|error| Failure::io(&error));
    heka_operators::log::flush();
    let well = tally.summary();
    result?;
    shown?;
    Ok(well)
}

fn case(subject: &Subject, path: &Path) -> Result<bool, Failure> {
    let case = golden::Case::read(path).map_err(|why| Failure(USAGE, format!("{}: {why}", path.display())))?;
    match golden::run(&subject.sandbox_config()?, &case, &mut |step| println!("step {step}: ok")) {
        Ok(_) => Ok(true),
        Err(why) => Err(Failure(FAILED, format!("{}: {why}", path.display()))),
    }
}
