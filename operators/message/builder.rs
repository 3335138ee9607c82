//! Making batches: rows and fields are appended, text goes to the arena, a failed attempt rolls back.

use crate::field::span_word;
use crate::{Batch, Field, FieldValue, Flags, Origin, Row, RowRef, Span, ValueType};
use bytes::Bytes;
use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Appends messages to a batch that nobody shares yet.
#[derive(Debug, Default)]
pub struct BatchBuilder {
    pub(crate) batch: Batch,
    /// See [`BatchBuilder::generation`]; 0 until somebody asks.
    generation: u64,
}

/// The generations of all builders so far.
static GENERATIONS: AtomicU64 = AtomicU64::new(0);

/// A point to roll back to; see [`BatchBuilder::mark`].
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    rows: usize,
    fields: usize,
    values: usize,
    arena: usize,
}

/// How many fields the messages of a batch have: the next batch of the same source is likely to be alike.
#[derive(Clone, Copy, Debug, Default)]
pub struct FieldDensity {
    rows: usize,
    fields: usize,
}

impl FieldDensity {
    /// That of a batch.
    pub fn of(batch: &Batch) -> Self {
        FieldDensity { rows: batch.rows.len(), fields: batch.fields.len() }
    }
}

impl BatchBuilder {
    /// A builder whose rows may refer to ranges of `source`.
    pub fn new(source: Bytes) -> Self {
        BatchBuilder { batch: Batch { source, ..Batch::default() }, generation: 0 }
    }

    /// A builder over the same bytes as `batch`: spans of `batch` stay valid in it, and it holds the same
    /// credits. How decoders derive messages from records.
    pub fn over(batch: &Batch) -> Self {
        BatchBuilder {
            batch: Batch {
                source: batch.source.clone(),
                arena: batch.arena.clone(),
                rows: Vec::with_capacity(batch.rows.len()),
                signers: batch.signers.clone(),
                origin: batch.origin,
                credits: batch.credits.clone(),
                ..Batch::default()
            },
            generation: 0,
        }
    }

    /// Forgets everything, source and credits included, and starts again over `source`; the memory is kept.
    /// For builders that live longer than a message.
    pub fn restart(&mut self, source: Bytes) {
        self.generation = 0;
        let batch = &mut self.batch;
        batch.source = source;
        batch.arena.clear();
        batch.rows.clear();
        batch.fields.clear();
        batch.values.clear();
        batch.signers.clear();
        batch.credits.clear();
        batch.origin = Origin::default();
        batch.bitmaps = Default::default();
    }

    /// Like [`Self::restart`], but so that spans of `batch` are valid, and without its credits.
    pub fn restart_over(&mut self, batch: &Batch) {
        self.restart(batch.source.clone());
        self.batch.arena.extend_from_slice(&batch.arena);
        self.batch.signers.extend_from_slice(&batch.signers);
        self.batch.origin = batch.origin;
    }

    /// Goes on with a batch that nobody shares: its rows can be changed in place.
    pub fn reopen(batch: Batch) -> Self {
        BatchBuilder { batch: Batch { bitmaps: Default::default(), ..batch }, generation: 0 }
    }

    /// Room for this many rows more.
    pub fn reserve(&mut self, rows: usize) {
        self.batch.rows.reserve(rows);
    }

    /// Room for as many fields as `rows` messages like those of `model` have.
    pub fn reserve_fields_like(&mut self, model: FieldDensity, rows: usize) {
        self.batch.fields.reserve(model.fields.saturating_mul(rows).div_ceil(model.rows.max(1)));
    }

    /// How many messages so far.
    pub fn len(&self) -> usize {
        self.batch.rows.len()
    }

    /// Whether there is no message yet.
    pub fn is_empty(&self) -> bool {
        self.batch.rows.is_empty()
    }

    /// What has been built so far, for reading.
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// Names where the batch comes from.
    pub fn set_origin(&mut self, origin: Origin) {
        self.batch.origin = origin;
    }

    /// Ties a credit to the batch's life.
    pub fn hold(&mut self, credit: Arc<dyn Any + Send + Sync>) {
        self.batch.hold(credit);
    }

    /// Ties the credits of `batch` to this one's life as well: what is made of it takes its place in the budget.
    pub fn hold_credits_of(&mut self, batch: &Batch) {
        for credit in &batch.credits {
            if !self.batch.credits.iter().any(|held| Arc::ptr_eq(held, credit)) {
                self.batch.credits.push(credit.clone());
            }
        }
    }

    /// Copies text into the arena.
    #[inline]
    pub fn text(&mut self, text: &[u8]) -> Span {
        let start = self.batch.arena.len();
        self.batch.arena.extend_from_slice(text);
        Span::arena(start..start + text.len())
    }

