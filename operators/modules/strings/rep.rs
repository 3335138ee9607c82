//! `string.rep`.

use crate::scratch::{Scratch, new_bytes, room};
use crate::spend_bytes;
use heka_lua::{State, bytes, ffi, integer, push_bytes};
use std::ffi::c_int;

pub unsafe extern "C-unwind" fn rep(state: State) -> c_int {
    unsafe {
        let text = bytes(state, 1);
        let count = usize::try_from(integer(state, 2)).unwrap_or(0);
        let total = text.len().saturating_mul(count);
        if total <= 1024 {
            let mut result_room = room::<1024>();
            let mut result = Scratch::new(state, &mut result_room);
            // An empty text is repeated in no time.
            for _ in 0..total.checked_div(text.len()).unwrap_or(0) {
                result.extend(text);
            }
            result.finish();
            return 1;
        }
        // What does not fit in memory is refused here, before any time is spent.
        let result = new_bytes(state, total);
        spend_bytes(state, total);
        std::ptr::copy_nonoverlapping(text.as_ptr(), result, text.len());
        let mut done = text.len();
        while done < total {
            let more = done.min(total - done);
            std::ptr::copy_nonoverlapping(result, result.add(done), more);
            done += more;
        }
        push_bytes(state, std::slice::from_raw_parts(result, total));
        ffi::lua_remove(state, -2);
    }
    1
}
