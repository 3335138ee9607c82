//! Text to typed sections: files, environment, legacy forms, diagnostics.
//!
//! ```text
//! files ── %ENV ──┬─ TOML ───────────────┬─ sections ── merge ── Config
//!                 └─ dialect ── TOML ────┘
//! ```
//! Everything after the files works on values that know their [`Place`](heka_settings::Place), so that whatever
//! is wrong, here or later in the plan, is shown where the user wrote it.

mod aliases;
mod buffering;
pub mod common;
mod document;
pub mod env;
mod filter_section;
pub mod hekad;
mod legacy;
pub mod literal;
mod load;
mod merge;
mod offsets;
pub mod reference;
pub mod render;
pub mod schema;
mod section;
pub mod source;
mod tables;

pub use buffering::{Buffering, BufferingKeys, FullAction};
pub use common::{Common, ConsumerCommon, InputCommon, Retries};
pub use env::process_env;
pub use filter_section::read_filter;
pub use hekad::HekadSettings;
pub use load::{Config, Loaded, Refused, load, load_sources};
pub use section::{Section, Spec};
pub use source::{SourceFile, Sources};
pub use tables::{load_table, sections};
