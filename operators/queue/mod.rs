//! The disk queue: what `use_buffering` puts in front of a filter or an output.
//!
//! A [`DiskQueue`] has two ends that the dataflow meets as ordinary nodes. Its [`writer`](DiskQueue::writer) is
//! an output: it takes framed protobuf messages, appends them to files, and acknowledges them once they are
//! durable. Its [`reader`](DiskQueue::reader) is an input: it hands the files' bytes back as one stream, and
//! moves the checkpoint when the dataflow commits a position. So a message that has been acknowledged is
//! delivered at least once, whatever dies in between.
//!
//! The files are those of the original, readable both ways: `layout` knows their names and the checkpoint,
//! `ledger` what is in them and what of it is consumed (pure), `lock` keeps a second daemon out, `writer` and
//! `reader` do the work, and `recent` spares the reader the files while it keeps up.

mod layout;
mod ledger;
mod lock;
mod reader;
mod recent;
mod settings;
mod writer;

pub use layout::{directory, mangle};
pub use settings::{BufferingSettings, FullAction};

use crate::inputs::Input;
use crate::outputs::Output;
use crate::plugin::{PluginError, Site};
use crate::stats::Counter;
use layout::Cursor;
use ledger::Ledger;
use lock::Lock;
use recent::Recent;
use std::path::PathBuf;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// One plugin's queue, open: shared by its writer and its reader, which may be made anew while it stays.
pub struct DiskQueue {
    site: Site,
    folder: PathBuf,
    settings: BufferingSettings,
    ledger: Mutex<Ledger>,
    recent: Recent,
    /// There is something to read that was not there before.
    data: Notify,
    /// Something was consumed.
    space: Notify,
    /// Counts the readers made, so that each has a stream of its own.
    readers: AtomicU32,
    bytes: Arc<Counter>,
    files: Arc<Counter>,
    /// Keeps other daemons out as long as the queue is open.
    _lock: Lock,
}

/// How full a queue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// Bytes that wait for delivery.
    pub waiting: u64,
    /// `max_buffer_size`; 0 is no limit.
    pub limit: u64,
}

impl Fill {
    /// Whether the queue is at 90 % of its limit or above: "back-pressured". Never, without a limit.
    pub fn is_nearly_full(self) -> bool {
        self.limit > 0 && u128::from(self.waiting) * 10 >= u128::from(self.limit) * 9
    }
}

impl DiskQueue {
    /// Opens, or creates, the queue of the plugin at `site`; writing begins with a new file, reading at the
    /// checkpoint.
    ///
    /// # Errors
    /// When the settings make no sense, when another process uses the queue, or when its folder cannot be used.
    pub fn open(site: &Site, settings: &BufferingSettings) -> Result<Arc<DiskQueue>, PluginError> {
        let settings = settings.checked(site.globals.max_record_size()).map_err(PluginError::fatal)?;
        let folder = directory(&site.globals, &site.name);
        let failed = |what: &str, error: std::io::Error| {
            PluginError::fatal(format!("can't initialize buffer: {what} '{}': {error}", folder.display()))
        };
        layout::create_folder(&folder).map_err(|error| failed("can't create", error))?;
        let lock = Lock::take(&folder).map_err(PluginError::fatal)?;
        let checkpoint = layout::read_checkpoint(&folder).unwrap_or_else(|why| {
            site.log.error(format_args!("{why}; reading starts with the oldest queue file"));
            None
        });
        let existing = layout::scan(&folder).map_err(|error| failed("can't read", error))?;
        let (ledger, findings) = Ledger::open(existing, checkpoint);
        for finding in findings {
            site.log.error(finding);
        }
        layout::create_file(&folder, ledger.tail()).map_err(|error| failed("can't create a file in", error))?;
        let queue = Arc::new(DiskQueue {
            bytes: site.stats.counter("QueueBytes", "B"),
            files: site.stats.counter("QueueFiles", "count"),
            site: site.clone(),
            folder: folder.clone(),
            settings,
            ledger: Mutex::new(ledger),
            recent: Recent::default(),
            data: Notify::new(),
            space: Notify::new(),
            readers: AtomicU32::new(0),
            _lock: lock,
        });
        queue.save_checkpoint(true).map_err(|error| failed("can't write the checkpoint of", error))?;
        Ok(queue)
    }

    /// An output that appends to the queue. One at a time.
    pub fn writer(self: &Arc<Self>) -> Box<dyn Output> {
        Box::new(writer::QueueOutput::new(self.clone()))
    }

    /// An input that reads the queue from the checkpoint on. One at a time.
    pub fn reader(self: &Arc<Self>) -> Box<dyn Input> {
        Box::new(reader::QueueInput::new(self.clone()))
    }

    /// How full the queue is.
    pub fn fill(&self) -> Fill {
        Fill { waiting: self.ledger().waiting(), limit: self.settings.max_buffer_size }
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        // Every change of the ledger is complete before anything that could panic.
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the ledger and shows the new numbers in the report.
    fn update<T>(&self, change: impl FnOnce(&mut Ledger) -> T) -> T {
        let mut ledger = self.ledger();
        let result = change(&mut ledger);
        self.bytes.set(i64::try_from(ledger.waiting()).unwrap_or(i64::MAX));
        self.files.set(i64::try_from(ledger.len()).unwrap_or(i64::MAX));
        result
    }

    /// Writes the checkpoint and deletes the files before it. A `durable` one survives a power cut; one that
    /// is not costs redelivery at worst. Files are deleted behind a durable checkpoint only.
    fn save_checkpoint(&self, durable: bool) -> std::io::Result<()> {
        let (head, consumed): (Cursor, Vec<u64>) = self.update(|ledger| (ledger.head(), ledger.consumed()));
        layout::write_checkpoint(&self.folder, head, durable || !consumed.is_empty())?;
        for file in consumed {
            match std::fs::remove_file(layout::file_path(&self.folder, file)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => self.update(|ledger| ledger.deleted(file)),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
