//! Selections on their way to another process: only the selected rows travel, gathered into one batch.

use crate::{Batch, BatchBuilder, Field, Origin, Row, Selection};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::sync::Arc;

/// A batch as bytes and plain values; spans refer to `arena` alone.
#[derive(Serialize, Deserialize)]
struct Parcel {
    arena: Vec<u8>,
    rows: Vec<Row>,
    fields: Vec<Field>,
    values: Vec<u64>,
    signers: Vec<Vec<u8>>,
    origin: Origin,
}

impl Serialize for Selection {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut gathered = BatchBuilder::default();
        gathered.set_origin(self.batch.origin);
        self.iter().for_each(|row| gathered.copy_row(row));
        let Batch { arena, rows, fields, values, signers, origin, .. } = gathered.finish();
        let signers = signers.iter().map(|name| name.to_vec()).collect();
        Parcel { arena, rows, fields, values, signers, origin }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Selection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Parcel { arena, rows, fields, values, signers, origin } = Parcel::deserialize(deserializer)?;
        let signers = signers.into_iter().map(Arc::from).collect();
        Ok(Selection::all(Batch { arena, rows, fields, values, signers, origin, ..Batch::default() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FieldValue, RowSet, Span};

    #[test]
    fn only_the_selected_rows_arrive_and_they_are_whole() {
        let mut builder = BatchBuilder::new(bytes::Bytes::from_static(b"onetwo"));
        let name = builder.text(b"n");
        for range in [0..3, 3..6] {
            builder.row().payload = Span::source(range);
            builder.field(name, Span::NONE, FieldValue::String(b"v"));
        }
        let batch = Arc::new(builder.finish());
        let sent = Selection { rows: RowSet::from_fn(2, |row| row == 1), batch };
        let text = serde_json::to_string(&sent).unwrap();
        let received: Selection = serde_json::from_str(&text).unwrap();
        assert_eq!(received.len(), 1);
        let row = received.iter().next().unwrap();
        assert_eq!(row.payload(), b"two");
        assert_eq!(row.field(b"n", 0).unwrap().value(0), Some(FieldValue::String(b"v")));
    }
}
