//! What the encoders for ElasticSearch share: an action line that says where a document goes, and the document.

mod action;
mod document;
mod json;
mod options;

pub(super) use options::{Names, Options, PARTS, parts};

use crate::encoders::Encoder;
use crate::net::unix_nanos;
use action::Action;
use document::Document;
use heka_message::{Flags, Interpolation, RowRef};

/// Writes an action line and a document line for each message.
pub(super) struct EsEncoder {
    action: Action,
    document: Document,
    type_name: Interpolation,
    /// `type_name` as it stands in the configuration.
    type_template: String,
    /// What a message's `type_name` has become.
    type_text: Vec<u8>,
    /// Whether the document's type is the message's, rather than what `type_name` has become.
    message_type: bool,
    /// Dates in names are the message's, not the clock's.
    from_timestamp: bool,
}

impl EsEncoder {
    pub(super) fn new(options: &Options, names: Names, message_type: bool) -> Self {
        EsEncoder {
            action: Action::new(&options.index, &options.id),
            document: Document::new(options, names),
            type_name: Interpolation::new(&options.type_name),
            type_template: options.type_name.clone(),
            type_text: Vec::new(),
            message_type,
            from_timestamp: options.es_index_from_timestamp,
        }
    }
}

impl Encoder for EsEncoder {
    fn encode(&mut self, message: RowRef<'_>, out: &mut Vec<u8>) -> Result<bool, String> {
        let has_time = message.raw().flags.has(Flags::TIMESTAMP);
        let time = if self.from_timestamp && has_time { message.timestamp() } else { unix_nanos() };
        self.type_text.clear();
        let resolved = self.type_name.write(message, time, &mut self.type_text);
        self.action.write(message, time, &self.type_text, out);
        let msg_type = match (self.message_type, resolved && !self.type_text.is_empty()) {
            (true, _) => message.msg_type(),
            (false, true) => &self.type_text,
            (false, false) => self.type_template.as_bytes(),
        };
        self.document.write(message, msg_type, out);
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
