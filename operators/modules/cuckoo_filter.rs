//! `cuckoo_filter`: a set of fingerprints that can also forget keys.

use crate::arguments::{count_at_least, whole};
use crate::hash::xxh32;
use crate::number::write_integer;
use crate::sketch::{key, write_condition, write_quoted};
use crate::{set_global, set_version, spend_bytes, spend_steps, write_round_trip};
use heka_lua::{
    Block, Hooks, Module, Raise, RenderError, State, arg_error, bytes, ffi, new_block, raise, set_closures,
};
use std::ffi::{c_int, c_void};

/// The module.
pub static MODULE: Module = Module { name: c"cuckoo_filter", open };

static FILTER: Block = Block {
    name: c"mozsvc.cuckoo_filter",
    methods: &[
        (c"add", add),
        (c"query", query),
        (c"delete", delete),
        (c"count", count),
        (c"clear", clear),
        (c"fromstring", fromstring),
    ],
    metamethods: &[],
    hooks: Some(&Hooks { render: None, serialise: Some(serialise) }),
};

/// The start of the block; the buckets follow.
struct Head {
    items: u64,
    buckets: usize,
    /// Draws the evicted entries. Each filter starts alike: the same keys give the same filter.
    random: u32,
    count: f64,
}

/// Four fingerprints; 0 is a free place.
type Bucket = [u16; 4];

/// A key that was hashed: its fingerprint and its two buckets.
struct Hashed {
    fingerprint: u16,
    first: usize,
    second: usize,
}

/// How many fingerprints an insertion may move.
const EVICTIONS: usize = 512;

impl Head {
    fn hash(&self, key: &[u8]) -> Hashed {
        let hash = xxh32(key, 1);
        let fingerprint = ((hash >> 16) as u16).max(1);
        let first = hash as usize % self.buckets;
        Hashed { fingerprint, first, second: self.other(first, fingerprint) }
    }

    /// The other bucket of a fingerprint. With one bucket it is the same.
    fn other(&self, bucket: usize, fingerprint: u16) -> usize {
        let hash = xxh32(&u32::from(fingerprint).to_le_bytes(), 1);
        let kept = self.buckets.trailing_zeros();
        bucket ^ hash.checked_shr(32 - kept).unwrap_or(0) as usize
    }

    fn draw(&mut self) -> usize {
        // Xorshift.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        self.random as usize
    }
}

/// The filter in a block of this module.
unsafe fn parts<'a>(block: *mut c_void) -> (&'a mut Head, &'a mut [Bucket]) {
    unsafe {
        let head = &mut *block.cast::<Head>();
        let buckets = std::slice::from_raw_parts_mut(block.cast::<Head>().add(1).cast(), head.buckets);
        (head, buckets)
    }
}

unsafe fn this<'a>(state: State, arguments: c_int) -> (&'a mut Head, &'a mut [Bucket]) {
    unsafe {
        let block = FILTER.check(state, 1, 1);
        count_at_least(state, arguments, c"incorrect number of arguments");
        parts(block)
    }
}

unsafe extern "C-unwind" fn open(state: State) -> c_int {
    unsafe {
        FILTER.push_metatable(state);
        ffi::lua_createtable(state, 0, 2);
        set_closures(state, &[(c"new", new)], 1);
        set_version(state, c"0.1.0");
        set_global(state, MODULE.name);
    }
    1
}

unsafe extern "C-unwind" fn new(state: State) -> c_int {
    unsafe {
        if ffi::lua_gettop(state) != 1 {
            arg_error(state, 0, c"incorrect number of arguments");
        }
        let items = whole(state, 1);
        if items <= 4.0 {
            arg_error(state, 1, c"items must be > 4");
        }
        let buckets = (items as usize / 4).next_power_of_two();
        let head = Head { items: items as u64, buckets, random: 0x9E37_79B9, count: 0.0 };
        let size = buckets * size_of::<Bucket>();
        let block = new_block(state, size_of::<Head>() + size, 1);
        block.cast::<Head>().write(head);
        block.cast::<Head>().add(1).cast::<u8>().write_bytes(0, size);
        spend_bytes(state, size);
    }
    1
}

