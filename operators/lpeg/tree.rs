//! A pattern as scripts build it: its syntax tree, flat in prefix order, one 64-bit word for each node.
//!
//! The words lie in the pattern's userdata, so Lua's allocator counts them, its collector frees them, and a pattern
//! that uses another copies its words. Nodes carry facts about themselves, so that no question asked while patterns
//! are built or compiled walks a tree twice.
//!
//! A word holds, from the lowest bit: the tag (8 bits), facts (8), a key (16) and a number (32). Keys are indices in
//! the pattern's table of Lua values, 0 for nil. The number of an inner node is its size in words; what a leaf's
//! number means is said at its tag.

use crate::set::Set;

/// What a node is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Tag {
    // Leaves.
    True,
    False,
    /// Any `n` bytes, at least one.
    Any,
    /// The `n` bytes in the words that follow, at least one. One or two bytes are in the key instead.
    Bytes,
    /// A byte of the set. It has four words; the ones that follow are those of them that are neither empty nor full.
    /// The number has two bits for each of the four: 0 where it is empty, 1 where it is full, 2 where it follows.
    Set,
    /// The rule named by the key, in a grammar yet to come. A word follows, which a call uses.
    OpenCall,
    /// Rule number `n` of the enclosing grammar, named by the key. The word that follows is the length of all its
    /// matches, or `NOT_FIXED`.
    Call,
    Position,
    Const,
    /// The extra argument whose number is the key.
    Arg,
    Backref,
    // Inner nodes.
    Seq,
    Choice,
    /// At least as many times as the word that follows says.
    Star,
    /// At most as many times as the word that follows says.
    AtMost,
    Not,
    And,
    Behind,
    /// Rules; the word that follows is their number.
    Grammar,
    /// A rule, named by the key.
    Rule,
    /// A match-time capture; the key is its function.
    Runtime,
    Simple,
    Table,
    /// The key is the name, 0 for an anonymous group.
    Group,
    Fold,
    Function,
    /// The capture whose number is the key.
    Numbered,
    Query,
    Str,
    Subst,
}

/// Every tag, by its number.
const TAGS: [Tag; 30] = {
    use Tag::*;
    [
        True, False, Any, Bytes, Set, OpenCall, Call, Position, Const, Arg, Backref, Seq, Choice, Star, AtMost, Not,
        And, Behind, Grammar, Rule, Runtime, Simple, Table, Group, Fold, Function, Numbered, Query, Str, Subst,
    ]
};

/// Matches the empty string somewhere.
pub const NULLABLE: u8 = 1;
/// Never fails.
pub const NOFAIL: u8 = 2;
/// Has captures.
pub const CAPTURES: u8 = 4;
/// Has an open call.
pub const OPEN: u8 = 8;

/// In place of a length: matches differ in length.
pub const NOT_FIXED: u64 = u64::MAX;

impl Tag {
    /// Whether the key is an index in the table of values.
    pub fn has_value(self) -> bool {
        use Tag::*;
        matches!(self, OpenCall | Call | Const | Backref | Rule | Runtime | Group | Fold | Function | Query | Str)
    }

    fn is_leaf(self) -> bool {
        (self as u8) < Tag::Seq as u8
    }

    /// The words before the children of an inner node.
    fn head(self) -> usize {
        1 + usize::from(matches!(self, Tag::Star | Tag::AtMost | Tag::Grammar))
    }
}

/// A node's word.
pub fn word(tag: Tag, facts: u8, key: u16, n: u32) -> u64 {
    u64::from(tag as u8) | u64::from(facts) << 8 | u64::from(key) << 16 | u64::from(n) << 32
}

/// Strings that long need no word of their own.
const SHORT: usize = 2;

/// The words of a string of at least one byte.
pub fn bytes_words(length: usize) -> usize {
    if length <= SHORT { 1 } else { 1 + length.div_ceil(8) }
}

/// Writes a string of at least one byte.
pub fn write_bytes(bytes: &[u8], to: &mut [u64]) {
    let key = if let (&[first, ref rest @ ..], ..=SHORT) = (bytes, bytes.len()) {
        u16::from_le_bytes([first, rest.first().copied().unwrap_or(0)])
    } else {
        0
    };
    to[0] = word(Tag::Bytes, 0, key, bytes.len() as u32);
    for (word, chunk) in to[1..].iter_mut().zip(bytes.chunks(8)) {
        let mut eight = [0; 8];
        eight[..chunk.len()].copy_from_slice(chunk);
        *word = u64::from_le_bytes(eight);
    }
}

