//! The plugin's side while a script is loaded: nothing is injected, everything is logged.

use crate::role::{Payload, Refusal, Role};
use heka_message::{BatchBuilder, RowRef};

/// Logs what a script sends out.
pub(crate) struct Loading<'a> {
    builder: BatchBuilder,
    log: &'a mut dyn FnMut(&str),
}

impl<'a> Loading<'a> {
    pub(crate) fn new(log: &'a mut dyn FnMut(&str)) -> Self {
        Loading { builder: BatchBuilder::default(), log }
    }

    fn line(&mut self, key: &str, bytes: &[u8]) {
        (self.log)(&format!("{key}: {}", String::from_utf8_lossy(bytes)));
    }
}

impl Role for Loading<'_> {
    fn builder(&mut self) -> &mut BatchBuilder {
        &mut self.builder
    }

    fn message(&mut self, _: Option<RowRef<'_>>) -> Result<(), Refusal> {
        let payload = self.builder.batch().row(self.builder.len() - 1).payload().to_vec();
        self.builder.restart(Default::default());
        self.payload(None, Payload { kind: b"", name: b"", bytes: &payload })
    }

    fn payload(&mut self, _: Option<RowRef<'_>>, payload: Payload<'_>) -> Result<(), Refusal> {
        self.line("payload_type", payload.kind);
        self.line("payload_name", payload.name);
        self.line("payload", payload.bytes);
        Ok(())
    }

    fn log(&mut self, line: &str) {
        (self.log)(line);
    }
}
