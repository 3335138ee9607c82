//! Turns messages into documents.

use super::documents::Documents;
use super::received::Received;
use super::sandboxes::Sandboxes;
use super::site::Site as Pages;
use crate::outputs::Block;
use crate::plugin::Site;
use crate::stats::Counter;
use crate::throttle::Throttle;
use heka_message::{BatchBuilder, Span, read_message};
use std::io;
use std::sync::Arc;

pub(super) const REPORT: &str = "heka_report.json";
pub(super) const SANDBOXES: &str = "sandboxes.json";
pub(super) const TERMINATIONS: &str = "heka_sandbox_termination.tsv";
/// Where terminations go that are too many for one file.
pub(super) const OLD_TERMINATIONS: &str = "heka_sandbox_termination.1.tsv";
/// Names that no output may have.
pub(super) const RESERVED: [&str; 6] = [REPORT, SANDBOXES, TERMINATIONS, OLD_TERMINATIONS, "graph.json", "flow.json"];

/// Bytes of terminations in one file.
const TERMINATION_BYTES: u64 = 1 << 20;

/// What a dashboard does with messages.
pub(super) struct Store {
    site: Site,
    pages: Arc<Pages>,
    documents: Arc<Documents>,
    sandboxes: Sandboxes,
    /// Take outputs only of filters that run in this daemon.
    only_local: bool,
    /// A report has come: from then on there is a list.
    has_report: bool,
    builder: BatchBuilder,
    count: Arc<Counter>,
    broken: Arc<Counter>,
    ignored: Arc<Counter>,
    unwritten: Arc<Counter>,
    crowded: Arc<Counter>,
    foreign: Arc<Counter>,
    trouble: Throttle,
}

impl Store {
    /// Writes into `documents`.
    pub(super) fn new(site: &Site, pages: Arc<Pages>, only_local: bool) -> Self {
        let stats = &site.stats;
        Store {
            documents: pages.documents.clone(),
            pages,
            sandboxes: Sandboxes::new(&RESERVED),
            only_local,
            has_report: false,
            builder: BatchBuilder::default(),
            count: stats.counter("ProcessMessageCount", "count"),
            broken: stats.drops("not-a-message"),
            ignored: stats.drops("nothing-to-show"),
            unwritten: stats.drops("write-failure"),
            crowded: stats.drops("too-many-outputs"),
            foreign: stats.drops("foreign-output"),
            trouble: Throttle::default(),
            site: site.clone(),
        }
    }

    /// Takes the messages of a block. What cannot be kept is dropped: the next report, and the next output of the same
    /// name, will say more than it did.
    pub(super) fn take(&mut self, block: &Block) {
        let bytes = bytes::Bytes::copy_from_slice(&block.bytes);
        let mut builder = std::mem::take(&mut self.builder);
        let mut list_changed = false;
        let mut start = 0;
        for &end in &block.ends {
            let range = start..end as usize;
            start = range.end;
            builder.restart(bytes.clone());
            // The ends are those of the block's records.
            let record = bytes.get(range.clone()).unwrap_or_default();
            match read_message(&mut builder, record, Span::source(range)) {
                Ok(()) => list_changed |= self.message(&Received::of(builder.batch().row(0))),
                Err(_) => self.broken.add(1),
            }
        }
        self.builder = builder;
        if list_changed && self.has_report {
            let list = self.sandboxes.to_json();
            self.note(SANDBOXES, self.documents.publish(SANDBOXES, list.as_bytes()));
        }
    }

    /// Takes one message; whether the list of outputs is to be written.
    fn message(&mut self, message: &Received<'_>) -> bool {
        match message {
            Received::Report(report) => {
                let first = !std::mem::replace(&mut self.has_report, true);
                if self.note(REPORT, self.documents.publish(REPORT, report)) {
                    self.count.add(1);
                }
                first
            }
            Received::Output { filter, name, kind, content } => {
                if self.only_local && !self.pages.view.may_have_filter(filter) {
                    self.foreign.add(1);
                    return false;
                }
                let Some(placed) = self.sandboxes.place(filter, name, kind) else {
                    self.crowded.add(1);
                    self.trouble.error(&self.site.log, || "too many outputs: new ones are not shown");
                    return false;
                };
                if self.note(&placed.file, self.documents.publish(&placed.file, content)) {
                    self.count.add(1);
                }
                placed.is_new
            }
            Received::Terminated { filter, line } => {
                if self.only_local && !self.pages.view.may_have_filter(filter) {
                    self.foreign.add(1);
                    return false;
                }
                let written = self.documents.append(TERMINATIONS, line, TERMINATION_BYTES, OLD_TERMINATIONS);
                if self.note(TERMINATIONS, written) {
                    self.count.add(1);
                }
                self.sandboxes.remove(filter)
            }
            Received::Other => {
                self.ignored.add(1);
                false
            }
        }
    }

    /// Whether it was written; if not, the message is dropped.
    fn note(&self, name: &str, written: io::Result<()>) -> bool {
        match written {
            Ok(()) => true,
            Err(error) => {
                self.unwritten.add(1);
                self.trouble.error(&self.site.log, || format!("{name} cannot be written: {error}"));
                false
            }
        }
    }
}
