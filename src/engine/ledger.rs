//! Which positions of which streams each epoch holds: what may be committed once the epoch is done.

use heka_operators::inputs::Commit;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc::UnboundedSender;

/// How far a checkpoint, or one input, may commit: an output that has ended for good lets the frontier pass what it did
/// not deliver, a decoder what it did not decode, and lowers this limit first, so that the next start brings it again.
#[derive(Debug)]
pub struct CommitLimit(AtomicU64);

impl Default for CommitLimit {
    fn default() -> Self {
        CommitLimit(AtomicU64::new(u64::MAX))
    }
}

impl CommitLimit {
    /// Nothing of `epoch` or after it is to be committed any more.
    pub fn lower(&self, epoch: u64) {
        self.0.fetch_min(epoch, Ordering::SeqCst);
    }

    /// The first epoch that is not to be committed.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// The ledger of one input on its worker. Cloning shares it.
#[derive(Clone)]
pub struct Ledger {
    pages: Rc<RefCell<BTreeMap<u64, BTreeMap<u32, u64>>>>,
    commits: Rc<RefCell<Option<UnboundedSender<Commit>>>>,
    limit: Arc<CommitLimit>,
}

impl Ledger {
    /// A ledger whose commits go to `commits`, as far as the input's own `limit` allows.
    pub fn new(commits: UnboundedSender<Commit>, limit: Arc<CommitLimit>) -> Self {
        Ledger { pages: Rc::default(), commits: Rc::new(RefCell::new(Some(commits))), limit }
    }

    /// The records of `stream` up to `position` have entered at `epoch`, or were dropped by a rule.
    pub fn note(&self, epoch: u64, stream: u32, position: u64) {
        self.pages.borrow_mut().entry(epoch).or_default().insert(stream, position);
    }

    /// Something of `epoch` could not be made into messages: nothing from there on is committed.
    pub fn give_up(&self, epoch: u64) {
        self.limit.lower(epoch);
    }

    /// Everything before `epoch` is done: commits it, as far as the limit allows.
    pub fn settle(&self, epoch: u64) {
        // Read behind the frontier that `epoch` comes from: whoever gave something up lowered it before that.
        let epoch = epoch.min(self.limit.get());
        let mut pages = self.pages.borrow_mut();
        if pages.first_key_value().is_none_or(|(first, _)| *first >= epoch) {
            return;
        }
        let open = pages.split_off(&epoch);
        let mut done: BTreeMap<u32, u64> = BTreeMap::new();
        for page in std::mem::replace(&mut *pages, open).into_values() {
            done.extend(page);
        }
        if let Some(commits) = &*self.commits.borrow() {
            for (stream, position) in done {
                // An input that has ended for good no longer wants to know.
                let _ = commits.send(Commit { stream, position });
            }
        }
    }

    /// The dataflow has drained: commits what is left before `limit` and tells the input that no more will come.
    pub fn close(&self, limit: u64) {
        self.settle(limit);
        self.commits.borrow_mut().take();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_done_is_committed_and_only_the_latest_of_it() {
        let (sender, mut commits) = tokio::sync::mpsc::unbounded_channel();
        let ledger = Ledger::new(sender, Arc::default());
        ledger.note(1, 7, 10);
        ledger.note(2, 7, 20);
        ledger.note(2, 8, 5);
        ledger.note(3, 7, 30);
        ledger.settle(1);
        assert!(commits.try_recv().is_err());
        ledger.settle(3);
        assert_eq!(commits.try_recv(), Ok(Commit { stream: 7, position: 20 }));
        assert_eq!(commits.try_recv(), Ok(Commit { stream: 8, position: 5 }));
        ledger.close(u64::MAX);
        assert_eq!(commits.try_recv(), Ok(Commit { stream: 7, position: 30 }));
        assert!(commits.is_closed() && commits.try_recv().is_err());
    }

    #[test]
    fn what_was_given_up_is_never_committed() {
        // By an output, for all inputs; and by what makes messages of one input, for that one.
        for own in [false, true] {
            let (sender, mut commits) = tokio::sync::mpsc::unbounded_channel();
            let (ledger, limit) = (Ledger::new(sender, Arc::default()), CommitLimit::default());
            ledger.note(1, 7, 10);
            ledger.note(2, 7, 20);
            ledger.note(3, 7, 30);
            for epoch in [2, 3] {
                if own { ledger.give_up(epoch) } else { limit.lower(epoch) }
            }
            ledger.close(limit.get());
            assert_eq!(commits.try_recv(), Ok(Commit { stream: 7, position: 10 }));
            assert!(commits.is_closed() && commits.try_recv().is_err());
        }
    }
}
