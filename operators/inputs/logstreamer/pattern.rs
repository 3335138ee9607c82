//! What a path says: whether `file_match` takes the file, which stream it belongs to, and how old it is among
//! the files of its stream.

use super::LogstreamerSettings;
use regex::bytes::{Captures, Regex};
use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// What stands for a group that did not take part in the match.
const MISSING: &str = "missing";

/// A file that belongs to a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matched {
    /// The stream's name.
    pub stream: String,
    /// Orders the files of a stream: smaller is older.
    pub rank: Vec<i64>,
}

/// `file_match` with everything that interprets its groups.
#[derive(Debug)]
pub struct FileMatch {
    regex: Regex,
    translation: HashMap<String, HashMap<String, i64>>,
    /// Groups that order files, and whether in reverse.
    priority: Vec<(String, bool)>,
    differentiator: Vec<String>,
}

impl FileMatch {
    /// Compiles the settings for the tree below `root`; `section` names the stream when nothing else does.
    ///
    /// # Errors
    /// Says which setting is wrong, in one line.
    pub fn new(root: &Path, settings: &LogstreamerSettings, section: &str) -> Result<Self, String> {
        let written = settings.file_match.as_ref().map_or("", |pattern| pattern.value.as_str());
        if written.is_empty() {
            return Err("`file_match` setting is required.".to_owned());
        }
        let root = root.to_string_lossy();
        let separator = if root.ends_with('/') || written.starts_with('/') { "" } else { "/" };
        let whole = format!("^{}{separator}(?:{written})$", regex::escape(&root));
        // Compiled alone as well, so that the message shows what the user wrote.
        let regex = Regex::new(written).and_then(|_| Regex::new(&whole)).map_err(|error| {
            let text = error.to_string();
            format!("`file_match` is no regular expression: {}", text.lines().last().unwrap_or_default())
        })?;
        let mut translation = HashMap::new();
        for (group, entries) in &settings.translation.0 {
            let entries = &entries.value.0;
            if entries.len() == 1 && entries.iter().all(|(text, _)| text != MISSING) {
                return Err(format!(
                    "A translation map with one entry ('{group}') must be specifying a 'missing' key."
                ));
            }
            let entries = entries.iter().map(|(text, value)| (text.to_lowercase(), *value)).collect();
            translation.insert(group.clone(), entries);
        }
        let priority = settings.priority.iter().map(|entry| match entry.strip_prefix('^') {
            Some(group) => (group.to_owned(), true),
            None => (entry.clone(), false),
        });
        let mut differentiator = settings.differentiator.clone();
        if differentiator.is_empty() {
            differentiator.push(section.to_owned());
        }
        Ok(FileMatch { regex, translation, priority: priority.collect(), differentiator })
    }

    /// Whether files of one stream can be put in order.
    pub fn orders(&self) -> bool {
        !self.priority.is_empty()
    }

    /// The whole pattern, for messages.
    pub fn as_str(&self) -> &str {
        self.regex.as_str()
    }

    /// Whether the path is taken at all.
    pub fn takes(&self, path: &Path) -> bool {
        self.regex.is_match(path.as_os_str().as_bytes())
    }

    /// What the path says; `None` when it is not taken.
    ///
    /// # Errors
    /// When a group holds a text that has no place in the order.
    pub fn read(&self, path: &Path) -> Option<Result<Matched, String>> {
        let captures = self.regex.captures(path.as_os_str().as_bytes())?;
        Some(self.interpret(&captures))
    }

    fn interpret(&self, captures: &Captures<'_>) -> Result<Matched, String> {
        let mut values: HashMap<&str, i64> = HashMap::new();
        for group in self.regex.capture_names().flatten() {
            values.insert(group, self.value(group, &text(captures, group))?);
        }
        let rank = self.priority.iter().filter_map(|(group, reversed)| {
            let value = *values.get(group.as_str())?;
            Some(if *reversed { value.saturating_neg() } else { value })
        });
        let stream = self.differentiator.iter().map(|piece| match values.contains_key(piece.as_str()) {
            true => text(captures, piece),
            false => piece.clone(),
        });
        Ok(Matched { rank: rank.collect(), stream: stream.collect() })
    }

    /// The number that stands for a group's text when files are ordered.
    fn value(&self, group: &str, text: &str) -> Result<i64, String> {
        let text = if text.is_empty() { MISSING } else { text };
        let lower = text.to_lowercase();
        match group {
            "MonthName" => return named(&MONTHS, &lower, 1, || format!("Unable to locate month name: {text}")),
            "DayName" => return named(&DAYS, &lower, 0, || format!("Unable to locate day name: {text}")),
            _ => {}
        }
        if let Some(table) = self.translation.get(group) {
            match table.get(&lower) {
                Some(value) => return Ok(*value),
                None if table.len() > 1 => {
                    return Err(format!("Value '{text}' not found in translation map '{group}'."));
                }
                None => {}
            }
        }
        match text.bytes().all(|byte| byte.is_ascii_digit()) {
            true => Ok(text.parse().unwrap_or(i64::MAX)),
            false => Ok(-1),
        }
    }
}

fn text(captures: &Captures<'_>, group: &str) -> String {
    captures.name(group).map(|found| String::from_utf8_lossy(found.as_bytes()).into_owned()).unwrap_or_default()
}

fn named(names: &[&str], text: &str, first: i64, error: impl Fn() -> String) -> Result<i64, String> {
    let found = names.iter().position(|name| *name == text || (text.len() == 3 && name.starts_with(text)));
    found.map(|index| index as i64 + first).ok_or_else(error)
}
