//! `math.random`, with a generator of the state's own: what one script seeds does not change what another gets.

use crate::host::host;
use crate::{State, ffi};
use heka_lua::{Raise, arg_error, number, raise};
use std::ffi::c_int;

/// A 64-bit generator (splitmix64).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: [u8; 16]) -> Self {
        Random(seed.iter().fold(0, |word, byte| word.rotate_left(8) ^ u64::from(*byte)))
    }

    /// The next number, from 0 to just below 1.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        // A double holds 53 bits.
        ((x ^ (x >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// `math.random([m [, n]])`.
unsafe extern "C-unwind" fn random(state: State) -> c_int {
    unsafe {
        let (low, high) = match ffi::lua_gettop(state) {
            0 => {
                let value = host(state).random.next();
                ffi::lua_pushnumber(state, value);
                return 1;
            }
            1 => (1.0, number(state, 1).trunc()),
            2 => (number(state, 1).trunc(), number(state, 2).trunc()),
            _ => raise(state, Raise::here("wrong number of arguments")),
        };
        // NaN is no interval either.
        if !matches!(low.partial_cmp(&high), Some(std::cmp::Ordering::Less | std::cmp::Ordering::Equal)) {
            arg_error(state, if ffi::lua_gettop(state) == 1 { 1 } else { 2 }, c"interval is empty");
        }
        let value = host(state).random.next();
        ffi::lua_pushnumber(state, (low + (value * (high - low + 1.0)).floor()).min(high));
    }
    1
}

/// `math.randomseed(x)`.
unsafe extern "C-unwind" fn randomseed(state: State) -> c_int {
    unsafe {
        let seed = number(state, 1);
        host(state).random = Random(seed.to_bits());
    }
    0
}

/// Replaces the two functions in the `math` table at the top.
///
/// # Safety
/// `state` is live, with room for two values. May raise an error.
pub(crate) unsafe fn install(state: State) {
    unsafe { heka_lua::set_functions(state, &[(c"random", random), (c"randomseed", randomseed)]) }
}