const FULL: u32 = 1;
const FOLLOWS: u32 = 2;

/// How a word of a set is kept.
fn shape(word: u64) -> u32 {
    match word {
        0 => 0,
        u64::MAX => FULL,
        _ => FOLLOWS,
    }
}

/// The words of a set.
pub fn set_words(set: &Set) -> usize {
    1 + set.0.iter().filter(|&&word| shape(word) == FOLLOWS).count()
}

/// Writes a set.
pub fn write_set(set: &Set, to: &mut [u64]) {
    let shapes = set.0.iter().rev().fold(0, |shapes, &word| shapes << 2 | shape(word));
    to[0] = word(Tag::Set, 0, 0, shapes);
    let following = set.0.iter().filter(|&&word| shape(word) == FOLLOWS);
    to[1..].iter_mut().zip(following).for_each(|(to, &word)| *to = word);
}

fn tag_of(word: u64) -> Tag {
    // Only `word` makes nodes, so the number is in range; anything else would read as a pattern that fails.
    TAGS.get((word & 0xff) as usize).copied().unwrap_or(Tag::False)
}

fn size_of(word: u64) -> usize {
    let n = (word >> 32) as usize;
    match tag_of(word) {
        Tag::Bytes => bytes_words(n),
        // A shape of 2 has the upper of its bits.
        Tag::Set => 1 + (n & 0b1010_1010).count_ones() as usize,
        Tag::OpenCall | Tag::Call => 2,
        tag if tag.is_leaf() => 1,
        _ => n,
    }
}

/// Calls `edit` for every node's word, in prefix order, with its position.
pub fn each_node(words: &mut [u64], mut edit: impl FnMut(&mut [u64], usize)) {
    let mut at = 0;
    while let Some(&word) = words.get(at) {
        let tag = tag_of(word);
        edit(words, at);
        at += if tag.is_leaf() { size_of(word) } else { tag.head() };
    }
}

/// Copies a tree, adding `shift` to its keys.
pub fn copy(from: &[u64], to: &mut [u64], shift: u16) {
    to.copy_from_slice(from);
    if shift > 0 {
        // The values of both trees together were counted: the sum fits.
        each_key(to, |key| key + shift);
    }
}

/// Gives the values that nodes refer to the keys that `new` says.
pub fn each_key(words: &mut [u64], mut new: impl FnMut(u16) -> u16) {
    each_node(words, |words, at| {
        let word = words[at];
        let key = (word >> 16) as u16;
        if tag_of(word).has_value() && key > 0 {
            words[at] = word & !(0xffff << 16) | u64::from(new(key)) << 16;
        }
    });
}

/// A node with all below it.
#[derive(Clone, Copy)]
pub struct Tree<'a>(&'a [u64]);

impl<'a> Tree<'a> {
    /// The tree that begins with the first word.
    pub fn new(words: &'a [u64]) -> Tree<'a> {
        Tree(&words[..size_of(words[0])])
    }

    pub fn words(self) -> &'a [u64] {
        self.0
    }

    pub fn tag(self) -> Tag {
        tag_of(self.0[0])
    }

    pub fn facts(self) -> u8 {
        (self.0[0] >> 8) as u8
    }

    pub fn has(self, fact: u8) -> bool {
        self.facts() & fact != 0
    }

    pub fn key(self) -> u16 {
        (self.0[0] >> 16) as u16
    }

    pub fn n(self) -> u32 {
        (self.0[0] >> 32) as u32
    }

    /// The word after the node's own: a count, a number of rules or a call's length.
    pub fn payload(self) -> u64 {
        self.0[1]
    }

