//! Trees to programs.
//!
//! The code of a node gets two things that its surroundings know: where the subject can stand when it runs (`known`),
//! and where it can go on behind it (`follow`). The first saves tests, the second choices: where a byte cannot begin
//! what follows, giving up a choice that the byte decided loses nothing. What lies under a pending choice must not use
//! `follow`, because a failure there would take that choice.

mod again;
mod choice;
mod named;
mod repeat;
mod words;

use crate::first::{First, Firsts, Follow, RuleFirsts};
use crate::program::{Insn, Kind, Op, Parts, Value};
use crate::rules;
use crate::set::Set;
use crate::tree::{CAPTURES, NOFAIL, Tag, Tree};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Instructions without a jump that are paid for at a time.
const CHARGE: usize = 128;
/// The longest string in one instruction.
const MAX_LITERAL: usize = 1 << 15;

/// The program is larger than its instructions can address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooBig;

/// What captures are made for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// Lua values, as `lpeg.match` gives them.
    Values,
    /// A visit by the host, which takes a named value that is simple enough as one capture.
    Visit,
}

/// Compiles `tree`, which has no open calls. `values` are the pattern's Lua values, and `tonumber` says which of them
/// are Lua's own `tonumber`.
pub fn compile(tree: Tree, values: Vec<Value>, tonumber: &[bool], purpose: Purpose) -> Result<Parts, TooBig> {
    let mut compiler = Compiler {
        parts: Parts { values, is_known: true, ..Parts::default() },
        tonumber,
        firsts: Firsts::default(),
        sets: BTreeMap::new(),
        tables: BTreeMap::new(),
        rules: Rc::default(),
        calls: Vec::new(),
        straight: 0,
        is_silent: false,
        names_fields: purpose == Purpose::Visit,
        naming: None,
        extra: choice::EXTRA,
        is_remembered: false,
    };
    compiler.code(tree, &Follow::ANYTHING, &Follow::ANYTHING);
    compiler.emit(Op::End, 0, 0, 0);
    compiler.thread_jumps();
    if compiler.parts.sets.len() > usize::from(u16::MAX) { Err(TooBig) } else { Ok(compiler.parts) }
}

struct Compiler<'a> {
    parts: Parts,
    tonumber: &'a [bool],
    firsts: Firsts,
    /// Where each set is.
    sets: BTreeMap<[u64; 4], u32>,
    /// Where each automaton is.
    tables: BTreeMap<Vec<u8>, u32>,
    /// The firsts of the rules of the innermost grammar.
    rules: RuleFirsts,
    /// The calls in the innermost grammar: instruction and rule.
    calls: Vec<(usize, usize)>,
    /// Instructions since the last one that pays.
    straight: usize,
    /// Captures are dropped, so none are made.
    is_silent: bool,
    /// Named groups may become named values: nobody counts the captures here.
    names_fields: bool,
    /// The named value being compiled.
    naming: Option<named::Naming>,
    /// Tree words that may still be compiled a second time for the sake of switches.
    extra: usize,
    /// What is compiled is remembered as a whole.
    is_remembered: bool,
}

