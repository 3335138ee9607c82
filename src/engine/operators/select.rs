//! `select`: a plugin's message matcher picks rows out of every batch that passes the router.

use crate::engine::Time;
use crate::engine::operators::unary::unary;
use heka_matcher::{Matcher, Predicates};
use heka_message::Selection;
use std::sync::Arc;
use timely::dataflow::Stream;

/// The rows that `matcher` accepts. Predicates are evaluated at most once per batch, whichever matcher asks.
pub fn select<'scope>(
    messages: Stream<'scope, Time, Vec<Selection>>,
    name: &str,
    matcher: Matcher,
    predicates: Arc<Predicates>,
) -> Stream<'scope, Time, Vec<Selection>> {
    unary(messages, name, move |_time, selections, give| {
        for Selection { batch, rows } in selections.drain(..) {
            let matched = matcher.select(&predicates, &batch).and(&rows, batch.len());
            if !matched.is_none() {
                give(Selection { batch, rows: matched });
            }
        }
    })
}
