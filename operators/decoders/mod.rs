//! Decoders: they turn records into messages.

mod run;

pub use run::{DecodeRunner, Decoding, OnFatal};
pub mod multi;
pub mod protobuf;
pub mod sandbox;
pub mod stats_to_fields;

use crate::plugin::{PluginError, Site};
use heka_message::{BatchBuilder, RowRef};
use heka_settings::Problems;

/// Why a record could not be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// One line for the log and the `decode_error` field; empty when the decoder declined without an error.
    pub message: String,
    /// The decoder cannot go on.
    pub fatal: bool,
}

impl DecodeError {
    /// The record is not what the decoder expected.
    pub fn new(message: impl Into<String>) -> Self {
        DecodeError { message: message.into(), fatal: false }
    }
}

/// Turns records into messages.
pub trait Decoder: Send {
    /// Decodes one record into any number of messages appended to `out`, which was made over the record's
    /// batch ([`BatchBuilder::over`]), so that spans of the record's batch are valid in it.
    ///
    /// # Errors
    /// When the record is refused; what was appended by then is rolled back by the caller.
    fn decode(&mut self, record: RowRef<'_>, out: &mut BatchBuilder) -> Result<(), DecodeError>;
}

/// The settings of a decoder, checked; makes instances.
pub trait DecoderSpec: Send + Sync {
    /// Names of the decoders this one calls; they are made first and handed to `build` in this order.
    fn subs(&self) -> &[String] {
        &[]
    }

    /// Whether it reads [`Row::wire`](heka_message::Row::wire) rather than the payload.
    fn wants_message_bytes(&self) -> bool {
        false
    }

    /// Whether it keeps nothing from one record to the next, not counting [`subs`](DecoderSpec::subs): then the records
    /// of one input may be decoded by several instances at once.
    fn is_stateless(&self) -> bool {
        false
    }

    /// Whether it keeps something that outlives it and that only one instance may own, such as a file: then it runs on
    /// one worker, whatever the input's `decode_workers`. Not counting [`subs`](DecoderSpec::subs).
    fn is_singular(&self) -> bool {
        false
    }

    /// Checks what needs more than one setting.
    fn check(&self, _problems: &mut Problems) {}

    /// Makes an instance.
    ///
    /// # Errors
    /// When what it needs from the world is not there.
    fn build(&self, site: &Site, subs: Vec<Box<dyn Decoder>>) -> Result<Box<dyn Decoder>, PluginError>;
}
