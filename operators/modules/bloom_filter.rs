//! `bloom_filter`: a set that may say yes by mistake, with a given probability.

use crate::arguments::{count_at_least, whole};
use crate::hash::xxh32;
use crate::number::write_integer;
use crate::sketch::{key, write_condition, write_quoted};
use crate::{set_global, set_version, spend_bytes, spend_steps, write_round_trip};
use heka_lua::{
    Block, Hooks, Module, Raise, RenderError, State, arg_error, bytes, ffi, new_block, raise, set_closures,
};
use std::f64::consts::LN_2;
use std::ffi::{c_int, c_void};

/// The module.
pub static MODULE: Module = Module { name: c"bloom_filter", open };

static FILTER: Block = Block {
    name: c"mozsvc.bloom_filter",
    methods: &[(c"add", add), (c"query", query), (c"count", count), (c"clear", clear), (c"fromstring", fromstring)],
    metamethods: &[],
    hooks: Some(&Hooks { render: None, serialise: Some(serialise) }),
};

/// The start of the block; the bits follow.
struct Head {
    items: u64,
    probability: f64,
    bits: u64,
    hashes: u32,
    count: f64,
}

impl Head {
    fn bytes(&self) -> usize {
        usize::try_from(self.bits.div_ceil(8)).unwrap_or(usize::MAX)
    }
}

/// The filter in a block of this module.
unsafe fn parts<'a>(block: *mut c_void) -> (&'a mut Head, &'a mut [u8]) {
    unsafe {
        let head = &mut *block.cast::<Head>();
        let bits = std::slice::from_raw_parts_mut(block.cast::<Head>().add(1).cast(), head.bytes());
        (head, bits)
    }
}

unsafe fn this<'a>(state: State, arguments: c_int) -> (&'a mut Head, &'a mut [u8]) {
    unsafe {
        let block = FILTER.check(state, 1, 1);
        count_at_least(state, arguments, c"incorrect number of arguments");
        parts(block)
    }
}

/// Where each hash of a key points: byte and bit.
fn places(head: &Head, key: &[u8]) -> impl Iterator<Item = (usize, u8)> {
    let bits = head.bits;
    (0..head.hashes).map(move |seed| {
        let place = u64::from(xxh32(key, seed)) % bits;
        ((place / 8) as usize, 1 << (place % 8))
    })
}

unsafe extern "C-unwind" fn open(state: State) -> c_int {
    unsafe {
        FILTER.push_metatable(state);
        ffi::lua_createtable(state, 0, 2);
        set_closures(state, &[(c"new", new)], 1);
        set_version(state, c"0.2.0");
        set_global(state, MODULE.name);
    }
    1
}

unsafe extern "C-unwind" fn new(state: State) -> c_int {
    unsafe {
        if ffi::lua_gettop(state) != 2 {
            arg_error(state, 0, c"incorrect number of arguments");
        }
        let items = whole(state, 1);
        if items <= 1.0 {
            arg_error(state, 1, c"items must be > 1");
        }
        let probability = heka_lua::number(state, 2);
        if !(probability > 0.0 && probability < 1.0) {
            arg_error(state, 2, c"probability must be between 0 and 1");
        }
        let bits = (items * probability.ln() / (1.0 / LN_2.exp2()).ln()).ceil().max(1.0);
        let hashes = (LN_2 * bits / items).round().max(1.0) as u32;
        let head = Head { items: items as u64, probability, bits: bits as u64, hashes, count: 0.0 };
        let size = head.bytes().saturating_add(size_of::<Head>());
        let block = new_block(state, size, 1);
        block.cast::<Head>().write(head);
        block.cast::<Head>().add(1).cast::<u8>().write_bytes(0, size - size_of::<Head>());
        spend_bytes(state, size);
    }
    1
}