    /// The bytes of a string.
    pub fn bytes(self) -> impl Iterator<Item = u8> + Clone + 'a {
        let length = self.n() as usize;
        let short = self.key().to_le_bytes().into_iter().take(if length <= SHORT { length } else { 0 });
        short.chain(self.0[1..].iter().flat_map(|word| word.to_le_bytes()).take(length))
    }

    /// The children, in order.
    pub fn children(self) -> impl Iterator<Item = Tree<'a>> + Clone {
        let mut rest = if self.tag().is_leaf() { &[] } else { &self.0[self.tag().head()..] };
        std::iter::from_fn(move || {
            let child = Tree::new(if rest.is_empty() { return None } else { rest });
            rest = &rest[child.0.len()..];
            Some(child)
        })
    }

    /// The only child of a node that has one.
    pub fn child(self) -> Tree<'a> {
        Tree::new(&self.0[self.tag().head()..])
    }

    /// The words of all children.
    pub fn inside(self) -> &'a [u64] {
        &self.0[self.tag().head()..]
    }

    /// The bytes matched by a pattern that is one byte long whatever it matches.
    pub fn as_set(self) -> Option<Set> {
        match self.tag() {
            Tag::Any if self.n() == 1 => Some(Set::FULL),
            Tag::Bytes if self.n() == 1 => Some(Set::of(self.key() as u8)),
            Tag::Set => {
                let mut following = self.0[1..].iter();
                Some(Set(std::array::from_fn(|at| match self.n() >> (2 * at) & 3 {
                    FULL => u64::MAX,
                    FOLLOWS => following.next().copied().unwrap_or(0),
                    _ => 0,
                })))
            }
            _ => None,
        }
    }

    /// The length of everything it matches, or `None` when matches differ in length.
    pub fn fixed_len(self) -> Option<u64> {
        match self.tag() {
            Tag::True | Tag::False | Tag::Not | Tag::And | Tag::Behind => Some(0),
            Tag::Position | Tag::Const | Tag::Arg | Tag::Backref => Some(0),
            Tag::Any | Tag::Bytes => Some(u64::from(self.n())),
            Tag::Set => Some(1),
            Tag::Call => Some(self.payload()).filter(|&length| length != NOT_FIXED),
            // What is empty is so however often it comes.
            Tag::AtMost => self.child().fixed_len().filter(|&length| length == 0),
            Tag::OpenCall | Tag::Star | Tag::Runtime => None,
            Tag::Seq => self.children().try_fold(0_u64, |sum, child| Some(sum.saturating_add(child.fixed_len()?))),
            Tag::Choice => {
                let mut lengths = self.children().map(Tree::fixed_len);
                let first = lengths.next()??;
                lengths.all(|length| length == Some(first)).then_some(first)
            }
            _ => self.child().fixed_len(),
        }
    }

    /// The facts of a node from its children's facts; a leaf keeps its own.
    pub fn derive(self) -> u8 {
        let tag = self.tag();
        if tag.is_leaf() {
            return self.facts();
        }
        let (any, all) =
            self.children().fold((0, u8::MAX), |(any, all), child| (any | child.facts(), all & child.facts()));
        combine(tag, self.children().next().map_or(0, Tree::facts), any, all, tag.head() == 2 && self.payload() == 0)
    }
}

/// The facts of an inner node: from its first child's facts, those of any child and those of all; `optional` says of a
/// repetition that it may match nothing at all.
pub fn combine(tag: Tag, first: u8, any: u8, all: u8, optional: bool) -> u8 {
    let kept = if tag == Tag::Grammar { first } else { any } & (CAPTURES | OPEN);
    kept | match tag {
        Tag::Seq => all & (NULLABLE | NOFAIL),
        Tag::Choice => any & (NULLABLE | NOFAIL),
        Tag::Star if !optional => all & (NULLABLE | NOFAIL),
        Tag::Star | Tag::AtMost => NULLABLE | NOFAIL,
        Tag::Not | Tag::Behind => NULLABLE,
        Tag::And => NULLABLE | all & NOFAIL,
        Tag::Grammar | Tag::Rule => first & (NULLABLE | NOFAIL),
        Tag::Runtime => CAPTURES | all & NULLABLE,
        _ => CAPTURES | all & (NULLABLE | NOFAIL),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_keeps_only_the_words_that_say_something() {
        let letters = Set::matching(|byte| byte.is_ascii_alphabetic());
        for (set, size) in [
            (Set::EMPTY, 1),
            (Set::FULL, 1),
            (Set::matching(|byte| byte.is_ascii_digit()), 2),
            (letters, 2),
            (!letters, 2),
            (Set::matching(|byte| byte % 3 == 0), 5),
            (Set::of(0) | Set::of(255), 3),
        ] {
            let mut words = vec![0; set_words(&set)];
            write_set(&set, &mut words);
            assert_eq!((words.len(), Tree::new(&words).as_set()), (size, Some(set)));
        }
    }

    #[test]
    fn strings_of_every_length_are_read_back() {
        for length in 1..40 {
            let bytes: Vec<u8> = (1..=length).rev().collect();
            let mut words = vec![0; bytes_words(bytes.len())];
            write_bytes(&bytes, &mut words);
            // A word that follows is none of the string's.
            words.push(u64::MAX);
            let tree = Tree::new(&words);
            assert_eq!((tree.words().len(), tree.bytes().collect::<Vec<_>>()), (words.len() - 1, bytes));
        }
    }
}
