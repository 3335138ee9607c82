//! The matching machine: runs a program on a subject and lists the captures.
//!
//! It is plain Rust without destructors, knows nothing of Lua, and cannot run out of anything by itself: when it needs
//! room or a function has to be called it stops with an [`Event`], and goes on from there when run again.

use crate::automaton;
use crate::program::{Insn, Kind, Op, Program};
use crate::{span, switch};
use heka_lua::spend;

/// How an entry of the list of captures stands for its capture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Form {
    /// A whole capture without captures inside: from `start` to `link`.
    Full,
    /// The beginning of a capture at `start`; `link` is the index of its end.
    Open,
    /// The end of a capture at `start`; `link` is the index of its beginning.
    Close,
}

/// An entry of the list of captures.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Capture {
    pub start: u32,
    pub link: u32,
    pub key: u16,
    pub kind: Kind,
    pub form: Form,
}

/// A pending choice, or the place to return to after a call, which has a null subject.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Frame {
    pc: *const Insn,
    s: *const u8,
    captures: u32,
}

/// Why the machine stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// The match ends at this offset.
    Matched(u32),
    Failed,
    /// The list of captures is full.
    CapturesFull,
    /// The stack of pending choices and calls is full.
    FramesFull,
    /// The match-time capture that begins at this index of the list has ended at the machine's place.
    Runtime(u32),
    OutOfBudget,
}

/// Why the instructions were left.
enum Why {
    Fail,
    /// More steps were taken than are paid for.
    Pay,
    Stop(Event),
}

/// Steps paid for at a time.
const FUEL: i32 = 256;

/// A match in progress. The owner provides the room for captures and frames.
pub struct Machine {
    pub program: *const Program,
    pub subject: *const u8,
    pub end: *const u8,
    pub s: *const u8,
    pub pc: *const Insn,
    pub captures: *mut Capture,
    pub capture_count: u32,
    pub capture_room: u32,
    pub frames: *mut Frame,
    pub frame_count: u32,
    pub frame_room: u32,
    /// How many entries are values of match-time captures.
    pub dynamic: u32,
    /// Steps paid for and not yet taken.
    pub fuel: i32,
}

impl Machine {
    /// The place in the subject as an offset.
    pub fn offset(&self) -> u32 {
        // SAFETY: both point into the subject, which is shorter than 4 GiB.
        unsafe { self.s.offset_from(self.subject) as u32 }
    }

