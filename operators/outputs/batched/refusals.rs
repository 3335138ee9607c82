//! What becomes of records that the other side will never take: counted, logged, and kept in a file if there is one.

use super::Record;
use super::dead_letters::{DeadLetters, line};
use crate::net::deadline::Deadline;
use crate::plugin::{PluginError, Site};
use crate::stats::Counter;
use crate::throttle::Throttle;
use std::sync::Arc;
use std::time::Duration;

/// Pause before a file that could not be written is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// Takes the records that are refused.
pub(in crate::outputs) struct Refusals {
    site: Site,
    file: Option<DeadLetters>,
    /// All records that were not delivered.
    not_delivered: Arc<Counter>,
    dropped: Arc<Counter>,
    no_room: Arc<Counter>,
    kept: Arc<Counter>,
    refusals: Throttle,
    troubles: Throttle,
}

impl Refusals {
    pub(in crate::outputs) fn new(site: &Site, file: Option<DeadLetters>) -> Self {
        Refusals {
            file,
            not_delivered: site.stats.counter("DropMessageCount", "count"),
            dropped: site.stats.drops("refused"),
            no_room: site.stats.drops("dead-letters-full"),
            kept: site.stats.counter("DeadLetterCount", "count"),
            refusals: Throttle::default(),
            troubles: Throttle::default(),
            site: site.clone(),
        }
    }

    /// Takes records, each with the reason. Returns when they are done with: in the file and on the disk, or dropped.
    ///
    /// # Errors
    /// When the file cannot be written and a shutdown does not want to wait any longer.
    pub(super) async fn take(
        &mut self,
        refused: &[(Record, String)],
        deadline: &mut Deadline,
    ) -> Result<(), PluginError> {
        for (_, reason) in refused {
            self.refusals.error(&self.site.log, || reason);
        }
        match &self.file {
            None => self.dropped.add(refused.len()),
            Some(file) => {
                let lines: Vec<_> = refused.iter().map(|(record, why)| line(&self.site.name, why, record)).collect();
                let kept = loop {
                    let error = match file.append(lines.clone()).await {
                        Ok(kept) => break kept,
                        Err(error) => error,
                    };
                    let complaint = format!("can't write dead letters to {}: {error}", file.path.display());
                    self.troubles.error(&self.site.log, || &complaint);
                    tokio::select! {
                        biased;
                        () = deadline.passed() => return Err(PluginError::retry(complaint)),
                        () = tokio::time::sleep(PAUSE) => {}
                    }
                };
                self.kept.add(kept);
                if kept < refused.len() {
                    self.no_room.add(refused.len() - kept);
                    self.troubles.error(&self.site.log, || {
                        format!("{} is full: further dead letters are dropped until it is moved", file.path.display())
                    });
                }
            }
        }
        self.not_delivered.add(refused.len());
        Ok(())
    }
}
