//! `compute`: one number from a column.

use super::methods::{column, this};
use crate::arguments::option;
use crate::spend_steps;
use heka_lua::{State, arg_error, ffi, opt_number};
use std::ffi::c_int;

const NAMES: [&[u8]; 6] = [b"sum", b"avg", b"sd", b"min", b"max", b"variance"];

pub unsafe extern "C-unwind" fn compute(state: State) -> c_int {
    unsafe {
        let (buffer, _) = this(state, 3);
        let name = NAMES[option(state, 2, None, &NAMES)];
        let column = column(state, 3, &buffer);
        let start = opt_number(state, 4, buffer.oldest_time() as f64 * 1e9);
        let end = opt_number(state, 5, buffer.newest_time() as f64 * 1e9);
        if start.is_nan() || end.is_nan() || end < start {
            arg_error(state, 5, c"end must be >= start");
        }
        let bounds = buffer.interval(start).zip(buffer.interval(end));
        let bounds = bounds.filter(|(first, last)| buffer.row(*first).is_some() && buffer.row(*last).is_some());
        match bounds {
            None => {
                ffi::lua_pushnil(state);
                ffi::lua_pushnumber(state, 0.0);
            }
            Some((first, last)) => {
                spend_steps(state, (last - first) as u64);
                let (value, count) = fold(name, buffer.column(column, first, last));
                ffi::lua_pushnumber(state, value);
                ffi::lua_pushnumber(state, count as f64);
            }
        }
    }
    2
}

/// The value, and the number of cells that are not NaN. Variance is that of the population.
fn fold(name: &[u8], cells: impl Iterator<Item = f64> + Clone) -> (f64, usize) {
    let cells = cells.filter(|cell| !cell.is_nan());
    let count = cells.clone().count();
    let number = count as f64;
    // Without cells, 0 divided by 0 is the NaN that is expected.
    let sum = || cells.clone().sum::<f64>() + 0.0;
    let variance = || {
        let mean = sum() / number;
        cells.clone().map(|cell| (cell - mean).powi(2)).sum::<f64>() / number
    };
    let value = match name {
        b"sum" => sum(),
        b"avg" => sum() / number,
        b"sd" => variance().sqrt(),
        b"min" => cells.clone().fold(f64::NAN, f64::min),
        b"max" => cells.clone().fold(f64::NAN, f64::max),
        _ => variance(),
    };
    (if count == 0 && name != b"sum" { f64::NAN } else { value }, count)
}
