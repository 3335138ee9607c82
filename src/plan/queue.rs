//! A queue on disk in front of a filter or an output, as ordinary nodes: an output that appends encoded messages to
//! the queue, and an input that reads them back. What is written is delivered as far as the sources are concerned;
//! what is read has a checkpoint of its own.

use crate::config::{self, Buffering};
use heka_operators::inputs::{Input, InputSpec};
use heka_operators::outputs::{Output, OutputSpec};
use heka_operators::plugin::{PluginError, Site};
use heka_operators::queue::{BufferingSettings, DiskQueue, Fill, FullAction};
use std::sync::{Arc, Mutex, PoisonError};

/// Opens the queue of one plugin when the first of its two ends is made, and makes both.
#[derive(Clone)]
pub struct QueueSpec {
    plugin: String,
    settings: BufferingSettings,
    open: Arc<Mutex<Option<Arc<DiskQueue>>>>,
}

impl QueueSpec {
    /// The queue of the plugin called `plugin`; nothing is opened yet.
    pub fn new(plugin: &str, buffering: &Buffering) -> Self {
        let settings = BufferingSettings {
            max_file_size: buffering.max_file_size,
            max_buffer_size: buffering.max_buffer_size,
            full_action: match buffering.full_action {
                config::FullAction::Shutdown => FullAction::Shutdown,
                config::FullAction::Drop => FullAction::Drop,
                config::FullAction::Block => FullAction::Block,
            },
            cursor_update_count: buffering.cursor_update_count,
        };
        QueueSpec { plugin: plugin.to_owned(), settings, open: Arc::default() }
    }

    /// What happens to a message that finds the queue full.
    pub fn full_action(&self) -> FullAction {
        self.settings.full_action
    }

    /// Bytes that may wait in the queue; `None` is no limit.
    pub fn limit(&self) -> Option<u64> {
        (self.settings.max_buffer_size > 0).then_some(self.settings.max_buffer_size)
    }

    /// How full the queue is; `None` before it is opened.
    pub fn fill(&self) -> Option<Fill> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|queue| queue.fill())
    }

    fn queue(&self, site: &Site) -> Result<Arc<DiskQueue>, PluginError> {
        // The lock guards an option that is set once, which a panic cannot leave half changed.
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = &*open {
            return Ok(queue.clone());
        }
        let site = Site { name: self.plugin.clone(), ..site.clone() };
        let queue = DiskQueue::open(&site, &self.settings)?;
        *open = Some(queue.clone());
        Ok(queue)
    }
}

impl OutputSpec for QueueSpec {
    fn build(&self, site: &Site) -> Result<Box<dyn Output>, PluginError> {
        Ok(self.queue(site)?.writer())
    }
}

impl InputSpec for QueueSpec {
    fn build(&self, site: &Site) -> Result<Box<dyn Input>, PluginError> {
        Ok(self.queue(site)?.reader())
    }
}
