//! Where a text of a batch lies: in its source bytes, in its arena, or nowhere.

use std::ops::Range;

const ARENA: u32 = 1 << 31;

/// A text of a batch: a range of the source bytes or of the arena, or unset. Eight bytes, `Copy`.
///
/// Two equal spans of one batch are the same text, so a test can be remembered by span.
#[derive(serde::Serialize, serde::Deserialize, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    start: u32,
    len: u32,
}

impl Span {
    /// The text of a field that was never set; reads as empty.
    pub const NONE: Span = Span { start: u32::MAX, len: 0 };

    /// A range of the source bytes. Sources are limited to 2 GiB.
    #[inline]
    pub fn source(range: Range<usize>) -> Self {
        debug_assert!(range.start <= range.end && range.end < ARENA as usize);
        Span { start: range.start as u32, len: (range.end - range.start) as u32 }
    }

    /// A range of the arena. Arenas are limited to 2 GiB.
    #[inline]
    pub fn arena(range: Range<usize>) -> Self {
        debug_assert!(range.start <= range.end && range.end < ARENA as usize);
        Span { start: range.start as u32 | ARENA, len: (range.end - range.start) as u32 }
    }

    /// A range of the text at this span.
    #[inline]
    pub(crate) fn part(self, range: Range<usize>) -> Self {
        debug_assert!(self.is_some() && range.start <= range.end && range.end <= self.len());
        Span { start: self.start + range.start as u32, len: (range.end - range.start) as u32 }
    }

    /// Whether the text was never set.
    #[inline]
    pub fn is_none(self) -> bool {
        self.start == u32::MAX
    }

    /// Whether the text was set, possibly to the empty text.
    #[inline]
    pub fn is_some(self) -> bool {
        !self.is_none()
    }

    /// Whether the text lies in the arena.
    #[inline]
    pub fn in_arena(self) -> bool {
        self.start & ARENA != 0 && self.is_some()
    }

    /// Length in bytes.
    #[inline]
    pub fn len(self) -> usize {
        self.len as usize
    }

    /// Whether the text is empty or unset.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// The range in the source or in the arena; empty when unset.
    #[inline]
    pub fn range(self) -> Range<usize> {
        if self.is_none() {
            return 0..0;
        }
        let start = (self.start & !ARENA) as usize;
        start..start + self.len as usize
    }
}

impl Default for Span {
    fn default() -> Self {
        Span::NONE
    }
}

impl std::fmt::Debug for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.is_none(), self.in_arena()) {
            (true, _) => f.write_str("unset"),
            (_, true) => write!(f, "arena{:?}", self.range()),
            (_, false) => write!(f, "source{:?}", self.range()),
        }
    }
}
