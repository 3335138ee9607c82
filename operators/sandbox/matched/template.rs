//! A template that does not change, read once: what a decoder puts into each of its messages.

use super::plan::Header;
use crate::host::Times;
use crate::{State, encode, ffi};
use heka_message::{Batch, BatchBuilder, Flags, Row, Span};
use std::ffi::c_int;

/// A text for a header, and where it lies in the batch.
struct Text {
    header: Header,
    text: Box<[u8]>,
    span: Span,
}

/// The headers that a template sets.
#[derive(Default)]
pub(super) struct Template {
    texts: Vec<Text>,
    timestamp: Option<i64>,
    severity: Option<i32>,
    pid: Option<i32>,
    /// Of the builder that the texts lie in.
    generation: u64,
}

impl Template {
    /// Reads the template at a stack index, or nothing where there is none; `None` when it has more than headers.
    ///
    /// # Safety
    /// `state` is live and has room for twelve values.
    pub(super) unsafe fn read(state: State, at: c_int) -> Option<Template> {
        let mut builder = BatchBuilder::default();
        builder.row();
        unsafe {
            if ffi::lua_type(state, at) == ffi::LUA_TTABLE {
                ffi::lua_pushvalue(state, at);
                let table = ffi::lua_gettop(state);
                let is_read = encode::template(state, table, &mut builder, &Times::default());
                ffi::lua_settop(state, table - 1);
                if !is_read {
                    return None;
                }
            }
        }
        let batch = builder.finish();
        let row = batch.row(0);
        if row.fields().next().is_some() || row.raw().flags.has(Flags::UUID) {
            return None;
        }
        Some(Template::of(&batch, row.raw()))
    }

    fn of(batch: &Batch, row: &Row) -> Template {
        let texts = [
            (Header::Type, row.msg_type),
            (Header::Logger, row.logger),
            (Header::Payload, row.payload),
            (Header::EnvVersion, row.env_version),
            (Header::Hostname, row.hostname),
        ];
        let texts = texts.into_iter().filter(|(_, span)| span.is_some());
        let text = |(header, span)| Text { header, text: batch.text(span).into(), span: Span::NONE };
        Template {
            texts: texts.map(text).collect(),
            timestamp: row.flags.has(Flags::TIMESTAMP).then_some(row.timestamp),
            severity: row.flags.has(Flags::SEVERITY).then_some(row.severity),
            pid: row.flags.has(Flags::PID).then_some(row.pid),
            generation: 0,
        }
    }

    /// Sets the headers of the last row that are not in `set`, a bit each. Returns the bytes that it refers to.
    pub(super) fn apply(&mut self, builder: &mut BatchBuilder, generation: u64, set: u16) -> usize {
        if self.generation != generation {
            for text in &mut self.texts {
                text.span = builder.text_again(&text.text, text.span);
            }
            self.generation = generation;
        }
        let is_free = |header: Header| set & (1 << header as u16) == 0;
        let Some(row) = builder.last_row() else { return 0 };
        let mut size = 0;
        for Text { header, text, span } in self.texts.iter().filter(|text| is_free(text.header)) {
            size += text.len();
            match header {
                Header::Type => row.msg_type = *span,
                Header::Logger => row.logger = *span,
                Header::Payload => row.payload = *span,
                Header::EnvVersion => row.env_version = *span,
                _ => row.hostname = *span,
            }
        }
        if let Some(timestamp) = self.timestamp.filter(|_| is_free(Header::Timestamp)) {
            row.set_timestamp(timestamp);
        }
        if let Some(severity) = self.severity.filter(|_| is_free(Header::Severity)) {
            row.set_severity(severity);
        }
        if let Some(pid) = self.pid.filter(|_| is_free(Header::Pid)) {
            row.set_pid(pid);
        }
        size
    }
}
