//! Lua states with hard limits: the host of Heka scripts.
//!
//! A [`Sandbox`] runs one script in one state of reference Lua 5.1. It never uses more memory or instructions than it
//! was given, whatever the script does, and a script reaches nothing but the functions of its [`Kind`]. What a script
//! sends out goes to the plugin's [`Role`], built straight into a batch.
//!
//! All Lua code and everything that can raise a Lua error runs inside protected calls. Frames that an error may leave
//! hold no value with a destructor: functions read their arguments first, then work in a body that returns errors as
//! values ([`heka_lua::protect`]).

mod allowance;
mod clock;
mod config;
mod decode;
mod encode;
mod environment;
mod host;
mod inject;
mod loading;
mod matched;
mod memory;
mod number;
mod outcome;
mod output;
mod preserve;
mod random;
mod read;
mod require;
mod restore;
mod role;
mod safe;
mod state;
mod time;
mod write;

pub use config::{Config, ConfigValue, Kind};
pub use outcome::Returned;
pub use role::{Payload, Refusal, Role};
pub use state::{Entry, Sandbox, Statistics};

pub(crate) use heka_lua::{State, ffi};
