//! Checks of a grammar as a whole: which rules may match nothing, which would call themselves without having consumed
//! a byte, which loops would never end. What was learnt is noted in the nodes.

use crate::grammar::MAX_RULES;
use crate::tree::{self, CAPTURES, NOFAIL, NOT_FIXED, NULLABLE, Tag, Tree};
use heka_lua::spend;

/// What is wrong with a grammar, and the rule to name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    LeftRecursion(usize),
    TooManyLeftCalls,
    EmptyLoop(usize),
}

/// The native steps of the running call are spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfBudget;

/// Sets the facts of the grammar's nodes, then checks its rules.
pub fn check(words: &mut [u64]) -> Result<Option<Fault>, OutOfBudget> {
    let rules = Rules::of(words);
    rules.settle(words)?;
    let called = rules.called(words);
    let left_calls: Vec<Vec<usize>> =
        rules.starts.iter().map(|&start| left_calls(Tree::new(&words[start..]))).collect();
    for rule in (0..left_calls.len()).filter(|&rule| called[rule]) {
        if let Some(walk) = endless_walk(&left_calls, rule) {
            return Ok(Some(walk.fault()));
        }
    }
    let has_empty_loop = |rule: usize| {
        rules.nodes[rule].iter().any(|&at| {
            let node = Tree::new(&words[at..]);
            node.tag() == Tag::Star && node.child().has(NULLABLE)
        })
    };
    Ok((0..called.len()).find(|&rule| called[rule] && has_empty_loop(rule)).map(Fault::EmptyLoop))
}

/// Which rules of a grammar are called, the initial one among them. The others can never run and are not compiled.
pub fn called(grammar: Tree) -> Vec<bool> {
    Rules::of(grammar.words()).called(grammar.words())
}

/// For each rule of a checked grammar, the rules that it may call before it has consumed a byte come before it.
pub fn callees_first(grammar: Tree) -> Vec<usize> {
    let callees: Vec<Vec<usize>> = grammar.children().map(left_calls).collect();
    let mut order = Vec::with_capacity(callees.len());
    let mut seen = vec![false; callees.len()];
    let mut path = Vec::new();
    for start in 0..callees.len() {
        if !std::mem::replace(&mut seen[start], true) {
            path.push((start, 0));
        }
        while let Some((rule, next)) = path.last_mut() {
            if let Some(&callee) = callees[*rule].get(*next) {
                *next += 1;
                if !std::mem::replace(&mut seen[callee], true) {
                    path.push((callee, 0));
                }
            } else {
                order.push(*rule);
                path.pop();
            }
        }
    }
    order
}

/// Where the rules and their nodes lie. The nodes of grammars inside rules are left out: those grammars are settled.
struct Rules {
    starts: Vec<usize>,
    nodes: Vec<Vec<usize>>,
}

impl Rules {
    fn of(words: &[u64]) -> Rules {
        let (mut starts, mut nodes) = (Vec::new(), Vec::new());
        let mut at = 2;
        while at < words.len() {
            let end = at + Tree::new(&words[at..]).words().len();
            starts.push(at);
            let mut inside = Vec::new();
            while at < end {
                let node = Tree::new(&words[at..]);
                inside.push(at);
                // A node with children is followed by the first of them.
                let steps_in = node.tag() != Tag::Grammar && node.children().next().is_some();
                at += node.words().len() - if steps_in { node.inside().len() } else { 0 };
            }
            nodes.push(inside);
        }
        Rules { starts, nodes }
    }

    /// Derives all facts from the leaves up, again and again until the calls' facts agree with their rules'.
    fn settle(&self, words: &mut [u64]) -> Result<(), OutOfBudget> {
        loop {
            if !spend(1 + words.len() as u64 / 4) {
                return Err(OutOfBudget);
            }
            let mut changed = false;
            let lengths: Vec<u64> = self.starts.iter().map(|&start| fixed_len(Tree::new(&words[start..]))).collect();
            for &at in self.nodes.iter().rev().flat_map(|nodes| nodes.iter().rev()) {
                let node = Tree::new(&words[at..]);
                let before = words[at];
                let length = (node.tag() == Tag::Call).then(|| lengths[node.n() as usize]);
                let facts = match node.tag() {
                    Tag::Call => Tree::new(&words[self.starts[node.n() as usize]..]).facts(),
                    Tag::Grammar => node.facts(),
                    _ => node.derive(),
                };
                words[at] = before & !0xff00 | u64::from(facts) << 8;
                changed |= words[at] != before;
                if let Some(length) = length {
                    changed |= words[at + 1] != length;
                    words[at + 1] = length;
                }
            }
            if !changed {
                break;
            }
        }
        let initial = Tree::new(&words[self.starts[0]..]).facts() & (NULLABLE | NOFAIL | CAPTURES);
        words[0] = tree::word(Tag::Grammar, initial, 0, words.len() as u32);
        Ok(())
    }

    fn called(&self, words: &[u64]) -> Vec<bool> {
        let mut called = vec![false; self.starts.len()];
        called[0] = true;
        for &at in self.nodes.iter().flatten() {
            let node = Tree::new(&words[at..]);
            if node.tag() == Tag::Call {
                called[node.n() as usize] = true;
            }
        }
        called
    }
}

fn fixed_len(rule: Tree) -> u64 {
    rule.fixed_len().unwrap_or(NOT_FIXED)
}

/// The rules called at places that can be reached before a byte is consumed, each once, in the order of the text.
fn left_calls(tree: Tree) -> Vec<usize> {
    fn walk(tree: Tree, seen: &mut [bool; MAX_RULES], out: &mut Vec<usize>) {
        match tree.tag() {
            Tag::Call => {
                let rule = tree.n() as usize;
                if !std::mem::replace(&mut seen[rule], true) {
                    out.push(rule);
                }
            }
            Tag::Seq => {
                for child in tree.children() {
                    walk(child, seen, out);
                    if !child.has(NULLABLE) {
                        break;
                    }
                }
            }
            // Neither can lead back to a rule of this grammar.
            Tag::Grammar | Tag::Behind => {}
            _ => tree.children().for_each(|child| walk(child, seen, out)),
        }
    }
    let mut out = Vec::new();
    walk(tree, &mut [false; MAX_RULES], &mut out);
    out
}

/// A walk along left calls that ends in a cycle.
struct Walk {
    path: Vec<usize>,
    /// Where in the path the cycle begins.
    cycle: usize,
}

impl Walk {
    /// The rule to name is the last of as many as a grammar may have, if it came twice among them.
    fn fault(&self) -> Fault {
        let length = self.path.len() - self.cycle;
        if MAX_RULES < length + self.cycle.max(1) {
            return Fault::TooManyLeftCalls;
        }
        Fault::LeftRecursion(self.path[self.cycle + (MAX_RULES - self.cycle) % length])
    }
}

fn endless_walk(left_calls: &[Vec<usize>], from: usize) -> Option<Walk> {
    let mut done = vec![false; left_calls.len()];
    let mut path = vec![from];
    let mut next = vec![0];
    while let Some(&rule) = path.last() {
        let turn = next.len() - 1;
        match left_calls[rule].get(next[turn]) {
            Some(&callee) => {
                next[turn] += 1;
                if let Some(cycle) = path.iter().position(|&passed| passed == callee) {
                    return Some(Walk { path, cycle });
                }
                if !done[callee] {
                    path.push(callee);
                    next.push(0);
                }
            }
            None => {
                done[rule] = true;
                path.pop();
                next.pop();
            }
        }
    }
    None
}
