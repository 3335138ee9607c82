//! What belongs to one Lua state, and how the functions called from it find it.

use crate::allowance::{Allowance, allocator_data};
use crate::config::{Config, ConfigValue, Kind};
use crate::matched::Matches;
use crate::memory::Memory;
use crate::role::Role;
use crate::{State, ffi};
use heka_message::{BatchBuilder, RowRef, UuidSource};
use std::cell::{Cell, UnsafeCell};

/// Everything that belongs to a state, at one address for the state's life.
#[repr(C)]
pub(crate) struct Shared {
    /// First, because the allocator knows the address as its own.
    pub(crate) memory: Memory,
    pub(crate) allowance: Allowance,
    main: Cell<State>,
    host: UnsafeCell<Host>,
}

impl Shared {
    pub(crate) fn new(allowance: Allowance, host: Host) -> Self {
        let main = Cell::new(std::ptr::null_mut());
        Shared { memory: Memory::default(), allowance, main, host: UnsafeCell::new(host) }
    }

    pub(crate) fn main(&self) -> State {
        self.main.get()
    }

    pub(crate) fn set_main(&self, state: State) {
        self.main.set(state);
    }
}

/// What belongs to the state that called a function.
///
/// # Safety
/// `state` was made by this crate and is live; the result is used while it is.
pub(crate) unsafe fn shared<'a>(state: State) -> &'a Shared {
    unsafe { &*allocator_data(state).cast::<Shared>() }
}

/// The host's part of it.
///
/// # Safety
/// As [`shared`]; no other reference to it is in use, and none is kept over a call into Lua.
pub(crate) unsafe fn host<'a>(state: State) -> &'a mut Host {
    unsafe { &mut *shared(state).host.get() }
}

/// A row with its lifetime erased; valid for the length of a call.
pub(crate) type RowPointer = RowRef<'static>;

/// What the host keeps for a script.
pub(crate) struct Host {
    pub(crate) kind: Kind,
    pub(crate) values: Vec<(String, ConfigValue)>,
    /// Where `require` looks.
    pub(crate) modules: Vec<std::path::PathBuf>,
    /// What `add_to_payload` has collected.
    pub(crate) output: Vec<u8>,
    /// Bytes; 0: any number.
    pub(crate) output_limit: usize,
    pub(crate) max_output: usize,
    pub(crate) current: Option<RowPointer>,
    /// Holds the changed copy of the current message as its only row, when there is one.
    pub(crate) draft: BatchBuilder,
    pub(crate) drafted: bool,
    /// Where `read_next_field` stands.
    pub(crate) next_field: usize,
    pub(crate) times: Times,
    pub(crate) uuids: UuidSource,
    /// The plugin's side, during a call.
    pub(crate) role: Option<*mut (dyn Role + 'static)>,
    /// Bytes that the running call has injected.
    pub(crate) injected: usize,
    /// Memory for texts that are made and used within one function.
    pub(crate) scratch: Vec<u8>,
    pub(crate) random: crate::random::Random,
    pub(crate) matches: Matches,
    /// The captures of `date_to_ns`.
    pub(crate) times_read: heka_lpeg::Captures,
    pub(crate) natives: Natives,
    /// Names that `read_config` was asked for.
    pub(crate) asked: Vec<bool>,
}

impl Host {
    pub(crate) fn new(config: &Config) -> Self {
        let mut uuids = UuidSource::new();
        let random = crate::random::Random::new(uuids.next_uuid());
        Host {
            kind: config.kind,
            asked: vec![false; config.values.len()],
            values: config.values.clone(),
            modules: config.modules.clone(),
            output: Vec::new(),
            output_limit: config.output_limit,
            max_output: 0,
            current: None,
            draft: BatchBuilder::default(),
            drafted: false,
            next_field: 0,
            times: Times::default(),
            uuids,
            role: None,
            injected: 0,
            scratch: Vec::new(),
            random,
            matches: Matches::default(),
            times_read: heka_lpeg::Captures::default(),
            natives: Natives::default(),
        }
    }

    /// The message the call is about.
    pub(crate) fn message(&self) -> Option<RowRef<'_>> {
        if self.drafted { Some(self.draft.batch().row(0)) } else { self.current }
    }

    /// The plugin's side of the running call.
    ///
    /// # Safety
    /// The reference is not kept beyond the function that asks for it.
    pub(crate) unsafe fn role(&self) -> Option<&'static mut dyn Role> {
        // SAFETY: the pointer is set for the length of a call, during which the caller's reference is not used.
        self.role.map(|role| unsafe { &mut *role })
    }

    /// Ends a call: nothing of the message or the role is kept.
    pub(crate) fn leave(&mut self) {
        self.current = None;
        self.role = None;
        self.matches.leave();
        if self.drafted {
            self.drafted = false;
            // The source's bytes belong to their batch: holding them here would outlive its credit.
            self.draft.restart(Default::default());
        }
    }
}

/// Functions of Lua's own whose results the host knows.
#[derive(Clone, Copy, Default)]
pub(crate) struct Natives {
    pub(crate) tonumber: Option<ffi::lua_CFunction>,
    pub(crate) rawset: Option<ffi::lua_CFunction>,
}

impl Natives {
    /// Whether the function is one of them.
    pub(crate) fn know(&self, function: ffi::lua_CFunction) -> bool {
        self.is_tonumber(function) || is(self.rawset, function)
    }

    pub(crate) fn is_tonumber(&self, function: ffi::lua_CFunction) -> bool {
        is(self.tonumber, function)
    }

    pub(crate) fn is_rawset(&self, function: ffi::lua_CFunction) -> bool {
        is(self.rawset, function)
    }
}

fn is(known: Option<ffi::lua_CFunction>, function: ffi::lua_CFunction) -> bool {
    known.is_some_and(|known| known as usize == function as usize)
}

/// Times that a script was given as numbers, which hold about 256 ns: handing the same number back means the exact
/// time again.
#[derive(Default)]
pub(crate) struct Times {
    seen: [(u64, i64); 4],
    next: usize,
}

impl Times {
    /// The number for a time, remembered.
    pub(crate) fn give(&mut self, nanos: i64) -> f64 {
        let number = nanos as f64;
        if let Some(known) = self.seen.iter_mut().find(|(bits, _)| *bits == number.to_bits()) {
            known.1 = nanos;
        } else if number as i64 != nanos {
            // There are four places.
            self.seen[self.next % 4] = (number.to_bits(), nanos);
            self.next += 1;
        }
        number
    }

    /// The time that a script's number means.
    pub(crate) fn take(&self, number: f64) -> i64 {
        let found = self.seen.iter().find(|(bits, _)| *bits == number.to_bits());
        // 0 marks an empty slot, and is 0 as a time as well.
        found.map_or(number as i64, |(_, nanos)| *nanos)
    }
}

/// Nanoseconds since the UNIX epoch.
pub(crate) fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.ok().and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or(0)
}

/// Room for `slots` values more on the stack.
///
/// # Safety
/// `state` is live and called the running function; no value with a destructor lives in the caller's frame.
pub(crate) unsafe fn room(state: State, slots: i32) {
    unsafe { ffi::luaL_checkstack_(state, slots, c"too many values".as_ptr()) }
}