    /// As [`Self::text`], for texts that come again and again: where the arena holds the text at `last`, that is it.
    #[inline]
    pub fn text_again(&mut self, text: &[u8], last: Span) -> Span {
        let is_there = last.in_arena() && self.batch.arena.get(last.range()) == Some(text);
        if is_there { last } else { self.text(text) }
    }

    /// A number that no builder has twice: as long as it is the same, whatever the arena held is where it was. Whoever
    /// puts the same texts into one row after the other need not look for them.
    #[inline]
    pub fn generation(&mut self) -> u64 {
        if self.generation == 0 {
            self.generation = 1 + GENERATIONS.fetch_add(1, Ordering::Relaxed);
        }
        self.generation
    }

    /// Lets `write` append text to the arena, for example with `write!`.
    pub fn text_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Span {
        let start = self.batch.arena.len();
        write(&mut self.batch.arena);
        Span::arena(start..self.batch.arena.len())
    }

    /// Registers a verified signer's name; the result goes into [`Row::signer`].
    pub fn signer(&mut self, name: &[u8]) -> u16 {
        if let Some(at) = self.batch.signers.iter().position(|s| &**s == name) {
            return at as u16 + 1;
        }
        self.batch.signers.push(Arc::from(name));
        self.batch.signers.len() as u16
    }

    /// Appends an empty message and returns it for filling in.
    #[inline]
    pub fn row(&mut self) -> &mut Row {
        self.push(Row::default())
    }

    /// Appends a message with the header of `row` and no fields.
    #[inline]
    pub fn push(&mut self, row: Row) -> &mut Row {
        let at = self.batch.rows.len();
        self.batch.rows.push(Row { first_field: self.batch.fields.len() as u32, field_count: 0, ..row });
        &mut self.batch.rows[at]
    }

    /// The message appended last.
    pub fn last_row(&mut self) -> Option<&mut Row> {
        self.batch.rows.last_mut()
    }

    /// The message at `index`, for changing its header in place.
    pub fn row_mut(&mut self, index: usize) -> &mut Row {
        &mut self.batch.rows[index]
    }

    /// Appends a field of one value to the last message.
    #[inline]
    pub fn field(&mut self, name: Span, representation: Span, value: FieldValue<'_>) {
        let (value_type, word) = self.word(value);
        self.push_field(Field {
            name,
            representation,
            word,
            count: 1,
            value_type,
            explicit_type: true,
            unpacked: false,
        });
    }

    /// Appends a field of one text that already lies in the batch to the last message.
    #[inline]
    pub fn span_field(&mut self, name: Span, representation: Span, value_type: ValueType, value: Span) {
        let word = span_word(value);
        self.push_field(Field {
            name,
            representation,
            word,
            count: 1,
            value_type,
            explicit_type: true,
            unpacked: false,
        });
    }

    /// Appends a field of one value, as its word, as scripts write fields: without the type where it is the default,
    /// and a number without a length.
    #[inline]
    fn script_field(&mut self, name: Span, representation: Span, value_type: ValueType, word: u64) {
        let explicit_type = value_type != ValueType::String;
        self.push_field(Field { name, representation, word, count: 1, value_type, explicit_type, unpacked: true });
    }

    /// Appends a field of one text, as scripts write fields.
    #[inline]
    pub fn script_text(&mut self, name: Span, representation: Span, text: Span) {
        self.script_field(name, representation, ValueType::String, span_word(text));
    }

    /// Appends a field of one number, as scripts write fields.
    #[inline]
    pub fn script_number(&mut self, name: Span, representation: Span, number: f64) {
        self.script_field(name, representation, ValueType::Double, number.to_bits());
    }

    /// Appends a field without values to the last message; [`Self::add_value`] and [`Self::add_span`] fill it.
    pub fn open_field(&mut self, name: Span, representation: Span, value_type: ValueType) -> &mut Field {
        let at = self.batch.fields.len();
        self.push_field(Field {
            name,
            representation,
            word: 0,
            count: 0,
            value_type,
            explicit_type: true,
            unpacked: false,
        });
        &mut self.batch.fields[at]
    }

    /// Changes the last field's header.
    pub fn last_field(&mut self) -> Option<&mut Field> {
        self.batch.fields.last_mut()
    }

    /// Appends a value to the last field. Returns `false`, and changes nothing, when its type differs.
    pub fn add_value(&mut self, value: FieldValue<'_>) -> bool {
        let (value_type, word) = self.word(value);
        let Some(field) = self.batch.fields.last() else { return false };
        if field.value_type != value_type {
            return false;
        }
        self.add_word(word);
        true
    }

    /// Appends a text that already lies in the batch to the last field.
    pub fn add_span(&mut self, value: Span) {
        self.add_word(span_word(value));
    }

    fn add_word(&mut self, word: u64) {
        let Some(&Field { word: before, count, .. }) = self.batch.fields.last() else { return };
        let word = if count == 0 { word } else { self.add_to_list(before, count, word) };
        if let Some(field) = self.batch.fields.last_mut() {
            (field.word, field.count) = (word, count + 1);
        }
    }

