//! A script in its Lua state: made, called, and ended.

use crate::allowance::{Allowance, Ended};
use crate::config::{Config, Kind};
use crate::host::{Host, Shared, host};
use crate::loading::Loading;
use crate::memory::{allocate, pace};
use crate::outcome::{Returned, call, cut, error_text};
use crate::preserve::{Preserver, preserve};
use crate::role::Role;
use crate::{State, environment, ffi, require};
use heka_message::RowRef;
use std::ffi::{c_int, c_void};
use std::path::Path;
use std::ptr::NonNull;

/// Longest script.
const SCRIPT: u64 = 64 << 20;

/// What reports say of a sandbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Bytes in use; 0 once the script was terminated.
    pub memory: usize,
    /// The most bytes that were in use.
    pub max_memory: usize,
    /// The longest message or payload, in bytes.
    pub max_output: usize,
    /// The most instructions of one `process_message`.
    pub max_instructions: u64,
    /// Instructions of the last call, or of running the script when there was none.
    pub instructions: u64,
}

/// The functions that a plugin calls; their names are kept in the state, so that looking them up cannot fail.
#[derive(Clone, Copy)]
struct Names {
    process_message: c_int,
    timer_event: c_int,
}

/// One script in one state.
pub struct Sandbox {
    /// None once the script was terminated.
    state: Option<NonNull<ffi::lua_State>>,
    shared: NonNull<Shared>,
    names: Names,
    /// The garbage of the first call was collected.
    is_settled: bool,
    instruction_limit: u64,
    max_instructions: u64,
    /// Of the last call; of loading before the first.
    instructions: u64,
    /// The error that ended the script, or the text that its last call returned.
    last_error: String,
}

// SAFETY: the state and what belongs to it are reached through the sandbox alone, and move with it. Nothing in it
// refers to the thread that made it.
unsafe impl Send for Sandbox {}

impl Sandbox {
    /// Makes a state and runs the script once. What the script sends out meanwhile goes to `log`, line by line.
    ///
    /// # Errors
    /// One line, beginning with `Init()`: the script cannot be read, has a syntax error, or fails.
    pub fn new(config: &Config, log: &mut dyn FnMut(&str)) -> Result<Sandbox, String> {
        let source = match &config.source {
            Some(text) => text.clone(),
            None => read_script(&config.script).map_err(|why| format!("Init() {why}"))?.into(),
        };
        let shared = Shared::new(Allowance::new(config.stop.clone()), Host::new(config));
        // The address must not change while the state lives; `Drop` frees it.
        let shared = NonNull::from(Box::leak(Box::new(shared)));
        let instruction_limit = if config.kind.is_trusted() { 0 } else { config.instruction_limit };
        let mut sandbox = Sandbox {
            state: None,
            shared,
            names: Names { process_message: 0, timer_event: 0 },
            is_settled: false,
            instruction_limit,
            max_instructions: 0,
            instructions: 0,
            last_error: String::new(),
        };
        // SAFETY: `shared` outlives the state, and begins with what the allocator expects.
        let state = unsafe { ffi::lua_newstate(allocate, shared.as_ptr().cast()) };
        sandbox.state = NonNull::new(state);
        if state.is_null() {
            return Err("Init() out of memory".to_owned());
        }
        sandbox.shared().set_main(state);
        // SAFETY: the state is live, and the mark's reads stay within it.
        unsafe { sandbox.shared().allowance.find_count(state) };
        let mut setup = Setup { kind: config.kind, names: sandbox.names };
        sandbox.protected(state, set_up, (&raw mut setup).cast()).map_err(|why| format!("Init() {why}"))?;
        sandbox.names = setup.names;
        let memory = &sandbox.shared().memory;
        memory.set_base();
        memory.set_limit(config.memory_limit);
        sandbox.load(state, &source, &config.script, log).map_err(|why| format!("Init() {why}"))?;
        sandbox.collect().map_err(|why| format!("Init() {why}"))?;
        Ok(sandbox)
    }

    fn shared(&self) -> &Shared {
        // SAFETY: it lives as long as the sandbox, and is only ever borrowed shared.
        unsafe { self.shared.as_ref() }
    }

