//! Delivering records by requests that are answered: records are gathered into batches, a batch is sent until the
//! other side is done with all of it, and only then acknowledged. One request is under way at a time, so that order is
//! kept.

mod batches;
mod dead_letters;
mod delivery;
mod refusals;

pub(super) use batches::{Limits, MOST_BYTES, Record};
pub(super) use dead_letters::DeadLetters;
pub(super) use delivery::{Delivery, Outcome, Post};
pub(super) use refusals::Refusals;

use bytes::Bytes;

/// Appends the bytes of records, joined where they lie side by side.
fn joined<'a>(records: impl IntoIterator<Item = &'a Record>, mut push: impl FnMut(Bytes)) {
    let mut last: Option<Record> = None;
    for record in records {
        match &mut last {
            Some(before) if before.is_followed_by(record) => before.extend_over(record),
            _ => {
                if let Some(before) = last.replace(record.clone()) {
                    push(before.bytes());
                }
            }
        }
    }
    if let Some(record) = last {
        push(record.bytes());
    }
}

/// Appends the bytes of records, with a separator between two where the first does not end in it.
pub(super) fn separated(records: &[Record], separator: &Bytes, mut push: impl FnMut(Bytes)) {
    let mut first = true;
    for run in records.split_inclusive(|record| !record.as_slice().ends_with(separator)) {
        if !std::mem::take(&mut first) {
            push(separator.clone());
        }
        joined(run, &mut push);
    }
}

#[cfg(test)]
mod tests;
