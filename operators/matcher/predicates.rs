//! The predicates of all matchers of a plan, evaluated at most once per batch however many matchers ask.

use crate::atom::Atom;
use crate::equality::EqualityGroup;
use crate::scan::scan;
use heka_message::{Batch, RowRef, RowSet};

/// The atomic predicates of a plan's matchers. Their results for a batch lie on the batch.
#[derive(Debug)]
pub struct Predicates {
    entries: Vec<Entry>,
    groups: Vec<EqualityGroup>,
    /// Whether batches have slots for these predicates.
    cached: bool,
}

#[derive(Debug)]
struct Entry {
    atom: Atom,
    /// Whether more than one place in the plan asks for it.
    shared: bool,
    /// The group that settles it along with others.
    group: Option<usize>,
}

impl Predicates {
    /// From each predicate and how often it is used.
    pub(crate) fn new(atoms: Vec<(Atom, usize)>, cached: bool) -> Self {
        let groups = if cached { EqualityGroup::among(atoms.iter().map(|(atom, _)| atom)) } else { Vec::new() };
        let mut entries: Vec<Entry> =
            atoms.into_iter().map(|(atom, uses)| Entry { atom, shared: uses > 1, group: None }).collect();
        for (number, group) in groups.iter().enumerate() {
            for member in group.members() {
                entries[*member].group = Some(number); // members are numbers of `atoms`
            }
        }
        Predicates { entries, groups, cached }
    }

    /// How many different predicates there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no matcher tests anything.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The predicate with this number. Numbers come from the compiler that made this table, so that indexing
    /// fails only for the matcher of another one.
    fn entry(&self, number: usize) -> &Entry {
        &self.entries[number]
    }

    /// Whether predicate `number` holds for one message.
    #[inline]
    pub(crate) fn holds(&self, number: usize, row: RowRef<'_>) -> bool {
        self.entry(number).atom.holds(row)
    }

    /// The rows among `within` for which predicate `number` holds.
    pub(crate) fn select(&self, number: usize, batch: &Batch, within: &RowSet) -> RowSet {
        let entry = self.entry(number);
        let slots = self.entries.len() + self.groups.len();
        if let Some(group) = entry.group {
            // The group's own slot lets one thread do the work. Members are filled only under it, so that no
            // two threads can wait for each other.
            batch.bitmaps.get_or_fill(self.entries.len() + group, slots, || {
                let group = &self.groups[group]; // groups are numbered by `new`
                for (member, rows) in group.members().iter().zip(group.scan(batch)) {
                    batch.bitmaps.get_or_fill(*member, slots, || rows);
                }
                RowSet::None
            });
        } else if !self.cached || !entry.shared {
            // Nobody else will ask: look only at the rows this matcher still needs.
            return scan(&entry.atom, batch, within);
        }
        let rows = batch.bitmaps.get_or_fill(number, slots, || scan(&entry.atom, batch, &RowSet::All));
        within.and(rows, batch.len())
    }
}