    /// Runs a C function of this crate with a pointer; the error is given back as text.
    fn protected(&self, state: State, function: ffi::lua_CFunction, data: *mut c_void) -> Result<(), String> {
        // SAFETY: the state is live; `lua_cpcall` catches what the function raises.
        unsafe {
            let status = ffi::lua_cpcall(state, function, data);
            let result = if status == ffi::LUA_OK { Ok(()) } else { Err(error_text(state)) };
            ffi::lua_settop(state, 0);
            result
        }
    }

    fn load(&mut self, state: State, source: &[u8], path: &Path, log: &mut dyn FnMut(&str)) -> Result<(), String> {
        let mut role = Loading::new(log);
        // SAFETY: the state is live and its stack empty; loading never raises.
        unsafe {
            require::load_source(state, source, path).map_err(|why| cut(&why))?;
            self.enter(state, None, &mut role);
            self.shared().allowance.watch(state);
            let status = ffi::lua_pcall(state, 0, 0, 0);
            self.instructions = self.leave(state);
            let result = if status == ffi::LUA_OK { Ok(()) } else { Err(error_text(state)) };
            ffi::lua_settop(state, 0);
            result?;
        }
        self.protected(state, environment::forget_output, std::ptr::null_mut())
    }

    /// Begins a call.
    unsafe fn enter(&self, state: State, message: Option<RowRef<'_>>, role: &mut dyn Role) {
        unsafe {
            let host = host(state);
            // SAFETY: both are taken away again by `leave`, before their lifetimes end.
            host.current = message.map(|row| std::mem::transmute::<RowRef<'_>, RowRef<'static>>(row));
            host.role = Some(std::mem::transmute::<*mut (dyn Role + '_), *mut (dyn Role + 'static)>(role));
            host.next_field = 0;
            host.injected = 0;
            let shared = self.shared();
            pace(state, &shared.memory);
            // What an earlier call on this thread left is none of this call's.
            heka_lua::panicked();
            shared.allowance.arm(self.instruction_limit);
        }
    }

    /// Ends a call and says how many instructions it ran.
    unsafe fn leave(&self, state: State) -> u64 {
        unsafe {
            let used = self.shared().allowance.disarm(state);
            host(state).leave();
            used
        }
    }

    /// Whether the script can still be called.
    pub fn is_alive(&self) -> bool {
        self.state.is_some()
    }

    /// The error that ended the script, or else the text that `process_message` returned last.
    pub fn last_error(&self) -> &str {
        &self.last_error
    }

    /// Whether the last call ended because the stop flag was set.
    pub fn was_stopped(&self) -> bool {
        self.shared().allowance.ended() == Some(Ended::Stopped)
    }

    /// Calls `process_message` for a message, or for none.
    ///
    /// # Errors
    /// The documented text, at most 255 bytes; the script is terminated then, unless it was stopped from outside.
    pub fn process_message(&mut self, message: Option<RowRef<'_>>, role: &mut dyn Role) -> Result<Returned, String> {
        let state = self.live()?;
        // SAFETY: the state is live and its stack empty; what runs before the protected call cannot raise.
        let result = unsafe {
            if host(state).kind == Kind::Encoder {
                host(state).output.clear();
            }
            if !find(state, self.names.process_message) {
                Err("function was not found".to_owned())
            } else {
                self.enter(state, message, &mut *role);
                let result = match crate::matched::direct(state) {
                    Some(status) => Ok(Returned { status, error: None }),
                    None => {
                        self.shared().allowance.watch(state);
                        call(state)
                    }
                };
                if let Ok(returned) = &result {
                    role.returned(returned.status, host(state).message());
                }
                self.instructions = self.leave(state);
                if result.is_ok() {
                    self.max_instructions = self.max_instructions.max(self.instructions);
                }
                result
            }
        };
        let returned = self.end_call(state, "process_message() ", result)?;
        if !self.is_settled {
            // The first message has a script compile its patterns and fill its tables, once and for all.
            self.is_settled = true;
            let collected = self.collect();
            self.end_call(state, "process_message() ", collected)?;
        }
        self.last_error.clear();
        self.last_error.push_str(returned.error.as_deref().unwrap_or_default());
        Ok(returned)
    }

