//! `mannwhitneyu`: whether two ranges of a column differ.

use super::methods::{column, this};
use crate::{normal, spend_steps};
use heka_lua::{State, arg_error, ffi, number, protect};
use std::cmp::Ordering;
use std::ffi::c_int;

pub unsafe extern "C-unwind" fn mannwhitneyu(state: State) -> c_int {
    unsafe {
        let (buffer, _) = this(state, 6);
        let column = column(state, 2, &buffer);
        let arguments = ffi::lua_gettop(state);
        if arguments > 7 {
            arg_error(state, 0, c"too many arguments");
        }
        let (start_1, end_1) = (number(state, 3), number(state, 4));
        if start_1.is_nan() || end_1.is_nan() || end_1 < start_1 {
            arg_error(state, 4, c"end_1 must be >= start_1");
        }
        let (start_2, end_2) = (number(state, 5), number(state, 6));
        if start_2.is_nan() || end_2.is_nan() || end_2 < start_2 {
            arg_error(state, 6, c"end_2 must be >= start_2");
        }
        if start_2 <= end_1 && end_2 >= start_1 {
            arg_error(state, 5, c"ranges must not overlap");
        }
        let continuity = match ffi::lua_type(state, 7) {
            ffi::LUA_TNONE => true,
            ffi::LUA_TBOOLEAN => ffi::lua_toboolean(state, 7) != 0,
            _ => arg_error(state, 7, c"use_continuity must be a boolean"),
        };
        let range = |start, end| {
            let (first, last) = buffer.interval(start).zip(buffer.interval(end))?;
            (buffer.row(first).is_some() && buffer.row(last).is_some()).then_some((first, last))
        };
        let Some(((first_1, last_1), (first_2, last_2))) = range(start_1, end_1).zip(range(start_2, end_2)) else {
            return 0;
        };
        spend_steps(state, ((last_1 - first_1) + (last_2 - first_2)) as u64 * 4);
        let result = protect(state, || {
            let first = buffer.column(column, first_1, last_1);
            Ok(test(first, buffer.column(column, first_2, last_2), continuity))
        });
        let Some((u, p)) = result else { return 0 };
        ffi::lua_pushnumber(state, u);
        ffi::lua_pushnumber(state, p);
    }
    2
}

/// U of the first sample, and the one-sided probability; `None` when all values are equal.
fn test(first: impl Iterator<Item = f64>, second: impl Iterator<Item = f64>, continuity: bool) -> Option<(f64, f64)> {
    let mut cells: Vec<(f64, bool)> = first.map(|cell| (cell, true)).collect();
    let n1 = cells.len() as f64;
    cells.extend(second.map(|cell| (cell, false)));
    let n = cells.len() as f64;
    let n2 = n - n1;
    cells.sort_unstable_by(|a, b| order(a.0, b.0));

    let mut rank_sum = 0.0;
    let mut ties = 0.0;
    let mut before = 0.0;
    for equal in cells.chunk_by(|a, b| order(a.0, b.0).is_eq()) {
        let t = equal.len() as f64;
        // Ranks count from 1; those that are equal share the mean.
        let rank = before + (t + 1.0) / 2.0;
        rank_sum += rank * equal.iter().filter(|(_, first)| *first).count() as f64;
        ties += (t.powi(3) - t) / (n.powi(3) - n);
        before += t;
    }
    let spread = 1.0 - ties;
    if spread <= 0.0 {
        return None;
    }
    let u1 = rank_sum - n1 * (n1 + 1.0) / 2.0;
    let largest = u1.max(n1 * n2 - u1);
    let deviation = (spread * n1 * n2 * (n + 1.0) / 12.0).sqrt();
    let correction = if continuity { 0.5 } else { 0.0 };
    let z = (largest - correction - n1 * n2 / 2.0).abs() / deviation;
    Some((u1, normal::cdf(-z)))
}

/// Ascending, NaN below everything and equal to itself.
fn order(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
}