    /// Runs until an event.
    ///
    /// # Safety
    /// The program, the subject and the room for captures and frames are live and as large as said; `pc` and `s` are
    /// the program's beginning and a place in the subject, or as an event left them.
    pub unsafe fn run(&mut self) -> Event {
        // SAFETY: the compiler makes programs whose targets lie inside them, that leave no subroutine or capture
        // without having entered it, and that end with `End`; each read of the subject is checked against its end.
        unsafe {
            let program = &*self.program;
            let (code, base, end) = (program.code, self.subject, self.end);
            let (mut pc, mut s, mut fuel) = (self.pc, self.s, self.fuel);
            let captures = self.captures;
            let mut next = captures.add(self.capture_count as usize);
            let last = captures.add(self.capture_room as usize);
            let mut top = self.frames.add(self.frame_count as usize);
            let limit = self.frames.add(self.frame_room as usize);

            // Failing, paying and stopping are done in one place each, behind the instructions: so few values are live
            // in these that all of them stay in registers.
            let event = loop {
                let why = 'run: loop {
                    macro_rules! stop {
                        ($event:expr) => {
                            break 'run Why::Stop($event)
                        };
                    }
                    macro_rules! fail {
                        () => {
                            break 'run Why::Fail
                        };
                    }
                    // The last thing that an instruction does.
                    macro_rules! pay {
                        ($steps:expr) => {
                            fuel -= $steps;
                            if fuel < 0 {
                                break 'run Why::Pay;
                            }
                        };
                    }
                    macro_rules! push {
                        ($pc:expr, $s:expr) => {
                            if top == limit {
                                stop!(Event::FramesFull);
                            }
                            top.write(Frame { pc: $pc, s: $s, captures: next.offset_from(captures) as u32 });
                            top = top.add(1);
                        };
                    }
                    macro_rules! capture {
                        ($start:expr, $link:expr, $key:expr, $kind:expr, $form:expr) => {
                            if next == last {
                                stop!(Event::CapturesFull);
                            }
                            next.write(Capture { start: $start, link: $link, key: $key, kind: $kind, form: $form });
                            next = next.add(1);
                        };
                    }
                    macro_rules! offset {
                        ($s:expr) => {
                            $s.offset_from(base) as u32
                        };
                    }
                    macro_rules! left {
                        () => {
                            end.offset_from(s) as usize
                        };
                    }
                    macro_rules! target {
                        ($arg:expr) => {
                            code.add($arg as usize)
                        };
                    }

                    let insn = &*pc;
                    match insn.op {
                        Op::End => stop!(Event::Matched(offset!(s))),
                        Op::Fail => fail!(),
                        Op::Any => {
                            if s == end {
                                fail!();
                            }
                            s = s.add(1);
                            pc = pc.add(1);
                        }
                        Op::AnyN => {
                            if left!() < insn.arg as usize {
                                fail!();
                            }
                            s = s.add(insn.arg as usize);
                            pc = pc.add(1);
                        }
                        Op::Byte => {
                            if s == end || *s != insn.aux {
                                fail!();
                            }
                            s = s.add(1);
                            pc = pc.add(1);
                        }
                        Op::Bytes => {
                            if !span::starts_with_short(s, left!(), insn.arg, insn.aux) {
                                fail!();
                            }
                            s = s.add(usize::from(insn.aux));
                            pc = pc.add(1);
                        }
                        Op::LongBytes => {
                            let length = usize::from(insn.key);
                            if left!() < length || !span::same(s, program.bytes.add(insn.arg as usize), length) {
                                fail!();
                            }
                            s = s.add(length);
                            pc = pc.add(1);
                        }
                        Op::Set => {
                            if s == end || !(*program.sets.add(insn.arg as usize)).has(*s) {
                                fail!();
                            }
                            s = s.add(1);
                            pc = pc.add(1);
                        }
                        Op::AtEnd => {
                            if s != end {
                                fail!();
                            }
                            pc = pc.add(1);
                        }
                        Op::TestAny => pc = if s == end { target!(insn.arg) } else { pc.add(1) },
                        Op::TestByte => pc = if s == end || *s != insn.aux { target!(insn.arg) } else { pc.add(1) },
                        Op::TestSet => {
                            let here = s != end && (*program.sets.add(usize::from(insn.key))).has(*s);
                            pc = if here { pc.add(1) } else { target!(insn.arg) };
                        }
                        Op::TestBytes => {
                            if span::starts_with_short(s, left!(), insn.arg, insn.aux) {
                                s = s.add(usize::from(insn.aux));
                                pc = pc.add(2);
                            } else {
                                pc = target!((*pc.add(1)).arg);
                            }
                        }
                        Op::TestLongBytes => {
                            let length = usize::from(insn.key);
                            if left!() >= length && span::same(s, program.bytes.add(insn.arg as usize), length) {
                                s = s.add(length);
                                pc = pc.add(2);
                            } else {
                                pc = target!((*pc.add(1)).arg);
                            }
                        }
                        Op::Span => {
                            let from = s;
                            let set = &*program.sets.add(insn.arg as usize);
                            while s != end && set.has(*s) {
                                s = s.add(1);
                            }
                            let length = s.offset_from(from);
                            if length < insn.aux as isize {
                                fail!();
                            }
                            pc = pc.add(1);
                            pay!((length >> 4) as i32);
                        }
                        Op::SpanUntil => {
                            let length = span::until(s, left!(), insn.arg, insn.key);
                            if length < usize::from(insn.aux) {
                                fail!();
                            }
                            s = s.add(length);
                            pc = pc.add(1);
                            pay!((length >> 5) as i32);
                        }
                        Op::Walk => {
                            let to = automaton::walk(program.bytes.add(insn.arg as usize), s, end);
                            if to.is_null() {
                                fail!();
                            }
                            s = to;
                            pc = pc.add(1);
                        }
                        Op::Again => {
                            let memory = program.memory.add(usize::from(insn.key));
                            let length = usize::from(insn.aux);
                            let is_set = *memory != 0 && left!() >= length;
                            if is_set && span::same_short(s, memory.add(1), length) {
                                s = s.add(length);
                                pc = target!(insn.arg);
                            } else {
                                pc = pc.add(1);
                            }
                        }
                        Op::Remember => {
                            let memory = program.memory.add(usize::from(insn.key));
                            let length = usize::from(insn.aux);
                            memory.write(1);
                            memory.add(1).copy_from_nonoverlapping(s.sub(length), length);
                            pc = pc.add(1);
                        }
                        Op::Switch => {
                            pc = target!(switch::target(program.bytes.add(insn.arg as usize), s, end));
                        }
                        Op::Choice => {
                            push!(target!(insn.arg), s);
                            pc = pc.add(1);
                        }
                        Op::Commit => {
                            top = top.sub(1);
                            pc = target!(insn.arg);
                            pay!(1);
                        }
                        Op::PartialCommit => {
                            let choice = &mut *top.sub(1);
                            (choice.s, choice.captures) = (s, next.offset_from(captures) as u32);
                            pc = target!(insn.arg);
                            pay!(1);
                        }
                        Op::BackCommit => {
                            top = top.sub(1);
                            // The captures of what was matched ahead are kept.
                            s = (*top).s;
                            pc = target!(insn.arg);
                        }
                        Op::FailTwice => {
                            top = top.sub(1);
                            fail!();
                        }
                        Op::Jump => {
                            pc = target!(insn.arg);
                            pay!(1);
                        }
                        Op::Call => {
                            push!(pc.add(1), std::ptr::null());
                            pc = target!(insn.arg);
                            pay!(1);
                        }
                        Op::Return => {
                            top = top.sub(1);
                            pc = (*top).pc;
                        }
                        Op::Behind => {
                            if s.offset_from(base) < insn.arg as isize {
                                fail!();
                            }
                            s = s.sub(insn.arg as usize);
                            pc = pc.add(1);
                        }
                        Op::Full => {
                            let here = offset!(s);
                            capture!(here - insn.arg, here, insn.key, Kind::of(insn.aux), Form::Full);
                            pc = pc.add(1);
                        }
                        Op::Open => {
                            capture!(offset!(s), 0, insn.key, Kind::of(insn.aux), Form::Open);
                            pc = pc.add(1);
                        }
                        Op::Close => {
                            let inner = &mut *next.sub(1);
                            if inner.form == Form::Open {
                                // Nothing inside: the beginning becomes the whole.
                                (inner.form, inner.link) = (Form::Full, offset!(s));
                            } else {
                                let open = innermost(captures, next.offset_from(captures) as u32);
                                capture!(offset!(s), open, 0, Kind::Group, Form::Close);
                                (*captures.add(open as usize)).link = next.offset_from(captures) as u32 - 1;
                            }
                            pc = pc.add(1);
                        }
                        Op::CloseRuntime => {
                            // The owner counts on room for the end of the capture.
                            if next == last {
                                stop!(Event::CapturesFull);
                            }
                            let open = innermost(captures, next.offset_from(captures) as u32);
                            pc = pc.add(1);
                            stop!(Event::Runtime(open));
                        }
                        Op::Charge => {
                            pc = pc.add(1);
                            pay!(insn.arg as i32);
                        }
                    }
                };
                match why {
                    Why::Stop(event) => break event,
                    Why::Pay => {}
                    Why::Fail => {
                        fuel -= 1;
                        loop {
                            if top == self.frames {
                                pc = std::ptr::null();
                                break;
                            }
                            top = top.sub(1);
                            if !(*top).s.is_null() {
                                let kept = captures.add((*top).captures as usize);
                                if self.dynamic > 0 {
                                    self.drop_dynamic(kept, next);
                                }
                                (pc, s, next) = ((*top).pc, (*top).s, kept);
                                break;
                            }
                        }
                        if pc.is_null() {
                            break Event::Failed;
                        }
                    }
                }
                if fuel < 0 {
                    if !spend((FUEL - fuel) as u64) {
                        break Event::OutOfBudget;
                    }
                    fuel = FUEL;
                }
            };
            self.pc = pc;
            self.s = s;
            self.fuel = fuel;
            self.capture_count = next.offset_from(captures) as u32;
            self.frame_count = top.offset_from(self.frames) as u32;
            event
        }
    }

    /// Fails as the machine itself does: the owner found that a match-time capture fails. `false` when nothing is
    /// pending.
    ///
    /// # Safety
    /// As `run`.
    pub unsafe fn fail(&mut self) -> bool {
        // SAFETY: `frame_count` frames are live.
        unsafe {
            while self.frame_count > 0 {
                self.frame_count -= 1;
                let frame = *self.frames.add(self.frame_count as usize);
                if !frame.s.is_null() {
                    let (kept, next) = (frame.captures as usize, self.capture_count as usize);
                    self.drop_dynamic(self.captures.add(kept), self.captures.add(next));
                    (self.pc, self.s, self.capture_count) = (frame.pc, frame.s, frame.captures);
                    return true;
                }
            }
        }
        false
    }

    /// Counts out the values of match-time captures among the entries that are dropped.
    #[cold]
    unsafe fn drop_dynamic(&mut self, from: *const Capture, to: *const Capture) {
        // SAFETY: both point into the list, the second one not before the first.
        let dropped = unsafe { std::slice::from_raw_parts(from, to.offset_from(from) as usize) };
        let is_value = |entry: &&Capture| entry.kind == Kind::Runtime && entry.form == Form::Full;
        self.dynamic -= dropped.iter().filter(is_value).count() as u32;
    }
}

/// The beginning of the innermost capture that has not ended.
unsafe fn innermost(captures: *mut Capture, count: u32) -> u32 {
    // SAFETY: the program closes only what it has opened, so the search ends inside the list.
    unsafe {
        let mut at = count - 1;
        loop {
            let entry = &*captures.add(at as usize);
            match entry.form {
                Form::Open => return at,
                Form::Full => at -= 1,
                Form::Close => at = entry.link - 1,
            }
        }
    }
}