    /// Calls `timer_event` with a time in nanoseconds since the UNIX epoch.
    ///
    /// # Errors
    /// As for [`Sandbox::process_message`].
    pub fn timer_event(&mut self, nanos: i64, role: &mut dyn Role) -> Result<(), String> {
        let state = self.live()?;
        // SAFETY: as for `process_message`.
        let result = unsafe {
            if !find(state, self.names.timer_event) {
                Err("function was not found".to_owned())
            } else {
                self.enter(state, None, role);
                self.shared().allowance.watch(state);
                ffi::lua_pushnumber(state, host(state).times.give(nanos));
                let status = ffi::lua_pcall(state, 1, 0, 0);
                self.instructions = self.leave(state);
                if status == ffi::LUA_OK { Ok(()) } else { Err(error_text(state)) }
            }
        };
        self.end_call(state, "timer_event() ", result)?;
        let collected = self.collect();
        self.end_call(state, "timer_event() ", collected)
    }

    fn live(&self) -> Result<State, String> {
        self.state.map(NonNull::as_ptr).ok_or_else(|| self.last_error.clone())
    }

    /// Cleans up behind a call; an error ends the script.
    fn end_call<T>(&mut self, state: State, entry: &str, result: Result<T, String>) -> Result<T, String> {
        let panicked = heka_lua::panicked();
        // SAFETY: the state is live.
        unsafe { ffi::lua_settop(state, 0) };
        let why = match result {
            Ok(value) if !panicked => return Ok(value),
            Ok(_) => "internal error in a native function".to_owned(),
            Err(why) => why,
        };
        self.last_error = cut(format!("{entry}{why}").as_bytes());
        let goes_on = !panicked && (self.was_stopped() || self.last_error.ends_with("aborted"));
        if !goes_on {
            self.close();
        }
        Err(self.last_error.clone())
    }

    /// Collects all garbage.
    fn collect(&self) -> Result<(), String> {
        let Some(state) = self.state else { return Ok(()) };
        // Collecting takes some bytes to begin with, which a full state does not have.
        let memory = &self.shared().memory;
        let limit = memory.set_limit(0);
        let result = self.protected(state.as_ptr(), collect, std::ptr::null_mut());
        memory.set_limit(limit);
        result
    }

    /// Runs statements that [`Sandbox::preserve`] wrote, in this daemon or another, without any limit.
    ///
    /// # Errors
    /// One line; the globals are then in an unknown state.
    pub fn restore(&mut self, data: &[u8], path: &Path) -> Result<(), String> {
        let state = self.live()?;
        let memory = &self.shared().memory;
        let limit = memory.set_limit(0);
        heka_lua::set_budget(u64::MAX, None);
        let result = crate::restore::run(state, data, path);
        // SAFETY: the state is live.
        unsafe { ffi::lua_settop(state, 0) };
        // What was restored may be more than the limit.
        let result = result.and_then(|()| self.collect());
        memory.set_limit(limit);
        memory.reset_max();
        result.map_err(|why| format!("lsb_restore_global_data {}", cut(why.as_bytes())))
    }

    /// The globals as Lua statements.
    ///
    /// # Errors
    /// One line: a key or the amount of data cannot be written.
    pub fn preserve(&mut self) -> Result<Vec<u8>, String> {
        let state = self.live()?;
        let memory = &self.shared().memory;
        let limit = memory.set_limit(0);
        let mut preserver = Preserver::new();
        let result = self.protected(state, preserve, (&raw mut preserver).cast());
        memory.set_limit(limit);
        result.and_then(|()| preserver.finish())
    }

    /// What reports say.
    pub fn statistics(&self) -> Statistics {
        let memory = &self.shared().memory;
        let max_output = match self.state {
            // SAFETY: the state is live and no call is running.
            Some(state) => unsafe { host(state.as_ptr()).max_output },
            None => 0,
        };
        Statistics {
            memory: if self.is_alive() { memory.current() } else { 0 },
            max_memory: memory.max(),
            max_output,
            max_instructions: self.max_instructions,
            instructions: self.instructions,
        }
    }

