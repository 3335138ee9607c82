//! Typed settings: what a section of a configuration may hold.
//!
//! A plugin declares its options once, with [`settings!`]. That one table drives reading, defaults, the
//! generated reference and the JSON schema; nothing else in the daemon knows an option's name.
//!
//! This crate knows values and where they stand ([`Place`]), but neither files nor TOML: the daemon parses
//! text into a [`Table`] and renders every [`Problem`] against the text it came from.
//!
//! ```
//! use heka_settings::{settings, Problems, Settings, Table};
//!
//! settings! {
//!     /// Options of a demonstration plugin.
//!     pub struct Demo {
//!         /// Address to listen on, `host:port`.
//!         address: String = "127.0.0.1:5565",
//!         /// Lines to keep.
//!         lines: u32 = 10u32,
//!     }
//! }
//! let mut problems = Problems::default();
//! let demo = Demo::read(&Table::default(), &mut problems);
//! assert_eq!((demo.address.as_str(), demo.lines), ("127.0.0.1:5565", 10));
//! assert!(problems.is_empty());
//! ```

mod duration;
mod kinds;
mod problem;
mod table;
mod value;

pub use duration::{Span as DurationText, format_duration, parse_duration};
pub use kinds::{Kind, Map, Nested, Octal, OneOf, Pattern, Placed, SettingType, Words};
pub use problem::{Level, Place, Problem, Problems};
pub use table::{Setting, Settings, nearest, refuse_unknown};
pub use value::{Data, Entry, Table, Value};
