//! The native modules of Heka scripts: cjson, struct, circular_buffer, sketches.

use heka_lua::Module;

/// All of them, for the host's `require`.
pub static MODULES: &[Module] = &[];
