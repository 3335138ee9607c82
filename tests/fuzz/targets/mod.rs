//! What is tried, by what it reads.

mod config;
mod control;
mod decoders;
mod matcher;
mod scripts;
mod splitters;
mod state;
mod texts;
mod wire;

use heka_message::{Batch, BatchBuilder, FieldValue, Span};
use heka_operators::log::Log;
use heka_operators::plugin::{Globals, Site};
use heka_operators::stats::Stats;
use std::path::Path;
use std::sync::Arc;

/// Where a plugin under test lives; what it writes goes below `directory`.
fn site(name: &str, directory: &Path) -> Site {
    let share = Path::new(env!("CARGO_MANIFEST_DIR")).join("share");
    Site {
        name: name.to_owned(),
        globals: Arc::new(Globals { base_dir: directory.to_owned(), share_dir: share, ..Globals::default() }),
        stats: Arc::new(Stats::default()),
        log: Log::new("Plugin", name),
    }
}

/// A message with `text` in its payload and in its fields.
fn message(text: &[u8]) -> Batch {
    let mut builder = BatchBuilder::new(bytes::Bytes::copy_from_slice(text));
    let payload = Span::source(0..text.len());
    let [kind, logger, host] = [&b"stat"[..], b"fuzz", b"h"].map(|text| builder.text(text));
    let row = builder.row();
    (row.payload, row.msg_type, row.logger, row.hostname) = (payload, kind, logger, host);
    row.set_uuid(*b"0123456789abcdef");
    row.set_timestamp(1_400_000_000_123_456_789);
    row.set_pid(7);
    for (name, value) in [
        (&b"text"[..], FieldValue::String(text)),
        (b"number", FieldValue::Integer(-5)),
        (b"double", FieldValue::Double(0.1)),
        (b"flag", FieldValue::Bool(true)),
    ] {
        let name = builder.text(name);
        builder.field(name, Span::NONE, value);
    }
    builder.finish()
}
