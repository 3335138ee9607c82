//! `date_to_ns`: the function that turns the text of a time into nanoseconds, for grammars that capture it as a table.
//!
//! Lines that follow each other mostly bear the same time, so the last text is remembered. Other texts are matched and
//! converted without Lua where the grammar captures nothing but texts, numbers and constants; else Lua converts them.

use crate::host::host;
use crate::time::seconds;
use crate::{State, ffi};
use heka_lpeg::{Captures, Constant, Known, Node, Pattern, Recipe, Source, number_of};
use heka_lua::{Raise, protect, push_bytes, raise};
use std::ffi::{c_int, c_void};

/// The longest text that is remembered, in bytes.
const LONGEST: usize = 54;
const NS_PER_SECOND: f64 = 1e9;

/// The last text and its time, in a userdata.
struct Memo {
    nanos: f64,
    is_set: bool,
    length: u8,
    text: [u8; LONGEST],
}

impl Memo {
    fn get(&self, text: &[u8]) -> Option<f64> {
        let is_same = self.is_set && self.text.get(..usize::from(self.length)) == Some(text);
        is_same.then_some(self.nanos)
    }

    fn set(&mut self, text: &[u8], nanos: f64) {
        let Some(place) = self.text.get_mut(..text.len()) else { return };
        place.copy_from_slice(text);
        // At most `LONGEST`.
        (self.length, self.nanos, self.is_set) = (text.len() as u8, nanos, true);
    }
}

/// A function that `date_to_ns` made, from outside of Lua. Valid while the function lives.
#[derive(Clone, Copy)]
pub(crate) struct Clock {
    memo: *mut Memo,
    grammar: Option<Pattern<'static>>,
}

/// Upvalues of the functions made here.
const MEMO: c_int = 1;
const GRAMMAR: c_int = 2;
const CONVERT: c_int = 3;

/// `date_to_ns(grammar, convert)` → a function of a text: the nanoseconds since the epoch of the time that `grammar`
/// captures, as `convert` gives them for the captured table.
pub(crate) unsafe extern "C-unwind" fn date_to_ns(state: State) -> c_int {
    unsafe {
        ffi::lua_settop(state, 2);
        crate::host::room(state, 12);
        if heka_lpeg::pattern_at(state, 1).is_none() {
            raise(state, Raise::argument(1, "pattern expected"));
        }
        ffi::luaL_checktype(state, 2, ffi::LUA_TFUNCTION);
        let memo: *mut Memo = ffi::lua_newuserdata(state, size_of::<Memo>()).cast();
        memo.write(Memo { nanos: 0.0, is_set: false, length: 0, text: [0; LONGEST] });
        ffi::lua_insert(state, 1);
        ffi::lua_pushcclosure(state, convert, 3);
    }
    1
}

unsafe extern "C-unwind" fn convert(state: State) -> c_int {
    unsafe {
        let text = heka_lua::bytes(state, 1);
        crate::host::room(state, 12);
        let top = ffi::lua_gettop(state);
        ffi::lua_pushvalue(state, ffi::lua_upvalueindex(GRAMMAR));
        let grammar = heka_lpeg::pattern_at(state, top + 1);
        let clock = Clock { memo: ffi::lua_touserdata(state, ffi::lua_upvalueindex(MEMO)).cast(), grammar };
        if let Some(nanos) = protect(state, || Ok(clock.read(text, &mut host(state).times_read))) {
            ffi::lua_pushnumber(state, nanos);
            return 1;
        }
        // convert(grammar:match(text))
        ffi::lua_pushvalue(state, ffi::lua_upvalueindex(CONVERT));
        ffi::lua_getfield_(state, top + 1, c"match".as_ptr());
        ffi::lua_pushvalue(state, top + 1);
        push_bytes(state, text);
        ffi::lua_call(state, 2, 1);
        ffi::lua_call(state, 1, 1);
        if ffi::lua_type(state, -1) == ffi::LUA_TNUMBER {
            (*clock.memo).set(text, ffi::lua_tonumber(state, -1));
        }
    }
    1
}

impl Clock {
    /// The clock that the value at stack index `n`, which is not relative to the top, is.
    ///
    /// # Safety
    /// `state` is live and has room for ten values. May raise an error.
    pub(crate) unsafe fn at(state: State, n: c_int) -> Option<Clock> {
        unsafe {
            let function = ffi::lua_tocfunction(state, n)?;
            if function as *const c_void != convert as *const c_void {
                return None;
            }
            let top = ffi::lua_gettop(state);
            ffi::lua_getupvalue(state, n, MEMO);
            ffi::lua_getupvalue(state, n, GRAMMAR);
            let memo = ffi::lua_touserdata(state, top + 1).cast();
            let grammar = heka_lpeg::pattern_at(state, top + 2);
            ffi::lua_settop(state, top);
            Some(Clock { memo, grammar })
        }
    }

    /// Whether it mostly reads texts without Lua.
    pub(crate) fn is_quick(&self) -> bool {
        self.grammar.as_ref().is_some_and(|grammar| grammar.is_known() && grammar.is_plain())
    }