unsafe extern "C-unwind" fn add(state: State) -> c_int {
    unsafe {
        let (head, buckets) = this(state, 2);
        let key = key(state, 2);
        spend_steps(state, 1 + key.as_bytes().len() as u64 / 16);
        let (inserted, moved) = insert(head, buckets, key.as_bytes());
        spend_steps(state, moved as u64);
        ffi::lua_pushboolean(state, c_int::from(inserted));
    }
    1
}

/// Whether the key was inserted, and how many fingerprints were moved for it.
fn insert(head: &mut Head, buckets: &mut [Bucket], key: &[u8]) -> (bool, usize) {
    let Hashed { fingerprint, first, second } = head.hash(key);
    if buckets[first].contains(&fingerprint) || buckets[second].contains(&fingerprint) {
        return (false, 0);
    }
    if put(&mut buckets[first], fingerprint) || put(&mut buckets[second], fingerprint) {
        head.count += 1.0;
        return (true, 0);
    }
    let mut homeless = fingerprint;
    let mut bucket = if head.draw() & 1 == 0 { first } else { second };
    let mut path = [(0, 0); EVICTIONS];
    for step in &mut path {
        let entry = head.draw() % 4;
        *step = (bucket, entry);
        std::mem::swap(&mut buckets[bucket][entry], &mut homeless);
        bucket = head.other(bucket, homeless);
        if put(&mut buckets[bucket], homeless) {
            head.count += 1.0;
            return (true, EVICTIONS);
        }
    }
    // Full. Everything goes back to where it was: no other key is lost.
    for (bucket, entry) in path.into_iter().rev() {
        std::mem::swap(&mut buckets[bucket][entry], &mut homeless);
    }
    (false, EVICTIONS)
}

fn put(bucket: &mut Bucket, fingerprint: u16) -> bool {
    match bucket.iter_mut().find(|entry| **entry == 0) {
        Some(entry) => *entry = fingerprint,
        None => return false,
    }
    true
}

unsafe extern "C-unwind" fn query(state: State) -> c_int {
    unsafe {
        let (head, buckets) = this(state, 2);
        let key = key(state, 2);
        spend_steps(state, 1 + key.as_bytes().len() as u64 / 16);
        let Hashed { fingerprint, first, second } = head.hash(key.as_bytes());
        let found = buckets[first].contains(&fingerprint) || buckets[second].contains(&fingerprint);
        ffi::lua_pushboolean(state, c_int::from(found));
    }
    1
}

unsafe extern "C-unwind" fn delete(state: State) -> c_int {
    unsafe {
        let (head, buckets) = this(state, 2);
        let key = key(state, 2);
        spend_steps(state, 1 + key.as_bytes().len() as u64 / 16);
        let Hashed { fingerprint, first, second } = head.hash(key.as_bytes());
        let mut removed = false;
        for bucket in [first, second] {
            if let Some(entry) = buckets[bucket].iter_mut().find(|entry| **entry == fingerprint) {
                *entry = 0;
                head.count -= 1.0;
                removed = true;
                break;
            }
        }
        ffi::lua_pushboolean(state, c_int::from(removed));
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
        let (head, buckets) = this(state, 1);
        buckets.fill([0; 4]);
        head.count = 0.0;
        spend_bytes(state, size_of_val(buckets));
    }
    0
}

unsafe extern "C-unwind" fn fromstring(state: State) -> c_int {
    unsafe {
        let (head, buckets) = this(state, 3);
        let count = heka_lua::number(state, 2);
        let text = bytes(state, 3);
        let size = size_of_val(buckets);
        if text.len() != size {
            let error = format!("fromstring() bytes found: {}, expected {size}", text.len());
            raise(state, Raise::here(error));
        }
        let (entries, _) = text.as_chunks::<2>();
        for (place, entry) in buckets.as_flattened_mut().iter_mut().zip(entries) {
            *place = u16::from_le_bytes(*entry);
        }
        head.count = count;
        spend_bytes(state, size);
    }
    0
}

