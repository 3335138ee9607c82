//! Text that was rewritten before parsing, and the way back to the text the user wrote.
//!
//! A rewriter copies most of its input and replaces a few ranges. [`Offsets`] remembers both kinds of pieces, so
//! that a range of the output can be shown in the input.

use heka_settings::Place;
use std::ops::Range;

/// A stretch of output and where it came from. Copied pieces map byte by byte, replaced ones as a whole.
#[derive(Clone, Debug)]
struct Piece {
    out: Range<usize>,
    source: Range<usize>,
    copied: bool,
}

/// The way from offsets in a rewritten text back to offsets in its source.
#[derive(Clone, Debug, Default)]
pub struct Offsets {
    pieces: Vec<Piece>,
}

impl Offsets {
    /// The range of the source that `range` of the output came from. A range that touches a replaced piece
    /// covers the whole of what was replaced.
    pub fn back(&self, range: Range<usize>) -> Range<usize> {
        let start = self.back_start(range.start);
        if range.is_empty() {
            return start..start;
        }
        start..self.back_end(range.end).max(start)
    }

    fn back_start(&self, at: usize) -> usize {
        match self.pieces[..self.pieces.partition_point(|p| p.out.start <= at)].last() {
            Some(piece) if at >= piece.out.end => piece.source.end,
            Some(piece) if piece.copied => piece.source.start + (at - piece.out.start),
            Some(piece) => piece.source.start,
            None => 0,
        }
    }

    fn back_end(&self, at: usize) -> usize {
        match self.pieces[..self.pieces.partition_point(|p| p.out.start < at)].last() {
            Some(piece) if piece.copied && at < piece.out.end => piece.source.start + (at - piece.out.start),
            Some(piece) => piece.source.end,
            None => 0,
        }
    }
}

/// Builds a rewritten text, front to back.
#[derive(Debug)]
pub struct Rewriter<'a> {
    source: &'a str,
    out: String,
    pieces: Vec<Piece>,
}

impl<'a> Rewriter<'a> {
    /// Starts with an empty output.
    pub fn new(source: &'a str) -> Self {
        Rewriter { source, out: String::with_capacity(source.len() + source.len() / 8), pieces: Vec::new() }
    }

    /// Copies a range of the source. The range must lie on character boundaries.
    pub fn copy(&mut self, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        let start = self.out.len();
        self.out.push_str(&self.source[range.clone()]);
        match self.pieces.last_mut() {
            Some(last) if last.copied && last.source.end == range.start => {
                last.source.end = range.end;
                last.out.end = self.out.len();
            }
            _ => self.pieces.push(Piece { out: start..self.out.len(), source: range, copied: true }),
        }
    }

    /// Puts `text` in place of a range of the source.
    pub fn replace(&mut self, range: Range<usize>, text: &str) {
        let start = self.out.len();
        self.out.push_str(text);
        self.pieces.push(Piece { out: start..self.out.len(), source: range, copied: false });
    }

    /// The output and the way back.
    pub fn finish(self) -> (String, Offsets) {
        (self.out, Offsets { pieces: self.pieces })
    }
}

/// A text on its way from a file to the parser, with the way back to the file.
#[derive(Clone, Debug)]
pub struct Text {
    /// Index of the file in the order of loading.
    pub file: u32,
    /// The text as rewritten so far.
    pub text: String,
    /// One a rewriting, the last one last.
    steps: Vec<Offsets>,
}

impl Text {
    /// The untouched text of a file.
    pub fn new(file: u32, text: String) -> Self {
        Text { file, text, steps: Vec::new() }
    }

    /// The text after one more rewriting.
    pub fn then(&self, (text, offsets): (String, Offsets)) -> Self {
        let steps = self.steps.iter().cloned().chain([offsets]).collect();
        Text { file: self.file, text, steps }
    }

    /// Where a range of the text stands in the file.
    pub fn place(&self, range: Range<usize>) -> Place {
        let range = self.steps.iter().rev().fold(range, |range, step| step.back(range));
        // Files are limited to far less than 4 GiB when they are read.
        Place { file: self.file, start: range.start as u32, end: range.end as u32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_lead_back_to_what_they_came_from() {
        let mut rewriter = Rewriter::new("[a:b] x # c\ny");
        rewriter.copy(0..1);
        rewriter.replace(1..4, "\"a:b\"");
        rewriter.copy(4..8);
        rewriter.replace(8..11, "");
        rewriter.copy(11..13);
        let (text, offsets) = rewriter.finish();
        assert_eq!(text, "[\"a:b\"] x \ny");
        let cases = [
            (0..1, 0..1),     // a copied range
            (1..6, 1..4),     // exactly what was replaced
            (2..4, 1..4),     // a part of what was replaced
            (0..7, 0..5),     // across
            (8..9, 6..7),     // behind it
            (11..12, 12..13), // behind a removed comment
            (12..12, 13..13), // the end
            (99..99, 13..13), // beyond the end
        ];
        for (out, source) in cases {
            assert_eq!(offsets.back(out.clone()), source, "{out:?}");
        }
    }

    #[test]
    fn steps_are_undone_in_reverse() {
        let step = |source: &str, range: Range<usize>, with: &str| {
            let mut rewriter = Rewriter::new(source);
            rewriter.copy(0..range.start);
            rewriter.replace(range.clone(), with);
            rewriter.copy(range.end..source.len());
            rewriter.finish()
        };
        let text = Text::new(7, "x = %ENV[A] # y".to_owned());
        let text = text.then(step("x = %ENV[A] # y", 4..11, "30s"));
        let text = text.then(step("x = 30s # y", 4..7, "\"30s\""));
        assert_eq!(text.text, "x = \"30s\" # y");
        assert_eq!(text.place(4..9), Place { file: 7, start: 4, end: 11 });
        assert_eq!(text.place(10..13), Place { file: 7, start: 12, end: 15 });
    }
}
