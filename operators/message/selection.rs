//! What flows along the edges of the dataflow: some rows of a shared batch.

use crate::{Batch, RowRef, RowSet};
use std::sync::Arc;

/// Some rows of a shared batch. Cloning it shares the batch.
#[derive(Clone, Debug)]
pub struct Selection {
    /// The batch.
    pub batch: Arc<Batch>,
    /// Which of its rows.
    pub rows: RowSet,
}

impl Selection {
    /// All rows of a batch.
    pub fn all(batch: Batch) -> Self {
        Selection { batch: Arc::new(batch), rows: RowSet::All }
    }

    /// How many messages are selected.
    pub fn len(&self) -> usize {
        self.rows.count(self.batch.len())
    }

    /// Whether no message is selected.
    pub fn is_empty(&self) -> bool {
        self.rows.is_none() || self.batch.is_empty()
    }

    /// The first `count` of the selected messages, and the rest if there is any.
    pub fn split_first(self, count: usize) -> (Selection, Option<Selection>) {
        // The length of the batch is known at once, that of a selection is not.
        if count >= self.batch.len() {
            return (self, None);
        }
        let (first, rest) = self.rows.split_first(count, self.batch.len());
        let rest = (!rest.is_none()).then(|| Selection { batch: self.batch.clone(), rows: rest });
        (Selection { batch: self.batch, rows: first }, rest)
    }

    /// The selected messages, in order.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = RowRef<'_>> {
        self.rows.iter(self.batch.len()).map(move |row| self.batch.row(row))
    }
}

impl From<Batch> for Selection {
    fn from(batch: Batch) -> Self {
        Selection::all(batch)
    }
}
