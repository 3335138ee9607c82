//! `string.find`, `string.match` and `string.gmatch`.

use super::matcher::{Matcher, until_nul};
use super::results::push_captures;
use crate::spend_bytes;
use heka_lua::{State, bytes, bytes_at, ffi, opt_integer, protect};
use std::ffi::c_int;

/// What makes a pattern more than a plain text.
const SPECIALS: &[u8] = b"^$*+?.([%-";

pub unsafe extern "C-unwind" fn find(state: State) -> c_int {
    unsafe {
        let (subject, pattern) = (bytes(state, 1), bytes(state, 2));
        let start = start(state, subject.len());
        let plain = ffi::lua_toboolean(state, 4) != 0;
        if plain || !until_nul(pattern).iter().any(|byte| SPECIALS.contains(byte)) {
            let rest = &subject[start..];
            spend_bytes(state, rest.len());
            let found = protect(state, || Ok(find_text(rest, pattern)));
            return match found {
                Some(at) => {
                    ffi::lua_pushnumber(state, (start + at + 1) as f64);
                    ffi::lua_pushnumber(state, (start + at + pattern.len()) as f64);
                    2
                }
                None => {
                    ffi::lua_pushnil(state);
                    1
                }
            };
        }
        let (mut matcher, anchored) = matcher(subject, pattern);
        match search(state, &mut matcher, start, anchored) {
            Some((from, to)) => {
                ffi::lua_pushnumber(state, (from + 1) as f64);
                ffi::lua_pushnumber(state, to as f64);
                // Here the whole match is no result when there are no captures.
                let captures =
                    if matcher.captures().is_empty() { 0 } else { push_captures(state, &matcher, (from, to)) };
                captures + 2
            }
            None => {
                ffi::lua_pushnil(state);
                1
            }
        }
    }
}

pub unsafe extern "C-unwind" fn match_(state: State) -> c_int {
    unsafe {
        let (subject, pattern) = (bytes(state, 1), bytes(state, 2));
        let start = start(state, subject.len());
        let (mut matcher, anchored) = matcher(subject, pattern);
        match search(state, &mut matcher, start, anchored) {
            Some(whole) => push_captures(state, &matcher, whole),
            None => {
                ffi::lua_pushnil(state);
                1
            }
        }
    }
}

/// Where a plain text is first found.
fn find_text(subject: &[u8], text: &[u8]) -> Option<usize> {
    // A searcher that is linear for every text costs more to make than most short searches take.
    if text.len() > 16 {
        return memchr::memmem::find(subject, text);
    }
    let Some(first) = text.first() else { return Some(0) };
    memchr::memchr_iter(*first, subject).find(|at| subject[*at..].starts_with(text))
}

/// [`Matcher::search`], whose error is raised.
///
/// # Safety
/// `state` is live and called the running function; no value with a destructor lives in the caller's frame.
pub unsafe fn search(state: State, matcher: &mut Matcher, from: usize, anchored: bool) -> Option<(usize, usize)> {
    unsafe { protect(state, || Ok(matcher.search(from, anchored)?)) }
}

/// A matcher, and whether the pattern matches only where the search starts.
pub fn matcher<'a>(subject: &'a [u8], pattern: &'a [u8]) -> (Matcher<'a>, bool) {
    match pattern {
        [b'^', rest @ ..] => (Matcher::new(subject, rest), true),
        pattern => (Matcher::new(subject, pattern), false),
    }
}

/// Where argument 3 says that the search starts, counted from 0.
unsafe fn start(state: State, length: usize) -> usize {
    let position = unsafe { opt_integer(state, 3, 1) };
    let start = if position < 0 { position.saturating_add(length as i64) } else { position.saturating_sub(1) };
    start.clamp(0, length as i64) as usize
}

pub unsafe extern "C-unwind" fn gmatch(state: State) -> c_int {
    unsafe {
        bytes(state, 1);
        bytes(state, 2);
        ffi::lua_settop(state, 2);
        ffi::lua_pushnumber(state, 0.0);
        ffi::lua_pushcclosure(state, next_match, 3);
    }
    1
}

/// The iterator: its upvalues are the subject, the pattern, and where to go on.
unsafe extern "C-unwind" fn next_match(state: State) -> c_int {
    unsafe {
        let subject = bytes_at(state, ffi::lua_upvalueindex(1)).unwrap_or_default();
        let pattern = bytes_at(state, ffi::lua_upvalueindex(2)).unwrap_or_default();
        let from = ffi::lua_tonumber(state, ffi::lua_upvalueindex(3)) as usize;
        if from > subject.len() {
            return 0;
        }
        // A `^` has no meaning here.
        let mut matcher = Matcher::new(subject, pattern);
        let Some((start, end)) = search(state, &mut matcher, from, false) else { return 0 };
        let next = if end == start { end + 1 } else { end };
        ffi::lua_pushnumber(state, next as f64);
        ffi::lua_replace(state, ffi::lua_upvalueindex(3));
        push_captures(state, &matcher, (start, end))
    }
}
