//! Many equality tests of one variable, as plans with many plugins have them (`Type == 'a'`, `Type == 'b'`, …):
//! one pass over a batch with one look-up a row settles them all.

use crate::atom::{Atom, FieldPath, FieldTest, TextTest, TextVariable};
use crate::relation::Relation;
use crate::scan::FieldFinder;
use heka_message::{Batch, FieldValue, RowRef, RowSet};
use std::collections::HashMap;

/// Fewest tests worth a group: below, testing each is as cheap as hashing.
const WORTH_IT: usize = 4;

/// What the tests of a group read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Subject {
    Header(TextVariable),
    Field(FieldPath),
}

/// Equality tests of one subject. Each text admits one of them at most.
#[derive(Debug)]
pub(crate) struct EqualityGroup {
    subject: Subject,
    /// From the literal to the position in `members`.
    by_literal: HashMap<Box<[u8]>, usize>,
    /// The predicates' numbers.
    members: Vec<usize>,
    /// Length of the longest literal: longer texts, such as most payloads, are not hashed.
    longest: usize,
}

impl EqualityGroup {
    /// The groups worth having among `atoms`.
    pub(crate) fn among<'a>(atoms: impl Iterator<Item = &'a Atom>) -> Vec<EqualityGroup> {
        let mut groups: HashMap<Subject, EqualityGroup> = HashMap::new();
        for (number, atom) in atoms.enumerate() {
            let (subject, literal) = match atom {
                // The Uuid has no text in the batch, and tests of it are rare.
                Atom::Text(TextVariable::Uuid, _) => continue,
                Atom::Text(variable, TextTest::Compare(Relation::Equal, literal)) => {
                    (Subject::Header(*variable), literal)
                }
                Atom::Field(path, FieldTest::Text(TextTest::Compare(Relation::Equal, literal))) => {
                    (Subject::Field(path.clone()), literal)
                }
                _ => continue,
            };
            let group = groups.entry(subject.clone()).or_insert_with(|| EqualityGroup {
                subject,
                by_literal: HashMap::new(),
                members: Vec::new(),
                longest: 0,
            });
            group.by_literal.insert(literal.as_bytes().into(), group.members.len());
            group.members.push(number);
            group.longest = group.longest.max(literal.len());
        }
        let mut worthy: Vec<_> = groups.into_values().filter(|group| group.members.len() >= WORTH_IT).collect();
        worthy.sort_by_key(|group| group.members[0]); // groups are never empty
        worthy
    }

    /// The predicates' numbers.
    pub(crate) fn members(&self) -> &[usize] {
        &self.members
    }

    /// The rows of each member, in the order of [`Self::members`].
    pub(crate) fn scan(&self, batch: &Batch) -> Vec<RowSet> {
        match &self.subject {
            Subject::Header(variable) => {
                let variable = *variable;
                self.assign(batch, |row| variable.span(row.raw()).map(|span| batch.text(span)))
            }
            Subject::Field(path) => {
                let mut finder = FieldFinder::new(path);
                self.assign(batch, |row| match finder.find(row) {
                    Some(FieldValue::String(text) | FieldValue::Bytes(text)) => Some(text),
                    _ => None,
                })
            }
        }
    }

    fn assign<'b>(&self, batch: &'b Batch, mut text: impl FnMut(RowRef<'b>) -> Option<&'b [u8]>) -> Vec<RowSet> {
        let rows = batch.len();
        // No words until a row is found.
        let mut words: Vec<Vec<u64>> = vec![Vec::new(); self.members.len()];
        let mut last: (Option<&[u8]>, Option<usize>) = (None, None);
        for (index, row) in batch.rows().enumerate() {
            let text = text(row);
            let same = match (text, last.0) {
                (Some(text), Some(last)) => std::ptr::eq(text, last),
                (text, last) => text.is_none() && last.is_none(),
            };
            if !same {
                let short = text.filter(|text| text.len() <= self.longest);
                last = (text, short.and_then(|text| self.by_literal.get(text).copied()));
            }
            if let Some(member) = last.1 {
                let words = &mut words[member];
                if words.is_empty() {
                    words.resize(rows.div_ceil(64), 0);
                }
                words[index / 64] |= 1 << (index % 64);
            }
        }
        words.into_iter().map(|words| RowSet::from_words(words, rows)).collect()
    }
}
