//! `hyperloglog`: how many different keys there were, from 12304 bytes. The bytes are Redis's dense layout.

use crate::arguments::count_at_least;
use crate::hash::murmur64a;
use crate::sketch::{key, write_condition, write_quoted};
use crate::{set_global, set_version, spend_bytes};
use heka_lua::{
    Block, Hooks, Module, Raise, RenderError, State, bytes, ffi, new_block, push_bytes, raise, set_closures,
};
use std::ffi::c_int;

/// The module.
pub static MODULE: Module = Module { name: c"hyperloglog", open };

static SKETCH: Block = Block {
    name: c"mozsvc.hyperloglog",
    methods: &[(c"add", add), (c"count", count), (c"clear", clear), (c"fromstring", fromstring)],
    metamethods: &[(c"__tostring", tostring)],
    hooks: Some(&Hooks { render: Some(render), serialise: Some(serialise) }),
};

const REGISTERS: usize = 1 << 14;
/// Magic, encoding and three unused bytes.
const HEADER: [u8; 8] = *b"HYLL\0\0\0\0";
/// Header, cached cardinality, registers of six bits each.
const SIZE: usize = HEADER.len() + 8 + REGISTERS * 6 / 8;
const SEED: u64 = 0xADC8_3B19;
/// Set in the cached cardinality when registers changed since.
const STALE: u64 = 1 << 63;

/// A sketch: exactly what its text is.
type Sketch = [u8; SIZE];

const EMPTY: Sketch = {
    let mut empty = [0; SIZE];
    let mut n = 0;
    while n < HEADER.len() {
        empty[n] = HEADER[n];
        n += 1;
    }
    empty
};

unsafe fn this<'a>(state: State, arguments: c_int) -> &'a mut Sketch {
    unsafe {
        let block = SKETCH.check(state, 1, 1);
        count_at_least(state, arguments, c"incorrect number of arguments");
        &mut *block.cast()
    }
}

unsafe extern "C-unwind" fn open(state: State) -> c_int {
    unsafe {
        SKETCH.push_metatable(state);
        ffi::lua_createtable(state, 0, 2);
        set_closures(state, &[(c"new", new)], 1);
        set_version(state, c"0.1.0");
        set_global(state, MODULE.name);
    }
    1
}

unsafe extern "C-unwind" fn new(state: State) -> c_int {
    unsafe { new_block(state, SIZE, 1).cast::<Sketch>().write(EMPTY) }
    1
}

fn cached(sketch: &Sketch) -> u64 {
    sketch[8..].first_chunk().map_or(STALE, |bytes| u64::from_le_bytes(*bytes))
}

fn set_cached(sketch: &mut Sketch, cardinality: u64) {
    sketch[8..16].copy_from_slice(&cardinality.to_le_bytes());
}

/// Register `n`: six bits, which may lie in two bytes.
fn register(registers: &[u8], n: usize) -> u8 {
    let (byte, bit) = (n * 6 / 8, n * 6 % 8);
    let next = registers.get(byte + 1).copied().unwrap_or(0);
    (u16::from_le_bytes([registers[byte], next]) >> bit) as u8 & 63
}

fn set_register(registers: &mut [u8], n: usize, value: u8) {
    let (byte, bit) = (n * 6 / 8, n * 6 % 8);
    let place = u16::from(value) << bit;
    let [low, high] = place.to_le_bytes();
    let [low_mask, high_mask] = (63u16 << bit).to_le_bytes();
    registers[byte] = registers[byte] & !low_mask | low;
    // The last register ends with its byte.
    if let Some(next) = registers.get_mut(byte + 1) {
        *next = *next & !high_mask | high;
    }
}

/// Whether a register changed.
fn insert(sketch: &mut Sketch, key: &[u8]) -> bool {
    let hash = murmur64a(key, SEED);
    let n = hash as usize % REGISTERS;
    let rank = ((hash | STALE) >> 14).trailing_zeros() as u8 + 1;
    let registers = &mut sketch[16..];
    if register(registers, n) >= rank {
        return false;
    }
    set_register(registers, n, rank);
    let cardinality = cached(sketch) | STALE;
    set_cached(sketch, cardinality);
    true
}

/// The estimate; it is kept in the sketch until a register changes.
fn cardinality(sketch: &mut Sketch) -> u64 {
    let known = cached(sketch);
    if known & STALE == 0 {
        return known;
    }
    let mut ranks = [0u32; 64];
    for n in 0..REGISTERS {
        ranks[usize::from(register(&sketch[16..], n))] += 1;
    }
    let m = REGISTERS as f64;
    let sum: f64 = ranks.iter().enumerate().map(|(rank, count)| f64::from(*count) * (-(rank as f64)).exp2()).sum();
    let raw = 0.7213 / (1.0 + 1.079 / m) * m * m / sum;
    let empty = f64::from(ranks[0]);
    let estimate = if raw < 2.5 * m && empty > 0.0 {
        m * (m / empty).ln()
    } else if raw < 72000.0 {
        let bias =
            5.9119e-18 * raw.powi(4) - 1.4253e-12 * raw.powi(3) + 1.2940e-7 * raw.powi(2) - 5.2921e-3 * raw + 83.3216;
        raw - raw * bias / 100.0
    } else {
        raw
    };
    let estimate = estimate as u64 & !STALE;
    set_cached(sketch, estimate);
    estimate
}