unsafe fn serialise(state: State, n: c_int, key: &[u8], out: &mut Vec<u8>) -> Result<(), RenderError> {
    let block = unsafe { FILTER.test(state, n) }.ok_or_else(|| RenderError("not a cuckoo filter".to_owned()))?;
    let (head, buckets) = unsafe { parts(block) };
    write_condition(key, out);
    out.extend_from_slice(b"cuckoo_filter.new(");
    write_integer(head.items, out);
    out.extend_from_slice(b") end\n");
    out.extend_from_slice(key);
    out.extend_from_slice(b":fromstring(");
    write_round_trip(head.count, out);
    out.extend_from_slice(b", ");
    let bytes: Vec<u8> = buckets.as_flattened().iter().flat_map(|entry| entry.to_le_bytes()).collect();
    write_quoted(&bytes, out);
    out.extend_from_slice(b")\n");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{error, run};

    fn script(chunk: &str) -> String {
        run(&format!("require 'cuckoo_filter' {chunk}"))
    }

    #[test]
    fn keys_come_and_go() {
        let chunk = "local cf = cuckoo_filter.new(1024)
            local added, found, wrong, removed = 0, 0, 0, 0
            for i = 1, 900 do if cf:add(i) then added = added + 1 end end
            for i = 1, 900 do if cf:query(i) then found = found + 1 end end
            for i = 901, 10900 do if cf:query(i) then wrong = wrong + 1 end end
            local count = cf:count()
            for i = 1, 900 do if cf:delete(i) then removed = removed + 1 end end
            return added == count, count > 890, found, wrong < 10, removed == added, cf:count()";
        assert_eq!(script(chunk), "true,true,900,true,true,0");
        let twice = "local cf = cuckoo_filter.new(100) return cf:add('a'), cf:add('a'), cf:delete('a'), cf:delete('a'), cf:query('a')";
        assert_eq!(script(twice), "true,false,true,false,false");
        assert_eq!(
            script("local cf = cuckoo_filter.new(5) cf:add('a') cf:clear() return cf:query('a'), cf:count()"),
            "false,0"
        );
    }

    #[test]
    fn a_full_filter_refuses_keys_and_loses_none() {
        let chunk = "local cf = cuckoo_filter.new(8) local kept = {}
            for i = 1, 100 do if cf:add(i) then kept[#kept + 1] = i end end
            local all = true for _, i in ipairs(kept) do all = all and cf:query(i) end
            return cf:count() == #kept, #kept <= 8, #kept >= 6, all";
        assert_eq!(script(chunk), "true,true,true,true");
        // With one bucket, both buckets of a key are the same.
        for items in 5..8 {
            let chunk =
                format!("local cf = cuckoo_filter.new({items}) for i = 1, 9 do cf:add(i) end return cf:count()");
            assert_eq!(script(&chunk), "4");
        }
    }

    #[test]
    fn a_fingerprint_has_two_buckets_that_lead_to_each_other() {
        for buckets in [1usize, 2, 64, 1 << 20] {
            let head = Head { items: 0, buckets, random: 1, count: 0.0 };
            for key in 0..200u32 {
                let Hashed { fingerprint, first, second } = head.hash(&key.to_le_bytes());
                assert!(first < buckets && second < buckets && fingerprint != 0);
                assert_eq!(head.other(second, fingerprint), first);
            }
        }
    }

    #[test]
    fn preservation_makes_the_filter_again() {
        let chunk = "cf = cuckoo_filter.new(500) for i = 1, 300 do cf:add('key' .. i) end
            local text = serialise(cf, 'cf') cf = nil loadstring(text)()
            local all = true for i = 1, 300 do all = all and cf:query('key' .. i) end
            return serialise(cf, 'cf') == text, all, cf:count(), #text > 1000, text:match('^[^\\n]*')";
        assert_eq!(script(chunk), "true,true,300,true,if cf == nil then cf = cuckoo_filter.new(500) end");
    }

    #[test]
    fn wrong_arguments_are_named() {
        for (chunk, text) in [
            ("cuckoo_filter.new(4)", "bad argument #1 to 'new' (items must be > 4)"),
            ("cuckoo_filter.new()", "bad argument #0 to 'new' (incorrect number of arguments)"),
            ("cf:add(nil)", "bad argument #1 to 'add' (must be a string or number)"),
            ("cf:delete()", "bad argument #-1 to 'delete' (incorrect number of arguments)"),
            ("cf.add(io.stdout, 5)", "bad argument #1 to 'add' (mozsvc.cuckoo_filter expected, got userdata)"),
            ("cf:fromstring(1, 'abc')", "fromstring() bytes found: 3, expected 16"),
        ] {
            let chunk = format!("require 'cuckoo_filter' local cf = cuckoo_filter.new(10) {chunk}");
            assert_eq!(error(&chunk), format!("chunk:1: {text}"));
        }
    }
}
