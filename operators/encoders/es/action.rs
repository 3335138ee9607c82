//! The action line: into which index a document goes, of which type, under which identity.

use super::json;
use heka_message::{Interpolation, RowRef};

pub(super) struct Action {
    index: Interpolation,
    id: Interpolation,
    text: Vec<u8>,
}

impl Action {
    pub(super) fn new(index: &str, id: &str) -> Self {
        Action { index: Interpolation::new(index), id: Interpolation::new(id), text: Vec::new() }
    }

    /// Appends the line. Without a type there is no `_type`, and no `_id` when the message lacks what it is made of:
    /// the server then makes one.
    pub(super) fn write(&mut self, message: RowRef<'_>, time: i64, type_name: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"index\":{\"_index\":");
        self.text.clear();
        self.index.write(message, time, &mut self.text);
        lower(&mut self.text);
        json::quote(&self.text, out);
        if !type_name.is_empty() {
            out.extend_from_slice(b",\"_type\":");
            json::quote(type_name, out);
        }
        self.text.clear();
        if self.id.write(message, time, &mut self.text) && !self.text.is_empty() {
            out.extend_from_slice(b",\"_id\":");
            json::quote(&self.text, out);
        }
        out.extend_from_slice(b"}}\n");
    }
}

/// Names of indices are in lower case.
fn lower(text: &mut Vec<u8>) {
    if text.is_ascii() {
        text.make_ascii_lowercase();
    } else {
        *text = String::from_utf8_lossy(text).to_lowercase().into_bytes();
    }
}
