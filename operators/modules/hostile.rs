//! What scripts might do to all modules alike: run out of memory at every point, finalise by hand, forge.

use crate::testing::run;
use heka_lua::{bytes_at, ffi};
use std::ffi::{c_int, c_void};

/// Uses every module, and every path that allocates.
const CHUNK: &str = r#"
require "cjson" require "struct" require "circular_buffer" require "bloom_filter" require "cuckoo_filter"
require "hyperloglog" require "sax"
local long = ("x"):rep(5000)
local t = cjson.decode('{"a":[1,2,{"b":"\\n' .. long .. '"}],"c":null}')
local text = cjson.encode({t, t, long .. "\n", deep = 1})
local packed = struct.pack(">I4sc0", 1, long, long)
text = packed .. select(2, struct.unpack(">I4s", packed)) .. text
local cb = circular_buffer.new(20, 3, 1, true)
for i = 1, 30 do cb:add(i * 1e9, i % 3 + 1, i) end
cb:fromstring("5 0 " .. ("1 "):rep(60) .. "7 1 2 3")
cb:mannwhitneyu(1, 0, 1e9, 2e9, 3e9)
bloom_filter.new(100, 0.01):add(long) cuckoo_filter.new(100):add(long)
local h = hyperloglog.new() h:add(1) h:fromstring(tostring(h))
local w = sax.window.new(8, 4, 4) w:add({1, 2, 3, 4, 5}) sax.mindist(w, w:get_word())
text = text:gsub("x", "yy"):rep(2)
for word in text:gmatch("y+") do text:find(word, 1, true) end
return #text
"#;

/// Memory for Lua that ends.
struct Limited {
    used: usize,
    /// Allocations left until one fails; after it all fail that are larger than what is freed.
    left: usize,
}

unsafe extern "C" fn allocate(limited: *mut c_void, block: *mut c_void, old: usize, new: usize) -> *mut c_void {
    unsafe {
        let limited = &mut *limited.cast::<Limited>();
        let layout = |size| std::alloc::Layout::from_size_align_unchecked(size, 16);
        if new == 0 {
            if !block.is_null() {
                std::alloc::dealloc(block.cast(), layout(old));
                limited.used -= old;
            }
            return std::ptr::null_mut();
        }
        // Lua relies on it that shrinking never fails.
        if new > old {
            if limited.left == 0 {
                return std::ptr::null_mut();
            }
            limited.left -= 1;
        }
        let moved = if block.is_null() {
            limited.used += new;
            std::alloc::alloc(layout(new))
        } else {
            limited.used = limited.used + new - old;
            std::alloc::realloc(block.cast(), layout(old), new)
        };
        moved.cast()
    }
}

unsafe extern "C-unwind" fn setup(state: heka_lua::State) -> c_int {
    unsafe {
        ffi::luaL_openlibs(state);
        ffi::lua_getglobal_(state, c"package".as_ptr());
        ffi::lua_getfield_(state, -1, c"preload".as_ptr());
        for module in crate::MODULES {
            ffi::lua_pushcclosure(state, module.open, 0);
            ffi::lua_setfield(state, -2, module.name.as_ptr());
        }
        ffi::lua_getglobal_(state, c"string".as_ptr());
        crate::strings::install(state);
    }
    0
}

#[test]
fn memory_may_run_out_at_any_allocation() {
    let mut failures = 0;
    for left in 0.. {
        let mut limited = Limited { used: 0, left: usize::MAX };
        let memory = &raw mut limited;
        unsafe {
            let state = ffi::lua_newstate(allocate, memory.cast());
            assert_eq!(ffi::lua_cpcall(state, setup, std::ptr::null_mut()), 0);
            let loaded = ffi::luaL_loadbuffer(state, CHUNK.as_ptr().cast(), CHUNK.len(), c"=chunk".as_ptr());
            assert_eq!(loaded, 0);
            (*memory).left = left;
            let status = ffi::lua_pcall(state, 0, 1, 0);
            (*memory).left = usize::MAX;
            let text = bytes_at(state, -1).unwrap_or_default().to_vec();
            ffi::lua_close(state);
            assert_eq!((*memory).used, 0);
            if status == 0 {
                break;
            }
            assert_eq!(text, b"not enough memory", "after {left}: {}", String::from_utf8_lossy(&text));
            failures += 1;
        }
    }
    assert!(failures > 200, "{failures}");
}

#[test]
fn no_type_has_a_finaliser_to_call_by_hand() {
    let chunk = "local objects = {
            require 'circular_buffer'.new(2, 1, 1), require 'bloom_filter'.new(10, 0.1),
            require 'cuckoo_filter'.new(10), require 'hyperloglog'.new(), require 'sax'.window.new(4, 2, 4),
            require 'sax'.word.new('AA', 4)}
        local finalisers = 0
        for _, object in ipairs(objects) do if getmetatable(object).__gc then finalisers = finalisers + 1 end end
        return #objects, finalisers";
    assert_eq!(run(chunk), "6,0");
}

#[test]
fn methods_refuse_each_others_objects() {
    let chunk =
        "require 'circular_buffer' require 'bloom_filter' require 'cuckoo_filter' require 'hyperloglog' require 'sax'
        local objects = {circular_buffer.new(2, 1, 1), bloom_filter.new(10, 0.1), cuckoo_filter.new(10),
            hyperloglog.new(), sax.window.new(4, 2, 4), io.stdout, cjson and cjson.null}
        local calls, refused = 0, 0
        for i, owner in ipairs(objects) do
          for name, method in pairs(getmetatable(owner).__index) do
            for j, object in ipairs(objects) do
              if i ~= j and i < 6 then
                calls = calls + 1
                local ok, text = pcall(method, object, 1, 1, 1, 1, 1)
                if not ok and text:find('expected, got userdata') then refused = refused + 1 end
              end
            end
          end
        end
        return calls == refused, calls > 100";
    assert_eq!(run(chunk), "true,true");
}

#[test]
fn modules_work_without_their_globals_and_with_changed_libraries() {
    let chunk = "local cb, json, keep = require 'circular_buffer', require 'cjson', tostring
        circular_buffer, cjson, string, table, tostring, error, pairs = nil
        local buffer = cb.new(2, 1, 1, true) buffer:add(0, 1, 5)
        local text = json.encode(json.decode('[1,{}]')) .. buffer:get(0, 1)
        tostring = keep
        return text";
    assert_eq!(run(chunk), "[1,{}]5");
}
