//! Splitters: they cut records out of a stream of bytes.

use crate::plugin::{Globals, PluginError, Site};
use heka_settings::{Problems, settings};

/// A record found by a splitter, as offsets into the bytes it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// First byte of what is delivered (without framing).
    pub start: usize,
    /// One past the last byte of what is delivered.
    pub end: usize,
    /// Which signer vouched for it: an index into [`Splitter::signers`] plus one, or 0.
    pub signer: u16,
}

/// Finds records. Keeps no bytes: what a call does not consume is shown to it again with more behind it.
pub trait Splitter: Send {
    /// Appends the complete records of `data` and returns how many bytes are done with: delivered, or
    /// discarded as delimiters or garbage. Zero-length records are skipped. `last` says that no more bytes
    /// will follow: what is left over is then up to the caller.
    fn split(&mut self, data: &[u8], last: bool, records: &mut Vec<Record>) -> usize;

    /// Names of the signers that [`Record::signer`] refers to.
    fn signers(&self) -> &[String] {
        &[]
    }
}

settings! {
    /// Options that every splitter has.
    pub struct SplitterCommon {
        /// Deliver the first bytes of a record that is longer than the largest record, instead of dropping it.
        keep_truncated: bool = false,
        /// Hand the record to the decoder as an encoded message instead of putting it into the payload.
        use_message_bytes: Option<bool>,
        /// Accepted for compatibility: buffers grow as needed.
        min_buffer_size: u32 = 0u32,
        /// Deliver what is left over at the end of a stream although no delimiter ended it.
        deliver_incomplete_final: bool = false,
    }
}

/// The settings of a splitter, checked; makes one instance a stream.
pub trait SplitterSpec: Send + Sync {
    /// Checks what needs more than one setting.
    fn check(&self, _globals: &Globals, _problems: &mut Problems) {}

    /// Makes an instance for one stream.
    ///
    /// # Errors
    /// When the settings do not allow one.
    fn build(&self, site: &Site) -> Result<Box<dyn Splitter>, PluginError>;
}
