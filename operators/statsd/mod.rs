//! Statistics of one interval: what statsd clients and StatFilter submit, collected by an accumulator and flushed as
//! named numbers.

mod accumulator;
mod flush;
mod hub;
mod line;
mod number;

pub use accumulator::{Accumulator, Batch, Emission, Limits, Opening, Sample, Submitter};
pub use flush::{Flushed, Naming, Number};
pub use hub::Accumulators;
pub use line::{Kind, Line, parse};
pub use number::number;

#[cfg(test)]
pub(crate) fn opening(naming: Naming, limits: Limits) -> Opening {
    let emission = Emission { message_type: "heka.statmetric".to_owned(), in_payload: true, in_fields: false };
    Opening { naming, emission, limits, dropped_stats: Default::default(), dropped_samples: Default::default() }
}
