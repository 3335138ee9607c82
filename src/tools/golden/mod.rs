//! Cases of scripts: calls, and what must come of them, written down as data. The format is in tests/golden/README.md.

mod case;
mod message;
mod run;

pub use case::{Case, Step};
pub use run::{Costs, chunk, run};
