//! The text of string and substitution captures, as `lpeg.match` makes it.

use super::{Constant, Known, Node, Unknown};
use crate::program::Kind;

impl<'a> Node<'a> {
    /// Appends the text of a string or substitution capture.
    pub fn render(&self, out: &mut Vec<u8>) -> Result<(), Unknown> {
        match self.kind() {
            Known::Format(format) => self.render_format(format, out),
            Known::Substitution => self.render_substitution(out),
            _ => Err(Unknown),
        }
    }

    fn render_format(&self, format: &[u8], out: &mut Vec<u8>) -> Result<(), Unknown> {
        let mut pieces = Vec::new();
        self.pieces(&mut pieces);
        let mut rest = format;
        while let Some(escape) = memchr::memchr(b'%', rest) {
            out.extend_from_slice(&rest[..escape]);
            match rest.get(escape + 1) {
                Some(digit @ b'0'..=b'9') => match pieces.get(usize::from(digit - b'0')).ok_or(Unknown)? {
                    (piece, true) => out.extend_from_slice(piece.text()),
                    // A capture without values is an error, which is Lua's to raise.
                    (piece, false) => piece.render_value(out)?.then_some(()).ok_or(Unknown)?,
                },
                Some(&other) => out.push(other),
                None => out.push(0),
            }
            rest = rest.get(escape + 2..).unwrap_or_default();
        }
        out.extend_from_slice(rest);
        Ok(())
    }

    /// What a format can name: the match, and captures inside; `true` for those that stand for their text.
    fn pieces(&self, out: &mut Vec<(Node<'a>, bool)>) {
        const MOST: usize = 10;
        out.push((*self, true));
        for child in self.children() {
            if out.len() >= MOST {
                return;
            }
            match child.capture.kind {
                Kind::Simple => child.pieces(out),
                _ => out.push((child, false)),
            }
        }
    }

    fn render_substitution(&self, out: &mut Vec<u8>) -> Result<(), Unknown> {
        let mut from = self.start();
        for child in self.children() {
            out.extend_from_slice(self.visit.subject.get(from..child.start()).unwrap_or_default());
            from = if child.render_value(out)? { child.end() } else { child.start() };
        }
        out.extend_from_slice(self.visit.subject.get(from..self.end()).unwrap_or_default());
        Ok(())
    }

    /// Appends the first value as text; `false` when there is none.
    fn render_value(&self, out: &mut Vec<u8>) -> Result<bool, Unknown> {
        match self.kind() {
            Known::Text => out.extend_from_slice(self.text()),
            Known::Position => render_number(self.start() as f64 + 1.0, out)?,
            Known::Constant(Constant::Text(text)) => out.extend_from_slice(text),
            Known::Constant(Constant::Number(value)) => render_number(value, out)?,
            Known::Number => render_number(self.number()?.ok_or(Unknown)?, out)?,
            Known::Group(Some(_)) | Known::Named(_) | Known::Nothing => return Ok(false),
            Known::Group(None) => {
                for child in self.children() {
                    if child.render_value(out)? {
                        return Ok(true);
                    }
                }
                out.extend_from_slice(self.text());
            }
            Known::Format(_) | Known::Substitution => self.render(out)?,
            Known::Constant(_) | Known::Table | Known::Call(_) | Known::Fold(_) => return Err(Unknown),
        }
        Ok(true)
    }
}

/// A number as Lua writes it, where that is a plain integer.
fn render_number(value: f64, out: &mut Vec<u8>) -> Result<(), Unknown> {
    // Lua prints fourteen digits, and a negative zero with its sign.
    if value != value.trunc() || value.abs() >= 1e14 || value == 0.0 && value.is_sign_negative() {
        return Err(Unknown);
    }
    out.extend_from_slice((value as i64).to_string().as_bytes());
    Ok(())
}
