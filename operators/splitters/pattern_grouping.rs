//! Lines, of which those that belong together become one record: the lines of a stack trace, the rows of a
//! query plan.
//!
//! A line that `grouping` does not match is a record of its own, and consecutive lines that it matches are one.
//! Such a group is complete when another line arrives, when it is full, or when the stream pauses: when what
//! has arrived ends with a line's end, nobody knows whether there will ever be a next line, so the group is
//! delivered. While a part of the next line is there already, the group waits for the remainder of it.

use crate::plugin::{Globals, PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use crate::splitters::delimiter::Delimiter;
use crate::splitters::{Record, Splitter, SplitterSpec};
use heka_settings::{Pattern, Place, Problem, Problems, Settings, Table, settings};
use regex::bytes::Regex;
use std::sync::Arc;

settings! {
    /// Options of `PatternGroupingSplitter`.
    pub struct PatternGroupingSettings {
        /// What ends a line and belongs to it; a line's end unless given.
        delimiter: Option<Pattern>,
        /// Which lines are joined; all of them unless given. A line is tested with its delimiter, so write
        /// `(?m)` where `$` is to match before it.
        grouping: Option<Pattern>,
        /// The most lines of one record; negative for any number.
        max_lines: i64 = 99,
    }
}

/// The plugin type.
pub static TYPE: PluginType = PluginType {
    name: "PatternGroupingSplitter",
    summary: "Joins consecutive lines that match a regular expression into one record.",
    settings: PatternGroupingSettings::table,
    defaults: Defaults::NONE,
    make: Make::Splitter(read),
};

struct Spec {
    lines: Result<Delimiter, String>,
    grouping: Option<Regex>,
    max_lines: Option<u64>,
}

fn read(table: &Table, problems: &mut Problems) -> Arc<dyn SplitterSpec> {
    let settings = PatternGroupingSettings::read(table, problems);
    let place = |key| table.get(key).map_or(Place::NOWHERE, |entry| entry.value.place);
    let lines = match &settings.delimiter {
        Some(pattern) => Delimiter::new(&pattern.0),
        None => Regex::new(r"\n").map_err(|error| error.to_string()).and_then(|regex| Delimiter::new(&regex)),
    };
    if let Err(error) = &lines {
        problems.push(Problem::error(place("delimiter"), error).help("write what ends a line"));
    }
    if settings.max_lines == 0 {
        let problem = Problem::error(place("max_lines"), "records of at most 0 lines would deliver nothing");
        problems.push(problem.help("use a positive number, or -1 for any number of lines"));
    }
    let grouping = settings.grouping.map(|pattern| pattern.0);
    Arc::new(Spec { lines, grouping, max_lines: u64::try_from(settings.max_lines).ok() })
}

impl Spec {
    fn splitter(&self, globals: &Globals) -> Result<PatternGroupingSplitter, String> {
        Ok(PatternGroupingSplitter {
            lines: self.lines.clone()?,
            grouping: self.grouping.clone(),
            max_lines: self.max_lines.unwrap_or(u64::MAX),
            max_record: globals.max_record_size(),
            state: State::default(),
        })
    }
}

impl SplitterSpec for Spec {
    fn build(&self, site: &Site) -> Result<Box<dyn Splitter>, PluginError> {
        Ok(Box::new(self.splitter(&site.globals).map_err(PluginError::fatal)?))
    }
}

/// See the module.
pub struct PatternGroupingSplitter {
    lines: Delimiter,
    /// All lines match when absent.
    grouping: Option<Regex>,
    max_lines: u64,
    max_record: usize,
    state: State,
}

/// What is known of the rest.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct State {
    /// Lines of the group that the rest begins with, and the bytes they take.
    group_lines: u64,
    group_end: usize,
    /// Where in the rest the search for the line's end goes on.
    from: usize,
    /// The rest belongs to a line that has been given up.
    giving_up: bool,
}

impl Splitter for PatternGroupingSplitter {
    fn split(&mut self, data: &[u8], last: bool, records: &mut Vec<Record>) -> usize {
        let State { mut group_lines, group_end, from, mut giving_up } = self.state;
        let mut start = 0; // of the group, or of the line when there is no group
        let mut line = group_end.min(data.len());
        let mut from = from.min(data.len()).max(line);
        while let Some(found) = self.lines.find(&data[line..], from - line, last).filter(|found| !found.open) {
            let end = line + found.end;
            let joins = !giving_up && self.grouping.as_ref().is_none_or(|g| g.is_match(&data[line..end]));
            if group_lines > 0 && (!joins || end - start > self.max_record) {
                records.push(Record::unsigned(start, line));
                (start, group_lines) = (line, 0);
            }
            group_lines += u64::from(joins);
            if !joins || group_lines == self.max_lines {
                if !std::mem::take(&mut giving_up) {
                    records.push(Record::unsigned(start, end));
                }
                (start, group_lines) = (end, 0);
            }
            (line, from) = (end, end);
        }
        let next_line_is_coming = line < data.len() && !last && data.len() - start <= self.max_record;
        if group_lines > 0 && !next_line_is_coming {
            records.push(Record::unsigned(start, line));
            (start, group_lines) = (line, 0);
        }
        let from = from.max(line + self.lines.resume(data.len() - line)) - start;
        self.state = State { group_lines, group_end: line - start, from, giving_up };
        if last {
            self.state = State::default();
        }
        match giving_up {
            true if last => data.len(),
            true => start + self.give_up(&data[start..]),
            false => start,
        }
    }

