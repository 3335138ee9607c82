//! Splitters: they cut records out of a stream of bytes.

mod delimiter;
mod deliver;
pub mod heka_framing;
pub mod null;
pub mod pattern_grouping;
pub mod regex;
mod stream;
pub mod token;

pub use deliver::{DeliverOptions, Delivered, Deliverer};
pub use stream::{Cut, StreamOptions, StreamSplitter};

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
    /// How often the message has gone round a loop; 0 for all that comes from outside.
    pub loops: u32,
}

impl Record {
    /// A record that nobody signed.
    pub fn unsigned(start: usize, end: usize) -> Self {
        Record { start, end, signer: 0, loops: 0 }
    }
}

/// Finds records. Keeps no bytes: what a call does not consume is shown to it again with more behind it. It may
/// keep numbers, such as how much of that rest it has searched, so that no byte is looked at twice.
pub trait Splitter: Send {
    /// Appends the complete records of `data` and returns how many bytes are done with: delivered, or
    /// discarded as delimiters or garbage. Zero-length records are skipped (a frame with an empty body is
    /// none). `last` says that no more bytes will follow: what is left over is then up to the caller, and the
    /// next call begins anew.
    fn split(&mut self, data: &[u8], last: bool, records: &mut Vec<Record>) -> usize;

    /// Gives up the record that `rest`, what the last call did not consume, begins with: it is too long.
    /// Returns how many bytes need not be shown again. The splitter consumes the remainder of that record,
    /// up to and including its delimiter, without delivering it.
    fn give_up(&mut self, rest: &[u8]) -> usize;

    /// How many bytes longer than a record the rest may become while the record can still turn out to be
    /// short enough: the length of a delimiter that does not belong to it.
    fn slack(&self) -> usize {
        0
    }

    /// Whether records end wherever the bytes of a read end, so that a long one may be delivered in parts.
    fn divisible(&self) -> bool {
        false
    }

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

#[cfg(test)]
mod testing;
