//! The documents that the daemon itself is behind: the dataflow's shape and what runs through it. They are made when
//! somebody asks, at most so often, and never while nobody looks.

use super::documents::{Documents, version_of};
use super::reply::{Content, Entity};
use crate::overview::OverviewSlot;
use bytes::Bytes;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// How often samples are taken while somebody watches.
pub(super) const PERIOD: Duration = Duration::from_secs(1);
/// For how long a sample is good enough; a little less, so that every period has one.
const FRESH: Duration = Duration::from_millis(900);
/// So much longer is the pause behind a sample than the taking of it, so that large plans are looked at less often.
const SHARE: u32 = 100;

/// Makes the documents.
pub(super) struct View {
    overview: OverviewSlot,
    graph: OnceLock<(Bytes, String)>,
    sample: Mutex<Option<Sample>>,
}

#[derive(Clone)]
pub(super) struct Sample {
    text: Bytes,
    version: String,
    /// When the next may be taken.
    due: Instant,
}

impl View {
    /// Looks at what `overview` shows.
    pub(super) fn new(overview: OverviewSlot) -> Self {
        View { overview, graph: OnceLock::new(), sample: Mutex::default() }
    }

    /// Whether a filter of this name runs; as long as the daemon does not say, any may.
    pub(super) fn may_have_filter(&self, name: &[u8]) -> bool {
        self.overview.get().is_none_or(|overview| overview.has_filter(&String::from_utf8_lossy(name)))
    }

    /// The document called `name`, if it is one of these.
    pub(super) fn document(&self, name: &[u8], documents: &Documents) -> Option<Entity> {
        let (bytes, version) = match name {
            b"graph.json" => self.graph()?.clone(),
            b"flow.json" => {
                let sample = self.refresh(documents)?;
                (sample.text, sample.version)
            }
            _ => return None,
        };
        let (kind, cache, modified) = ("application/json", "no-cache", None::<SystemTime>);
        Some(Entity { content: Content::Bytes(bytes), kind, version, modified, cache })
    }

    /// Takes a sample if one is due, and tells of what is new.
    pub(super) fn refresh(&self, documents: &Documents) -> Option<Sample> {
        let overview = self.overview.get()?;
        if let Some((_, version)) = self.graph() {
            documents.announce("graph.json", version);
        }
        let mut last = self.sample();
        let begun = Instant::now();
        if let Some(sample) = last.as_ref().filter(|sample| begun < sample.due) {
            return Some(sample.clone());
        }
        // What a plain struct of numbers and texts cannot fail at.
        let mut text = serde_json::to_vec(&overview.flow()).unwrap_or_default();
        text.push(b'\n');
        let pause = FRESH.max(begun.elapsed() * SHARE);
        let sample = Sample { version: version_of(&text), text: text.into(), due: begun + pause };
        documents.announce("flow.json", &sample.version);
        *last = Some(sample.clone());
        Some(sample)
    }

    fn graph(&self) -> Option<&(Bytes, String)> {
        let overview = self.overview.get()?;
        Some(self.graph.get_or_init(|| {
            let text = overview.graph();
            let version = version_of(text.as_bytes());
            (text.into(), version)
        }))
    }

    fn sample(&self) -> MutexGuard<'_, Option<Sample>> {
        // The last sample is replaced as a whole.
        self.sample.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
