//! `select`: a plugin's message matcher picks rows out of every batch that passes the router.

use crate::engine::operators::unary::unary;
use crate::engine::{NodeStatus, Time};
use heka_matcher::{Matcher, Predicates};
use heka_message::Selection;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;
use timely::dataflow::Stream;

/// One batch in so many is timed.
const SAMPLE: u64 = 100;

/// The rows that `matcher` accepts. Predicates are evaluated at most once per batch, whichever matcher asks.
pub fn select<'scope>(
    messages: Stream<'scope, Time, Vec<Selection>>,
    name: &str,
    matcher: Matcher,
    predicates: Arc<Predicates>,
    status: Arc<NodeStatus>,
) -> Stream<'scope, Time, Vec<Selection>> {
    let mut cost = Cost::default();
    unary(messages, name, move |_time, selections, give| {
        for Selection { batch, rows } in selections.drain(..) {
            let offered = rows.count(batch.len()) as u64;
            status.offered.fetch_add(offered, Ordering::Relaxed);
            let begun = cost.begin();
            let matched = matcher.select(&predicates, &batch).and(&rows, batch.len());
            if let Some(begun) = begun {
                status.match_nanos.store(cost.end(begun, offered), Ordering::Relaxed);
            }
            if !matched.is_none() {
                status.matched.fetch_add(matched.count(batch.len()) as u64, Ordering::Relaxed);
                give(Selection { batch, rows: matched });
            }
        }
    })
}

/// What matching costs, from samples.
#[derive(Default)]
struct Cost {
    batches: u64,
    nanos: u64,
    messages: u64,
}

impl Cost {
    /// Begins a batch; some when it is a sample.
    fn begin(&mut self) -> Option<Instant> {
        let is_sample = self.batches.is_multiple_of(SAMPLE);
        self.batches += 1;
        is_sample.then(Instant::now)
    }

    /// Ends a sample of so many messages; the average for one, in nanoseconds.
    fn end(&mut self, begun: Instant, messages: u64) -> u64 {
        self.nanos = self.nanos.saturating_add(u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX));
        self.messages += messages;
        self.nanos / self.messages.max(1)
    }
}
