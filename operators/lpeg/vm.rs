//! The matching machine: runs a program on a subject and lists the captures.
//!
//! It is plain Rust without destructors, knows nothing of Lua, and cannot run out of anything by itself: when it needs
//! room or a function has to be called it stops with an [`Event`], and goes on from there when run again.

use crate::program::{Insn, Kind, Op, Program};
use crate::span;
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
            let mut count = self.capture_count;
            let mut top = self.frames.add(self.frame_count as usize);
            let limit = self.frames.add(self.frame_room as usize);

            macro_rules! stop {
                ($event:expr) => {{
                    self.pc = pc;
                    self.s = s;
                    self.fuel = fuel;
                    self.capture_count = count;
                    self.frame_count = top.offset_from(self.frames) as u32;
                    return $event;
                }};
            }
            macro_rules! pay {
                ($steps:expr) => {
                    fuel -= $steps;
                    if fuel < 0 {
                        if !spend((FUEL - fuel) as u64) {
                            stop!(Event::OutOfBudget);
                        }
                        fuel = FUEL;
                    }
                };
            }
            macro_rules! fail {
                () => {{
                    pay!(1);
                    loop {
                        if top == self.frames {
                            stop!(Event::Failed);
                        }
                        top = top.sub(1);
                        if !(*top).s.is_null() {
                            break;
                        }
                    }
                    if self.dynamic > 0 {
                        self.drop_dynamic((*top).captures, count);
                    }
                    (pc, s, count) = ((*top).pc, (*top).s, (*top).captures);
                    continue;
                }};
            }
            macro_rules! push {
                ($pc:expr, $s:expr) => {
                    if top == limit {
                        stop!(Event::FramesFull);
                    }
                    top.write(Frame { pc: $pc, s: $s, captures: count });
                    top = top.add(1);
                };
            }
            macro_rules! capture {
                ($start:expr, $link:expr, $key:expr, $kind:expr, $form:expr) => {
                    if count == self.capture_room {
                        stop!(Event::CapturesFull);
                    }
                    captures.add(count as usize).write(Capture {
                        start: $start,
                        link: $link,
                        key: $key,
                        kind: $kind,
                        form: $form,
                    });
                    count += 1;
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

            loop {
                let Insn { op, aux, key, arg } = *pc;
                match op {
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
                        if left!() < arg as usize {
                            fail!();
                        }
                        s = s.add(arg as usize);
                        pc = pc.add(1);
                    }
                    Op::Byte => {
                        if s == end || *s != aux {
                            fail!();
                        }
                        s = s.add(1);
                        pc = pc.add(1);
                    }
                    Op::Bytes => {
                        if !span::starts_with_short(s, left!(), arg, aux) {
                            fail!();
                        }
                        s = s.add(usize::from(aux));
                        pc = pc.add(1);
                    }
                    Op::LongBytes => {
                        let length = usize::from(key);
                        if left!() < length || !span::same(s, program.bytes.add(arg as usize), length) {
                            fail!();
                        }
                        s = s.add(length);
                        pc = pc.add(1);
                    }
                    Op::Set => {
                        if s == end || !(*program.sets.add(arg as usize)).has(*s) {
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
                    Op::TestAny => pc = if s == end { target!(arg) } else { pc.add(1) },
                    Op::TestByte => pc = if s == end || *s != aux { target!(arg) } else { pc.add(1) },
                    Op::TestSet => {
                        let here = s != end && (*program.sets.add(usize::from(key))).has(*s);
                        pc = if here { pc.add(1) } else { target!(arg) };
                    }
                    Op::TestBytes => {
                        if span::starts_with_short(s, left!(), arg, aux) {
                            s = s.add(usize::from(aux));
                            pc = pc.add(2);
                        } else {
                            pc = target!((*pc.add(1)).arg);
                        }
                    }
                    Op::TestLongBytes => {
                        let length = usize::from(key);
                        if left!() >= length && span::same(s, program.bytes.add(arg as usize), length) {
                            s = s.add(length);
                            pc = pc.add(2);
                        } else {
                            pc = target!((*pc.add(1)).arg);
                        }
                    }
                    Op::Span => {
                        let from = s;
                        let set = &*program.sets.add(arg as usize);
                        while s != end && set.has(*s) {
                            s = s.add(1);
                        }
                        let length = s.offset_from(from);
                        if length < aux as isize {
                            fail!();
                        }
                        pc = pc.add(1);
                        pay!((length >> 4) as i32);
                    }
                    Op::SpanUntil => {
                        let length = span::until(s, left!(), arg, key);
                        if length < usize::from(aux) {
                            fail!();
                        }
                        s = s.add(length);
                        pc = pc.add(1);
                        pay!((length >> 5) as i32);
                    }
                    Op::Switch => {
                        let next = if s == end { 256 } else { usize::from(*s) };
                        pc = target!((*program.switches.add(arg as usize))[next]);
                    }
                    Op::Choice => {
                        push!(target!(arg), s);
                        pc = pc.add(1);
                    }
                    Op::Commit => {
                        top = top.sub(1);
                        pc = target!(arg);
                        pay!(1);
                    }
                    Op::PartialCommit => {
                        let choice = &mut *top.sub(1);
                        (choice.s, choice.captures) = (s, count);
                        pc = target!(arg);
                        pay!(1);
                    }
                    Op::BackCommit => {
                        top = top.sub(1);
                        // The captures of what was matched ahead are kept.
                        s = (*top).s;
                        pc = target!(arg);
                    }
                    Op::FailTwice => {
                        top = top.sub(1);
                        fail!();
                    }
                    Op::Jump => {
                        pc = target!(arg);
                        pay!(1);
                    }
                    Op::Call => {
                        push!(pc.add(1), std::ptr::null());
                        pc = target!(arg);
                        pay!(1);
                    }
                    Op::Return => {
                        top = top.sub(1);
                        pc = (*top).pc;
                    }
                    Op::Behind => {
                        if s.offset_from(base) < arg as isize {
                            fail!();
                        }
                        s = s.sub(arg as usize);
                        pc = pc.add(1);
                    }
                    Op::Full => {
                        let here = offset!(s);
                        capture!(here - arg, here, key, Kind::of(aux), Form::Full);
                        pc = pc.add(1);
                    }
                    Op::Open => {
                        capture!(offset!(s), 0, key, Kind::of(aux), Form::Open);
                        pc = pc.add(1);
                    }
                    Op::Close => {
                        let last = &mut *captures.add(count as usize - 1);
                        if last.form == Form::Open {
                            // Nothing inside: the beginning becomes the whole.
                            (last.form, last.link) = (Form::Full, offset!(s));
                        } else {
                            let open = innermost(captures, count);
                            capture!(offset!(s), open, 0, Kind::Group, Form::Close);
                            (*captures.add(open as usize)).link = count - 1;
                        }
                        pc = pc.add(1);
                    }
                    Op::CloseRuntime => {
                        // The owner counts on room for the end of the capture.
                        if count == self.capture_room {
                            stop!(Event::CapturesFull);
                        }
                        let open = innermost(captures, count);
                        pc = pc.add(1);
                        stop!(Event::Runtime(open));
                    }
                    Op::Charge => {
                        pc = pc.add(1);
                        pay!(arg as i32);
                    }
                }
            }
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
                    self.drop_dynamic(frame.captures, self.capture_count);
                    (self.pc, self.s, self.capture_count) = (frame.pc, frame.s, frame.captures);
                    return true;
                }
            }
        }
        false
    }

    /// Counts out the values of match-time captures among the entries that are dropped.
    #[cold]
    unsafe fn drop_dynamic(&mut self, from: u32, to: u32) {
        for at in from..to {
            // SAFETY: `to` entries are in the list.
            let entry = unsafe { &*self.captures.add(at as usize) };
            self.dynamic -= u32::from(entry.kind == Kind::Runtime && entry.form == Form::Full);
        }
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