    /// The time of a text; `None` when only Lua can tell.
    ///
    /// # Safety
    /// The clock's function is alive.
    #[inline]
    pub(crate) unsafe fn read(&self, text: &[u8], captures: &mut Captures) -> Option<f64> {
        // SAFETY: the userdata lives as long as the function, and nobody else refers into it.
        let memo = unsafe { &mut *self.memo };
        if let Some(nanos) = memo.get(text) {
            return Some(nanos);
        }
        let grammar = self.grammar.as_ref()?;
        heka_lpeg::match_captures(grammar, text, 0, captures).ok()??;
        let visit = captures.visit(grammar, text);
        let root = visit.roots().next()?;
        let nanos = Parts::of(&root).and_then(|parts| parts.nanos())?;
        memo.set(text, nanos);
        Some(nanos)
    }
}

/// What a grammar for times captures, as the module `date_time` describes it.
#[derive(Default)]
struct Parts {
    year: Option<f64>,
    month: Option<f64>,
    day: Option<f64>,
    hour: Option<f64>,
    min: Option<f64>,
    sec: Option<f64>,
    is_afternoon: Option<bool>,
    is_west: Option<bool>,
    offset_hour: Option<f64>,
    offset_min: Option<f64>,
    sec_frac: Option<f64>,
    time_t: Option<f64>,
}

enum Part<'a> {
    Text(&'a [u8]),
    Number(f64),
}

impl Part<'_> {
    fn number(&self) -> Option<f64> {
        match self {
            Part::Number(number) => Some(*number),
            Part::Text(text) => number_of(text).ok()?,
        }
    }
}

impl Parts {
    fn of(root: &Node) -> Option<Parts> {
        if !matches!(root.kind(), Known::Table) {
            return None;
        }
        let mut parts = Parts::default();
        for child in root.children() {
            let mut rendered = Vec::new();
            let (name, part) = match child.kind() {
                Known::Group(Some(name)) => (name, part(&child, &mut rendered)?),
                Known::Named(recipe) => (child.text_of(recipe.name), named_part(&child, recipe)?),
                _ => return None,
            };
            let place = match name {
                b"year" => &mut parts.year,
                b"month" => &mut parts.month,
                b"day" => &mut parts.day,
                b"hour" => &mut parts.hour,
                b"min" => &mut parts.min,
                b"sec" => &mut parts.sec,
                b"offset_hour" => &mut parts.offset_hour,
                b"offset_min" => &mut parts.offset_min,
                b"sec_frac" => &mut parts.sec_frac,
                b"time_t" => &mut parts.time_t,
                b"period" | b"offset_sign" => {
                    let (place, yes, no) = match name {
                        b"period" => (&mut parts.is_afternoon, &b"PM"[..], &b"AM"[..]),
                        _ => (&mut parts.is_west, &b"-"[..], &b"+"[..]),
                    };
                    *place = match part {
                        Part::Text(text) if text == yes => Some(true),
                        Part::Text(text) if text == no => Some(false),
                        _ => return None,
                    };
                    continue;
                }
                _ => continue,
            };
            *place = Some(part.number()?);
        }
        Some(parts)
    }

    /// Exactly what `date_time.time_to_ns` computes; `None` leaves the case to it.
    fn nanos(&self) -> Option<f64> {
        if let Some(seconds) = self.time_t {
            return Some(seconds * NS_PER_SECOND);
        }
        let whole = |number: f64| (number == number.trunc() && number.abs() < 1e9).then_some(number as i64);
        let or = |part: Option<f64>, default: i64| part.map_or(Some(default), whole);
        let mut hour = or(self.hour, 12)?;
        match self.is_afternoon {
            Some(_) if self.hour.is_none() => {}
            Some(false) if hour == 12 => hour = 0,
            Some(true) if hour < 12 => hour += 12,
            _ => {}
        }
        let (year, month, day) = (whole(self.year?)?, whole(self.month?)?, whole(self.day?)?);
        let mut total = seconds(year, month, day, hour, or(self.min, 0)?, or(self.sec, 0)?)? as f64;
        if let Some(is_west) = self.is_west {
            let offset = self.offset_hour.unwrap_or(0.0) * 3600.0 + self.offset_min.unwrap_or(0.0) * 60.0;
            total -= if is_west { -offset } else { offset };
        }
        let nanos = total * NS_PER_SECOND;
        Some(self.sec_frac.map_or(nanos, |fraction| nanos + fraction * NS_PER_SECOND))
    }
}

/// A named value.
fn named_part<'a>(node: &Node<'a>, recipe: Recipe) -> Option<Part<'a>> {
    Some(match (recipe.representation, recipe.source) {
        (0, Source::Text) => Part::Text(node.text()),
        (0, Source::Number) => Part::Number(node.number().ok()??),
        (0, Source::Constant) => match node.constant(recipe.key) {
            Constant::Text(text) => Part::Text(text),
            Constant::Number(number) => Part::Number(number),
            _ => return None,
        },
        _ => return None,
    })
}

/// The value of a named group.
fn part<'a>(group: &Node<'a>, rendered: &'a mut Vec<u8>) -> Option<Part<'a>> {
    let Some(inside) = group.children().next() else { return Some(Part::Text(group.text())) };
    Some(match inside.kind() {
        Known::Text => Part::Text(inside.text()),
        Known::Constant(Constant::Text(text)) => Part::Text(text),
        Known::Constant(Constant::Number(number)) => Part::Number(number),
        Known::Number => Part::Number(inside.number().ok()??),
        Known::Format(_) => {
            inside.render(rendered).ok()?;
            Part::Text(rendered)
        }
        _ => return None,
    })
}