impl Compiler<'_> {
    fn emit(&mut self, op: Op, aux: u8, key: u16, arg: u32) -> usize {
        self.straight += 1;
        if self.straight > CHARGE {
            self.straight = 0;
            self.parts.code.push(Insn { op: Op::Charge, aux: 0, key: 0, arg: CHARGE as u32 });
        }
        self.parts.code.push(Insn { op, aux, key, arg });
        self.parts.code.len() - 1
    }

    /// An instruction whose `arg` is a place not known yet: see `land`.
    fn emit_jump(&mut self, op: Op) -> usize {
        self.emit(op, 0, 0, 0)
    }

    /// The place of the next instruction, which a loop will come back to: nothing is paid there.
    fn start_loop(&mut self) -> u32 {
        if self.straight > CHARGE / 2 {
            self.parts.code.push(Insn { op: Op::Charge, aux: 0, key: 0, arg: self.straight as u32 });
            self.straight = 0;
        }
        self.here()
    }

    fn here(&self) -> u32 {
        // Far fewer instructions than 2³²: trees are limited by their weight.
        self.parts.code.len() as u32
    }

    /// The instruction at `from` goes to the place after the last one.
    fn land(&mut self, from: usize) {
        self.parts.code[from].arg = self.here();
    }

    fn land_all(&mut self, from: &[usize]) {
        from.iter().for_each(|&from| self.land(from));
    }

    fn set_index(&mut self, set: Set) -> u32 {
        let next = self.parts.sets.len() as u32;
        *self.sets.entry(set.0).or_insert_with(|| {
            self.parts.sets.push(set);
            next
        })
    }

    fn first(&mut self, tree: Tree) -> First {
        let rules = self.rules.clone();
        self.firsts.of(tree, &rules)
    }

    /// Where `tree` may succeed, whatever comes behind it.
    fn viable(&mut self, tree: Tree) -> Follow {
        self.first(tree).before(&Follow::ANYTHING)
    }

    fn code(&mut self, tree: Tree, known: &Follow, follow: &Follow) {
        match tree.tag() {
            Tag::True => {}
            Tag::False | Tag::OpenCall => {
                self.emit(Op::Fail, 0, 0, 0);
            }
            Tag::Any if tree.n() > 1 => {
                self.emit(Op::AnyN, 0, 0, tree.n());
            }
            Tag::Any | Tag::Set => self.one_of(tree.as_set().unwrap_or(Set::FULL), known),
            Tag::Bytes => self.literal(tree.bytes(), known),
            Tag::Call => {
                let call = self.emit_jump(Op::Call);
                self.calls.push((call, tree.n() as usize));
            }
            Tag::Grammar => self.grammar(tree),
            Tag::Seq => self.again(tree, |compiler| compiler.sequence(tree, known, follow)),
            Tag::Choice if self.words(tree) => {}
            Tag::Choice => self.choice(tree, known, follow),
            Tag::Star => self.star(tree, known, follow),
            Tag::AtMost => self.at_most(tree, known, follow),
            Tag::Not => self.not(tree.child(), known),
            Tag::And => self.and(tree.child(), known),
            Tag::Behind => {
                let length = tree.child().fixed_len().unwrap_or(0);
                if length > 0 {
                    self.emit(Op::Behind, 0, 0, length as u32);
                }
                self.code(tree.child(), &Follow::ANYTHING, &Follow::ANYTHING);
            }
            Tag::Runtime => {
                // Nobody visits what is not known: the values inside may as well be named.
                self.parts.is_known = false;
                self.emit(Op::Open, Kind::Runtime as u8, tree.key(), 0);
                self.code(tree.child(), known, &Follow::ANYTHING);
                self.emit(Op::CloseRuntime, 0, 0, 0);
                self.straight = 0;
            }
            Tag::Position | Tag::Const | Tag::Arg | Tag::Backref => self.full(tree, 0),
            Tag::Rule => self.code(tree.child(), known, follow),
            _ => self.capture(tree, known, follow),
        }
    }

    /// The Lua value with this key.
    fn constant(&self, key: u16) -> Value {
        self.parts.values.get(usize::from(key).wrapping_sub(1)).copied().unwrap_or(Value::Nil)
    }

    fn kind(&mut self, tree: Tree) -> Kind {
        let value = self.constant(tree.key());
        let is_text = matches!(value, Value::Text(..));
        let (kind, is_known) = match tree.tag() {
            Tag::Position => (Kind::Position, true),
            Tag::Const => (Kind::Const, !matches!(value, Value::Other | Value::Native(_))),
            Tag::Arg => (Kind::Arg, false),
            Tag::Backref => (Kind::Backref, false),
            Tag::Table => (Kind::Table, true),
            Tag::Group => (Kind::Group, tree.key() == 0 || is_text),
            Tag::Fold => (Kind::Fold, matches!(value, Value::Native(_))),
            Tag::Function => match self.tonumber.get(usize::from(tree.key())) {
                Some(true) => (Kind::Tonumber, true),
                _ => (Kind::Function, true),
            },
            Tag::Numbered => (Kind::Numbered, tree.key() == 0),
            Tag::Query => (Kind::Query, false),
            Tag::Str => (Kind::Str, true),
            Tag::Subst => (Kind::Subst, true),
            _ => (Kind::Simple, true),
        };
        self.parts.is_known &= is_known;
        kind
    }

    /// A capture of what was just matched, `length` bytes.
    fn full(&mut self, tree: Tree, length: u32) {
        if self.is_silent {
            return;
        }
        let (kind, key) = self.leaf(tree);
        self.emit(Op::Full, kind as u8, key, length);
    }

    fn capture(&mut self, tree: Tree, known: &Follow, follow: &Follow) {
        let child = tree.child();
        if self.is_silent {
            return self.code(child, known, follow);
        }
        if self.named(tree, known, follow) {
            return;
        }
        // What takes the values inside, or else its text, needs no mark of values that are dropped.
        let takes_text = matches!(tree.tag(), Tag::Function | Tag::Group);
        let (child, is_silent) =
            if takes_text && is_dropped(child) { (child.child(), true) } else { (child, is_dropped(tree)) };
        // The value of a named group is its text anyway.
        let is_text = |tree: Tree| tree.tag() == Tag::Simple && !tree.child().has(CAPTURES);
        let child = if tree.tag() == Tag::Group && tree.key() > 0 && is_text(child) { child.child() } else { child };
        if let Some(length) = full_len(child) {
            self.code(child, known, follow);
            return self.full(tree, length);
        }
        let is_leaf = is_silent || !child.has(CAPTURES);
        let (kind, key) = if is_leaf { self.leaf(tree) } else { (self.kind(tree), tree.key()) };
        self.emit(Op::Open, kind as u8, key, 0);
        self.is_silent = is_silent;
        // Where captures inside are counted, or made into one value, each must be there.
        let names_fields = self.names_fields && matches!(tree.tag(), Tag::Table | Tag::Group);
        let outer = std::mem::replace(&mut self.names_fields, names_fields);
        self.code(child, known, follow);
        self.names_fields = outer;
        self.is_silent = false;
        self.emit(Op::Close, 0, 0, 0);
    }

    fn sequence(&mut self, tree: Tree, known: &Follow, follow: &Follow) {
        let children: Vec<Tree> = tree.children().collect();
        // What follows each child, from the last one back.
        let mut follows = vec![*follow; children.len()];
        for at in (1..children.len()).rev() {
            follows[at - 1] = self.first(children[at]).before(&follows[at]);
        }
        let mut known = *known;
        let mut at = 0;
        while at < children.len() {
            let run = children[at..].iter().take_while(|child| child.tag() == Tag::Bytes).count();
            if run > 1 {
                self.literal(children[at..at + run].iter().flat_map(|child| child.bytes()), &known);
                known = Follow::ANYTHING;
                at += run;
                continue;
            }
            let child = children[at];
            self.code(child, &known, &follows[at]);
            if !(child.has(NOFAIL) && child.fixed_len() == Some(0)) {
                known = Follow::ANYTHING;
            }
            at += 1;
        }
    }

    /// One byte of the set.
    fn one_of(&mut self, set: Set, known: &Follow) {
        if set == Set::FULL || !known.at_end && known.bytes.is_subset(&set) {
            self.emit(Op::Any, 0, 0, 0);
        } else if set.len() == 1 {
            let byte = set.bytes().next().unwrap_or(0);
            self.emit(Op::Byte, byte, 0, 0);
        } else if set.is_empty() {
            self.emit(Op::Fail, 0, 0, 0);
        } else {
            let index = self.set_index(set);
            self.emit(Op::Set, 0, 0, index);
        }
    }

    fn literal(&mut self, bytes: impl Iterator<Item = u8>, known: &Follow) {
        let bytes: Vec<u8> = bytes.collect();
        let mut rest = &bytes[..];
        if let [first, tail @ ..] = rest
            && (tail.is_empty() || !known.at_end && known.bytes.is_subset(&Set::of(*first)))
        {
            self.one_of(Set::of(*first), known);
            rest = tail;
        }
        for part in rest.chunks(MAX_LITERAL) {
            if let &[byte] = part {
                self.emit(Op::Byte, byte, 0, 0);
            } else {
                self.literal_insn(part, Op::Bytes, Op::LongBytes);
            }
        }
    }

    fn literal_insn(&mut self, part: &[u8], short: Op, long: Op) {
        if part.len() <= 4 {
            let mut four = [0; 4];
            four[..part.len()].copy_from_slice(part);
            self.emit(short, part.len() as u8, 0, u32::from_le_bytes(four));
        } else {
            let at = self.parts.bytes.len() as u32;
            self.parts.bytes.extend_from_slice(part);
            self.straight += part.len() / 32;
            self.emit(long, 0, part.len() as u16, at);
        }
    }

    /// Goes on where `place` allows, given `known`, and else to where the returned instruction will land; `None` when
    /// there is nothing to test. Also returns what is known behind the test.
    fn test(&mut self, place: &Follow, known: &Follow) -> (Option<usize>, Follow) {
        if known.is_subset(place) || !place.is_testable(known) {
            return (None, *known);
        }
        let bytes = place.bytes & known.bytes;
        let test = if known.bytes.is_subset(&place.bytes) {
            self.emit_jump(Op::TestAny)
        } else if bytes.len() == 1 {
            let byte = bytes.bytes().next().unwrap_or(0);
            self.emit(Op::TestByte, byte, 0, 0)
        } else {
            let index = self.set_index(bytes);
            self.emit(Op::TestSet, 0, index as u16, 0)
        };
        (Some(test), Follow { bytes, at_end: false })
    }

    fn not(&mut self, child: Tree, known: &Follow) {
        if child.tag() == Tag::Any && child.n() == 1 {
            self.emit(Op::AtEnd, 0, 0, 0);
            return;
        }
        if choice::is_literal_led(child) {
            let miss = self.literal_led(child, &Follow::ANYTHING);
            self.emit(Op::Fail, 0, 0, 0);
            return self.land(miss);
        }
        let place = self.viable(child);
        let (miss, known) = self.test(&place, known);
        if self.firsts.is_decided_by_first(child) {
            self.emit(Op::Fail, 0, 0, 0);
        } else {
            let choice = self.emit_jump(Op::Choice);
            self.code(child, &known, &Follow::ANYTHING);
            self.emit(Op::FailTwice, 0, 0, 0);
            self.land(choice);
        }
        self.land_all(miss.as_slice());
    }

    fn and(&mut self, child: Tree, known: &Follow) {
        if let Some(length) = full_len(child) {
            self.code(child, known, &Follow::ANYTHING);
            if length > 0 {
                self.emit(Op::Behind, 0, 0, length);
            }
            return;
        }
        let choice = self.emit_jump(Op::Choice);
        self.code(child, known, &Follow::ANYTHING);
        let done = self.emit_jump(Op::BackCommit);
        self.land(choice);
        self.emit(Op::Fail, 0, 0, 0);
        self.land(done);
    }

    fn grammar(&mut self, tree: Tree) {
        // A rule does not know from where it is called.
        let names_fields = std::mem::replace(&mut self.names_fields, false);
        let rules = self.firsts.of_rules(tree);
        let outer_rules = std::mem::replace(&mut self.rules, rules);
        let outer_calls = std::mem::take(&mut self.calls);
        let start = self.emit_jump(Op::Call);
        self.calls.push((start, 0));
        let end = self.emit_jump(Op::Jump);
        let called = rules::called(tree);
        let mut starts = Vec::with_capacity(called.len());
        for (rule, called) in tree.children().zip(called) {
            self.straight = 0;
            let here = self.here();
            starts.push(here);
            if called {
                self.skip_to_start(rule.child(), starts.len() - 1);
                self.code(rule.child(), &Follow::ANYTHING, &Follow::ANYTHING);
                self.emit(Op::Return, 0, 0, 0);
            }
        }
        for (call, rule) in std::mem::replace(&mut self.calls, outer_calls) {
            self.parts.code[call].arg = starts[rule];
        }
        self.land(end);
        self.rules = outer_rules;
        self.names_fields = names_fields;
    }

    /// Jumps to jumps go where those go, and a call before a return is a jump.
    fn thread_jumps(&mut self) {
        let code = &mut self.parts.code;
        let mut at = 0;
        while at < code.len() {
            let op = code[at].op;
            // The second slot of a test for a string holds the target.
            at += usize::from(matches!(op, Op::TestBytes | Op::TestLongBytes));
            let has_target = matches!(
                op,
                Op::TestAny
                    | Op::TestByte
                    | Op::TestSet
                    | Op::TestBytes
                    | Op::TestLongBytes
                    | Op::Again
                    | Op::Choice
                    | Op::Commit
                    | Op::PartialCommit
                    | Op::BackCommit
                    | Op::Jump
                    | Op::Call
            );
            // The limit is for jumps in a circle.
            for _ in 0..if has_target { 8 } else { 0 } {
                let next = code[code[at].arg as usize];
                if next.op != Op::Jump {
                    break;
                }
                code[at].arg = next.arg;
            }
            if op == Op::Jump && matches!(code[code[at].arg as usize].op, Op::Return | Op::Fail | Op::End) {
                code[at] = code[code[at].arg as usize];
            }
            at += 1;
        }
        for at in 1..code.len() {
            if code[at].op == Op::Return && code[at - 1].op == Op::Call {
                code[at - 1].op = Op::Jump;
            }
        }
    }
}

/// Whether the values inside are dropped (`patt / 0`), and need not be captured at all.
fn is_dropped(tree: Tree) -> bool {
    tree.tag() == Tag::Numbered && tree.key() == 0 && can_be_silent(tree.child())
}

/// Whether the captures inside can be left out when nobody wants their values: match-time captures also decide whether
/// there is a match, and a called rule may be called from elsewhere too.
fn can_be_silent(tree: Tree) -> bool {
    !matches!(tree.tag(), Tag::Runtime | Tag::Call | Tag::Grammar | Tag::OpenCall) && tree.children().all(can_be_silent)
}

/// The length of a pattern that needs no beginning in the list of captures: it has none inside, and its length is the
/// same always.
fn full_len(child: Tree) -> Option<u32> {
    if child.has(CAPTURES) { None } else { child.fixed_len().and_then(|length| u32::try_from(length).ok()) }
}
