//! The dataflow's time: an epoch of the wall clock, and how often a message has gone round.
//!
//! The order is the product of both. A loop advances `round` only, and its summary has no result past the
//! limit, so that nothing goes round for ever, and the frontier knows it cannot. Filters keep to a lower limit, which
//! only the news of a filter's end may pass.

use serde::{Deserialize, Serialize};
use timely::PartialOrder;
use timely::progress::timestamp::{PathSummary, Refines, Timestamp};

/// The epoch of the stop tick: later than every clock.
pub const END_OF_TIME: u64 = u64::MAX;

/// A time of the dataflow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Time {
    /// Milliseconds since the UNIX epoch.
    pub epoch: u64,
    /// How often the message has gone round a loop.
    pub round: u32,
}

impl Time {
    /// The first round of an epoch.
    pub fn at(epoch: u64) -> Self {
        Time { epoch, round: 0 }
    }
}

impl PartialOrder for Time {
    #[inline]
    fn less_equal(&self, other: &Self) -> bool {
        self.epoch <= other.epoch && self.round <= other.round
    }
}

impl Timestamp for Time {
    type Summary = Lap;
    fn minimum() -> Self {
        Time::default()
    }
}

/// What a path through the dataflow does to a time: adds rounds, up to a limit past which nothing comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Lap {
    rounds: u32,
    limit: u32,
}

impl Lap {
    /// Once round the loop; messages that have gone round `limit` times go no further.
    pub fn once(limit: u32) -> Self {
        Lap { rounds: 1, limit }
    }
}

impl Default for Lap {
    fn default() -> Self {
        Lap { rounds: 0, limit: u32::MAX }
    }
}

impl PartialOrder for Lap {
    fn less_equal(&self, other: &Self) -> bool {
        self.rounds <= other.rounds && self.limit >= other.limit
    }
}

impl PathSummary<Time> for Lap {
    fn results_in(&self, time: &Time) -> Option<Time> {
        let round = time.round.checked_add(self.rounds).filter(|round| *round <= self.limit)?;
        Some(Time { epoch: time.epoch, round })
    }

    fn followed_by(&self, other: &Self) -> Option<Self> {
        let limit = self.limit.min(other.limit);
        let rounds = self.rounds.checked_add(other.rounds).filter(|rounds| *rounds <= limit)?;
        Some(Lap { rounds, limit })
    }
}

impl Refines<()> for Time {
    fn to_inner((): ()) -> Self {
        Time::default()
    }
    fn to_outer(self) {}
    fn summarize(_: Lap) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lap() -> impl Strategy<Value = Lap> {
        (0u32..6, 0u32..6).prop_map(|(rounds, limit)| Lap { rounds, limit: limit.max(rounds) })
    }

    proptest! {
        #[test]
        fn a_path_is_its_parts_one_after_the_other(a in lap(), b in lap(), epoch in 0u64..9, round in 0u32..6) {
            let time = Time { epoch, round };
            let by_parts = a.results_in(&time).and_then(|t| b.results_in(&t));
            let at_once = a.followed_by(&b).and_then(|p| p.results_in(&time));
            // The joined limit applies to the whole path: it may cut earlier, and never later.
            prop_assert!(at_once.is_none() || at_once == by_parts);
        }

        #[test]
        fn summaries_keep_the_order(a in lap(), x in (0u64..5, 0u32..5), y in (0u64..5, 0u32..5)) {
            let (x, y) = (Time { epoch: x.0, round: x.1 }, Time { epoch: y.0, round: y.1 });
            if let (true, Some(later)) = (x.less_equal(&y), a.results_in(&y)) {
                prop_assert!(a.results_in(&x).is_some_and(|earlier| earlier.less_equal(&later)));
            }
        }
    }
}
