//! Where the captures of a grammar go, worked out once for each grammar and table of places.

use super::decoder::Decoder;
use super::{GRAMMAR, PLACES};
use crate::clock::Clock;
use crate::host::host;
use crate::{State, ffi};
use heka_lpeg::Pattern;
use heka_lua::{Raise, bytes_at, protect};
use heka_message::Span;
use std::ffi::{c_int, c_void};

/// Plans that are kept; a script needs one or two.
const MOST: usize = 16;

/// A header of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Header {
    Uuid,
    Timestamp,
    Type,
    Logger,
    Severity,
    Payload,
    EnvVersion,
    Pid,
    Hostname,
}

impl Header {
    pub(super) fn named(name: &[u8]) -> Option<Header> {
        Some(match name {
            b"Uuid" => Header::Uuid,
            b"Timestamp" => Header::Timestamp,
            b"Type" => Header::Type,
            b"Logger" => Header::Logger,
            b"Severity" => Header::Severity,
            b"Payload" => Header::Payload,
            b"EnvVersion" => Header::EnvVersion,
            b"Pid" => Header::Pid,
            b"Hostname" => Header::Hostname,
            _ => return None,
        })
    }

    pub(super) fn name(self) -> &'static [u8] {
        match self {
            Header::Uuid => b"Uuid",
            Header::Timestamp => b"Timestamp",
            Header::Type => b"Type",
            Header::Logger => b"Logger",
            Header::Severity => b"Severity",
            Header::Payload => b"Payload",
            Header::EnvVersion => b"EnvVersion",
            Header::Pid => b"Pid",
            Header::Hostname => b"Hostname",
        }
    }
}

/// Where a named capture goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Field,
    Header(Header),
    /// Into a header and a field.
    Both(Header),
    /// It is a table whose entries are placed as if they were captured beside it.
    Spread,
    Nowhere,
    /// To a function, whose result is spread.
    Function,
}

/// The place that a table of places gives as a text.
pub(super) fn place_of(text: &[u8]) -> Option<Place> {
    match (text, text.strip_suffix(b"+")) {
        (b"Fields", _) => Some(Place::Spread),
        (_, Some(name)) => Header::named(name).map(Place::Both),
        (name, None) => Header::named(name).map(Place::Header),
    }
}

/// What a name means in a table that stands for a field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Value,
    Representation,
    ValueType,
    Other,
}

impl Part {
    fn named(name: &[u8]) -> Part {
        match name {
            b"value" => Part::Value,
            b"representation" => Part::Representation,
            b"value_type" => Part::ValueType,
            _ => Part::Other,
        }
    }
}

/// What is known of one of a pattern's Lua values.
pub(super) struct Entry {
    pub(super) place: Place,
    part: Part,
    /// The first entry of the same text.
    pub(super) same: u16,
    /// The last row that has it as a name.
    pub(super) seen: u64,
    /// Where its text lies in the batch, as of a generation of the builder.
    pub(super) span: Span,
    pub(super) generation: u64,
    pub(super) clock: Option<Clock>,
}

/// Where the captures of one grammar go.
pub(super) struct Plan {
    pub(super) pattern: Pattern<'static>,
    grammar: *const c_void,
    pub(super) places: *const c_void,
    /// Keeps both alive.
    anchors: [c_int; 2],
    /// By key, from 1.
    pub(super) entries: Vec<Entry>,
    /// Functions have to be called.
    pub(super) calls: bool,
    /// The function that `match_decoder` made for it.
    pub(super) decoder: Option<Decoder>,
    /// Rows built.
    pub(super) rows: u64,
}

impl Plan {
    /// What is known of the value with this key.
    #[inline]
    pub(super) fn entry(&mut self, key: u16) -> Option<&mut Entry> {
        self.entries.get_mut(usize::from(key).wrapping_sub(1))
    }

    /// What the name with this key means in a table that stands for a field's value.
    #[inline]
    pub(super) fn part(&self, key: u16) -> Part {
        self.entries.get(usize::from(key).wrapping_sub(1)).map_or(Part::Other, |entry| entry.part)
    }
}

/// All plans of a state.
#[derive(Default)]
pub(crate) struct Plans {
    pub(super) list: Vec<Plan>,
    /// Where the next plan replaces one.
    next: usize,
}

/// The plan for the arguments, by its index, and their pattern, if a plan was made before.
///
/// # Safety
/// The arguments are in place.
pub(super) unsafe fn known(state: State) -> Option<(usize, Pattern<'static>)> {
    unsafe {
        let matches = &host(state).matches;
        let (grammar, places) = (ffi::lua_topointer(state, GRAMMAR), ffi::lua_topointer(state, PLACES));
        let is_it = |(_, plan): &(usize, &Plan)| plan.grammar == grammar && plan.places == places;
        let (at, plan) = matches.plans.list.iter().enumerate().find(is_it).filter(|_| !matches.busy)?;
        Some((at, plan.pattern))
    }
}

