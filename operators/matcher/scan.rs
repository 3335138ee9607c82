//! One predicate over the rows of a batch.

use crate::atom::{Atom, FieldPath, TextTest, TextVariable};
use heka_message::{Batch, FieldRef, FieldValue, Row, RowRef, RowSet, Span};

/// The rows among `within` for which the predicate holds.
pub(crate) fn scan(atom: &Atom, batch: &Batch, within: &RowSet) -> RowSet {
    match atom {
        Atom::Text(variable, test) => match variable {
            TextVariable::Uuid => rows_where(batch, within, |row| atom.holds(batch.row(row))),
            TextVariable::Type => scan_text(batch, within, test, |row| row.msg_type),
            TextVariable::Logger => scan_text(batch, within, test, |row| row.logger),
            TextVariable::Payload => scan_text(batch, within, test, |row| row.payload),
            TextVariable::EnvVersion => scan_text(batch, within, test, |row| row.env_version),
            TextVariable::Hostname => scan_text(batch, within, test, |row| row.hostname),
        },
        Atom::Number(variable, test) => {
            let (variable, test) = (*variable, *test);
            rows_where(batch, within, |row| test.holds_for_integer(variable.read(batch.row(row))))
        }
        Atom::Field(path, test) => {
            let mut finder = FieldFinder::new(path);
            rows_where(batch, within, |row| test.holds(finder.find(batch.row(row))))
        }
        Atom::Signer(signer) => {
            let rows = batch.raw_rows();
            let mut last = None;
            rows_where(batch, within, |row| match last {
                Some((index, holds)) if index == rows[row].signer => holds,
                _ => {
                    let holds = batch.row(row).signer() == signer.as_bytes();
                    last = Some((rows[row].signer, holds));
                    holds
                }
            })
        }
    }
}

/// The rows among `within` that pass; the others are not tested.
pub(crate) fn rows_where(batch: &Batch, within: &RowSet, mut test: impl FnMut(usize) -> bool) -> RowSet {
    let rows = batch.len();
    match within {
        RowSet::None => RowSet::None,
        RowSet::All => RowSet::from_fn(rows, test),
        RowSet::Bits(_) => {
            let mut words = vec![0u64; rows.div_ceil(64)];
            for row in within.iter(rows) {
                words[row / 64] |= u64::from(test(row)) << (row % 64);
            }
            RowSet::from_words(words, rows)
        }
    }
}

/// Header strings: most rows of a batch share a text, so the outcome for the last one is remembered, and a
/// batch with one text costs no bitmap.
fn scan_text(batch: &Batch, within: &RowSet, test: &TextTest, span: impl Fn(&Row) -> Span) -> RowSet {
    let rows = batch.raw_rows();
    let Some(first) = rows.first() else { return RowSet::None };
    let mut last = span(first);
    let mut holds = test.holds(batch.text(last));
    if rows.iter().all(|row| span(row) == last) {
        return if holds { within.clone() } else { RowSet::None };
    }
    rows_where(batch, within, |row| {
        let next = span(&rows[row]);
        if next != last {
            last = next;
            holds = test.holds(batch.text(next));
        }
        holds
    })
}

/// Looks up one field in row after row. Names are mostly interned: where one was right, the same span is
/// right again without a look at the text.
pub(crate) struct FieldFinder<'p> {
    path: &'p FieldPath,
    known: Span,
}

impl<'p> FieldFinder<'p> {
    /// For the rows of one batch.
    pub(crate) fn new(path: &'p FieldPath) -> Self {
        FieldFinder { path, known: Span::NONE }
    }

    #[inline]
    fn is_named(&mut self, field: FieldRef<'_>) -> bool {
        let span = field.raw().name;
        // The length comes first: it differs for most other names, and no name is as empty as an unset span.
        if span.len() != self.path.name.len() {
            return false;
        }
        if span != self.known {
            if field.name() != self.path.name.as_bytes() {
                return false;
            }
            self.known = span;
        }
        true
    }

    /// The value of `row`, if it has one.
    #[inline]
    pub(crate) fn find<'a>(&mut self, row: RowRef<'a>) -> Option<FieldValue<'a>> {
        let path = self.path;
        row.fields().filter(|field| self.is_named(*field)).nth(path.field)?.value(path.value)
    }
}
