//! The functions that scripts call.

use super::buffer::{Buffer, Form};
use super::column::{Aggregation, DEFAULT_UNIT};
use super::{BUFFER, compute, delta, mann_whitney, restore};
use crate::arguments::{count_at_least, option, whole};
use crate::spend_bytes;
use heka_lua::{State, arg_error, bytes, ffi, new_block, number, opt_bytes, push_bytes};
use std::ffi::{CStr, c_int, c_void};

pub const METHODS: &[(&CStr, ffi::lua_CFunction)] = &[
    (c"add", add),
    (c"set", set),
    (c"get", get),
    (c"get_configuration", get_configuration),
    (c"set_header", set_header),
    (c"get_header", get_header),
    (c"compute", compute::compute),
    (c"mannwhitneyu", mann_whitney::mannwhitneyu),
    (c"current_time", current_time),
    (c"format", format),
    (c"fromstring", restore::fromstring),
];

const BAD_COUNT: &CStr = c"incorrect number of arguments";

/// The buffer in argument 1 and its block, when the call has at least `count` arguments.
///
/// # Safety
/// `state` is live and called this method. It raises Lua errors. The buffer lives as long as the argument stays on
/// the stack; the caller makes no second one meanwhile.
#[inline]
pub unsafe fn this<'a>(state: State, count: c_int) -> (Buffer<'a>, *mut c_void) {
    unsafe {
        let block = BUFFER.check(state, 1, 1);
        count_at_least(state, count, BAD_COUNT);
        (Buffer::of(block), block)
    }
}

/// The column in argument `n`, counted from 0.
///
/// # Safety
/// `state` is live and called this function. Raises a Lua error when there is no such column.
#[inline]
pub unsafe fn column(state: State, n: c_int, buffer: &Buffer) -> usize {
    unsafe {
        let column = number(state, n);
        if !(column >= 1.0 && column < buffer.columns.len() as f64 + 1.0) {
            arg_error(state, n, c"column out of range");
        }
        column as usize - 1
    }
}

pub unsafe extern "C-unwind" fn new(state: State) -> c_int {
    unsafe {
        let arguments = ffi::lua_gettop(state);
        if !(3..=4).contains(&arguments) {
            arg_error(state, 0, BAD_COUNT);
        }
        let rows = whole(state, 1);
        if rows <= 1.0 {
            arg_error(state, 1, c"rows must be > 1");
        }
        let columns = whole(state, 2);
        if columns <= 0.0 {
            arg_error(state, 2, c"columns must be > 0");
        }
        let seconds_per_row = whole(state, 3);
        if seconds_per_row <= 0.0 || seconds_per_row > f64::from(i32::MAX) {
            arg_error(state, 3, c"seconds_per_row is out of range");
        }
        let delta = ffi::lua_toboolean(state, 4) != 0;
        let (rows, columns) = (rows as usize, columns as usize);
        let block = new_block(state, Buffer::size(rows, columns), 1);
        Buffer::write(block, rows, columns, seconds_per_row as i64, delta);
        delta::clear(state, -1);
        spend_bytes(state, Buffer::size(rows, columns));
    }
    1
}

/// What `add` and `set` are to change.
struct Target<'a> {
    cell: &'a mut f64,
    value: f64,
    aggregation: Aggregation,
    /// For [`delta::record`], when deltas are kept.
    block: Option<*mut c_void>,
    interval: i64,
    column: usize,
}

/// Reads the arguments `ns, column, value` and moves the window; `None` when the time is too old.
#[inline]
unsafe fn target<'a>(state: State) -> Option<Target<'a>> {
    unsafe {
        let (mut buffer, block) = this(state, 4);
        let interval = buffer.interval(number(state, 2));
        let row = interval.and_then(|interval| buffer.row_advancing(interval));
        // The window moves also when the arguments behind are wrong.
        let column = column(state, 3, &buffer);
        let value = number(state, 4);
        let Buffer { head, cells, columns } = buffer;
        let cell = cells.get_mut(row? * head.columns + column)?;
        let aggregation = columns.get(column)?.aggregation;
        Some(Target { cell, value, aggregation, block: head.delta.then_some(block), interval: interval?, column })
    }
}