unsafe extern "C-unwind" fn add(state: State) -> c_int {
    unsafe {
        let (head, bits) = this(state, 2);
        let key = key(state, 2);
        spend_steps(state, u64::from(head.hashes) * (1 + key.as_bytes().len() as u64 / 16));
        let mut changed = false;
        for (byte, bit) in places(head, key.as_bytes()) {
            changed |= bits[byte] & bit == 0;
            bits[byte] |= bit;
        }
        head.count += f64::from(u8::from(changed));
        ffi::lua_pushboolean(state, c_int::from(changed));
    }
    1
}

unsafe extern "C-unwind" fn query(state: State) -> c_int {
    unsafe {
        let (head, bits) = this(state, 2);
        let key = key(state, 2);
        spend_steps(state, u64::from(head.hashes) * (1 + key.as_bytes().len() as u64 / 16));
        let found = places(head, key.as_bytes()).all(|(byte, bit)| bits[byte] & bit != 0);
        ffi::lua_pushboolean(state, c_int::from(found));
    }
    1
}

unsafe extern "C-unwind" fn count(state: State) -> c_int {
    unsafe {
        let (head, _) = this(state, 1);
        ffi::lua_pushnumber(state, head.count);
    }
    1
}

unsafe extern "C-unwind" fn clear(state: State) -> c_int {
    unsafe {
        let (head, bits) = this(state, 1);
        bits.fill(0);
        head.count = 0.0;
        spend_bytes(state, bits.len());
    }
    0
}

/// `fromstring(count, bytes)`; an older form has only the bytes, whose count is then estimated.
unsafe extern "C-unwind" fn fromstring(state: State) -> c_int {
    unsafe {
        let (head, bits) = this(state, 2);
        let counted = ffi::lua_gettop(state) > 2;
        let given = counted.then(|| heka_lua::number(state, 2));
        let text = bytes(state, if counted { 3 } else { 2 });
        if text.len() != bits.len() {
            let error = format!("fromstring() bytes found: {}, expected {}", text.len(), bits.len());
            raise(state, Raise::here(error));
        }
        bits.copy_from_slice(text);
        head.count = given.unwrap_or_else(|| estimate(head, bits));
        spend_bytes(state, bits.len());
    }
    0
}

/// How many keys most likely set these bits.
fn estimate(head: &Head, bits: &[u8]) -> f64 {
    let all = head.bits as f64;
    let set = bits.iter().map(|byte| f64::from(byte.count_ones())).sum::<f64>().min(all - 1.0);
    (-all / f64::from(head.hashes) * (1.0 - set / all).ln()).round() + 0.0
}

