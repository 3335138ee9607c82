//! How a filter makes messages: stamped like every message the daemon makes itself, bounded per call.

use crate::plugin::Globals;
use heka_message::{Batch, BatchBuilder, Row, RowRef, RowSet, UuidSource};
use std::sync::Arc;

/// Tells which messages a filter would receive itself.
pub type OwnMatch = Box<dyn Fn(RowRef<'_>) -> bool + Send>;

/// Collects the messages a filter injects during one call.
pub struct Injector {
    builder: BatchBuilder,
    uuids: UuidSource,
    globals: Arc<Globals>,
    now: i64,
    /// How often what the running call is about has gone round.
    round: u32,
    own: Option<OwnMatch>,
    /// Messages that go out even where the filter would receive them: those that tell of its end.
    exempt: Vec<usize>,
}

impl Injector {
    /// An injector for one filter.
    pub fn new(globals: Arc<Globals>) -> Self {
        Injector {
            builder: BatchBuilder::default(),
            uuids: UuidSource::new(),
            globals,
            now: 0,
            round: 0,
            own: None,
            exempt: Vec::new(),
        }
    }

    /// Sets the time that new messages are stamped with: nanoseconds since the UNIX epoch.
    pub fn set_now(&mut self, now: i64) {
        self.now = now;
    }

    /// The time that new messages are stamped with.
    pub fn now(&self) -> i64 {
        self.now
    }

    /// Sets how often what the next calls are about has gone round.
    pub fn set_round(&mut self, round: u32) {
        self.round = round;
    }

    /// Whether a message injected now would have gone round too often.
    pub fn is_at_last_round(&self) -> bool {
        self.round >= self.globals.max_message_loops.max(1)
    }

    /// Says how to tell the messages that the filter would receive itself.
    pub fn set_own_match(&mut self, own: OwnMatch) {
        self.own = Some(own);
    }

    /// As [`Self::set_own_match`], for a while: exchanges how to tell for what `own` holds.
    pub fn swap_own_match(&mut self, own: &mut Option<OwnMatch>) {
        std::mem::swap(&mut self.own, own);
    }

    /// Whether the filter would receive the message appended last.
    pub fn would_receive_last(&self) -> bool {
        let rows = self.builder.len();
        match &self.own {
            Some(own) if rows > 0 => own(self.builder.batch().row(rows - 1)),
            _ => false,
        }
    }

    /// Lets the message appended last go out even if the filter would receive it.
    pub fn exempt_last(&mut self) {
        self.exempt.extend(self.builder.len().checked_sub(1));
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

    /// The builder, for messages that say for themselves what is in their headers.
    pub fn builder(&mut self) -> &mut BatchBuilder {
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
        self.take_with_exempt().map(|(batch, _)| batch)
    }

    /// Takes what was injected, if anything was, with the messages that go out whoever receives them.
    pub fn take_with_exempt(&mut self) -> Option<(Batch, RowSet)> {
        if self.builder.is_empty() {
            return None;
        }
        let exempt = std::mem::take(&mut self.exempt);
        let batch = std::mem::take(&mut self.builder).finish();
        let rows = RowSet::from_fn(batch.len(), |row| exempt.contains(&row));
        Some((batch, rows))
    }
}
