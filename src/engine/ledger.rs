//! Which positions of which streams each epoch holds: what may be committed once the epoch is done.

use heka_operators::inputs::Commit;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use tokio::sync::mpsc::UnboundedSender;

/// The ledger of one input on its worker. Cloning shares it.
#[derive(Clone)]
pub struct Ledger {
    pages: Rc<RefCell<BTreeMap<u64, BTreeMap<u32, u64>>>>,
    commits: Rc<RefCell<Option<UnboundedSender<Commit>>>>,
}

impl Ledger {
    /// A ledger whose commits go to `commits`.
    pub fn new(commits: UnboundedSender<Commit>) -> Self {
        Ledger { pages: Rc::default(), commits: Rc::new(RefCell::new(Some(commits))) }
    }

    /// The records of `stream` up to `position` have entered at `epoch`, or were dropped by a rule.
    pub fn note(&self, epoch: u64, stream: u32, position: u64) {
        self.pages.borrow_mut().entry(epoch).or_default().insert(stream, position);
    }

    /// Everything before `epoch` is done: commits it.
    pub fn settle(&self, epoch: u64) {
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

    /// The dataflow has drained: commits what is left and tells the input that no more will come.
    pub fn close(&self) {
        self.settle(u64::MAX);
        self.commits.borrow_mut().take();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_done_is_committed_and_only_the_latest_of_it() {
        let (sender, mut commits) = tokio::sync::mpsc::unbounded_channel();
        let ledger = Ledger::new(sender);
        ledger.note(1, 7, 10);
        ledger.note(2, 7, 20);
        ledger.note(2, 8, 5);
        ledger.note(3, 7, 30);
        ledger.settle(1);
        assert!(commits.try_recv().is_err());
        ledger.settle(3);
        assert_eq!(commits.try_recv(), Ok(Commit { stream: 7, position: 20 }));
        assert_eq!(commits.try_recv(), Ok(Commit { stream: 8, position: 5 }));
        ledger.close();
        assert_eq!(commits.try_recv(), Ok(Commit { stream: 7, position: 30 }));
        assert!(commits.is_closed() && commits.try_recv().is_err());
    }
}
