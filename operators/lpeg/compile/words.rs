//! Which patterns are choices among words, and the automatons that match them.

use super::Compiler;
use crate::automaton::{LONGEST, MOST_WORDS, Word, build};
use crate::program::Op;
use crate::tree::{CAPTURES, Tag, Tree};

impl Compiler<'_> {
    /// Compiles a choice among words; `false` when it is none, or is better matched otherwise.
    pub fn words(&mut self, tree: Tree) -> bool {
        if tree.has(CAPTURES) && !self.is_silent {
            return false;
        }
        let Some(table) = words(tree).and_then(|words| build(&words)) else { return false };
        let at = match self.tables.get(&table) {
            Some(at) => *at,
            None => {
                let at = self.parts.bytes.len() as u32;
                self.parts.bytes.extend_from_slice(&table);
                self.tables.insert(table, at);
                at
            }
        };
        self.straight += LONGEST / 2;
        self.emit(Op::Walk, 0, 0, at);
        true
    }
}

/// The words of a pattern in the order in which they are tried, if it is nothing but these.
fn words(tree: Tree) -> Option<Vec<Word>> {
    let found = match tree.tag() {
        Tag::True => vec![Word::new()],
        Tag::Any | Tag::Set => vec![vec![tree.as_set()?]],
        Tag::Bytes if tree.n() as usize <= LONGEST => vec![tree.bytes().map(crate::set::Set::of).collect()],
        Tag::Choice => {
            let mut all = Vec::new();
            for child in tree.children() {
                all.extend(words(child)?);
                if all.len() > MOST_WORDS {
                    return None;
                }
            }
            all
        }
        Tag::Seq => {
            let mut all = vec![Word::new()];
            for child in tree.children() {
                // With one word of the first part settled, the others must not be tried again.
                if !all.iter().enumerate().all(|(at, one)| all[..at].iter().all(|other| excludes(one, other))) {
                    return None;
                }
                let tails = words(child)?;
                let join = |head: &Word| tails.iter().map(|tail| [&head[..], tail].concat()).collect::<Vec<_>>();
                all = all.iter().flat_map(join).collect();
                if all.len() > MOST_WORDS || all.iter().any(|word| word.len() > LONGEST) {
                    return None;
                }
            }
            all
        }
        // Captures that nobody wants.
        Tag::Simple | Tag::Table | Tag::Group | Tag::Function | Tag::Numbered | Tag::Query | Tag::Str => {
            return words(tree.child());
        }
        Tag::Const | Tag::Position => vec![Word::new()],
        _ => return None,
    };
    Some(found)
}

/// Whether no text begins with both words.
fn excludes(one: &Word, other: &Word) -> bool {
    one.iter().zip(other).any(|(one, other)| (*one & *other).is_empty())
}
