//! One operator a file, named for what it does.

pub mod checkpoint;
pub mod decode;
pub mod filter;
pub mod merge;
pub mod output;
pub mod resequence;
pub mod rounds;
pub mod select;
mod sizes;
pub mod source;
pub mod split;
pub mod ticks;
mod turn;
mod unary;

use crate::engine::Time;
use timely::dataflow::operators::InputCapability;

/// The time of a message: every operator here sends at one capability, so its stamp has one element.
pub fn time_of(capability: &InputCapability<Time>) -> Time {
    capability.stamp().iter().copied().max().unwrap_or_default()
}
