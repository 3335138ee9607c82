//! `%word%` in texts: each is replaced by what was captured under that name, in one pass.

use crate::Span;

/// A text with `%word%` in it, taken apart. `K` is how its user finds a capture quickly: a number, a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template<K> {
    pieces: Vec<Piece<K>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece<K> {
    Text(Box<[u8]>),
    Capture {
        key: K,
        /// `<word>`, written when nothing was captured.
        otherwise: Box<[u8]>,
    },
}

/// A captured text, and where in the batch it lies, if it does: then nobody needs to copy it.
#[derive(Clone, Copy, Debug)]
pub struct Captured<'a> {
    /// The text.
    pub text: &'a [u8],
    /// Its place in the batch that is being built, or [`Span::NONE`].
    pub at: Span,
}

impl<'a> Captured<'a> {
    /// A text that lies elsewhere.
    pub fn text(text: &'a [u8]) -> Self {
        Captured { text, at: Span::NONE }
    }
}

impl<K> Template<K> {
    /// Takes a text apart. A word is made of letters, digits and underscores; one that `resolve` does not know
    /// becomes `<word>`, and a `%` that begins no word is text.
    pub fn new(text: &str, mut resolve: impl FnMut(&str) -> Option<K>) -> Self {
        let mut pieces = Vec::new();
        let mut literal = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('%') {
            literal.extend_from_slice(before.as_bytes());
            let len = behind.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
            let (word, tail) = behind.split_at(len);
            let Some(tail) = tail.strip_prefix('%').filter(|_| len > 0) else {
                literal.push(b'%');
                rest = behind;
                continue;
            };
            let otherwise = format!("<{word}>").into_bytes();
            match resolve(word) {
                Some(key) => {
                    if !literal.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut literal).into()));
                    }
                    pieces.push(Piece::Capture { key, otherwise: otherwise.into() });
                }
                None => literal.extend_from_slice(&otherwise),
            }
            rest = tail;
        }
        literal.extend_from_slice(rest.as_bytes());
        if !literal.is_empty() {
            pieces.push(Piece::Text(literal.into()));
        }
        Template { pieces }
    }

    /// A text in which `%` means nothing.
    pub fn constant(text: &str) -> Self {
        let piece = (!text.is_empty()).then(|| Piece::Text(text.as_bytes().into()));
        Template { pieces: piece.into_iter().collect() }
    }

    /// The text, when it needs no copying together: constant, or one capture and nothing else.
    pub fn whole<'a>(&'a self, lookup: impl FnOnce(&K) -> Option<Captured<'a>>) -> Option<Captured<'a>> {
        match self.pieces.as_slice() {
            [] => Some(Captured::text(b"")),
            [Piece::Text(text)] => Some(Captured::text(text)),
            [Piece::Capture { key, otherwise }] => Some(lookup(key).unwrap_or(Captured::text(otherwise))),
            _ => None,
        }
    }

    /// Appends the text with what `lookup` has for each word.
    pub fn write<'a>(&self, out: &mut Vec<u8>, mut lookup: impl FnMut(&K) -> Option<Captured<'a>>) {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Capture { key, otherwise } => {
                    out.extend_from_slice(lookup(key).map_or(&**otherwise, |captured| captured.text));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_replaced_in_one_pass() {
        let cases = [
            ("plain", "plain"),
            ("", ""),
            ("%a%", "A"),
            ("[%a%-%b_1%]", "[A-%a%]"),
            ("%unknown%", "<unknown>"),
            ("%missing%", "<missing>"),
            ("100% %a%%", "100% A%"),
            ("%a%b_1%", "Ab_1%"),
            ("%%a%", "%A"),
            ("%a b%", "%a b%"),
            ("%é%", "%é%"),
            ("%", "%"),
        ];
        for (text, expected) in cases {
            let template = Template::new(text, |word| ["a", "b_1", "missing"].iter().position(|known| *known == word));
            let mut out = Vec::new();
            let captures: [Option<&[u8]>; 3] = [Some(b"A"), Some(b"%a%"), None];
            template.write(&mut out, |key| captures[*key].map(Captured::text));
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn a_text_of_one_piece_needs_no_copying() {
        let at = Span::source(3..4);
        let known = |word: &str| (word == "a").then_some(());
        let cases = [
            ("%a%", Some((&b"A"[..], at))),
            ("%b%c", Some((b"<b>c", Span::NONE))),
            ("", Some((b"", Span::NONE))),
            ("%a%!", None),
        ];
        for (text, whole) in cases {
            let template = Template::new(text, known);
            let found = template.whole(|()| Some(Captured { text: b"A", at }));
            assert_eq!(found.map(|c| (c.text, c.at)), whole, "{text}");
        }
        let missing = Template::new("%a%", known);
        assert_eq!(missing.whole(|_| None).map(|c| c.text), Some(&b"<a>"[..]));
        let constant = Template::<()>::constant("%a%");
        assert_eq!(constant.whole(|_| None).map(|c| c.text), Some(&b"%a%"[..]));
    }
}
