//! What a pattern may begin with: the bytes that decide, before anything is tried, that it must fail.

use crate::rules;
use crate::set::Set;
use crate::tree::{NOFAIL, NULLABLE, Tag, Tree};
use std::collections::BTreeMap;
use std::rc::Rc;

/// How a pattern may begin. All three are bounds from above: they may hold more than can happen.
#[derive(Clone, Copy, Debug)]
pub struct First {
    /// Next bytes on which it may succeed having consumed some.
    pub consumes: Set,
    /// Next bytes on which it may succeed having consumed nothing.
    pub passes: Set,
    /// Whether it may succeed where no byte is left.
    pub at_end: bool,
    /// It may call a function of the script before it looks at a byte, so it has to be tried whatever comes.
    pub opaque: bool,
}

/// Where a pattern may succeed, all that comes behind it considered.
#[derive(Clone, Copy, Debug)]
pub struct Follow {
    pub bytes: Set,
    pub at_end: bool,
}

impl Follow {
    pub const ANYTHING: Follow = Follow { bytes: Set::FULL, at_end: true };

    pub fn meets(&self, other: &Follow) -> bool {
        self.at_end && other.at_end || !(self.bytes & other.bytes).is_empty()
    }

    pub fn or(&self, other: &Follow) -> Follow {
        Follow { bytes: self.bytes | other.bytes, at_end: self.at_end || other.at_end }
    }
}

impl First {
    const NEVER: First = First { consumes: Set::EMPTY, passes: Set::EMPTY, at_end: false, opaque: false };
    const EMPTY: First = First { passes: Set::FULL, at_end: true, ..First::NEVER };
    const OPAQUE: First = First { consumes: Set::FULL, passes: Set::FULL, at_end: true, opaque: true };

    fn consuming(consumes: Set) -> First {
        First { consumes, ..First::NEVER }
    }

    /// Where it may succeed when `follow` comes behind it.
    pub fn before(&self, follow: &Follow) -> Follow {
        if self.opaque {
            return Follow::ANYTHING;
        }
        Follow { bytes: self.consumes | self.passes & follow.bytes, at_end: self.at_end && follow.at_end }
    }
}

/// The firsts of the rules of a grammar.
pub type RuleFirsts = Rc<Vec<First>>;

/// Computes firsts, and remembers those of rules: a rule may be called from many places.
#[derive(Default)]
pub struct Firsts {
    /// By the address of the grammar's words.
    grammars: BTreeMap<*const u64, RuleFirsts>,
}

impl Firsts {
    /// The firsts of the rules of `grammar`.
    pub fn of_rules(&mut self, grammar: Tree) -> RuleFirsts {
        let at = grammar.words().as_ptr();
        if let Some(known) = self.grammars.get(&at) {
            return known.clone();
        }
        let bodies: Vec<Tree> = grammar.children().map(Tree::child).collect();
        let mut firsts = vec![First::OPAQUE; bodies.len()];
        for rule in rules::callees_first(grammar) {
            firsts[rule] = self.of(bodies[rule], &firsts);
        }
        self.grammars.entry(at).or_insert(Rc::new(firsts)).clone()
    }

    /// The first of `tree`, which lies in a grammar whose rules have the firsts `rules`.
    pub fn of(&mut self, tree: Tree, rules: &[First]) -> First {
        match tree.tag() {
            Tag::True | Tag::Behind | Tag::Position | Tag::Const | Tag::Arg | Tag::Backref => First::EMPTY,
            Tag::False => First::NEVER,
            Tag::Any => First::consuming(Set::FULL),
            Tag::Bytes => First::consuming(tree.bytes().next().map_or(Set::EMPTY, Set::of)),
            Tag::Set => First::consuming(tree.as_set().unwrap_or(Set::FULL)),
            Tag::OpenCall => First::OPAQUE,
            Tag::Call => rules[tree.n() as usize],
            Tag::Grammar => self.of_rules(tree)[0],
            Tag::Seq => {
                let mut whole = First::EMPTY;
                for child in tree.children() {
                    let next = self.of(child, rules);
                    if next.opaque {
                        return First::OPAQUE;
                    }
                    whole.consumes = whole.consumes | next.consumes & whole.passes;
                    whole.passes = whole.passes & next.passes;
                    whole.at_end &= next.at_end;
                    if whole.passes.is_empty() && !whole.at_end {
                        break;
                    }
                }
                whole
            }
            Tag::Choice => tree.children().fold(First::NEVER, |any, child| {
                let next = self.of(child, rules);
                First {
                    consumes: any.consumes | next.consumes,
                    passes: any.passes | next.passes,
                    at_end: any.at_end || next.at_end,
                    opaque: any.opaque || next.opaque,
                }
            }),
            Tag::Star | Tag::AtMost => {
                let once = self.of(tree.child(), rules);
                if once.opaque {
                    return First::OPAQUE;
                }
                let optional = tree.tag() == Tag::AtMost || tree.payload() == 0;
                if optional { First { passes: Set::FULL, at_end: true, ..once } } else { once }
            }
            Tag::And => {
                let inner = self.of(tree.child(), rules);
                if inner.opaque {
                    return First::OPAQUE;
                }
                First { consumes: Set::EMPTY, passes: inner.consumes | inner.passes, ..inner }
            }
            Tag::Not => match tree.child().as_set() {
                Some(set) => First { passes: !set, ..First::EMPTY },
                // What it rejects may have called functions before.
                None if self.of(tree.child(), rules).opaque => First::OPAQUE,
                None => First::EMPTY,
            },
            Tag::Runtime if tree.child().has(NULLABLE) => First::OPAQUE,
            _ => self.of(tree.child(), rules),
        }
    }

    /// Whether `tree` succeeds as soon as the next byte is one that it may begin with.
    pub fn is_decided_by_first(&mut self, tree: Tree) -> bool {
        match tree.tag() {
            Tag::Set => true,
            Tag::Any | Tag::Bytes => tree.n() == 1,
            Tag::Seq => {
                let mut children = tree.children();
                let first = children.next();
                first.is_some_and(|first| self.is_decided_by_first(first)) && children.all(|child| child.has(NOFAIL))
            }
            Tag::Choice => tree.children().all(|child| self.is_decided_by_first(child)),
            Tag::Star => tree.payload() == 1 && self.is_decided_by_first(tree.child()),
            Tag::Simple
            | Tag::Table
            | Tag::Group
            | Tag::Fold
            | Tag::Function
            | Tag::Numbered
            | Tag::Query
            | Tag::Str
            | Tag::Subst => self.is_decided_by_first(tree.child()),
            _ => false,
        }
    }
}
