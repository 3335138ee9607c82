//! What the host may ask of a userdata without knowing its type: its text, and a statement that makes it again.

use crate::{State, ffi};
use std::ffi::{c_int, c_void};

/// Why a value could not be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderError(pub String);

/// Writes the userdata at stack index `n` of the state to the buffer. Never raises a Lua error; it may use three slots
/// of the stack and leaves it as it was. It checks itself that the userdata is its own.
pub type Render = unsafe fn(State, c_int, &mut Vec<u8>) -> Result<(), RenderError>;

/// Writes Lua statements that make the userdata again under `key` (`_G["cb"]`). Conditions as for [`Render`].
pub type Serialise = unsafe fn(State, c_int, &[u8], &mut Vec<u8>) -> Result<(), RenderError>;

/// The hooks of a userdata type.
pub struct Hooks {
    /// How output functions show it: the bytes a message carries.
    pub render: Option<Render>,
    /// How preservation writes it.
    pub serialise: Option<Serialise>,
}

/// Key of the hooks in a metatable: the address of this byte, which no script can name.
static KEY: u8 = 0;

fn key() -> *mut c_void {
    (&raw const KEY).cast_mut().cast()
}

/// Attaches hooks to the metatable at the top of the stack.
///
/// # Safety
/// `state` is live, a table is at the top, and there is room for two values. Raises a Lua error when the memory limit
/// is reached.
pub unsafe fn set_hooks(state: State, hooks: &'static Hooks) {
    unsafe {
        ffi::lua_pushlightuserdata(state, key());
        ffi::lua_pushlightuserdata(state, (hooks as *const Hooks).cast_mut().cast());
        ffi::lua_rawset(state, -3);
    }
}

/// The hooks of the userdata at stack index `n`.
///
/// # Safety
/// `state` is live and there is room for two values.
pub unsafe fn hooks_of(state: State, n: c_int) -> Option<&'static Hooks> {
    unsafe {
        if ffi::lua_type(state, n) != ffi::LUA_TUSERDATA || ffi::lua_getmetatable(state, n) == 0 {
            return None;
        }
        ffi::lua_pushlightuserdata(state, key());
        ffi::lua_rawget_(state, -2);
        let hooks = ffi::lua_touserdata(state, -1).cast::<Hooks>();
        ffi::lua_settop(state, -3);
        // Only `set_hooks` stores under this key, and it stores static references.
        hooks.as_ref()
    }
}
