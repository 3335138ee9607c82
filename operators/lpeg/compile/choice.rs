//! Ordered choices: by a table on the next byte where alternatives are many, else one after the other, and without a
//! pending choice wherever the next byte or a whole string decides.

use super::Compiler;
use crate::first::Follow;
use crate::program::Op;
use crate::set::Set;
use crate::switch;
use crate::tree::{CAPTURES, NOFAIL, Tag, Tree};

/// Tree words that a program may compile more than once.
pub const EXTRA: usize = 4096;
/// Tree words that count for the table of a switch.
const TABLE: usize = 64;
/// Alternatives from which and up to which a switch is considered.
const MIN_ALTERNATIVES: usize = 4;
const MAX_ALTERNATIVES: usize = 1024;

/// An alternative.
#[derive(Clone, Copy)]
struct Alternative<'t> {
    tree: Tree<'t>,
    /// Where it may succeed, whatever comes behind the choice.
    place: Follow,
    /// Where it may succeed and what comes behind the choice, too.
    with_follow: Follow,
}

/// The alternatives left at some places, and the places.
type Group = (Vec<u16>, Follow);

impl Follow {
    /// The places that are only in the first.
    fn without(&self, other: &Follow) -> Follow {
        Follow { bytes: self.bytes - other.bytes, at_end: self.at_end && !other.at_end }
    }

    /// The places that are in both.
    pub fn within(&self, known: &Follow) -> Follow {
        Follow { bytes: self.bytes & known.bytes, at_end: self.at_end && known.at_end }
    }

    fn is_nowhere(&self) -> bool {
        !self.at_end && self.bytes.is_empty()
    }

    /// Whether a look at the next byte tells these places from the others known: the end is no byte.
    pub fn is_testable(&self, known: &Follow) -> bool {
        !(self.at_end && known.at_end) || known.is_subset(self)
    }

    pub fn is_subset(&self, other: &Follow) -> bool {
        self.bytes.is_subset(&other.bytes) && (other.at_end || !self.at_end)
    }
}