/// Makes the plan for the arguments, of which places are the one of this number; `None` when the grammar captures what
/// only Lua can tell.
///
/// # Safety
/// The arguments are in place, with room for eight values. May raise an error.
pub(super) unsafe fn make(state: State, pattern: Pattern<'static>, argument: c_int) -> Option<usize> {
    unsafe {
        if host(state).matches.busy || !pattern.is_known() {
            return None;
        }
        let pattern = &pattern;
        // Whatever raises an error here leaks nothing but an anchor.
        let at = protect(state, || Ok(begin(state, pattern)));
        for key in 1..=pattern.value_count() {
            let (place, clock, is_call) = look_up(state, pattern, key, argument);
            let plan = &mut host(state).matches.plans.list[at];
            let entry = &mut plan.entries[usize::from(key) - 1];
            plan.calls |= place == Place::Function || is_call;
            (entry.place, entry.clock) = (place, clock);
        }
        let anchor = |n: c_int| {
            ffi::lua_pushvalue(state, n);
            ffi::luaL_ref(state, ffi::LUA_REGISTRYINDEX)
        };
        let anchors = [anchor(GRAMMAR), anchor(PLACES)];
        let plan = &mut host(state).matches.plans.list[at];
        // Only a complete plan is found again.
        (plan.grammar, plan.places) = (ffi::lua_topointer(state, GRAMMAR), ffi::lua_topointer(state, PLACES));
        plan.anchors = anchors;
        Some(at)
    }
}

/// Makes room for a plan.
unsafe fn begin(state: State, pattern: &Pattern<'static>) -> usize {
    let plans = unsafe { &mut host(state).matches.plans };
    let count = pattern.value_count();
    let same = |key: u16| match pattern.text(key) {
        // Lua keeps one copy of equal strings.
        Some(text) => (1..key).find(|other| pattern.text(*other).is_some_and(|other| std::ptr::eq(other, text))),
        None => None,
    };
    let entry = |key| Entry {
        place: Place::Field,
        part: pattern.text(key).map_or(Part::Other, Part::named),
        same: same(key).unwrap_or(key),
        seen: 0,
        span: Span::NONE,
        generation: 0,
        clock: None,
    };
    let plan = Plan {
        pattern: *pattern,
        grammar: std::ptr::null(),
        places: std::ptr::null(),
        anchors: [ffi::LUA_NOREF; 2],
        entries: (1..=count).map(entry).collect(),
        calls: false,
        decoder: None,
        rows: 0,
    };
    if plans.list.len() < MOST {
        plans.list.push(plan);
        return plans.list.len() - 1;
    }
    let at = plans.next;
    plans.next = (at + 1) % MOST;
    let old = std::mem::replace(&mut plans.list[at], plan);
    let anchors = old.anchors.into_iter().chain(old.decoder.as_ref().map(|decoder| decoder.anchor));
    for anchor in anchors {
        // SAFETY: setting an existing entry of a table allocates nothing.
        unsafe { ffi::luaL_unref(state, ffi::LUA_REGISTRYINDEX, anchor) };
    }
    at
}

/// Where captures go whose name a pattern's value is, the clock that it is as a function, and whether it is a function
/// that has to be called.
unsafe fn look_up(state: State, pattern: &Pattern, key: u16, argument: c_int) -> (Place, Option<Clock>, bool) {
    unsafe {
        let top = ffi::lua_gettop(state);
        heka_lpeg::push_value(state, GRAMMAR, key);
        let Some(name) = pattern.text(key) else {
            let clock = Clock::at(state, top + 1);
            let is_function = ffi::lua_type(state, top + 1) == ffi::LUA_TFUNCTION;
            let is_known = pattern.native(key).is_some_and(|function| host(state).natives.know(function));
            ffi::lua_settop(state, top);
            // A clock that cannot read a text itself has to be called as well.
            return (Place::Field, clock, is_function && !is_known && clock.is_none_or(|clock| !clock.is_quick()));
        };
        let place = place(state, name, argument);
        ffi::lua_settop(state, top);
        (place, None, false)
    }
}

/// Where the captures of a name go, which is at the top of the stack. Raises an error about a place that is none, in the
/// argument of this number.
pub(super) unsafe fn place(state: State, name: &[u8], argument: c_int) -> Place {
    unsafe {
        if ffi::lua_type(state, PLACES) != ffi::LUA_TTABLE {
            // Without places a capture that is called as a header is one.
            return place_of(name).filter(|place| !matches!(place, Place::Both(_))).unwrap_or(Place::Field);
        }
        ffi::lua_rawget_(state, PLACES);
        let place = match ffi::lua_type(state, -1) {
            ffi::LUA_TNIL => Some(Place::Field),
            ffi::LUA_TBOOLEAN if ffi::lua_toboolean(state, -1) == 0 => Some(Place::Nowhere),
            ffi::LUA_TFUNCTION => Some(Place::Function),
            ffi::LUA_TSTRING => bytes_at(state, -1).and_then(place_of),
            _ => None,
        };
        let Some(place) = place else {
            protect(state, || {
                let name = String::from_utf8_lossy(name);
                Err(Raise::argument(
                    argument,
                    format!("the place of '{name}' is neither a header, 'Fields', false nor a function"),
                ))
            })
        };
        place
    }
}
