//! Repetitions: loops over single bytes as one instruction, loops that the next byte decides without a choice, and
//! the bytes that a loop would only step over skipped at once.

use super::Compiler;
use crate::first::Follow;
use crate::program::Op;
use crate::set::Set;
use crate::tree::{Tag, Tree};

impl Compiler<'_> {
    /// At least so many times.
    pub fn star(&mut self, tree: Tree, known: &Follow, follow: &Follow) {
        let (body, count) = (tree.child(), tree.payload());
        if let Some(set) = body.as_set() {
            let mut known = *known;
            if count > 2 && set == Set::FULL {
                self.emit(Op::AnyN, 0, 0, (count - 1) as u32);
            } else {
                for _ in 1..count {
                    self.one_of(set, &known);
                    known = Follow::ANYTHING;
                }
            }
            return self.span(set, count > 0);
        }
        let place = self.viable(body);
        let mut known = *known;
        for turn in 1..=count {
            let follow = if turn < count { place } else { place.or(follow) };
            self.code(body, &known, &follow);
            known = Follow::ANYTHING;
        }
        let skip = self.skippable(body);
        if !skip.is_empty() {
            return self.skipping_loop(body, skip, place, follow);
        }
        let decides = !place.meets(follow) || self.firsts.is_decided_by_first(body);
        if decides && place.is_testable(&Follow::ANYTHING) {
            let start = self.start_loop();
            let (end, here) = self.test(&place, &Follow::ANYTHING);
            self.code(body, &here, &place.or(follow));
            self.emit(Op::Jump, 0, 0, start);
            self.land_all(end.as_slice());
            return;
        }
        let (end, _) = self.test(&place, &known);
        let choice = self.emit_jump(Op::Choice);
        let start = self.start_loop();
        self.code(body, &Follow::ANYTHING, &Follow::ANYTHING);
        self.emit(Op::PartialCommit, 0, 0, start);
        self.land(choice);
        self.land_all(end.as_slice());
    }

    /// A loop whose body on some bytes does no more than to step over them.
    fn skipping_loop(&mut self, body: Tree, skip: Set, place: Follow, follow: &Follow) {
        let start = self.start_loop();
        self.span(skip, false);
        let known = Follow { bytes: !skip, at_end: true };
        let place = place.within(&known);
        if place.bytes.is_empty() && !place.at_end {
            return;
        }
        let decides = !place.meets(follow) && place.is_testable(&known);
        let (end, here) = self.test(&place, &known);
        if decides {
            self.code(body, &here, &Follow::ANYTHING);
            self.emit(Op::Jump, 0, 0, start);
        } else {
            let choice = self.emit_jump(Op::Choice);
            self.code(body, &here, &Follow::ANYTHING);
            self.emit(Op::Commit, 0, 0, start);
            self.land(choice);
        }
        self.land_all(end.as_slice());
    }

    /// At most so many times.
    pub fn at_most(&mut self, tree: Tree, known: &Follow, follow: &Follow) {
        let (body, count) = (tree.child(), tree.payload());
        let place = self.viable(body);
        let mut ends = Vec::new();
        let decides = !place.meets(follow) || self.firsts.is_decided_by_first(body);
        if decides && place.is_testable(&Follow::ANYTHING) {
            let mut known = *known;
            for _ in 0..count {
                let (end, here) = self.test(&place, &known);
                ends.extend(end);
                self.code(body, &here, &place.or(follow));
                known = Follow::ANYTHING;
            }
        } else {
            let (end, mut known) = self.test(&place, known);
            ends.extend(end);
            ends.push(self.emit_jump(Op::Choice));
            for turn in 1..=count {
                self.code(body, &known, &Follow::ANYTHING);
                known = Follow::ANYTHING;
                if turn < count {
                    let next = self.emit_jump(Op::PartialCommit);
                    self.land(next);
                }
            }
            ends.push(self.emit_jump(Op::Commit));
        }
        self.land_all(&ends);
    }

    /// Bytes of the set, as many as there are.
    fn span(&mut self, set: Set, at_least_one: bool) {
        let stops = !set;
        if stops.len() <= 3 {
            let mut packed = [0; 4];
            packed.iter_mut().zip(stops.bytes()).for_each(|(slot, byte)| *slot = byte);
            self.emit(Op::SpanUntil, u8::from(at_least_one), stops.len() as u16, u32::from_le_bytes(packed));
        } else {
            let index = self.set_index(set);
            self.emit(Op::Span, u8::from(at_least_one), 0, index);
        }
    }

    /// The bytes on which a pattern surely consumes just the one byte and captures nothing.
    fn skippable(&mut self, tree: Tree) -> Set {
        if let Some(set) = tree.as_set() {
            return set;
        }
        match tree.tag() {
            // Several at once come to the same, because the loop goes on.
            Tag::Star if tree.payload() <= 1 => tree.child().as_set().unwrap_or(Set::EMPTY),
            Tag::Seq => {
                let mut out = Set::FULL;
                let mut children = tree.children().peekable();
                while let Some(child) = children.next() {
                    match (child.tag(), children.peek()) {
                        (Tag::Not, Some(_)) => out = out - self.viable(child.child()).bytes,
                        (_, None) => return out & child.as_set().unwrap_or(Set::EMPTY),
                        _ => return Set::EMPTY,
                    }
                }
                Set::EMPTY
            }
            Tag::Choice => {
                let (mut out, mut tried) = (Set::EMPTY, Set::EMPTY);
                for child in tree.children() {
                    let skip = self.skippable(child);
                    let takes_more = !matches!(child.tag(), Tag::Any | Tag::Bytes | Tag::Set | Tag::Seq);
                    out = out | if takes_more && !(skip & tried).is_empty() { Set::EMPTY } else { skip - tried };
                    tried = tried | self.viable(child).bytes;
                }
                out
            }
            _ => Set::EMPTY,
        }
    }

    /// A rule `p + c * rule` searches for `p`: what surely cannot begin it is skipped at once.
    pub fn skip_to_start(&mut self, body: Tree, rule: usize) {
        if body.tag() != Tag::Choice {
            return;
        }
        let alternatives: Vec<Tree> = body.children().collect();
        let Some((last, others)) = alternatives.split_last() else { return };
        let tried = others.iter().fold(Set::EMPTY, |tried, other| tried | self.viable(*other).bytes);
        let mut parts = last.children();
        if last.tag() != Tag::Seq {
            return;
        }
        if let (Some(step), Some(again), None) = (parts.next(), parts.next(), parts.next())
            && again.tag() == Tag::Call
            && again.n() as usize == rule
        {
            let skip = step.as_set().unwrap_or(Set::EMPTY) - tried;
            if !skip.is_empty() {
                self.span(skip, false);
            }
        }
    }
}
