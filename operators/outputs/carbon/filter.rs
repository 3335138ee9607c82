//! From payloads to what is sent: valid lines as they are, the others counted and sampled in the log.

use super::lines::{Fault, check, column, lines};
use crate::outputs::Block;
use crate::plugin::Site;
use crate::stats::Counter;
use crate::throttle::Throttle;
use std::sync::Arc;

/// Most bytes of a line that the log shows.
const SHOWN: usize = 200;

/// Passes the valid lines of payloads on.
pub(super) struct Filter {
    site: Site,
    lines: Arc<Counter>,
    dropped: Arc<Counter>,
    malformed: Arc<Counter>,
    bad_time: Arc<Counter>,
    bad_value: Arc<Counter>,
    complaints: Throttle,
}

impl Filter {
    pub(super) fn new(site: &Site) -> Self {
        let stats = &site.stats;
        Filter {
            lines: stats.counter("ProcessLineCount", "count"),
            dropped: stats.counter("DropMessageCount", "count"),
            malformed: stats.drops("malformed-statmetric"),
            bad_time: stats.drops("invalid-time"),
            bad_value: stats.drops("invalid-value"),
            complaints: Throttle::default(),
            site: site.clone(),
        }
    }

    /// Calls `take` with every valid line of a payload.
    fn valid<'a>(&self, payload: &'a [u8], mut take: impl FnMut(&'a [u8])) {
        let mut passed = 0;
        for line in lines(payload) {
            match check(line) {
                Ok(()) => {
                    passed += 1;
                    take(line);
                }
                Err(fault) => self.refuse(line, fault),
            }
        }
        self.lines.add(passed);
        self.dropped.add(usize::from(passed == 0));
    }

    fn refuse(&self, line: &[u8], fault: Fault) {
        let (counter, what) = match fault {
            Fault::Columns => (&self.malformed, "malformed statmetric line: "),
            Fault::Time => (&self.bad_time, "parsing time: "),
            Fault::Value => (&self.bad_value, "parsing value "),
        };
        counter.add(1);
        self.complaints.error(&self.site.log, || {
            let shown = |bytes: &[u8]| bytes[..bytes.len().min(SHOWN)].escape_ascii().to_string();
            match fault {
                Fault::Columns => format!("{what}'{}'", shown(line)),
                _ => {
                    format!("{what}'{}': no number that Graphite takes: '{}'", shown(column(line, fault)), shown(line))
                }
            }
        });
    }

    /// A record for each payload: its valid lines, each with its newline; empty when it has none.
    pub(super) fn stream(&self, block: Arc<Block>) -> Arc<Block> {
        let mut clean = Block::instead_of(block.ticket);
        clean.ends.reserve(block.len());
        clean.bytes.reserve(block.bytes.len() + block.len());
        for payload in block.records() {
            self.valid(payload, |line| {
                clean.bytes.extend_from_slice(line);
                clean.bytes.push(b'\n');
            });
            clean.ends.push(clean.bytes.len() as u32);
        }
        // Statistics come as they are sent: then one copy of them is enough.
        if clean.bytes == block.bytes && clean.ends == block.ends { block } else { Arc::new(clean) }
    }

    /// The valid lines in datagrams: one ends with the line that makes it longer than `full` bytes, or before the line
    /// that would make it longer than `most`.
    pub(super) fn datagrams(&self, block: &Block, full: usize, most: usize) -> Block {
        let mut packed = Block::instead_of(block.ticket);
        packed.bytes.reserve(block.bytes.len() + block.len());
        let mut start = 0;
        for payload in block.records() {
            self.valid(payload, |line| {
                let filled = packed.bytes.len() - start;
                if filled > full || filled > 0 && filled + line.len() + 1 > most {
                    start = packed.bytes.len();
                    packed.ends.push(start as u32);
                }
                packed.bytes.extend_from_slice(line);
                packed.bytes.push(b'\n');
            });
        }
        if packed.bytes.len() > start {
            packed.ends.push(packed.bytes.len() as u32);
        }
        packed
    }
}