    /// The word of a field that has `count` values, at least one, and gets another; `word` is what it has now. No other
    /// field has appended to the list since this one began.
    pub(crate) fn add_to_list(&mut self, word: u64, count: u32, value: u64) -> u64 {
        let values = &mut self.batch.values;
        if count > 1 {
            values.push(value);
            return word;
        }
        values.extend([word, value]);
        values.len() as u64 - 2
    }

    /// Puts a field into the batch, for a message that follows.
    #[inline]
    pub(crate) fn add_field(&mut self, field: Field) {
        self.batch.fields.push(field);
    }

    /// Appends a message whose fields have been put into the batch since `mark`.
    #[inline]
    pub(crate) fn push_with_fields(&mut self, row: Row, mark: Mark) {
        let count = self.batch.fields.len() - mark.fields;
        self.batch.rows.push(Row { first_field: mark.fields as u32, field_count: count as u32, ..row });
    }

    pub(crate) fn word(&mut self, value: FieldValue<'_>) -> (ValueType, u64) {
        match value {
            FieldValue::String(text) => (ValueType::String, span_word(self.text(text))),
            FieldValue::Bytes(bytes) => (ValueType::Bytes, span_word(self.text(bytes))),
            FieldValue::Integer(i) => (ValueType::Integer, i as u64),
            FieldValue::Double(d) => (ValueType::Double, d.to_bits()),
            FieldValue::Bool(b) => (ValueType::Bool, u64::from(b)),
        }
    }

    #[inline]
    fn push_field(&mut self, field: Field) {
        self.batch.fields.push(field);
        if let Some(row) = self.batch.rows.last_mut() {
            row.field_count += 1;
            row.flags.set(Flags::TOUCHED);
        }
    }

    /// Appends a copy of a message of any batch, fields included. Texts in bytes both batches share are
    /// referred to; all others are copied.
    pub fn copy_row(&mut self, from: RowRef<'_>) {
        let shared = self.batch.source.as_ptr() == from.batch.source.as_ptr()
            && self.batch.source.len() == from.batch.source.len();
        let signer = match from.row.signer {
            0 => 0,
            _ => self.signer(from.signer()),
        };
        let copy = |builder: &mut Self, span: Span| {
            if span.is_none() || (shared && !span.in_arena()) { span } else { builder.text(from.batch.text(span)) }
        };
        let mut row = *from.row;
        for span in [
            &mut row.msg_type,
            &mut row.logger,
            &mut row.payload,
            &mut row.env_version,
            &mut row.hostname,
            &mut row.wire,
        ] {
            *span = copy(self, *span);
        }
        row.signer = signer;
        let flags = row.flags;
        self.push(row);
        for field in from.fields() {
            let name = copy(self, field.field.name);
            let representation = copy(self, field.field.representation);
            let copied = self.open_field(name, representation, field.value_type());
            (copied.explicit_type, copied.unpacked) = (field.field.explicit_type, field.field.unpacked);
            for value in field.values() {
                self.add_value(value);
            }
        }
        if let Some(row) = self.batch.rows.last_mut() {
            row.flags = flags;
        }
    }

    /// Appends a field to the message at `index` by moving its fields to the end; for tagging the few
    /// messages that failed to decode.
    pub fn append_field(&mut self, index: usize, name: &[u8], value: FieldValue<'_>) {
        let row = self.batch.rows[index];
        let first = self.batch.fields.len();
        let old = row.first_field as usize..row.first_field as usize + row.field_count as usize;
        self.batch.fields.extend_from_within(old);
        let name = self.text(name);
        let representation = self.text(b"");
        let (value_type, word) = self.word(value);
        self.batch.fields.push(Field {
            name,
            representation,
            word,
            count: 1,
            value_type,
            explicit_type: true,
            unpacked: false,
        });
        let row = &mut self.batch.rows[index];
        row.first_field = first as u32;
        row.field_count += 1;
        row.flags.set(Flags::TOUCHED);
    }

    /// A point to come back to.
    pub fn mark(&self) -> Mark {
        let batch = &self.batch;
        Mark {
            rows: batch.rows.len(),
            fields: batch.fields.len(),
            values: batch.values.len(),
            arena: batch.arena.len(),
        }
    }

    /// Drops everything appended since `mark`.
    pub fn rollback(&mut self, mark: Mark) {
        self.batch.rows.truncate(mark.rows);
        self.batch.fields.truncate(mark.fields);
        self.batch.values.truncate(mark.values);
        self.batch.arena.truncate(mark.arena);
        self.generation = 0;
    }

    /// The finished batch.
    pub fn finish(self) -> Batch {
        self.batch
    }
}

#[cfg(test)]
#[path = "builder_tests.rs"]
mod tests;