impl Compiler<'_> {
    pub fn choice(&mut self, tree: Tree, known: &Follow, follow: &Follow) {
        let mut alternatives: Vec<Alternative> = Vec::new();
        for tree in tree.children() {
            let first = self.first(tree);
            let place = first.before(&Follow::ANYTHING).within(known);
            if !place.is_nowhere() {
                alternatives.push(Alternative { tree, place, with_follow: first.before(follow).within(known) });
            }
        }
        if let Some(groups) = self.groups(&alternatives, known) {
            self.switch(&alternatives, groups, follow);
        } else {
            self.chain(&alternatives, known, follow);
        }
    }

    /// The places on which each set of alternatives is left, when a switch between them pays.
    fn groups(&mut self, alternatives: &[Alternative], known: &Follow) -> Option<Vec<Group>> {
        if !(MIN_ALTERNATIVES..=MAX_ALTERNATIVES).contains(&alternatives.len()) {
            return None;
        }
        // All places, parted once more by each alternative.
        let mut groups = vec![(Vec::new(), *known)];
        for (at, one) in (0_u16..).zip(alternatives) {
            for group in 0..groups.len() {
                let here = groups[group].1.within(&one.place);
                if here.is_nowhere() {
                    continue;
                }
                let elsewhere = groups[group].1.without(&here);
                if !elsewhere.is_nowhere() {
                    groups.push((groups[group].0.clone(), elsewhere));
                }
                groups[group].0.push(at);
                groups[group].1 = here;
            }
        }
        let size = |at: u16| alternatives[usize::from(at)].tree.words().len();
        let once: usize = alternatives.iter().map(|one| one.tree.words().len()).sum();
        let all: usize = groups.iter().flat_map(|(left, _)| left).map(|&at| size(at)).sum();
        let cost = TABLE + all.saturating_sub(once);
        // As many tests as a chain makes before it comes to its last alternatives.
        let longest = groups.iter().map(|(left, _)| left.len()).max().unwrap_or(0);
        if cost > self.extra
            || cost > TABLE + 2 * once
            || longest * 2 > alternatives.len() + 1
            || groups.len() > switch::MOST_TARGETS
        {
            return None;
        }
        self.extra -= cost;
        Some(groups)
    }

    fn switch(&mut self, alternatives: &[Alternative], groups: Vec<Group>, follow: &Follow) {
        let switch = self.emit_jump(Op::Switch);
        let mut targets = [None; 257];
        let mut ends = Vec::new();
        for (left, place) in groups {
            let here = self.here();
            place.bytes.bytes().for_each(|byte| targets[usize::from(byte)] = Some(here));
            if place.at_end {
                targets[256] = Some(here);
            }
            let left: Vec<Alternative> = left.iter().map(|&at| alternatives[usize::from(at)]).collect();
            self.chain(&left, &place, follow);
            ends.push(self.emit_jump(Op::Jump));
        }
        // Where nothing is possible, and where the subject is known not to stand.
        let fail = self.emit(Op::Fail, 0, 0, 0) as u32;
        self.parts.code[switch].arg = self.parts.bytes.len() as u32;
        self.parts.bytes.extend(switch::build(&targets.map(|target| target.unwrap_or(fail))));
        self.land_all(&ends);
    }

    /// One alternative after the other.
    fn chain(&mut self, alternatives: &[Alternative], known: &Follow, follow: &Follow) {
        // Where any alternative from each one on may succeed.
        let mut rests = vec![Follow { bytes: Set::EMPTY, at_end: false }; alternatives.len() + 1];
        for (at, one) in alternatives.iter().enumerate().rev() {
            rests[at] = rests[at + 1].or(&one.with_follow);
        }
        let Some((last, first_ones)) = alternatives.split_last() else {
            self.emit(Op::Fail, 0, 0, 0);
            return;
        };
        let mut ends = Vec::new();
        // Where the subject can stand when the earlier alternatives were ruled out.
        let mut known = *known;
        for (at, &Alternative { tree, place, .. }) in first_ones.iter().enumerate() {
            let place = place.within(&known);
            if is_literal_led(tree) {
                let miss = self.literal_led(tree, follow);
                ends.push(self.emit_jump(Op::Jump));
                self.land(miss);
                continue;
            }
            let decides = place.is_testable(&known)
                && (!place.meets(&rests[at + 1].within(&known)) || self.firsts.is_decided_by_first(tree));
            let (miss, here) = self.test(&place, &known);
            if decides {
                self.code(tree, &here, follow);
                if miss.is_none() {
                    // The others are never reached.
                    return self.land_all(&ends);
                }
                ends.push(self.emit_jump(Op::Jump));
                known = Follow { bytes: known.bytes - place.bytes, at_end: known.at_end };
            } else {
                let choice = self.emit_jump(Op::Choice);
                self.code(tree, &here, &Follow::ANYTHING);
                ends.push(self.emit_jump(Op::Commit));
                self.land(choice);
            }
            self.land_all(miss.as_slice());
        }
        self.code(last.tree, &known, follow);
        self.land_all(&ends);
    }

    /// A pattern that fails only where a string is missing: goes to where the returned slot will land then, with
    /// nothing consumed or captured.
    pub fn literal_led(&mut self, tree: Tree, follow: &Follow) -> usize {
        match tree.tag() {
            Tag::Bytes => self.test_literal(tree.bytes().collect()),
            Tag::Seq => {
                let children: Vec<Tree> = tree.children().collect();
                let strings = children.iter().take_while(|child| child.tag() == Tag::Bytes).count();
                let (miss, rest) = if strings > 1 {
                    let bytes = children[..strings].iter().flat_map(|child| child.bytes()).collect();
                    (self.test_literal(bytes), &children[strings..])
                } else {
                    (self.literal_led(children[0], &Follow::ANYTHING), &children[1..])
                };
                let mut follows = vec![*follow; rest.len()];
                for at in (1..rest.len()).rev() {
                    follows[at - 1] = self.first(rest[at]).before(&follows[at]);
                }
                for (child, follow) in rest.iter().zip(&follows) {
                    self.code(*child, &Follow::ANYTHING, follow);
                }
                miss
            }
            _ => {
                let child = tree.child();
                let miss = self.literal_led(child, follow);
                self.full(tree, child.fixed_len().unwrap_or(0) as u32);
                miss
            }
        }
    }

    fn test_literal(&mut self, bytes: Vec<u8>) -> usize {
        self.literal_insn(&bytes, Op::TestBytes, Op::TestLongBytes);
        // The second slot is no instruction: it must follow at once.
        self.parts.code.push(crate::program::Insn { op: Op::Jump, aux: 0, key: 0, arg: 0 });
        self.parts.code.len() - 1
    }
}

/// Whether a pattern begins with a string of several bytes, and cannot fail once it has matched it.
pub fn is_literal_led(tree: Tree) -> bool {
    let fits = |length: u64| (2..=super::MAX_LITERAL as u64).contains(&length);
    match tree.tag() {
        Tag::Bytes => fits(u64::from(tree.n())),
        Tag::Seq => {
            let strings = tree.children().take_while(|child| child.tag() == Tag::Bytes);
            let (count, length) =
                strings.fold((0, 0), |(count, length), child| (count + 1, length + u64::from(child.n())));
            let begins = if count > 0 { fits(length) } else { tree.children().next().is_some_and(is_literal_led) };
            begins && tree.children().skip(count.max(1)).all(|child| child.has(NOFAIL))
        }
        Tag::Simple
        | Tag::Table
        | Tag::Group
        | Tag::Fold
        | Tag::Function
        | Tag::Numbered
        | Tag::Query
        | Tag::Str
        | Tag::Subst => {
            let child = tree.child();
            !child.has(CAPTURES) && child.fixed_len().is_some() && is_literal_led(child)
        }
        _ => false,
    }
}