    /// How many messages of `inject_match` were made by way of Lua values, which takes several times as long.
    pub fn detours(&self) -> u64 {
        // SAFETY: the state is live and no call is running.
        self.state.map_or(0, |state| unsafe { host(state.as_ptr()).matches.detours })
    }

    /// How many messages were decoded without a call into Lua, by a decoder that `match_decoder` made.
    pub fn direct(&self) -> u64 {
        // SAFETY: the state is live and no call is running.
        self.state.map_or(0, |state| unsafe { host(state.as_ptr()).matches.direct })
    }

    /// Names of the configuration's values that the script has not asked for so far.
    pub fn unread_config(&self) -> Vec<String> {
        let Some(state) = self.state else { return Vec::new() };
        // SAFETY: the state is live and no call is running.
        let host = unsafe { host(state.as_ptr()) };
        let names = host.values.iter().zip(&host.asked).filter(|(_, asked)| !**asked);
        names.map(|((name, _), _)| name.clone()).collect()
    }

    /// Whether the script has defined a function of this name by now.
    pub fn defines(&self, entry: Entry) -> bool {
        let Some(state) = self.state.map(NonNull::as_ptr) else { return false };
        let name = match entry {
            Entry::ProcessMessage => self.names.process_message,
            Entry::TimerEvent => self.names.timer_event,
        };
        // SAFETY: the state is live, its stack empty, and looking the function up cannot raise.
        unsafe {
            let found = find(state, name);
            ffi::lua_settop(state, 0);
            found
        }
    }

    fn close(&mut self) {
        if let Some(state) = self.state.take() {
            // SAFETY: the state is live and nothing refers to it any more.
            unsafe { ffi::lua_close(state.as_ptr()) };
        }
    }
}

/// The functions that a plugin calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// `process_message`
    ProcessMessage,
    /// `timer_event`
    TimerEvent,
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.close();
        // SAFETY: it came from a box, and the state that knew its address is gone.
        drop(unsafe { Box::from_raw(self.shared.as_ptr()) });
    }
}

/// What [`set_up`] is given.
struct Setup {
    kind: Kind,
    names: Names,
}

unsafe extern "C-unwind" fn set_up(state: State) -> c_int {
    unsafe {
        let setup = ffi::lua_touserdata(state, 1).cast::<Setup>();
        environment::fill(state, (*setup).kind);
        let keep = |name: &std::ffi::CStr| {
            ffi::lua_pushstring_(state, name.as_ptr());
            ffi::luaL_ref(state, ffi::LUA_REGISTRYINDEX)
        };
        (*setup).names = Names { process_message: keep(c"process_message"), timer_event: keep(c"timer_event") };
        ffi::lua_gc(state, ffi::LUA_GCCOLLECT, 0);
    }
    0
}

unsafe extern "C-unwind" fn collect(state: State) -> c_int {
    unsafe { ffi::lua_gc(state, ffi::LUA_GCCOLLECT, 0) };
    0
}

/// Pushes the global function whose name is kept under `name`. Neither allocates nor raises.
unsafe fn find(state: State, name: c_int) -> bool {
    unsafe {
        ffi::lua_rawgeti_(state, ffi::LUA_REGISTRYINDEX, name);
        ffi::lua_rawget_(state, ffi::LUA_GLOBALSINDEX);
        ffi::lua_type(state, -1) == ffi::LUA_TFUNCTION
    }
}

fn read_script(path: &Path) -> Result<Vec<u8>, String> {
    let cannot = |why: &dyn std::fmt::Display| format!("cannot open {}: {why}", path.display());
    let size = std::fs::metadata(path).map_err(|why| cannot(&why))?.len();
    if size > SCRIPT {
        return Err(format!("cannot open {}: larger than {} MiB", path.display(), SCRIPT >> 20));
    }
    std::fs::read(path).map_err(|why| cannot(&why))
}
