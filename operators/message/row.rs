//! The header fields of one message.

use crate::{Batch, DEFAULT_SEVERITY, Field, FieldRef, Span, Uuid};

/// Which scalars of a row were set, and what else is known of it; a set of bits.
#[derive(serde::Serialize, serde::Deserialize, Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Flags(pub u16);

impl Flags {
    /// `uuid` was set.
    pub const UUID: Flags = Flags(1);
    /// `timestamp` was set.
    pub const TIMESTAMP: Flags = Flags(1 << 1);
    /// `severity` was set.
    pub const SEVERITY: Flags = Flags(1 << 2);
    /// `pid` was set.
    pub const PID: Flags = Flags(1 << 3);
    /// The bytes at `wire` hold protobuf fields this program does not know; they are re-emitted.
    pub const UNKNOWN: Flags = Flags(1 << 4);
    /// `wire` is no longer the message's encoding: something was changed since it was read.
    pub const TOUCHED: Flags = Flags(1 << 5);

    /// Whether all bits of `other` are set.
    #[inline]
    pub fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// Sets the bits of `other`.
    #[inline]
    pub fn set(&mut self, other: Flags) {
        self.0 |= other.0;
    }
}

/// The header of one message, its texts as spans of the batch, its fields as a range of the batch's fields.
#[derive(serde::Serialize, serde::Deserialize, Clone, Copy, Debug, Default)]
pub struct Row {
    /// Sixteen raw bytes; meaningful when [`Flags::UUID`] is set.
    pub uuid: Uuid,
    /// Nanoseconds since the UNIX epoch; meaningful when [`Flags::TIMESTAMP`] is set.
    pub timestamp: i64,
    /// `Type`.
    pub msg_type: Span,
    /// `Logger`, the data source.
    pub logger: Span,
    /// `Payload`.
    pub payload: Span,
    /// `EnvVersion`.
    pub env_version: Span,
    /// `Hostname`.
    pub hostname: Span,
    /// The protobuf bytes the message was read from, or is still to be decoded from.
    pub wire: Span,
    /// Syslog level; meaningful when [`Flags::SEVERITY`] is set.
    pub severity: i32,
    /// Process id; meaningful when [`Flags::PID`] is set.
    pub pid: i32,
    /// First of the row's fields in the batch.
    pub(crate) first_field: u32,
    /// How many fields.
    pub(crate) field_count: u32,
    /// Which signer vouched for the record: an index into the batch's signers plus one, or 0.
    pub signer: u16,
    /// Which scalars are set.
    pub flags: Flags,
    /// How often the message had gone round a loop when it was written to a queue on disk; 0 for all others.
    pub loops: u32,
}

impl Row {
    /// Sets the identity.
    #[inline]
    pub fn set_uuid(&mut self, uuid: Uuid) {
        self.uuid = uuid;
        self.flags.set(Flags::UUID);
    }

    /// Sets the time, in nanoseconds since the UNIX epoch.
    #[inline]
    pub fn set_timestamp(&mut self, nanos: i64) {
        self.timestamp = nanos;
        self.flags.set(Flags::TIMESTAMP);
    }

    /// Sets the syslog level.
    #[inline]
    pub fn set_severity(&mut self, severity: i32) {
        self.severity = severity;
        self.flags.set(Flags::SEVERITY);
    }

    /// Sets the process id.
    #[inline]
    pub fn set_pid(&mut self, pid: i32) {
        self.pid = pid;
        self.flags.set(Flags::PID);
    }

    /// How many fields the row has.
    pub fn field_count(&self) -> usize {
        self.field_count as usize
    }
}

/// A row together with its batch: how everything reads a message.
#[derive(Clone, Copy)]
pub struct RowRef<'a> {
    pub(crate) batch: &'a Batch,
    pub(crate) row: &'a Row,
}

impl<'a> RowRef<'a> {
    /// The stored form.
    #[inline]
    pub fn raw(self) -> &'a Row {
        self.row
    }

    /// The batch the row is of.
    #[inline]
    pub fn batch(self) -> &'a Batch {
        self.batch
    }

    /// The identity; `None` when unset.
    #[inline]
    pub fn uuid(self) -> Option<&'a Uuid> {
        self.row.flags.has(Flags::UUID).then_some(&self.row.uuid)
    }

    /// Nanoseconds since the UNIX epoch; 0 when unset.
    #[inline]
    pub fn timestamp(self) -> i64 {
        self.row.timestamp
    }

    /// `Type`; empty when unset.
    #[inline]
    pub fn msg_type(self) -> &'a [u8] {
        self.batch.text(self.row.msg_type)
    }

    /// `Logger`; empty when unset.
    #[inline]
    pub fn logger(self) -> &'a [u8] {
        self.batch.text(self.row.logger)
    }

    /// `Payload`; empty when unset.
    #[inline]
    pub fn payload(self) -> &'a [u8] {
        self.batch.text(self.row.payload)
    }

    /// `EnvVersion`; empty when unset.
    #[inline]
    pub fn env_version(self) -> &'a [u8] {
        self.batch.text(self.row.env_version)
    }

    /// `Hostname`; empty when unset.
    #[inline]
    pub fn hostname(self) -> &'a [u8] {
        self.batch.text(self.row.hostname)
    }

    /// Syslog level; 7 when unset.
    #[inline]
    pub fn severity(self) -> i32 {
        if self.row.flags.has(Flags::SEVERITY) { self.row.severity } else { DEFAULT_SEVERITY }
    }

    /// Process id; 0 when unset.
    #[inline]
    pub fn pid(self) -> i32 {
        if self.row.flags.has(Flags::PID) { self.row.pid } else { 0 }
    }

    /// The protobuf bytes that encode exactly this message, if it came from the wire and was not changed.
    #[inline]
    pub fn wire(self) -> Option<&'a [u8]> {
        (self.row.wire.is_some() && !self.row.flags.has(Flags::TOUCHED)).then(|| self.batch.text(self.row.wire))
    }

    /// The verified signer; empty when nobody vouched for the message.
    pub fn signer(self) -> &'a [u8] {
        match self.row.signer {
            0 => b"",
            n => self.batch.signers.get(n as usize - 1).map_or(b"", |s| s.as_ref()),
        }
    }

    /// All fields, in order.
    #[inline]
    pub fn fields(self) -> impl Iterator<Item = FieldRef<'a>> {
        self.raw_fields().iter().map(move |field| FieldRef { batch: self.batch, field })
    }

    /// The stored form of all fields, in order.
    #[inline]
    pub fn raw_fields(self) -> &'a [Field] {
        let first = self.row.first_field as usize;
        &self.batch.fields[first..first + self.row.field_count as usize]
    }

    /// The `index`-th field called `name`.
    #[inline]
    pub fn field(self, name: &[u8], index: usize) -> Option<FieldRef<'a>> {
        self.fields().filter(|f| f.name() == name).nth(index)
    }
}
