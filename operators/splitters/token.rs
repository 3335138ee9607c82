//! Records that end with one byte, a line's end unless told otherwise. The splitter of most streams, so it does
//! nothing but find that byte.

use crate::plugin::{PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use crate::splitters::{Record, Splitter, SplitterSpec};
use heka_settings::{Place, Problem, Problems, Settings, Table, settings};
use std::sync::Arc;

settings! {
    /// Options of `TokenSplitter`.
    pub struct TokenSettings {
        /// The byte that ends a record; it belongs to the record.
        delimiter: String = "\n",
        /// How many delimiters make a record; 0 counts as 1.
        count: u32 = 1u32,
    }
}

/// The plugin type.
pub static TYPE: PluginType = PluginType {
    name: "TokenSplitter",
    summary: "Ends a record at a byte, or at every n-th one of them.",
    settings: TokenSettings::table,
    defaults: Defaults::NONE,
    make: Make::Splitter(read),
};

struct Spec {
    delimiter: u8,
    count: u32,
}

fn read(table: &Table, problems: &mut Problems) -> Arc<dyn SplitterSpec> {
    let settings = TokenSettings::read(table, problems);
    let delimiter = match settings.delimiter.as_bytes() {
        [byte] => *byte,
        _ => {
            let place = table.get("delimiter").map_or(Place::NOWHERE, |entry| entry.value.place);
            problems.push(
                Problem::error(place, "TokenSplitter delimiter must be a single character.")
                    .help("write one ASCII character; for more than one use a RegexSplitter"),
            );
            b'\n'
        }
    };
    Arc::new(Spec { delimiter, count: settings.count.max(1) })
}

impl SplitterSpec for Spec {
    fn build(&self, _: &Site) -> Result<Box<dyn Splitter>, PluginError> {
        Ok(Box::new(TokenSplitter::new(self.delimiter, self.count)))
    }
}

/// See the module.
#[derive(Debug)]
pub struct TokenSplitter {
    delimiter: u8,
    count: u32,
    /// Bytes at the front of the rest that have been searched, and the delimiters among them.
    searched: usize,
    seen: u32,
    /// The rest belongs to a record that has been given up.
    giving_up: bool,
}

impl TokenSplitter {
    /// A record ends at every `count`-th `delimiter`.
    pub fn new(delimiter: u8, count: u32) -> Self {
        TokenSplitter { delimiter, count: count.max(1), searched: 0, seen: 0, giving_up: false }
    }
}

impl Splitter for TokenSplitter {
    fn split(&mut self, data: &[u8], last: bool, records: &mut Vec<Record>) -> usize {
        let from = self.searched.min(data.len());
        let mut start = 0;
        records.reserve(data.len() / 128 / self.count as usize + 1);
        let mut ends = memchr::memchr_iter(self.delimiter, &data[from..]).map(|at| from + at + 1);
        if self.giving_up || self.count > 1 {
            for end in ends {
                self.seen += 1;
                if self.seen == self.count {
                    self.seen = 0;
                    if !std::mem::take(&mut self.giving_up) {
                        records.push(Record::unsigned(start, end));
                    }
                    start = end;
                }
            }
        } else {
            ends.by_ref().for_each(|end| {
                records.push(Record::unsigned(start, end));
                start = end;
            });
        }
        if self.giving_up {
            start = data.len();
        }
        self.searched = data.len() - start;
        if last {
            *self = TokenSplitter::new(self.delimiter, self.count);
        }
        start
    }

    fn give_up(&mut self, rest: &[u8]) -> usize {
        self.giving_up = true;
        self.searched = 0;
        rest.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::splitters::testing::{site, split_all, splits_alike_however_it_arrives};
    use heka_settings::Data;
    use proptest::prelude::*;

    #[test]
    fn records() {
        let cases: [(u8, u32, &str, &[&str], usize); 7] = [
            (b'\n', 1, "a\nbc\n\nd", &["a\n", "bc\n", "\n"], 6),
            (b'\n', 0, "a\nb\n", &["a\n", "b\n"], 4),
            (b'|', 1, "|a|b", &["|", "a|"], 3),
            (b'\n', 2, "a\nb\nc\nd\ne\n", &["a\nb\n", "c\nd\n"], 8),
            (b'\n', 3, "a\nb\n", &[], 0),
            (b'\n', 1, "abc", &[], 0),
            (b'\n', 1, "", &[], 0),
        ];
        for (delimiter, count, text, expected, consumed) in cases {
            let found = split_all(&mut TokenSplitter::new(delimiter, count), text.as_bytes());
            assert_eq!(found, (expected.iter().map(|r| r.as_bytes().to_vec()).collect(), consumed), "{text:?}");
        }
    }

    #[test]
    fn the_delimiter_is_one_byte() {
        for delimiter in ["", "ab", "é"] {
            let mut problems = Problems::default();
            read(&Table::default().with("delimiter", Data::String(delimiter.into())), &mut problems);
            let messages: Vec<_> = problems.iter().map(|p| p.message.as_str()).collect();
            assert_eq!(messages, ["TokenSplitter delimiter must be a single character."], "{delimiter:?}");
        }
        let mut problems = Problems::default();
        let spec = read(&Table::default().with("delimiter", Data::String("\t".into())), &mut problems);
        assert!(problems.is_empty());
        let mut splitter = spec.build(&site()).unwrap();
        assert_eq!(split_all(splitter.as_mut(), b"a\tb").0, [b"a\t"]);
    }

    proptest! {
        #[test]
        fn arrival_does_not_matter(data in prop::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..200),
                                   sizes in prop::collection::vec(1usize..40, 1..40), count in 0u32..4,
                                   max in 1usize..60) {
            splits_alike_however_it_arrives(|| Box::new(TokenSplitter::new(b'\n', count)), &data, &sizes, max);
        }
    }
}
