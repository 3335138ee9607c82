//! Pending deltas: what changed since the last output, for those who add buffers of several senders together.
//!
//! They are a table from row times to blocks of one number per column, kept as the userdata's environment. A table,
//! because its traversal order is the order of the output's lines. With nothing pending the environment is the
//! metatable, so that clearing allocates nothing and cannot fail.

use super::buffer::{Buffer, Head};
use heka_lua::{State, ffi};
use std::ffi::{c_int, c_void};

/// A change of a cell.
#[derive(Clone, Copy)]
pub enum Change {
    /// To be added to what is pending.
    By(f64),
    /// Takes the place of what is pending: the largest of several maxima is the last.
    To(f64),
}

/// Marks a column of a pending row that did not change: a NaN that no arithmetic makes.
const UNTOUCHED: f64 = f64::from_bits(0x7FF8_5EED_0000_0001);

/// What is pending for a column, when anything is.
pub fn pending(value: f64) -> Option<f64> {
    (value.to_bits() != UNTOUCHED.to_bits()).then_some(value)
}

/// Forgets what is pending in the buffer at stack index `n`. Never raises.
///
/// # Safety
/// There is a buffer at the index, and room for a value.
pub unsafe fn clear(state: State, n: c_int) {
    unsafe {
        let index = absolute(state, n);
        let head: *mut Head = ffi::lua_touserdata(state, index).cast();
        (*head).recent = (0, std::ptr::null_mut());
        ffi::lua_getmetatable(state, index);
        ffi::lua_setfenv(state, index);
    }
}

/// Records a change in the buffer in argument 1, whose block this is.
///
/// # Safety
/// The running function is a method called with this buffer, there is room for five values, and no [`Buffer`] of the
/// block is used afterwards. Raises a Lua error when the memory limit is reached.
pub unsafe fn record(state: State, block: *mut c_void, interval: i64, column: usize, change: Change) {
    unsafe {
        let row = row(state, block.cast(), interval).add(column);
        *row = match (change, pending(*row)) {
            (Change::By(change), Some(before)) => before + change,
            (Change::By(value) | Change::To(value), _) => value,
        };
    }
}

/// The pending row of an interval, made when there is none.
unsafe fn row(state: State, head: *mut Head, interval: i64) -> *mut f64 {
    unsafe {
        let Head { columns, seconds_per_row, recent, .. } = *head;
        if !recent.1.is_null() && recent.0 == interval {
            return recent.1;
        }
        let top = ffi::lua_gettop(state);
        ffi::lua_getfenv(state, 1);
        if ffi::lua_topointer(state, -1) == ffi::lua_topointer(state, ffi::lua_upvalueindex(1)) {
            ffi::lua_createtable(state, 0, 0);
            ffi::lua_pushvalue(state, -1);
            ffi::lua_setfenv(state, 1);
        }
        let time = (interval * seconds_per_row) as f64;
        ffi::lua_pushnumber(state, time);
        ffi::lua_rawget_(state, -2);
        let mut row: *mut f64 = ffi::lua_touserdata(state, -1).cast();
        if row.is_null() {
            ffi::lua_settop(state, -2);
            ffi::lua_pushnumber(state, time);
            row = ffi::lua_newuserdata(state, columns * size_of::<f64>()).cast();
            for column in 0..columns {
                row.add(column).write(UNTOUCHED);
            }
            ffi::lua_rawset(state, -3);
        }
        ffi::lua_settop(state, top);
        // The table keeps the row alive until `clear`.
        (*head).recent = (interval, row);
        row
    }
}

/// Calls `visit` for each pending row, with its time in seconds. Never raises.
///
/// # Safety
/// There is a buffer at stack index `n`, and room for three values.
pub unsafe fn visit(state: State, n: c_int, mut visit: impl FnMut(f64, &[f64])) {
    unsafe {
        let index = absolute(state, n);
        let columns = (*ffi::lua_touserdata(state, index).cast::<Head>()).columns;
        if !any(state, index) {
            return;
        }
        ffi::lua_getfenv(state, index);
        ffi::lua_pushnil(state);
        while ffi::lua_next(state, -2) != 0 {
            let row: *const f64 = ffi::lua_touserdata(state, -1).cast();
            visit(ffi::lua_tonumber(state, -2), std::slice::from_raw_parts(row, columns));
            ffi::lua_settop(state, -2);
        }
        ffi::lua_settop(state, -2);
    }
}

/// Whether anything is pending in the buffer at stack index `n`. Never raises.
///
/// # Safety
/// There is a buffer at the index, and room for two values.
pub unsafe fn any(state: State, n: c_int) -> bool {
    unsafe {
        let index = absolute(state, n);
        ffi::lua_getmetatable(state, index);
        ffi::lua_getfenv(state, index);
        let any = ffi::lua_topointer(state, -1) != ffi::lua_topointer(state, -2);
        ffi::lua_settop(state, -3);
        any
    }
}

/// A stack index that stays the same while values are pushed.
pub unsafe fn absolute(state: State, n: c_int) -> c_int {
    if n < 0 && n > ffi::LUA_REGISTRYINDEX { unsafe { ffi::lua_gettop(state) + n + 1 } } else { n }
}

/// Makes the pending value of a cell what a preservation file says.
///
/// # Safety
/// As [`record`].
pub unsafe fn restore(state: State, block: *mut c_void, time: f64, column: usize, value: f64) {
    unsafe {
        // A scope of its own: `record` must find no other reference into the block.
        let interval = Buffer::of(block).interval(time * 1e9);
        if let Some(interval) = interval {
            record(state, block, interval, column, Change::To(value));
        }
    }
}
