//! Encoders: they turn messages into bytes for an output.

mod es;
pub mod es_json;
pub mod es_logstash_v0;
pub mod payload;
mod run;

pub use run::EncodeRunner;
pub mod protobuf;
pub mod rst;
pub mod sandbox;

use crate::plugin::{PluginError, Site};
use heka_message::RowRef;
use heka_settings::Problems;

/// Turns messages into bytes. Runs inside a worker: it must not block.
pub trait Encoder: Send {
    /// Appends the encoded message to `out`. `Ok(false)` means "no output": the message is done with, and
    /// nothing was appended.
    ///
    /// # Errors
    /// One line; the message is dropped, counted and logged. What was appended by then is cut off.
    fn encode(&mut self, message: RowRef<'_>, out: &mut Vec<u8>) -> Result<bool, String>;

    /// Why it cannot go on, if it cannot: every later message would be refused.
    fn ended(&self) -> Option<&str> {
        None
    }
}

/// The settings of an encoder, checked; makes one instance an output.
pub trait EncoderSpec: Send + Sync {
    /// Whether its output is protobuf, which outputs frame unless told otherwise.
    fn is_protobuf(&self) -> bool {
        false
    }

    /// Checks what needs more than one setting.
    fn check(&self, _problems: &mut Problems) {}

    /// Makes an instance.
    ///
    /// # Errors
    /// When what it needs from the world is not there.
    fn build(&self, site: &Site) -> Result<Box<dyn Encoder>, PluginError>;
}