unsafe fn serialise(state: State, n: c_int, key: &[u8], out: &mut Vec<u8>) -> Result<(), RenderError> {
    let block = unsafe { FILTER.test(state, n) }.ok_or_else(|| RenderError("not a bloom filter".to_owned()))?;
    let (head, bits) = unsafe { parts(block) };
    write_condition(key, out);
    out.extend_from_slice(b"bloom_filter.new(");
    write_integer(head.items, out);
    out.extend_from_slice(b", ");
    write_round_trip(head.probability, out);
    out.extend_from_slice(b") end\n");
    out.extend_from_slice(key);
    out.extend_from_slice(b":fromstring(");
    write_round_trip(head.count, out);
    out.extend_from_slice(b", ");
    write_quoted(bits, out);
    out.extend_from_slice(b")\n");
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::{error, run};

    fn script(chunk: &str) -> String {
        run(&format!("require 'bloom_filter' {chunk}"))
    }

    #[test]
    fn keys_that_were_added_are_found() {
        let chunk = "local bf = bloom_filter.new(1000, 0.01)
            local added, found, wrong = 0, 0, 0
            for i = 1, 1000 do if bf:add(i) then added = added + 1 end end
            for i = 1, 1000 do if bf:query(i) then found = found + 1 end end
            for i = 1001, 11000 do if bf:query(i) then wrong = wrong + 1 end end
            local count = bf:count()
            bf:clear()
            return added == count, count > 990, found, wrong > 20 and wrong < 200, bf:count(), bf:query(1)";
        assert_eq!(script(chunk), "true,true,1000,true,0,false");
        assert_eq!(
            script("local bf = bloom_filter.new(10, 0.1) return bf:add('a'), bf:add('a'), bf:query('a')"),
            "true,false,true"
        );
    }

    #[test]
    fn its_bits_are_those_of_the_original() {
        // 10 items at 0.01: 96 bits in 12 bytes, 7 hashes.
        let chunk = "local bf = bloom_filter.new(10, 0.01) bf:add('abc')
            local text = serialise(bf, 'K')
            return #text:match('fromstring%(1, \"(.*)\"%)'), text:match('^[^\\n]*')";
        assert_eq!(script(chunk), "12,if K == nil then K = bloom_filter.new(10, 0.01) end");
        let mut bits = [0u8; 12];
        for seed in 0..7 {
            let place = crate::hash::xxh32(b"abc", seed) % 96;
            bits[place as usize / 8] |= 1 << (place % 8);
        }
        let bytes: String = bits.iter().map(|byte| format!("\\{byte:03}")).collect();
        assert_eq!(
            script(&format!(
                "local bf = bloom_filter.new(10, 0.01) bf:fromstring(1, '{bytes}') return bf:query('abc'), bf:add('abc'), bf:count()"
            )),
            "true,false,1"
        );
    }

    #[test]
    fn preservation_makes_the_filter_again() {
        let chunk = "bf = bloom_filter.new(500, 0.001) for i = 1, 300 do bf:add('key' .. i) end
            local text = serialise(bf, 'bf') bf = nil loadstring(text)()
            local all = true for i = 1, 300 do all = all and bf:query('key' .. i) end
            return serialise(bf, 'bf') == text, all, bf:count()";
        assert_eq!(script(chunk), "true,true,300");
        let old = "local bf, text = bloom_filter.new(1000, 0.01) for i = 1, 500 do bf:add(i) end
            K = nil loadstring((serialise(bf, 'K'):gsub('fromstring%(500, ', 'fromstring(')))()
            return K:query(77), K:count() > 480 and K:count() < 520";
        assert_eq!(script(old), "true,true");
    }

    #[test]
    fn wrong_arguments_are_named() {
        for (chunk, text) in [
            ("bloom_filter.new(1, 0.1)", "bad argument #1 to 'new' (items must be > 1)"),
            ("bloom_filter.new(10)", "bad argument #0 to 'new' (incorrect number of arguments)"),
            ("bloom_filter.new(10, 1)", "bad argument #2 to 'new' (probability must be between 0 and 1)"),
            ("bloom_filter.new(10, 0/0)", "bad argument #2 to 'new' (probability must be between 0 and 1)"),
            ("bf:add({})", "bad argument #1 to 'add' (must be a string or number)"),
            ("bf:query()", "bad argument #-1 to 'query' (incorrect number of arguments)"),
            ("bf.add(5, 5)", "bad argument #1 to 'add' (mozsvc.bloom_filter expected, got number)"),
            ("bf:fromstring(1, 'abc')", "fromstring() bytes found: 3, expected 12"),
            ("bf:fromstring('abc')", "fromstring() bytes found: 3, expected 12"),
        ] {
            let chunk = format!("require 'bloom_filter' local bf = bloom_filter.new(10, 0.01) {chunk}");
            assert_eq!(error(&chunk), format!("chunk:1: {text}"));
        }
        // Any probability ends in a filter or in the memory limit.
        assert_eq!(script("local bf = bloom_filter.new(2, 1 - 1e-16) return bf:add(1), bf:query(1)"), "true,true");
        assert_eq!(script("local bf = bloom_filter.new(2, 5e-324) return bf:add(1), bf:query(2)"), "true,false");
    }
}
