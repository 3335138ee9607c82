//! Texts that come again: where a pattern's matches all have the same length, and are checked byte by byte, the one
//! before is compared first. The times of a log are such: most lines bear the time of the line before.

use super::Compiler;
use crate::program::Op;
use crate::tree::{CAPTURES, Tag, Tree};

/// Lengths that are worth remembering, in bytes.
const LENGTHS: std::ops::RangeInclusive<u64> = 12..=64;
/// Parts of a sequence from which on one comparison is cheaper.
const MIN_PARTS: usize = 6;

impl Compiler<'_> {
    /// Compiles `tree` by `code`, and remembers its matches if that pays.
    pub fn again(&mut self, tree: Tree, code: impl FnOnce(&mut Self)) {
        let is_mute = self.is_silent || !tree.has(CAPTURES);
        let length = tree.fixed_len().filter(|length| LENGTHS.contains(length));
        let memory = u16::try_from(self.parts.memory).ok();
        let (Some(length), Some(memory), true) = (length, memory, is_mute && !self.is_remembered) else {
            return code(self);
        };
        if tree.children().count() < MIN_PARTS || !is_told_by_its_text(tree) {
            return code(self);
        }
        // The length is one of a few.
        let aux = length as u8;
        self.parts.memory += 1 + usize::from(aux);
        let again = self.emit(Op::Again, aux, memory, 0);
        self.is_remembered = true;
        code(self);
        self.is_remembered = false;
        self.emit(Op::Remember, aux, memory, 0);
        self.land(again);
    }
}

/// Whether nothing but the bytes of a match decides that it is one.
fn is_told_by_its_text(tree: Tree) -> bool {
    !matches!(
        tree.tag(),
        Tag::Not | Tag::And | Tag::Behind | Tag::Call | Tag::OpenCall | Tag::Grammar | Tag::Runtime | Tag::Backref
    ) && tree.children().all(is_told_by_its_text)
}