unsafe extern "C-unwind" fn add(state: State) -> c_int {
    unsafe {
        let sketch = this(state, 2);
        let key = key(state, 2);
        spend_bytes(state, key.as_bytes().len());
        ffi::lua_pushboolean(state, c_int::from(insert(sketch, key.as_bytes())));
    }
    1
}

unsafe extern "C-unwind" fn count(state: State) -> c_int {
    unsafe {
        let sketch = this(state, 1);
        spend_bytes(state, SIZE);
        ffi::lua_pushnumber(state, cardinality(sketch) as f64);
    }
    1
}

unsafe extern "C-unwind" fn clear(state: State) -> c_int {
    unsafe { *this(state, 1) = EMPTY }
    0
}

unsafe extern "C-unwind" fn tostring(state: State) -> c_int {
    unsafe { push_bytes(state, this(state, 1)) }
    1
}

unsafe extern "C-unwind" fn fromstring(state: State) -> c_int {
    unsafe {
        let sketch = this(state, 2);
        let text = bytes(state, 2);
        let Ok(text) = <&Sketch>::try_from(text) else {
            raise(state, Raise::here(format!("fromstring() bytes found: {}, expected {SIZE}", text.len())))
        };
        if text[..5] != HEADER[..5] {
            raise(state, Raise::here("fromstring() HYLL header not found"));
        }
        *sketch = *text;
    }
    0
}

unsafe fn sketch_at<'a>(state: State, n: c_int) -> Result<&'a Sketch, RenderError> {
    unsafe {
        let block = SKETCH.test(state, n).ok_or_else(|| RenderError("not a hyperloglog".to_owned()))?;
        Ok(&*block.cast())
    }
}

unsafe fn render(state: State, n: c_int, out: &mut Vec<u8>) -> Result<(), RenderError> {
    out.extend_from_slice(unsafe { sketch_at(state, n) }?);
    Ok(())
}

unsafe fn serialise(state: State, n: c_int, key: &[u8], out: &mut Vec<u8>) -> Result<(), RenderError> {
    let sketch = unsafe { sketch_at(state, n) }?;
    write_condition(key, out);
    out.extend_from_slice(b"hyperloglog.new() end\n");
    out.extend_from_slice(key);
    out.extend_from_slice(b":fromstring(");
    write_quoted(sketch, out);
    out.extend_from_slice(b")\n");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{error, run};

    fn script(chunk: &str) -> String {
        run(&format!("require 'hyperloglog' {chunk}"))
    }

    #[test]
    fn a_hundred_thousand_numbers_are_estimated_as_the_original_does() {
        let chunk =
            "local h = hyperloglog.new() for i = 0, 99999 do h:add(i) end return h:count(), h:count(), h:add(5)";
        assert_eq!(script(chunk), "100070,100070,false");
    }

    #[test]
    fn small_sets_are_nearly_exact() {
        let chunk = "local h = hyperloglog.new() local none = h:count()
            for i = 1, 1000 do h:add('key' .. i) end
            local some = h:count() h:clear()
            return none, some > 980 and some < 1020, h:count()";
        assert_eq!(script(chunk), "0,true,0");
    }

    #[test]
    fn registers_do_not_touch_each_other() {
        let mut registers = vec![0; REGISTERS * 6 / 8];
        for n in 0..REGISTERS {
            set_register(&mut registers, n, (n % 64) as u8);
        }
        for n in 0..REGISTERS {
            assert_eq!(register(&registers, n), (n % 64) as u8);
        }
        set_register(&mut registers, 1, 0);
        assert_eq!((register(&registers, 0), register(&registers, 1), register(&registers, 2)), (0, 0, 2));
    }

    #[test]
    fn its_text_is_the_dense_layout() {
        let chunk = "local h = hyperloglog.new() local empty = tostring(h)
            h:add('a') local stale = tostring(h):byte(16) h:count()
            return #empty, empty:sub(1, 4), empty:byte(5), stale >= 128, tostring(h):byte(9), tostring(h):byte(16), render(h) == tostring(h)";
        assert_eq!(script(chunk), "12304,HYLL,0,true,1,0,true");
    }

    #[test]
    fn preservation_makes_the_sketch_again() {
        let chunk = "h = hyperloglog.new() for i = 1, 5000 do h:add(i) end
            local text, bytes, count = serialise(h, 'h'), tostring(h), h:count() h = nil loadstring(text)()
            return tostring(h) == bytes, h:count() == count";
        assert_eq!(script(chunk), "true,true");
    }

    #[test]
    fn wrong_arguments_are_named() {
        for (chunk, text) in [
            ("h:add(true)", "bad argument #1 to 'add' (must be a string or number)"),
            ("h:add()", "bad argument #-1 to 'add' (incorrect number of arguments)"),
            ("h:fromstring('x')", "fromstring() bytes found: 1, expected 12304"),
            ("h:fromstring(('x'):rep(12304))", "fromstring() HYLL header not found"),
            ("h.count({})", "bad argument #1 to 'count' (mozsvc.hyperloglog expected, got table)"),
        ] {
            let chunk = format!("require 'hyperloglog' local h = hyperloglog.new() {chunk}");
            assert_eq!(error(&chunk), format!("chunk:1: {text}"));
        }
    }
}
