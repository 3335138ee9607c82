//! How a filter makes messages: stamped like every message the daemon makes itself, bounded per call.

use crate::plugin::Globals;
use heka_message::{Batch, BatchBuilder, Row, UuidSource};
use std::sync::Arc;

/// Collects the messages a filter injects during one call.
pub struct Injector {
    builder: BatchBuilder,
    uuids: UuidSource,
    globals: Arc<Globals>,
    now: i64,
}

impl Injector {
    /// An injector for one filter.
    pub fn new(globals: Arc<Globals>) -> Self {
        Injector { builder: BatchBuilder::default(), uuids: UuidSource::new(), globals, now: 0 }
    }

    /// Sets the time that new messages are stamped with: nanoseconds since the UNIX epoch.
    pub fn set_now(&mut self, now: i64) {
        self.now = now;
    }

    /// The time that new messages are stamped with.
    pub fn now(&self) -> i64 {
        self.now
    }

    /// Appends a message with Uuid, Timestamp, Hostname and Pid set, and gives the builder for the rest.
    pub fn message(&mut self) -> &mut BatchBuilder {
        let hostname = self.builder.text(self.globals.hostname.as_bytes());
        let mut row = Row::default();
        row.hostname = hostname;
        row.set_uuid(self.uuids.next_uuid());
        row.set_timestamp(self.now);
        row.set_pid(self.globals.pid);
        self.builder.push(row);
        &mut self.builder
    }

    /// How many messages wait.
    pub fn len(&self) -> usize {
        self.builder.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.builder.is_empty()
    }

    /// Takes what was injected, if anything was.
    pub fn take(&mut self) -> Option<Batch> {
        (!self.builder.is_empty()).then(|| std::mem::take(&mut self.builder).finish())
    }
}
