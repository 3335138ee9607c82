//! `sax.window`: the last values of a series, and the word they make.

use super::symbols::Symbols;
use super::word::{self, element};
use super::{MOST_FRAMES, MOST_LETTERS, MOST_VALUES, bounded, tostring};
use crate::number::write_integer;
use crate::sketch::write_condition;
use crate::{spend_steps, write_lua_number};
use heka_lua::{Block, Hooks, RenderError, State, arg_error, ffi, number};
use std::ffi::{c_int, c_void};

/// The block is a [`Head`] with the values behind it.
pub static WINDOW: Block = Block {
    name: c"mozsvc.sax.window",
    methods: &[(c"add", add), (c"clear", clear), (c"get_word", get_word)],
    metamethods: &[(c"__tostring", tostring)],
    hooks: Some(&Hooks { render: Some(render), serialise: Some(serialise) }),
};

/// The start of the block.
pub struct Head {
    values: usize,
    frames: usize,
    cardinality: usize,
    /// The place of the oldest value, which the next one takes.
    oldest: usize,
}

/// A window inside its block.
pub struct Window<'a> {
    head: &'a mut Head,
    values: &'a mut [f64],
}

impl Window<'_> {
    /// The window in a block.
    ///
    /// # Safety
    /// The block is one of a [`WINDOW`], it lives for `'a`, and there is no other reference into it meanwhile.
    pub unsafe fn of<'a>(block: *mut c_void) -> Window<'a> {
        unsafe {
            let head = &mut *block.cast::<Head>();
            let values = std::slice::from_raw_parts_mut(block.cast::<Head>().add(1).cast(), head.values);
            Window { head, values }
        }
    }

    fn add(&mut self, value: f64) {
        self.values[self.head.oldest] = value;
        self.head.oldest = (self.head.oldest + 1) % self.head.values;
    }

    /// From the oldest to the newest.
    fn ordered(&self) -> impl ExactSizeIterator<Item = f64> + Clone {
        let (count, oldest) = (self.head.values, self.head.oldest);
        (0..count).map(move |n| self.values[(oldest + n) % count])
    }

    /// The word of the values.
    pub fn symbols(&self) -> Symbols {
        Symbols::of(self.ordered(), self.head.frames, self.head.cardinality)
    }
}

/// `new(values, frames, cardinality)`.
pub unsafe extern "C-unwind" fn new(state: State) -> c_int {
    unsafe {
        let values = bounded(state, 1, MOST_VALUES, c"the number of values must be between 2 and 4096");
        let frames = bounded(state, 2, MOST_FRAMES, c"the number of frames must be between 2 and 2048");
        if !values.is_multiple_of(frames) {
            arg_error(state, 2, c"the number of frames must divide that of the values");
        }
        let cardinality = bounded(state, 3, MOST_LETTERS, c"cardinality must be between 2 and 16");
        let block = ffi::lua_newuserdata(state, size_of::<Head>() + values * size_of::<f64>());
        block.cast::<Head>().write(Head { values, frames, cardinality, oldest: 0 });
        let first = block.cast::<Head>().add(1).cast::<f64>();
        for n in 0..values {
            first.add(n).write(f64::NAN);
        }
        WINDOW.push_metatable(state);
        ffi::lua_setmetatable(state, -2);
    }
    1
}

unsafe fn this<'a>(state: State) -> Window<'a> {
    unsafe { Window::of(WINDOW.check(state, 1, 1)) }
}

/// `add(number)` or `add(array)`.
unsafe extern "C-unwind" fn add(state: State) -> c_int {
    unsafe {
        let mut window = this(state);
        if ffi::lua_type(state, 2) != ffi::LUA_TTABLE {
            window.add(number(state, 2));
            return 0;
        }
        let count = ffi::lua_objlen(state, 2).min(c_int::MAX as usize);
        // Of a long array only the last values stay.
        let first = count.saturating_sub(window.head.values);
        spend_steps(state, (count - first) as u64);
        for n in first..count {
            window.add(element(state, 2, n as c_int + 1));
        }
    }
    0
}

unsafe extern "C-unwind" fn clear(state: State) -> c_int {
    unsafe {
        let window = this(state);
        window.values.fill(f64::NAN);
        window.head.oldest = 0;
    }
    0
}

unsafe extern "C-unwind" fn get_word(state: State) -> c_int {
    unsafe {
        let window = this(state);
        spend_steps(state, window.head.values as u64);
        word::push(state, window.symbols());
    }
    1
}

unsafe fn window_at<'a>(state: State, n: c_int) -> Result<Window<'a>, RenderError> {
    unsafe {
        let block = WINDOW.test(state, n).ok_or_else(|| RenderError("not a sax window".to_owned()))?;
        Ok(Window::of(block))
    }
}

unsafe fn render(state: State, n: c_int, out: &mut Vec<u8>) -> Result<(), RenderError> {
    out.extend_from_slice(unsafe { window_at(state, n) }?.symbols().text());
    Ok(())
}

unsafe fn serialise(state: State, n: c_int, key: &[u8], out: &mut Vec<u8>) -> Result<(), RenderError> {
    let window = unsafe { window_at(state, n) }?;
    write_condition(key, out);
    out.extend_from_slice(b"sax.window.new(");
    for (n, value) in [window.head.values, window.head.frames, window.head.cardinality].into_iter().enumerate() {
        if n > 0 {
            out.extend_from_slice(b", ");
        }
        write_integer(value as u64, out);
    }
    out.extend_from_slice(b") end\n");
    out.extend_from_slice(key);
    out.extend_from_slice(b":clear()\n");
    if window.values.iter().any(|value| !value.is_nan()) {
        out.extend_from_slice(key);
        out.extend_from_slice(b":add({");
        for (n, value) in window.ordered().enumerate() {
            if n > 0 {
                out.push(b',');
            }
            write_lua_number(value, out);
        }
        out.extend_from_slice(b"})\n");
    }
    Ok(())
}
