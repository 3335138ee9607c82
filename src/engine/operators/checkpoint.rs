//! `checkpoint`: the one place where positions are committed, when the frontier of everything that consumes
//! messages has passed their epoch.

use crate::engine::Time;
use crate::engine::ledger::{CommitLimit, Ledger};
use heka_message::Selection;
use std::sync::Arc;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::dataflow::{Scope, Stream};

/// Commits the ledgers of this worker's inputs behind the frontier of all of `done`, as far as `limit` allows.
pub fn checkpoint<'scope>(
    scope: Scope<'scope, Time>,
    name: &str,
    done: Vec<Stream<'scope, Time, Vec<Selection>>>,
    ledgers: Vec<Ledger>,
    limit: Arc<CommitLimit>,
) {
    let mut builder = OperatorBuilder::new(name.to_owned(), scope);
    let mut inputs: Vec<_> = done.into_iter().map(|stream| builder.new_input(stream, Pipeline)).collect();
    builder.build(move |_capabilities| {
        let mut settled = 0;
        move |frontiers| {
            for input in &mut inputs {
                input.for_each(|_, selections| selections.clear());
            }
            let open = frontiers.iter().flat_map(|f| f.frontier().iter().map(|t| t.epoch).min()).min();
            // Read behind the frontiers: whoever gave something up lowered it before he let them pass.
            let limit = limit.get();
            match open.map(|epoch| epoch.min(limit)) {
                Some(epoch) if epoch > settled => {
                    settled = epoch;
                    ledgers.iter().for_each(|ledger| ledger.settle(epoch));
                }
                Some(_) => {}
                None => ledgers.iter().for_each(|ledger| ledger.close(limit)),
            }
        }
    });
}
