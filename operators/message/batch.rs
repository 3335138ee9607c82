//! Many messages in one allocation group: source bytes, arena, rows, fields.

use crate::{Field, Row, RowRef, RowSet, Span};
use bytes::Bytes;
use std::any::Any;
use std::sync::{Arc, OnceLock};

/// Where a batch came from: restores order after parallel steps and names the stream in reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Origin {
    /// The node of the plan that made the batch.
    pub source: u32,
    /// Counts the batches of that source.
    pub sequence: u64,
}

/// One lazily filled bitmap per predicate of the plan: each predicate is evaluated at most once per batch.
#[derive(Debug, Default)]
pub struct BitmapSlots(OnceLock<Box<[OnceLock<RowSet>]>>);

impl BitmapSlots {
    /// The bitmap of predicate `index` out of `count`, computed by `fill` the first time it is asked for.
    pub fn get_or_fill(&self, index: usize, count: usize, fill: impl FnOnce() -> RowSet) -> &RowSet {
        let slots = self.0.get_or_init(|| (0..count).map(|_| OnceLock::new()).collect());
        slots[index].get_or_init(fill)
    }
}

/// Many messages. Immutable once it is shared; see [`BatchBuilder`](crate::BatchBuilder) for making one.
#[derive(Default)]
pub struct Batch {
    /// The bytes a source delivered.
    pub(crate) source: Bytes,
    /// Text made since.
    pub(crate) arena: Vec<u8>,
    pub(crate) rows: Vec<Row>,
    pub(crate) fields: Vec<Field>,
    /// Words of fields with several values.
    pub(crate) values: Vec<u64>,
    /// Names of verified signers, referred to by [`Row::signer`].
    pub(crate) signers: Vec<Arc<[u8]>>,
    /// Where the batch came from.
    pub origin: Origin,
    /// Bitmaps of the plan's predicates.
    pub bitmaps: BitmapSlots,
    /// Returned to the source's budget when the last holder of the batch lets go.
    pub(crate) credits: Vec<Arc<dyn Any + Send + Sync>>,
}

impl Batch {
    /// How many messages.
    #[inline]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no message.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The message at `index`; panics when there is none, as slices do.
    #[inline]
    pub fn row(&self, index: usize) -> RowRef<'_> {
        RowRef { batch: self, row: &self.rows[index] }
    }

    /// All messages, in order.
    pub fn rows(&self) -> impl Iterator<Item = RowRef<'_>> {
        self.rows.iter().map(move |row| RowRef { batch: self, row })
    }

    /// The stored form of all headers.
    pub fn raw_rows(&self) -> &[Row] {
        &self.rows
    }

    /// The text at `span`; empty when unset.
    #[inline]
    pub fn text(&self, span: Span) -> &[u8] {
        if span.in_arena() { &self.arena[span.range()] } else { &self.source[span.range()] }
    }

    /// The bytes the source delivered.
    pub fn source(&self) -> &Bytes {
        &self.source
    }

    /// Bytes held in memory on behalf of this batch, approximately.
    pub fn footprint(&self) -> usize {
        self.source.len()
            + self.arena.capacity()
            + self.rows.capacity() * size_of::<Row>()
            + self.fields.capacity() * size_of::<Field>()
            + self.values.capacity() * 8
    }

    /// Ties something to the batch's life: a credit that returns when the last holder lets go.
    pub fn hold(&mut self, credit: Arc<dyn Any + Send + Sync>) {
        self.credits.push(credit);
    }
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Batch({} rows, {:?})", self.rows.len(), self.origin)
    }
}
