//! How much room to make for a block of encoded messages.
//!
//! A block that doubles its way up is copied as often, and leaves memory behind. Room is made only for what is selected:
//! blocks are kept until they are delivered, and a matcher may pick one line in a thousand.

use heka_message::Selection;

/// How many bytes messages take encoded, beside those they were read from.
pub struct Sizes {
    /// Encoded bytes for 1024 bytes of source.
    factor: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Sizes { factor: 1024 }
    }
}

impl Sizes {
    /// The part of its source that is selected.
    pub fn source(selection: &Selection) -> usize {
        selection.batch.source().len() * selection.len() / selection.batch.len().max(1)
    }

    /// So many source bytes have become so many.
    pub fn learn(&mut self, source: usize, encoded: usize) {
        if let Some(factor) = encoded.saturating_mul(1024).checked_div(source) {
            self.factor = factor.clamp(64, 64 * 1024);
        }
    }

    /// Bytes to make room for in a block of at least `enough` bytes that begins with `waiting`, if there are so many: a
    /// little more than it is likely to need.
    pub fn next_block<'a>(&self, waiting: impl Iterator<Item = &'a Selection>, enough: usize) -> usize {
        let (mut source, mut records) = (0usize, 0);
        for selection in waiting {
            source += Sizes::source(selection);
            records += selection.len();
            if self.encoded(source) >= enough {
                break;
            }
        }
        let likely = self.encoded(source);
        (likely + likely / 16).min(2 * enough) + records
    }

    fn encoded(&self, source: usize) -> usize {
        source.saturating_mul(self.factor) / 1024
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heka_message::{BatchBuilder, RowSet, Span};

    #[test]
    fn room_is_made_for_what_is_selected_and_grows_with_what_was_encoded() {
        let mut builder = BatchBuilder::new(bytes::Bytes::from(vec![b'x'; 1000]));
        (0..10).for_each(|i| builder.row().payload = Span::source(i * 100..(i + 1) * 100));
        let all = Selection::all(builder.finish());
        let few = Selection { rows: RowSet::from_fn(10, |row| row == 3), batch: all.batch.clone() };
        assert_eq!((Sizes::source(&all), Sizes::source(&few)), (1000, 100));
        let mut sizes = Sizes::default();
        assert_eq!(sizes.next_block([&all, &few].into_iter(), 4096), 1168 + 11);
        assert_eq!(sizes.next_block([&all, &few].into_iter(), 1000), 1062 + 10, "the first is enough");
        sizes.learn(1000, 2000);
        assert_eq!(sizes.next_block([&all].into_iter(), 4096), 2125 + 10);
        sizes.learn(0, 10);
        sizes.learn(1, usize::MAX);
        assert_eq!(sizes.next_block([&all].into_iter(), 4096), 2 * 4096 + 10, "no estimate makes a giant of a block");
    }
}
