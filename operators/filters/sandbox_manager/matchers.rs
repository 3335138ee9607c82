//! The matchers of filters that come and go. Filters that ask for the same share one: hundreds of alike filters cost one
//! evaluation a batch.

use heka_matcher::{Compiler, Matcher, Predicates};
use heka_message::{RowSet, Selection};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use crate::filters::OwnMatch;

/// The matchers in use.
#[derive(Default)]
pub(super) struct Matchers {
    entries: HashMap<Key, Entry>,
    /// Counts the selections that were offered.
    turn: u64,
}

/// A matcher's canonical text, and the signer it asks for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    text: String,
    signer: Option<String>,
}

struct Entry {
    matcher: Matcher,
    predicates: Arc<Predicates>,
    users: usize,
    /// What it has found last, and in which turn.
    found: (u64, RowSet),
    cost: Cost,
}

/// What something takes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cost {
    /// For so many messages.
    pub(super) messages: u64,
    pub(super) nanos: u64,
}

impl Cost {
    /// What began at `begun` took until now, for so many messages. The time now.
    pub(super) fn add(&mut self, begun: Instant, messages: usize) -> Instant {
        let now = Instant::now();
        self.messages += messages as u64;
        self.nanos += u64::try_from(now.duration_since(begun).as_nanos()).unwrap_or(u64::MAX);
        now
    }

    /// Nanoseconds for one message.
    pub(super) fn average(&self) -> u64 {
        self.nanos / self.messages.max(1)
    }
}

impl Matchers {
    /// Takes a matcher into use.
    ///
    /// # Errors
    /// The text is no matcher: one line, with the remedy.
    pub(super) fn take(&mut self, text: &str, signer: Option<&str>) -> Result<Key, String> {
        let mut compiler = Compiler::new();
        let matcher = compiler.compile(text, signer).map_err(|error| match &error.help {
            Some(help) => format!("{error} ({help})"),
            None => error.to_string(),
        })?;
        let key = Key { text: matcher.to_string(), signer: signer.map(str::to_owned) };
        let entry = self.entries.entry(key.clone()).or_insert_with(|| Entry {
            matcher,
            predicates: compiler.finish_uncached(),
            users: 0,
            found: (0, RowSet::None),
            cost: Cost::default(),
        });
        entry.users += 1;
        Ok(key)
    }

    /// A filter that used it has gone.
    pub(super) fn release(&mut self, key: &Key) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        entry.users -= 1;
        if entry.users == 0 {
            self.entries.remove(key);
        }
    }

    /// Offers other messages from now on.
    pub(super) fn next(&mut self) {
        self.turn += 1;
    }

    /// The offered messages that a matcher accepts. `clock` is the time by now.
    pub(super) fn select(&mut self, key: &Key, offered: &Selection, clock: &mut Instant) -> RowSet {
        let Some(entry) = self.entries.get_mut(key) else { return RowSet::None };
        if entry.found.0 != self.turn {
            let rows = offered.batch.len();
            entry.found = (self.turn, entry.matcher.select(&entry.predicates, &offered.batch).and(&offered.rows, rows));
            *clock = entry.cost.add(*clock, offered.rows.count(rows));
        }
        entry.found.1.clone()
    }

    /// What a matcher has cost of late.
    pub(super) fn cost(&self, key: &Key) -> Cost {
        self.entries.get(key).map(|entry| entry.cost).unwrap_or_default()
    }

    /// Nanoseconds that all matchers have taken of late.
    pub(super) fn busy(&self) -> u64 {
        self.entries.values().map(|entry| entry.cost.nanos).sum()
    }

    /// Begins to measure anew.
    pub(super) fn forget_costs(&mut self) {
        self.entries.values_mut().for_each(|entry| entry.cost = Cost::default());
    }
}

/// Tells which messages the expression accepts, whoever signed them; the expression has been compiled before.
pub(super) fn own_match(text: &str) -> Option<OwnMatch> {
    let mut compiler = Compiler::new();
    let matcher = compiler.compile(text, None).ok()?;
    let predicates = compiler.finish_uncached();
    Some(Box::new(move |row| matcher.matches(&predicates, row)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use heka_message::BatchBuilder;

    fn offered(types: &[&str]) -> Selection {
        let mut builder = BatchBuilder::default();
        for text in types {
            let span = builder.text(text.as_bytes());
            builder.row().msg_type = span;
        }
        Selection::all(builder.finish())
    }

    #[test]
    fn the_same_matcher_is_evaluated_once_a_turn() {
        let mut matchers = Matchers::default();
        let first = matchers.take("Type == 'a'", None).unwrap();
        let second = matchers.take("(Type=='a')", None).unwrap();
        let signed = matchers.take("Type == 'a'", Some("ops")).unwrap();
        assert!(first == second && first != signed && matchers.entries.len() == 2);
        let mut clock = Instant::now();
        let mut count = |matchers: &mut Matchers, key: &Key, types: &[&str]| {
            matchers.select(key, &offered(types), &mut clock).count(types.len())
        };
        matchers.next();
        assert_eq!(count(&mut matchers, &first, &["a", "b", "a"]), 2);
        assert_eq!(count(&mut matchers, &second, &["a", "b", "a"]), 2);
        assert_eq!(matchers.cost(&second).messages, 3, "offered once");
        assert_eq!(count(&mut matchers, &signed, &["a", "b", "a"]), 0);
        matchers.next();
        assert_eq!(count(&mut matchers, &second, &["b"]), 0);
        matchers.release(&first);
        assert_eq!(count(&mut matchers, &second, &["b"]), 0);
        matchers.release(&second);
        assert_eq!(matchers.entries.len(), 1);
    }

    #[test]
    fn a_text_that_is_no_matcher_is_refused() {
        assert!(Matchers::default().take("Type = 'a'", None).is_err_and(|why| !why.contains('\n')));
    }
}
