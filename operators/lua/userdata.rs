//! Rust values inside userdata: typed by their metatable, dropped by its `__gc`.

use crate::{State, ffi, set_functions};
use std::ffi::{CStr, c_int, c_void};

/// A Rust type that Lua can hold. `NAME` is its metatable's key in the registry and its name in error texts.
pub trait Userdata: Sized + 'static {
    /// As in `bad argument #1 to 'f' (NAME expected, got nil)`.
    const NAME: &'static CStr;
    /// The methods, found through `__index`.
    const METHODS: &'static [(&'static CStr, ffi::lua_CFunction)];
    /// Metamethods beside `__gc` and `__index`.
    const METAMETHODS: &'static [(&'static CStr, ffi::lua_CFunction)] = &[];
}

/// What lies in the block: the value, or `None` once it was finalised (a script may call `__gc` itself).
type Slot<T> = Option<T>;

/// Pushes a new userdata holding what `make` returns. The metatable is made at the first use.
///
/// `make` runs after everything that may raise an error, so nothing leaks.
///
/// # Safety
/// `state` is live and has room for five values. Raises a Lua error when the memory limit is reached: no value with a
/// destructor may live in the caller's frame, nor be captured by `make`.
pub unsafe fn new<T: Userdata>(state: State, make: impl FnOnce() -> T) -> &'static mut T {
    const { assert!(align_of::<T>() <= 8, "Lua aligns userdata to 8 bytes") }
    unsafe {
        let slot: *mut Slot<T> = ffi::lua_newuserdata(state, size_of::<Slot<T>>()).cast();
        slot.write(None);
        if ffi::luaL_newmetatable_(state, T::NAME.as_ptr()) != 0 {
            set_functions(state, &[(c"__gc", finalise::<T>)]);
            set_functions(state, T::METAMETHODS);
            ffi::lua_createtable(state, 0, T::METHODS.len() as c_int);
            set_functions(state, T::METHODS);
            ffi::lua_setfield(state, -2, c"__index".as_ptr());
        }
        ffi::lua_setmetatable(state, -2);
        (*slot).insert(make())
    }
}

/// The value in argument `n`.
///
/// # Safety
/// `state` is live and called this function. Raises a Lua error when the argument is something else: no value with a
/// destructor may live in the caller's frame. The reference lives as long as the argument stays on the stack; the
/// caller makes no second one while it uses it.
pub unsafe fn check<T: Userdata>(state: State, n: c_int) -> &'static mut T {
    unsafe {
        match test::<T>(state, n) {
            Some(value) => value,
            None => {
                ffi::luaL_typerror(state, n, T::NAME.as_ptr());
                unreachable!("luaL_typerror does not return")
            }
        }
    }
}

/// The value at stack index `n`, or `None` when there is something else. Never raises.
///
/// # Safety
/// As [`check`], and there is room for two values.
pub unsafe fn test<T: Userdata>(state: State, n: c_int) -> Option<&'static mut T> {
    unsafe {
        // A block without a metatable, or with another, is not ours; light userdata has none of its own.
        let block: *mut c_void = ffi::lua_touserdata(state, n);
        if block.is_null() || ffi::lua_getmetatable(state, n) == 0 {
            return None;
        }
        ffi::lua_getfield_(state, ffi::LUA_REGISTRYINDEX, T::NAME.as_ptr());
        let same = ffi::lua_rawequal(state, -1, -2) != 0;
        ffi::lua_settop(state, -3);
        if same { (*block.cast::<Slot<T>>()).as_mut() } else { None }
    }
}

unsafe extern "C-unwind" fn finalise<T: Userdata>(state: State) -> c_int {
    unsafe {
        // Only a block with our metatable holds a `T`: `__gc` can be called by hand with anything.
        if test::<T>(state, 1).is_some() {
            let slot: *mut Slot<T> = ffi::lua_touserdata(state, 1).cast();
            drop((*slot).take());
        }
    }
    0
}
