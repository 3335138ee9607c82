//! How much room an output's block needs, learnt from what messages have become so far.

use crate::engine::Time;
use heka_message::Selection;
use timely::dataflow::operators::Capability;

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

    /// Bytes to make room for, a little more than `source` bytes and `records` records are likely to need, and not much
    /// more than `limit`.
    fn room(&self, source: usize, records: usize, limit: usize) -> usize {
        let likely = source * self.factor / 1024;
        (likely + likely / 16).min(2 * limit) + records
    }

    /// So many source bytes have become so many.
    pub fn learn(&mut self, source: usize, encoded: usize) {
        if let Some(factor) = encoded.saturating_mul(1024).checked_div(source) {
            self.factor = factor.clamp(64, 64 * 1024);
        }
    }

    /// The room for the block that comes next: a block that doubles its way up is copied as often, and leaves memory
    /// behind. Only for what is selected: blocks are kept until they are delivered, and a matcher may pick one line in
    /// a thousand.
    pub fn next_block<'a>(
        &self,
        waiting: impl Iterator<Item = &'a (Capability<Time>, Selection)> + Clone,
        limit: usize,
    ) -> usize {
        let (mut source, mut records) = (0, 0);
        let first = waiting.clone().next().map(|(capability, _)| capability.time());
        for (_, selection) in waiting.take_while(|(capability, _)| Some(capability.time()) == first) {
            source += Sizes::source(selection);
            records += selection.len();
            if source * self.factor / 1024 >= limit {
                break;
            }
        }
        self.room(source, records, limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heka_message::{BatchBuilder, Span};

    const LIMIT: usize = 256 * 1024;

    #[test]
    fn room_is_made_for_what_is_selected_and_grows_with_what_was_encoded() {
        let mut builder = BatchBuilder::new(bytes::Bytes::from(vec![b'x'; 1000]));
        (0..10).for_each(|i| builder.row().payload = Span::source(i * 100..(i + 1) * 100));
        let all = Selection::all(builder.finish());
        let few = Selection { rows: heka_message::RowSet::from_fn(10, |row| row == 3), batch: all.batch.clone() };
        assert_eq!((Sizes::source(&all), Sizes::source(&few)), (1000, 100));
        let mut sizes = Sizes::default();
        assert_eq!(sizes.room(1000, 10, LIMIT), 1072);
        sizes.learn(1000, 2000);
        assert_eq!(sizes.room(1000, 10, LIMIT), 2135);
        sizes.learn(0, 10);
        sizes.learn(1, usize::MAX);
        assert!(sizes.room(1 << 20, 1, LIMIT) <= 2 * LIMIT + 1, "no estimate makes a giant of a block");
    }
}
