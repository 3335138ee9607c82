//! The engine room: the only folder that names timely.
//!
//! A plan becomes one dataflow, built alike by every worker. Bytes enter at source operators, become batches,
//! pass the router and its matchers, and leave through output operators. The frontier owns progress: it fires
//! ticks, releases acknowledgements, commits positions and proves that a shutdown has drained.

mod clock;
mod dataflow;
mod ledger;
mod observe;
mod operators;
mod pulse;
mod relief;
mod run;
mod serve;
mod status;
mod supervise;
mod time;
mod wiring;

pub use clock::{now_ms, now_ns};
pub use observe::built_graph;
pub use run::run;
pub use status::{NodeStatus, Statuses};
pub use time::{END_OF_TIME, Lap, Time};