unsafe extern "C-unwind" fn add(state: State) -> c_int {
    unsafe {
        let Some(Target { cell, value, aggregation, block, interval, column }) = target(state) else {
            ffi::lua_pushnil(state);
            return 1;
        };
        *cell = if cell.is_nan() { value } else { *cell + value };
        let result = *cell;
        if let Some(block) = block
            && value != 0.0
        {
            let change = match aggregation {
                Aggregation::Sum => delta::Change::By(value),
                Aggregation::Min | Aggregation::Max => delta::Change::To(result),
                Aggregation::None => delta::Change::By(result),
            };
            delta::record(state, block, interval, column, change);
        }
        ffi::lua_pushnumber(state, result);
    }
    1
}

unsafe extern "C-unwind" fn set(state: State) -> c_int {
    unsafe {
        let Some(Target { cell, value, aggregation, block, interval, column }) = target(state) else {
            ffi::lua_pushnil(state);
            return 1;
        };
        let old = *cell;
        let (stored, change) = match aggregation {
            Aggregation::Min => (old.is_nan() || value < old, delta::Change::To(value)),
            Aggregation::Max => (old.is_nan() || value > old, delta::Change::To(value)),
            _ if old.is_finite() => (true, delta::Change::By(value - old)),
            _ => (true, delta::Change::By(value)),
        };
        if stored {
            *cell = value;
        }
        let result = *cell;
        if let Some(block) = block
            && stored
        {
            delta::record(state, block, interval, column, change);
        }
        ffi::lua_pushnumber(state, result);
    }
    1
}

unsafe extern "C-unwind" fn get(state: State) -> c_int {
    unsafe {
        let (buffer, _) = this(state, 3);
        let row = buffer.interval(number(state, 2)).and_then(|interval| buffer.row(interval));
        let column = column(state, 3, &buffer);
        match row {
            Some(row) => ffi::lua_pushnumber(state, buffer.cells[row * buffer.head.columns + column]),
            None => ffi::lua_pushnil(state),
        }
    }
    1
}

unsafe extern "C-unwind" fn get_configuration(state: State) -> c_int {
    unsafe {
        let (buffer, _) = this(state, 1);
        ffi::lua_pushnumber(state, buffer.head.rows as f64);
        ffi::lua_pushnumber(state, buffer.head.columns as f64);
        ffi::lua_pushnumber(state, buffer.head.seconds_per_row as f64);
    }
    3
}

unsafe extern "C-unwind" fn set_header(state: State) -> c_int {
    unsafe {
        let (buffer, _) = this(state, 3);
        let column = column(state, 2, &buffer);
        let name = bytes(state, 3);
        let unit = opt_bytes(state, 4).unwrap_or(DEFAULT_UNIT);
        let aggregation = Aggregation::at(option(state, 5, Some(0), &Aggregation::NAMES));
        let described = &mut buffer.columns[column];
        described.set_name(name);
        described.set_unit(unit);
        described.aggregation = aggregation;
        ffi::lua_pushnumber(state, column as f64 + 1.0);
    }
    1
}

unsafe extern "C-unwind" fn get_header(state: State) -> c_int {
    unsafe {
        let (buffer, _) = this(state, 2);
        let column = &buffer.columns[column(state, 2, &buffer)];
        push_bytes(state, column.name());
        push_bytes(state, column.unit());
        push_bytes(state, column.aggregation.name());
    }
    3
}

unsafe extern "C-unwind" fn current_time(state: State) -> c_int {
    unsafe {
        let (buffer, _) = this(state, 1);
        ffi::lua_pushnumber(state, buffer.newest_time() as f64 * 1e9);
    }
    1
}

unsafe extern "C-unwind" fn format(state: State) -> c_int {
    unsafe {
        let (buffer, _) = this(state, 2);
        if ffi::lua_gettop(state) != 2 {
            arg_error(state, 0, BAD_COUNT);
        }
        let form = option(state, 2, None, &[b"cbuf", b"cbufd"]);
        buffer.head.form = if form == 0 { Form::Cbuf } else { Form::Cbufd };
        ffi::lua_settop(state, 1);
    }
    1
}
