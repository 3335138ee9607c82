//! Records that a regular expression delimits. With a capture group the captured text stays: at the end of the
//! record, or at the beginning of the next one.

use crate::plugin::{PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use crate::splitters::delimiter::Delimiter;
use crate::splitters::{Record, Splitter, SplitterSpec};
use ::regex::bytes::Regex;
use heka_settings::{Pattern, Place, Problem, Problems, Settings, Table, settings};
use std::sync::Arc;

settings! {
    /// Options of `RegexSplitter`.
    pub struct RegexSettings {
        /// What lies between records; a line's end unless given. It is discarded, except for what a capture
        /// group in it matches; at most one group is allowed.
        delimiter: Option<Pattern>,
        /// Whether captured text ends the record before it; otherwise it begins the record behind it, which
        /// is then only complete when the next delimiter arrives.
        delimiter_eol: bool = true,
    }
}

/// The plugin type.
pub static TYPE: PluginType = PluginType {
    name: "RegexSplitter",
    summary: "Delimits records by a regular expression.",
    settings: RegexSettings::table,
    defaults: Defaults::NONE,
    make: Make::Splitter(read),
};

struct Spec(Result<RegexSplitter, String>);

fn read(table: &Table, problems: &mut Problems) -> Arc<dyn SplitterSpec> {
    let settings = RegexSettings::read(table, problems);
    let pattern = settings.delimiter.as_ref().map(|pattern| &pattern.0);
    let splitter = RegexSplitter::new(pattern, settings.delimiter_eol);
    if let Err(error) = &splitter {
        let place = table.get("delimiter").map_or(Place::NOWHERE, |entry| entry.value.place);
        problems.push(Problem::error(place, error).help("group without capturing by (?:…)"));
    }
    Arc::new(Spec(splitter))
}

impl SplitterSpec for Spec {
    fn build(&self, _: &Site) -> Result<Box<dyn Splitter>, PluginError> {
        match &self.0 {
            Ok(splitter) => Ok(Box::new(splitter.clone())),
            Err(error) => Err(PluginError::fatal(error)),
        }
    }
}

/// See the module.
#[derive(Clone)]
pub struct RegexSplitter {
    delimiter: Delimiter,
    captured_ends: bool,
    /// Where in the rest the search goes on.
    from: usize,
    /// The rest belongs to a record that has been given up.
    giving_up: bool,
}

impl RegexSplitter {
    /// Splits at `delimiter`, or at `\n`; `captured_ends` says which record keeps what is captured.
    ///
    /// # Errors
    /// When the expression has more than one group, or matches the empty text.
    pub fn new(delimiter: Option<&Regex>, captured_ends: bool) -> Result<Self, String> {
        let line_end;
        let regex = match delimiter {
            Some(regex) => regex,
            None => {
                line_end = Regex::new(r"\n").map_err(|error| error.to_string())?;
                &line_end
            }
        };
        if regex.captures_len() > 2 {
            return Err(format!("regex must not contain more than one capture group: {}", regex.as_str()));
        }
        Ok(RegexSplitter { delimiter: Delimiter::new(regex)?, captured_ends, from: 0, giving_up: false })
    }

    fn deliver(&mut self, start: usize, len: usize, records: &mut Vec<Record>) {
        // The delimiter that has been found ends a record that has been given up, too.
        if !std::mem::take(&mut self.giving_up) && len > 0 {
            records.push(Record::unsigned(start, start + len));
        }
    }
}

impl Splitter for RegexSplitter {
    fn split(&mut self, data: &[u8], last: bool, records: &mut Vec<Record>) -> usize {
        let mut start = 0;
        let mut from = self.from.min(data.len());
        // Each record is searched as if it stood alone, so that it does not matter what came before it.
        while let Some(found) = self.delimiter.find(&data[start..], from, last) {
            match found.captured {
                Some((_, end)) if self.captured_ends => {
                    if found.open {
                        from = 0;
                        break;
                    }
                    self.deliver(start, end, records);
                    start += found.end;
                }
                // What begins the record under way, not what ends it.
                Some((0, _)) if !self.giving_up => {
                    if found.open {
                        from = 0;
                        break;
                    }
                    from = found.end;
                    continue;
                }
                captured => {
                    self.deliver(start, found.start, records);
                    if found.open {
                        // The record is complete already; the delimiter is looked at again with more behind it.
                        start += found.start;
                        from = 0;
                        break;
                    }
                    start += captured.map_or(found.end, |(begin, _)| begin);
                }
            }
            from = 0;
        }
        self.from = from.max(self.delimiter.resume(data.len() - start));
        if last {
            if self.giving_up {
                start = data.len();
            }
            (self.from, self.giving_up) = (0, false);
        } else if self.giving_up {
            start = start.max(data.len().saturating_sub(self.delimiter.reach()));
            self.from = 0;
        }
        start
    }

    fn give_up(&mut self, rest: &[u8]) -> usize {
        self.giving_up = true;
        self.from = 0;
        rest.len().saturating_sub(self.delimiter.reach())
    }

    fn slack(&self) -> usize {
        self.delimiter.reach()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::splitters::testing::{arrivals, cut_all, split_all, splits_alike_however_it_arrives};
    use heka_settings::Data;
    use proptest::prelude::*;

    fn splitter(pattern: &str, captured_ends: bool) -> RegexSplitter {
        RegexSplitter::new(Some(&Regex::new(pattern).unwrap()), captured_ends).unwrap()
    }

    #[test]
    fn records() {
        // Pattern, delimiter_eol, text, records, what is left over.
        let cases: [(&str, bool, &str, &[&str], &str); 13] = [
            (r"\n", true, "a\nbc\nd", &["a", "bc"], "d"),
            (r"\n", true, "\n\na\n\nb\n", &["a", "b"], ""), // blank lines hold nothing up
            (r"\n+", true, "a\n\n\nb\n", &["a", "b"], "\n"),
            (r"(\n)", true, "a\n\nb", &["a\n", "\n"], "b"),
            (r"(;)\s", true, "a; b; c", &["a;", "b;"], "c"),
            (r"\n(# )", false, "# one\nx\n# two\ny\n# three\n", &["# one\nx", "# two\ny"], "# three\n"),
            (r"\n(# )", false, "before\n# one\n# two", &["before", "# one"], "# two"),
            (r"\n(# )", false, "\n# one\n# two", &["# one"], "# two"), // a captured start begins the block
            (r"(# )", false, "# one\n# two\n", &["# one\n"], "# two\n"),
            (r"(# )", false, "# # # ", &["# ", "# "], "# "),
            (r"(#+)", false, "##a##b#", &["##a", "##b"], "#"),
            (r"\n(# )?", false, "a\nb\n# c\n", &["a", "b", "# c"], "\n"),
            (r"\r\n|\r|\n", true, "a\r\nb\rc\nd", &["a", "b", "c"], "d"),
        ];
        for (pattern, captured_ends, text, expected, left) in cases {
            let (records, consumed) = split_all(&mut splitter(pattern, captured_ends), text.as_bytes());
            let records: Vec<_> = records.iter().map(|r| std::str::from_utf8(r).unwrap()).collect();
            assert_eq!((records.as_slice(), &text[consumed..]), (expected, left), "{pattern} in {text:?}");
        }
    }

    #[test]
    fn options() {
        let read = |table: Table| {
            let mut problems = Problems::default();
            let spec = read(&table, &mut problems);
            (spec.build(&crate::splitters::testing::site()), problems)
        };
        let (built, problems) = read(Table::default());
        assert!(problems.is_empty());
        assert_eq!(split_all(built.unwrap().as_mut(), b"a\nb").0, [b"a"]);
        let (built, problems) = read(Table::default().with("delimiter", Data::String("(a)(b)".into())));
        assert_eq!(
            problems.iter().map(|p| p.message.as_str()).collect::<Vec<_>>(),
            ["regex must not contain more than one capture group: (a)(b)"]
        );
        assert!(built.is_err());
        for refused in ["(", "x*"] {
            let (_, problems) = read(Table::default().with("delimiter", Data::String(refused.into())));
            assert!(problems.has_errors(), "{refused}");
        }
    }

    #[test]
    fn a_delimiter_that_may_go_on_does_not_hold_its_record_back() {
        let mut splitter = splitter(r"\n+", true);
        assert_eq!(split_all(&mut splitter, b"a\n"), (vec![b"a".to_vec()], 1));
        assert_eq!(split_all(&mut splitter, b"\n\nb\n"), (vec![b"b".to_vec()], 3));
    }

    const PATTERNS: [(&str, bool); 14] = [
        (r"\n", true),
        (r"\n+", true),
        (r"(\n)", true),
        (r"(\n+)", true),
        (r"\r?\n", true),
        (r"(\r\n|\r|\n)", true),
        (r"\n(# )", false),
        (r"(# )", false),
        (r"(#+)", false),
        (r"\n(# )?", false),
        (r"\n(#*)", false),
        (r"\n#*", true),
        (r"a(\n)#", true),
        (r"#(a*)#", false),
    ];

    /// More than any pattern above of bounded length can take back.
    const REACH_OF_BOUNDED: usize = 100;

    proptest! {
        #[test]
        fn arrival_does_not_matter(text in "[a\n\r# é]{0,120}", sizes in prop::collection::vec(1usize..30, 1..40),
                                   which in 0..PATTERNS.len(), max in 4usize..60) {
            let (pattern, captured_ends) = PATTERNS[which];
            let make = || -> Box<dyn Splitter> { Box::new(splitter(pattern, captured_ends)) };
            // Beyond a delimiter's bounds nobody can tell a record that is too long by a few bytes.
            let max = if make().slack() < REACH_OF_BOUNDED { max } else { 10_000 };
            splits_alike_however_it_arrives(make, text.as_bytes(), &sizes, max);
        }

        #[test]
        fn any_bytes_are_taken(data in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'#'), any::<u8>()], 0..900),
                               sizes in prop::collection::vec(1usize..90, 1..40), which in 0..PATTERNS.len(),
                               max in 1usize..60) {
            let (pattern, captured_ends) = PATTERNS[which];
            let (_, sum) =
                cut_all(Box::new(splitter(pattern, captured_ends)), &arrivals(&data, &sizes), max, false, false);
            prop_assert_eq!(sum.consumed, data.len());
        }
    }
}
