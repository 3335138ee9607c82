//! `fromstring`: the data of a preservation file.

use super::delta;
use super::methods::this;
use crate::cjson::numeral;
use crate::{spend_bytes, spend_steps};
use heka_lua::{Raise, State, bytes, ffi, raise};
use std::ffi::c_int;

pub unsafe extern "C-unwind" fn fromstring(state: State) -> c_int {
    unsafe {
        let (buffer, block) = this(state, 2);
        let text = bytes(state, 2);
        spend_bytes(state, text.len());
        spend_steps(state, text.len() as u64 / 4);
        // Everything is checked before anything is changed.
        let (newest, newest_row) = match check(text, buffer.cells.len(), buffer.head.columns, buffer.head.delta) {
            Ok((time, row)) => match (buffer.interval(time * 1e9), (row as usize) < buffer.head.rows && row >= 0.0) {
                (Some(newest), true) => (newest, row as usize),
                _ => raise(state, Raise::here("fromstring() invalid current time or row")),
            },
            Err(error) => raise(state, error),
        };
        let (columns, delta) = (buffer.head.columns, buffer.head.delta);
        buffer.head.newest = newest;
        buffer.head.newest_row = newest_row;
        let mut numbers = Numbers(text).skip(2);
        for (cell, value) in buffer.cells.iter_mut().zip(&mut numbers) {
            *cell = value;
        }
        delta::clear(state, 1);
        if delta {
            while let Some(time) = numbers.next() {
                for column in 0..columns {
                    // Absent columns are written as NaN.
                    match numbers.next() {
                        Some(value) if !value.is_nan() => delta::restore(state, block, time, column, value),
                        _ => {}
                    }
                }
            }
        }
        ffi::lua_settop(state, 1);
    }
    0
}

/// The current time and row, when the numbers behind them are as many as there must be.
fn check(text: &[u8], cells: usize, columns: usize, delta: bool) -> Result<(f64, f64), Raise> {
    let mut numbers = Numbers(text);
    let (time, row) = (numbers.next(), numbers.next());
    let found = numbers.by_ref().take(cells).count();
    let too_few = || Raise::here(format!("fromstring() too few values: {found}, expected {cells}"));
    let (Some(time), Some(row)) = (time, row) else { return Err(too_few()) };
    if found < cells {
        return Err(too_few());
    }
    let more = numbers.by_ref().count();
    let rest = !numbers.0.trim_ascii().is_empty();
    if !delta && (more > 0 || rest) {
        return Err(Raise::here(format!("fromstring() too many values, more than: {cells}")));
    }
    if rest || !more.is_multiple_of(columns + 1) {
        return Err(Raise::here("fromstring() invalid delta"));
    }
    Ok((time, row))
}

/// Numbers with white space between. Ends at what is none, and leaves it.
struct Numbers<'a>(&'a [u8]);

impl Iterator for Numbers<'_> {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        let text = self.0.trim_ascii_start();
        let (value, length) = numeral::read(text)?;
        let rest = &text[length..];
        if rest.first().is_some_and(|byte| !byte.is_ascii_whitespace()) {
            return None;
        }
        self.0 = rest;
        Some(value)
    }
}
