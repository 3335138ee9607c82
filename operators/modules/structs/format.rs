//! Format texts: what each letter stands for, byte order and alignment.

use heka_lua::Raise;

/// What an item holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An integer; whether it has a sign.
    Integer(bool),
    Float,
    Double,
    /// A byte that means nothing.
    Pad,
    /// `cn`: a string of `size` bytes, or for 0 of a length found elsewhere.
    Fixed,
    /// `s`: a string that ends with a NUL byte.
    Terminated,
}

/// An item of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    pub kind: Kind,
    /// In bytes; 0 for strings whose length the format does not give.
    pub size: u64,
    /// Bytes to leave in front of it for its alignment.
    pub padding: u64,
}

/// The items of a format that are left.
pub struct Format<'a> {
    rest: &'a [u8],
    /// Whether numbers are big endian from here on.
    pub big_endian: bool,
    alignment: u64,
}

/// The largest alignment that this machine's types need.
const NATIVE_ALIGNMENT: u64 = 8;
/// The largest size of an integer.
const LARGEST_INTEGER: u64 = 32;

impl<'a> Format<'a> {
    /// A format; as C reads it, it ends at its first NUL byte.
    pub fn new(text: &'a [u8]) -> Format<'a> {
        let end = memchr::memchr(0, text).unwrap_or(text.len());
        Format { rest: &text[..end], big_endian: cfg!(target_endian = "big"), alignment: 1 }
    }

    /// The next item, which starts `offset` bytes behind the beginning.
    pub fn next(&mut self, offset: u64) -> Result<Option<Item>, Raise> {
        while let [letter, rest @ ..] = self.rest {
            self.rest = rest;
            let (kind, size) = match letter {
                b'b' => (Kind::Integer(true), 1),
                b'B' => (Kind::Integer(false), 1),
                b'h' => (Kind::Integer(true), 2),
                b'H' => (Kind::Integer(false), 2),
                b'l' => (Kind::Integer(true), 8),
                b'L' | b'T' => (Kind::Integer(false), 8),
                b'i' => (Kind::Integer(true), self.integer_size()?),
                b'I' => (Kind::Integer(false), self.integer_size()?),
                b'f' => (Kind::Float, 4),
                b'd' => (Kind::Double, 8),
                b'x' => (Kind::Pad, 1),
                b'c' => (Kind::Fixed, self.count(1)?),
                b's' => (Kind::Terminated, 0),
                control => {
                    self.control(*control)?;
                    continue;
                }
            };
            return Ok(Some(Item { kind, size, padding: self.padding(kind, size, offset) }));
        }
        Ok(None)
    }

    fn control(&mut self, letter: u8) -> Result<(), Raise> {
        match letter {
            b' ' => {}
            b'>' => self.big_endian = true,
            b'<' => self.big_endian = false,
            b'!' => {
                let alignment = self.count(NATIVE_ALIGNMENT)?;
                if !alignment.is_power_of_two() {
                    return Err(Raise::here(format!("alignment {alignment} is not a power of 2")));
                }
                self.alignment = alignment;
            }
            other => {
                let mut text = b"invalid format option '".to_vec();
                text.extend_from_slice(&[other, b'\'']);
                return Err(Raise::Here(text));
            }
        }
        Ok(())
    }

    fn padding(&self, kind: Kind, size: u64, offset: u64) -> u64 {
        if size == 0 || kind == Kind::Fixed {
            return 0;
        }
        // Also for sizes that are no power of two, which this is not an alignment for: as C scripts expect it.
        let alignment = size.min(self.alignment);
        alignment.wrapping_sub(offset & (alignment - 1)) & (alignment - 1)
    }

    fn integer_size(&mut self) -> Result<u64, Raise> {
        let size = self.count(4)?;
        if size > LARGEST_INTEGER {
            let text = format!("integral size {size} is larger than limit of {LARGEST_INTEGER}");
            return Err(Raise::here(text));
        }
        Ok(size)
    }

    /// The number that comes next, or `default`.
    fn count(&mut self, default: u64) -> Result<u64, Raise> {
        let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return Ok(default);
        }
        let (number, rest) = self.rest.split_at(digits);
        self.rest = rest;
        let value = number.iter().try_fold(0u64, |value, digit| {
            value.checked_mul(10)?.checked_add(u64::from(digit - b'0')).filter(|value| *value <= i32::MAX as u64)
        });
        value.ok_or_else(|| Raise::here("integral size overflow"))
    }
}
