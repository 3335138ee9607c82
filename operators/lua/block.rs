//! Plain data inside userdata: no destructor, its memory counted by Lua, its type checked by one comparison.
//!
//! A [`Block`] describes a userdata type whose value lies in the block itself and needs no finaliser. Its functions
//! carry the type's metatable as their first upvalue, so a check costs no look-up by name.

use crate::{Hooks, State, ffi, push_bytes, set_hooks};
use std::ffi::{CStr, c_int, c_void};

/// A userdata type. Make it a `static`: its address names it in the registry.
pub struct Block {
    /// As in `bad argument #1 to 'f' (NAME expected, got nil)`.
    pub name: &'static CStr,
    /// The methods, found through `__index`. Each has the metatable as its first upvalue.
    pub methods: &'static [(&'static CStr, ffi::lua_CFunction)],
    /// Metamethods, with the same upvalue.
    pub metamethods: &'static [(&'static CStr, ffi::lua_CFunction)],
    /// What the host may ask of it.
    pub hooks: Option<&'static Hooks>,
}

impl Block {
    fn key(&'static self) -> *mut c_void {
        (self as *const Block).cast_mut().cast()
    }

    /// Pushes the metatable, made at the first call.
    ///
    /// # Safety
    /// `state` is live and has room for five values. Raises a Lua error when the memory limit is reached: no value
    /// with a destructor may live in the caller's frame.
    pub unsafe fn push_metatable(&'static self, state: State) {
        unsafe {
            self.push_registered(state);
            if ffi::lua_type(state, -1) == ffi::LUA_TTABLE {
                return;
            }
            ffi::lua_settop(state, -2);
            ffi::lua_createtable(state, 0, self.metamethods.len() as c_int + 2);
            if let Some(hooks) = self.hooks {
                set_hooks(state, hooks);
            }
            for (name, function) in self.metamethods {
                set_method(state, -1, name, *function);
            }
            ffi::lua_createtable(state, 0, self.methods.len() as c_int);
            for (name, function) in self.methods {
                set_method(state, -2, name, *function);
            }
            ffi::lua_setfield(state, -2, c"__index".as_ptr());
            // Known to the registry only when it is complete: memory may run out on the way.
            ffi::lua_pushlightuserdata(state, self.key());
            ffi::lua_pushvalue(state, -2);
            ffi::lua_rawset(state, ffi::LUA_REGISTRYINDEX);
        }
    }

    unsafe fn push_registered(&'static self, state: State) {
        unsafe {
            ffi::lua_pushlightuserdata(state, self.key());
            ffi::lua_rawget_(state, ffi::LUA_REGISTRYINDEX);
        }
    }

    /// The userdata at stack index `n` when it is of this type. Never raises and leaves the stack as it was; hooks
    /// use it, which have no upvalues.
    ///
    /// # Safety
    /// `state` is live and has room for two values.
    pub unsafe fn test(&'static self, state: State, n: c_int) -> Option<*mut c_void> {
        unsafe {
            let block = ffi::lua_touserdata(state, n);
            if block.is_null() || ffi::lua_getmetatable(state, n) == 0 {
                return None;
            }
            self.push_registered(state);
            let same = ffi::lua_rawequal(state, -1, -2) != 0;
            ffi::lua_settop(state, -3);
            same.then_some(block)
        }
    }

    /// The userdata in argument `n`, of the type whose metatable is upvalue `upvalue` of the running function.
    ///
    /// # Safety
    /// `state` is live and called this function, which has that upvalue. Raises a Lua error when the argument is
    /// something else: no value with a destructor may live in the caller's frame.
    #[inline]
    pub unsafe fn check(&'static self, state: State, n: c_int, upvalue: c_int) -> *mut c_void {
        unsafe {
            match block_at(state, n, upvalue) {
                Some(block) => block,
                None => {
                    ffi::luaL_typerror(state, n, self.name.as_ptr());
                    unreachable!("luaL_typerror does not return")
                }
            }
        }
    }
}

/// The userdata at stack index `n` when its metatable is upvalue `upvalue` of the running function. Never raises.
///
/// # Safety
/// `state` is live, the running function has that upvalue, and there is room for a value.
#[inline]
pub unsafe fn block_at(state: State, n: c_int, upvalue: c_int) -> Option<*mut c_void> {
    unsafe {
        let block = ffi::lua_touserdata(state, n);
        // Light userdata shares one metatable, which is never ours.
        if block.is_null() || ffi::lua_getmetatable(state, n) == 0 {
            return None;
        }
        let same = ffi::lua_rawequal(state, -1, ffi::lua_upvalueindex(upvalue)) != 0;
        ffi::lua_settop(state, -2);
        same.then_some(block)
    }
}

/// Pushes a new userdata of `size` bytes, not initialised, with the metatable that is upvalue `upvalue`. The caller
/// writes it before anything else runs. A size that no machine has raises `not enough memory` as any other does.
///
/// # Safety
/// `state` is live, the running function has that upvalue, and there is room for two values. Raises a Lua error when
/// the memory limit is reached: no value with a destructor may live in the caller's frame.
pub unsafe fn new_block(state: State, size: usize, upvalue: c_int) -> *mut c_void {
    unsafe {
        // Near the largest size Lua would raise another text.
        let block = ffi::lua_newuserdata(state, size.min(isize::MAX as usize / 2));
        ffi::lua_pushvalue(state, ffi::lua_upvalueindex(upvalue));
        ffi::lua_setmetatable(state, -2);
        block
    }
}

/// Sets a function with the metatable at index `metatable` as its upvalue in the table at the top.
unsafe fn set_method(state: State, metatable: c_int, name: &'static CStr, function: ffi::lua_CFunction) {
    unsafe {
        ffi::lua_pushvalue(state, metatable);
        ffi::lua_pushcclosure(state, function, 1);
        ffi::lua_setfield(state, -2, name.as_ptr());
    }
}

/// Puts functions into the table at the top of the stack, each with copies of the `upvalues` values below the table
/// as its upvalues.
///
/// # Safety
/// `state` is live, the table and the values are there, and there is room for `upvalues` + 2 values. Raises a Lua
/// error when the memory limit is reached.
pub unsafe fn set_closures(state: State, functions: &[(&'static CStr, ffi::lua_CFunction)], upvalues: c_int) {
    for (name, function) in functions {
        unsafe {
            for _ in 0..upvalues {
                ffi::lua_pushvalue(state, -1 - upvalues);
            }
            ffi::lua_pushcclosure(state, *function, upvalues);
            ffi::lua_setfield(state, -2, name.as_ptr());
        }
    }
}

/// Raises the error text of a wrong type or value that is only known at run time: `bad argument #n to 'f' (text)`.
///
/// # Safety
/// `state` is live and called this function; no value with a destructor lives in the caller's frame. `text` is
/// copied before anything is raised.
pub unsafe fn arg_error_text(state: State, n: c_int, text: &[u8]) -> ! {
    unsafe {
        push_bytes(state, text);
        ffi::luaL_argerror(state, n, ffi::lua_tolstring(state, -1, std::ptr::null_mut()));
    }
    unreachable!("luaL_argerror does not return")
}
