//! `heka-logstreamer`: shows which files a configuration's LogstreamerInputs would read, in which order, and from
//! where on.

use heka_operators::inputs::logstreamer::{LogstreamerSettings, Survey, survey};
use heka_settings::{Data, Problem, Problems, Settings, Table};
use hekad::config::sections;
use hekad::flags::{Flag, Flags, HELP, Takes};
use hekad::tools::{configure, show, start};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const FLAGS: Flags = Flags {
    program: "heka-logstreamer",
    operands: "",
    table: &[
        Flag {
            name: "config",
            takes: Takes::Value("path"),
            default: "logstreamer.toml",
            help: "file or directory of the configuration",
        },
        HELP,
    ],
};

const TYPE: &str = "LogstreamerInput";

fn main() -> ExitCode {
    let given = match start(&FLAGS) {
        Ok(given) => given,
        Err(code) => return code,
    };
    let surveys = match configure(Path::new(given.or_default("config")), |table, problems| Some(all(table, problems))) {
        Ok(surveys) => surveys,
        Err(code) => return code,
    };
    for (section, survey) in &surveys {
        show(&describe(section, survey));
        survey.complaints.iter().for_each(|complaint| eprintln!("{section}: {complaint}"));
    }
    ExitCode::SUCCESS
}

/// What each section finds; sections of other types are passed over.
fn all(table: &Table, problems: &mut Problems) -> Vec<(String, Survey)> {
    let journals = journals(table);
    let mut surveys = Vec::new();
    for (name, section) in sections(table).filter(|(name, section)| type_of(name, section) == TYPE) {
        let mut own = Problems::of(name);
        let settings = LogstreamerSettings::read(section, &mut own);
        match survey(&settings, name, &journals) {
            Ok(survey) => surveys.push((name.to_owned(), survey)),
            Err(why) => own.push(Problem::error(section.place, format!("'{name}': {why}"))),
        }
        problems.append(own);
    }
    surveys
}

fn text<'a>(table: &'a Table, key: &str) -> Option<&'a str> {
    match &table.get(key)?.value.data {
        Data::String(text) => Some(text),
        _ => None,
    }
}

fn type_of<'a>(name: &'a str, section: &'a Table) -> &'a str {
    text(section, "type").filter(|written| !written.is_empty()).unwrap_or(name)
}

/// Where the daemon with this configuration keeps positions.
fn journals(table: &Table) -> PathBuf {
    let hekad = sections(table).find(|(name, _)| *name == "hekad");
    let base = hekad.and_then(|(_, section)| text(section, "base_dir")).unwrap_or("/var/cache/hekad");
    Path::new(base).join("logstreamer")
}

/// A section's streams in the layout that the original printed.
fn describe(section: &str, survey: &Survey) -> String {
    let mut shown = format!("Found {} Logstream(s) for section [{section}].\n\n", survey.streams.len());
    for stream in &survey.streams {
        // Writing to a String cannot fail.
        let _ = writeln!(shown, "Logstream name: [{}]", stream.name);
        let _ = writeln!(shown, "Stream Choosing Filename: {}, SeekPosition: {}", stream.first.display(), stream.seek);
        let _ = writeln!(shown, "Files: {} (printing oldest to newest)", stream.files.len());
        for file in &stream.files {
            let _ = writeln!(shown, "\t{}", file.display());
        }
        shown.push('\n');
    }
    shown
}
