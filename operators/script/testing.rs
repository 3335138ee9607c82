//! A script's file, its section and its site, for tests of the plugins that run it.

use crate::log::Log;
use crate::plugin::{Globals, Site};
use crate::stats::Stats;
use heka_message::{Batch, BatchBuilder, FieldValue, RowRef, Span, ValueType};
use heka_settings::{Data, Problems, Table};
use std::sync::Arc;

/// A directory that is both `base_dir` and `share_dir`.
pub(crate) struct Place {
    pub(crate) directory: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new(script: &str) -> Self {
        let place = Place { directory: tempfile::tempdir().unwrap() };
        place.write(script);
        place
    }

    pub(crate) fn write(&self, script: &str) {
        std::fs::write(self.directory.path().join("test.lua"), script).unwrap();
    }

    pub(crate) fn section(&self) -> Table {
        Table::default().with("filename", Data::String("test.lua".into()))
    }

    pub(crate) fn site(&self, name: &str) -> Site {
        self.site_with(name, |_| ())
    }

    pub(crate) fn site_with(&self, name: &str, change: impl FnOnce(&mut Globals)) -> Site {
        let path = self.directory.path().to_owned();
        let mut globals =
            Globals { base_dir: path.clone(), share_dir: path, hostname: "here".into(), pid: 7, ..Globals::default() };
        change(&mut globals);
        let stats = Arc::new(Stats::default());
        Site { name: name.into(), globals: Arc::new(globals), stats, log: Log::new("Plugin", name) }
    }

    /// The preserved data of a plugin.
    pub(crate) fn data(&self, name: &str) -> Option<String> {
        let path = self.directory.path().join(format!("sandbox_preservation/{name}.data"));
        std::fs::read_to_string(path).ok()
    }

    pub(crate) fn store(&self, name: &str, data: &str) {
        let folder = self.directory.path().join("sandbox_preservation");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}.data")), data).unwrap();
    }
}

/// Makes a spec, which must have no problems.
pub(crate) fn checked<S: ?Sized>(read: fn(&Table, &mut Problems) -> Arc<S>, section: &Table) -> Arc<S> {
    let mut problems = Problems::of("test");
    let spec = read(section, &mut problems);
    let texts: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
    assert!(texts.is_empty(), "{texts:?}");
    spec
}

/// A message with all headers and a field, as a splitter or a peer would give it.
pub(crate) fn message() -> Batch {
    let mut builder = BatchBuilder::new(bytes::Bytes::from_static(b"the payload"));
    let [msg_type, logger, host, name, unit] = [&b"T"[..], b"L", b"H", b"a", b"ms"].map(|text| builder.text(text));
    let signer = builder.signer(b"ops");
    let row = builder.row();
    row.payload = Span::source(0..11);
    (row.msg_type, row.logger, row.hostname, row.signer) = (msg_type, logger, host, signer);
    row.set_uuid([9; 16]);
    row.set_timestamp(1_425_943_801_123_456_789);
    row.set_severity(3);
    row.set_pid(42);
    builder.open_field(name, unit, ValueType::Integer);
    builder.add_value(FieldValue::Integer(10));
    builder.add_value(FieldValue::Integer(20));
    builder.finish()
}

/// A field's first value as text.
pub(crate) fn text(row: RowRef<'_>, field: &str) -> String {
    let value = row.field(field.as_bytes(), 0).and_then(|field| field.value(0));
    let mut out = Vec::new();
    if let Some(value) = value {
        heka_message::write_value(value, &mut out);
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A number of the report; 0 when there is none.
pub(crate) fn number(site: &Site, name: &str) -> i64 {
    crate::outputs::harness::number(site, name)
}
