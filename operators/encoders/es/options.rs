//! The options that both encoders have, read and checked.

use crate::net::place;
use heka_message::{Interpolation, Layout};
use heka_settings::{Problem, Problems, Table};

/// A part of a message that a document can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::encoders) enum Part {
    Uuid,
    Timestamp,
    Type,
    Logger,
    Severity,
    Payload,
    EnvVersion,
    Pid,
    Hostname,
    DynamicFields,
}

/// The words of the `fields` option, in the order of the default.
pub(in crate::encoders) const PARTS: [&str; 10] =
    ["Uuid", "Timestamp", "Type", "Logger", "Severity", "Payload", "EnvVersion", "Pid", "Hostname", "DynamicFields"];

impl Part {
    fn named(word: &str) -> Option<Part> {
        use Part::*;
        if word.eq_ignore_ascii_case("Fields") {
            return Some(DynamicFields);
        }
        let all = [Uuid, Timestamp, Type, Logger, Severity, Payload, EnvVersion, Pid, Hostname, DynamicFields];
        PARTS.iter().zip(all).find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, part)| part)
    }
}

/// The keys of a document.
#[derive(Clone, Debug)]
pub(in crate::encoders) struct Names {
    /// By part, in the order of [`PARTS`].
    pub keys: [String; 10],
    /// Whether fields are members of an object of their own.
    pub nested: bool,
}

impl Names {
    pub(super) fn of(&self, part: Part) -> &str {
        &self.keys[part as usize]
    }
}

/// What both encoders have in common.
#[derive(Clone, Debug)]
pub(in crate::encoders) struct Options {
    pub index: String,
    pub type_name: String,
    pub id: String,
    pub es_index_from_timestamp: bool,
    pub parts: Vec<Part>,
    pub timestamp: String,
    pub raw_bytes_fields: Vec<String>,
    pub dynamic_fields: Vec<String>,
    pub replace_dots_with: String,
}

impl Options {
    /// Notes what is wrong with the options, and what is out of date.
    pub(in crate::encoders) fn check(&self, table: &Table, problems: &mut Problems) {
        for (option, template) in [("index", &self.index), ("type_name", &self.type_name), ("id", &self.id)] {
            if Interpolation::new(template).is_legacy() {
                let message = format!("`{template}` holds a date of the old kind");
                let help = "write a strftime format such as \"%{%Y.%m.%d}\"";
                problems.push(Problem::warning(place(table, option), message).help(help));
            }
        }
        if Layout::is_legacy(&self.timestamp) {
            let message = format!("`{}` is a layout of the old kind", self.timestamp);
            let help = "write a strftime format such as \"%Y-%m-%dT%H:%M:%S\"";
            problems.push(Problem::warning(place(table, "timestamp"), message).help(help));
        }
        if !self.dynamic_fields.is_empty() && !self.parts.contains(&Part::DynamicFields) {
            let message = r#""DynamicFields" must be in 'fields' list if using 'dynamic_fields'"#;
            let help = "add \"DynamicFields\" to `fields`, or remove `dynamic_fields`";
            problems.push(Problem::error(place(table, "dynamic_fields"), message).help(help));
        }
    }
}

/// The parts that the words of a `fields` option stand for.
pub(in crate::encoders) fn parts(words: &[String], table: &Table, problems: &mut Problems) -> Vec<Part> {
    let mut part = |word: &String| {
        let found = Part::named(word);
        if found.is_none() {
            let all = PARTS.join(", ");
            let message = format!("Unsupported value \"{word}\" in 'fields' list, must be one of {all}");
            let problem = Problem::error(place(table, "fields"), message);
            problems.push(match heka_settings::nearest(word, PARTS.into_iter()) {
                Some(name) => problem.help(format!("did you mean \"{name}\"?")),
                None => problem.help("remove it from the list"),
            });
        }
        found
    };
    words.iter().filter_map(&mut part).collect()
}
