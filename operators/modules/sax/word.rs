//! `sax.word`: the word of a series that is complete.

use super::symbols::Symbols;
use super::{MOST_FRAMES, MOST_LETTERS, MOST_VALUES, bounded, tostring};
use crate::number::write_integer;
use crate::sketch::write_condition;
use crate::spend_steps;
use heka_lua::{Block, Hooks, RenderError, State, arg_error, bytes, ffi};
use std::ffi::c_int;

/// The block is a [`Symbols`].
pub static WORD: Block = Block {
    name: c"mozsvc.sax.word",
    methods: &[],
    metamethods: &[(c"__tostring", tostring)],
    hooks: Some(&Hooks { render: Some(render), serialise: Some(serialise) }),
};

/// `new(array, frames, cardinality)` or `new(symbols, cardinality)`.
pub unsafe extern "C-unwind" fn new(state: State) -> c_int {
    unsafe {
        if ffi::lua_type(state, 1) != ffi::LUA_TTABLE {
            let text = bytes(state, 1);
            if !(2..=MOST_FRAMES as usize).contains(&text.len()) {
                arg_error(state, 1, c"the word must have 2 to 2048 symbols");
            }
            let cardinality = bounded(state, 2, MOST_LETTERS, c"cardinality must be between 2 and 16");
            match Symbols::parse(text, cardinality) {
                Some(word) => push(state, word),
                None => arg_error(state, 1, c"the word has a symbol that the cardinality does not have"),
            }
            return 1;
        }
        let count = ffi::lua_objlen(state, 1);
        if !(2..=MOST_VALUES as usize).contains(&count) {
            arg_error(state, 1, c"the array must have 2 to 4096 values");
        }
        let frames = bounded(state, 2, MOST_FRAMES, c"the number of frames must be between 2 and 2048");
        if !count.is_multiple_of(frames) {
            arg_error(state, 2, c"the number of frames must divide that of the values");
        }
        let cardinality = bounded(state, 3, MOST_LETTERS, c"cardinality must be between 2 and 16");
        let mut values = [0.0; MOST_VALUES as usize];
        for (n, value) in values[..count].iter_mut().enumerate() {
            *value = element(state, 1, n as c_int + 1);
        }
        spend_steps(state, count as u64);
        push(state, Symbols::of(values[..count].iter().copied(), frames, cardinality));
    }
    1
}

/// Element `n` of the array in argument `argument`.
///
/// # Safety
/// `state` is live and called this function. Raises a Lua error when the element is no number: no value with a
/// destructor may live in the caller's frame.
pub unsafe fn element(state: State, argument: c_int, n: c_int) -> f64 {
    unsafe {
        ffi::lua_rawgeti_(state, argument, n);
        if ffi::lua_type(state, -1) != ffi::LUA_TNUMBER {
            arg_error(state, argument, c"the array must hold numbers only");
        }
        let value = ffi::lua_tonumber(state, -1);
        ffi::lua_settop(state, -2);
        value
    }
}

/// Pushes a word.
///
/// # Safety
/// `state` is live and has room for six values. Raises a Lua error when the memory limit is reached.
pub unsafe fn push(state: State, word: Symbols) {
    unsafe {
        ffi::lua_newuserdata(state, size_of::<Symbols>()).cast::<Symbols>().write(word);
        WORD.push_metatable(state);
        ffi::lua_setmetatable(state, -2);
    }
}

unsafe fn word_at<'a>(state: State, n: c_int) -> Result<&'a Symbols, RenderError> {
    unsafe {
        let block = WORD.test(state, n).ok_or_else(|| RenderError("not a sax word".to_owned()))?;
        Ok(&*block.cast())
    }
}

unsafe fn render(state: State, n: c_int, out: &mut Vec<u8>) -> Result<(), RenderError> {
    out.extend_from_slice(unsafe { word_at(state, n) }?.text());
    Ok(())
}

unsafe fn serialise(state: State, n: c_int, key: &[u8], out: &mut Vec<u8>) -> Result<(), RenderError> {
    let word = unsafe { word_at(state, n) }?;
    write_condition(key, out);
    out.extend_from_slice(b"sax.word.new(\"");
    out.extend_from_slice(word.text());
    out.extend_from_slice(b"\", ");
    write_integer(word.cardinality as u64, out);
    out.extend_from_slice(b") end\n");
    Ok(())
}