    fn give_up(&mut self, rest: &[u8]) -> usize {
        self.state = State { giving_up: true, ..State::default() };
        rest.len().saturating_sub(self.lines.reach())
    }

    fn slack(&self) -> usize {
        self.lines.reach()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::splitters::testing::{arrivals, cut_all, site, split_all, splits_alike_however_it_arrives};
    use heka_settings::Data;
    use proptest::prelude::*;

    fn splitter(grouping: &str, max_lines: i64, max_record: usize) -> PatternGroupingSplitter {
        let table = Table::default()
            .with("grouping", Data::String(grouping.into()))
            .with("max_lines", Data::Integer(max_lines));
        let mut problems = Problems::default();
        let settings = PatternGroupingSettings::read(&table, &mut problems);
        assert!(problems.is_empty());
        PatternGroupingSplitter {
            lines: Delimiter::new(&Regex::new(r"\n").unwrap()).unwrap(),
            grouping: settings.grouping.map(|pattern| pattern.0),
            max_lines: u64::try_from(max_lines).unwrap_or(u64::MAX),
            max_record,
            state: State::default(),
        }
    }

    #[test]
    fn records() {
        // Text, grouping, max_lines, records, what is left over.
        let cases: [(&str, &str, i64, &[&str], &str); 10] = [
            ("a\n b\n c\nd\n", "^ ", 99, &["a\n", " b\n c\n", "d\n"], ""),
            ("a\n b\nc\nd\n", "^ ", 99, &["a\n", " b\n", "c\n", "d\n"], ""), // the line behind one match stays out
            (" b\n", "^ ", 99, &[" b\n"], ""),                               // only the first line of a group
            (" b\npart", "^ ", 99, &[], " b\npart"),
            ("a\n b\n c\npart", "^ ", 99, &["a\n"], " b\n c\npart"),
            ("1\n2\n3\n4\n5\n", "", 2, &["1\n2\n", "3\n4\n", "5\n"], ""),
            ("1\n2\n3\n", "", -1, &["1\n2\n3\n"], ""),
            ("1\n2\n", "", 1, &["1\n", "2\n"], ""),
            ("\n\n", "^$", 99, &["\n", "\n"], ""),
            ("ok\nok\nok!\n", "(?m)^ok$", 99, &["ok\nok\n", "ok!\n"], ""),
        ];
        for (text, grouping, max_lines, expected, left) in cases {
            let (records, consumed) = split_all(&mut splitter(grouping, max_lines, 1000), text.as_bytes());
            let records: Vec<_> = records.iter().map(|r| std::str::from_utf8(r).unwrap()).collect();
            assert_eq!((records.as_slice(), &text[consumed..]), (expected, left), "{grouping} in {text:?}");
        }
    }

    #[test]
    fn a_group_never_grows_beyond_the_largest_record() {
        let text = b"1234\n567\n89\n0\n";
        let expected = [&b"1234\n567\n"[..], b"89\n0\n"];
        assert_eq!(split_all(&mut splitter("", -1, 9), text).0, expected);
        // Also when the line that makes it too long is still on its way.
        assert_eq!(split_all(&mut splitter("", -1, 9), b"1234\n567\n8"), (vec![b"1234\n567\n".to_vec()], 9));
    }

    #[test]
    fn the_end_of_the_stream_completes_the_group_but_not_the_line() {
        let mut records = Vec::new();
        let consumed = splitter("^ ", 99, 1000).split(b" a\n b\n c", true, &mut records);
        assert_eq!((records, consumed), (vec![Record::unsigned(0, 6)], 6));
    }

    #[test]
    fn options() {
        for (key, value) in [("max_lines", Data::Integer(0)), ("delimiter", Data::String(String::new()))] {
            let mut problems = Problems::default();
            read(&Table::default().with(key, value), &mut problems);
            assert!(problems.has_errors(), "{key}");
        }
        let mut problems = Problems::default();
        let spec = read(&Table::default().with("delimiter", Data::String("(;|,)".into())), &mut problems);
        assert!(problems.is_empty());
        assert_eq!(split_all(spec.build(&site()).unwrap().as_mut(), b"a;b,c").1, 0);
    }

    proptest! {
        #[test]
        fn arrival_does_not_matter_as_long_as_no_pause_follows_a_line(
            text in "[ab\n]{0,120}", sizes in prop::collection::vec(1usize..30, 1..40),
            max_lines in prop_oneof![Just(-1), 1i64..5], max in 1usize..60
        ) {
            // A chunk that would end with a line goes on with the next one.
            let mut chunks: Vec<usize> = vec![0];
            for chunk in arrivals(text.as_bytes(), &sizes) {
                *chunks.last_mut().unwrap() += chunk.len();
                if !chunk.ends_with(b"\n") {
                    chunks.push(0);
                }
            }
            chunks.retain(|len| *len > 0);
            splits_alike_however_it_arrives(
                || Box::new(splitter("a", max_lines, max)), text.as_bytes(), &chunks, max,
            );
        }

        #[test]
        fn any_pauses_leave_the_lines_as_they_are(
            text in "[ab\n]{0,120}", sizes in prop::collection::vec(1usize..30, 1..40), max_lines in 1i64..5
        ) {
            let chunks = arrivals(text.as_bytes(), &sizes);
            let (records, _) = cut_all(Box::new(splitter("a", max_lines, 1000)), &chunks, 1000, false, false);
            let end = text.rfind('\n').map_or(0, |at| at + 1);
            prop_assert_eq!(records.concat(), &text.as_bytes()[..end]);
            prop_assert!(records.iter().all(|r| r.ends_with(b"\n")));
        }
    }
}
