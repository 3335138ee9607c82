//! A script with a plugin around it that takes everything and remembers it.

#![allow(dead_code, reason = "every test uses its own part of it")]

use heka_message::{Batch, BatchBuilder, FieldValue, RowRef, Span, ValueType, write_message};
use heka_sandbox::{Config, ConfigValue, Kind, Payload, Refusal, Returned, Role, Sandbox};
use std::path::PathBuf;

/// Takes what a script sends out.
#[derive(Default)]
pub struct Taker {
    pub builder: BatchBuilder,
    pub payloads: Vec<(String, String, Vec<u8>)>,
    pub lines: Vec<String>,
    pub refuse: Option<Refusal>,
}

impl Role for Taker {
    fn builder(&mut self) -> &mut BatchBuilder {
        &mut self.builder
    }

    fn message(&mut self, _: Option<RowRef<'_>>) -> Result<(), Refusal> {
        self.refuse.map_or(Ok(()), Err)
    }

    fn payload(&mut self, _: Option<RowRef<'_>>, payload: Payload<'_>) -> Result<(), Refusal> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        self.payloads.push((text(payload.kind), text(payload.name), payload.bytes.to_vec()));
        self.refuse.map_or(Ok(()), Err)
    }

    fn log(&mut self, line: &str) {
        self.lines.push(line.to_owned());
    }
}

/// A script in a directory of its own.
pub struct Rig {
    pub directory: tempfile::TempDir,
    pub sandbox: Sandbox,
    pub taker: Taker,
    pub loaded: Vec<String>,
}

/// A configuration with the script in `directory`, whose modules lie there too.
pub fn config(kind: Kind, source: impl AsRef<[u8]>, directory: &tempfile::TempDir) -> Config {
    let script = directory.path().join("test.lua");
    std::fs::write(&script, source).unwrap();
    Config { script, modules: vec![directory.path().to_owned()], ..Config::new(kind) }
}

impl Rig {
    pub fn new(kind: Kind, source: &str) -> Rig {
        Rig::with(kind, source, |_| ()).unwrap()
    }

    pub fn with(kind: Kind, source: &str, change: impl FnOnce(&mut Config)) -> Result<Rig, String> {
        let directory = tempfile::tempdir().unwrap();
        let mut config = config(kind, source, &directory);
        change(&mut config);
        let mut loaded = Vec::new();
        let sandbox = Sandbox::new(&config, &mut |line| loaded.push(line.to_owned()))?;
        Ok(Rig { directory, sandbox, taker: Taker::default(), loaded })
    }

    pub fn call(&mut self, batch: &Batch) -> Result<Returned, String> {
        self.sandbox.process_message(Some(batch.row(0)), &mut self.taker)
    }

    /// Runs `process_message` for the sample and gives the text it returned as an error.
    pub fn run(&mut self) -> Result<String, String> {
        let batch = sample();
        self.call(&batch).map(|returned| returned.error.unwrap_or_default())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The messages injected so far, in protobuf form.
    pub fn injected(&mut self) -> Vec<Vec<u8>> {
        let batch = std::mem::take(&mut self.taker.builder).finish();
        let encoded = |row: RowRef<'_>| {
            let mut out = Vec::new();
            write_message(row, &mut out);
            out
        };
        batch.rows().map(encoded).collect()
    }
}

/// What a Lua expression gives in a script of this kind, after `tostring`.
pub fn eval(kind: Kind, expression: &str) -> Result<String, String> {
    let source = format!("function process_message()\n return -1, tostring({expression})\nend");
    Rig::new(kind, &source).run()
}

/// A message with every header and several fields.
pub fn sample() -> Batch {
    let mut builder = BatchBuilder::default();
    let [msg_type, logger, payload, host, a, s, b, unit, flag] =
        [&b"type"[..], b"logger", b"pay\0load", b"host", b"a", b"s", b"b", b"ms", b"flag"].map(|t| builder.text(t));
    let row = builder.row();
    row.set_uuid(std::array::from_fn(|i| i as u8));
    row.set_timestamp(1_425_943_801_123_456_789);
    row.set_severity(6);
    row.set_pid(42);
    (row.msg_type, row.logger, row.payload, row.hostname) = (msg_type, logger, payload, host);
    builder.open_field(a, unit, ValueType::Integer);
    builder.add_value(FieldValue::Integer(10));
    builder.add_value(FieldValue::Integer(20));
    builder.field(s, Span::NONE, FieldValue::String(b"te\0xt"));
    builder.field(a, Span::NONE, FieldValue::Double(1.5));
    builder.field(b, Span::NONE, FieldValue::Bytes(b"\xff"));
    builder.field(flag, Span::NONE, FieldValue::Bool(true));
    builder.finish()
}

/// Numbers become `String`s and everything else stays, for `read_config`.
pub fn values(list: &[(&str, ConfigValue)]) -> Vec<(String, ConfigValue)> {
    list.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}
