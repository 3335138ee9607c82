//! What a column is: its name, its unit, and how values of a row come together.

use std::fmt::Write;

/// How values of a row come together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregation {
    Sum,
    Min,
    Max,
    None,
}

impl Aggregation {
    /// The names, in the order of the values.
    pub const NAMES: [&'static [u8]; 4] = [b"sum", b"min", b"max", b"none"];

    /// The aggregation with this place in [`NAMES`](Aggregation::NAMES).
    pub fn at(place: usize) -> Aggregation {
        [Aggregation::Sum, Aggregation::Min, Aggregation::Max].get(place).copied().unwrap_or(Aggregation::None)
    }

    pub fn name(self) -> &'static [u8] {
        Aggregation::NAMES[self as usize]
    }
}

/// The unit of a column that was given none.
pub const DEFAULT_UNIT: &[u8] = b"count";

/// 28 bytes a column, which is what users count on.
pub struct Column {
    name: [u8; 16],
    unit: [u8; 8],
    pub aggregation: Aggregation,
}

const _: () = assert!(size_of::<Column>() <= 28);

impl Column {
    /// `Column_n`, a sum of counts.
    pub fn numbered(n: usize) -> Column {
        let mut column = Column { name: [0; 16], unit: [0; 8], aggregation: Aggregation::Sum };
        let mut rest = &mut column.name[..15];
        // A number that does not fit is cut.
        let _ = write!(Cut(&mut rest), "Column_{n}");
        column.set_unit(DEFAULT_UNIT);
        column
    }

    /// Letters, digits and `_`; at most 15 bytes, the rest is cut.
    pub fn set_name(&mut self, name: &[u8]) {
        self.name = fitted(name, |byte| byte.is_ascii_alphanumeric());
    }

    /// As a name, and `/` and `*`; at most 7 bytes.
    pub fn set_unit(&mut self, unit: &[u8]) {
        self.unit = fitted(unit, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'*'));
    }

    pub fn name(&self) -> &[u8] {
        until_zero(&self.name)
    }

    pub fn unit(&self) -> &[u8] {
        until_zero(&self.unit)
    }
}

/// Cuts `text` to one byte less than the room, and replaces what is not `allowed`.
fn fitted<const N: usize>(text: &[u8], allowed: impl Fn(u8) -> bool) -> [u8; N] {
    let mut room = [0; N];
    for (place, byte) in room[..N - 1].iter_mut().zip(text) {
        *place = if allowed(*byte) { *byte } else { b'_' };
    }
    room
}

fn until_zero(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
    &text[..end]
}

/// Text into bytes, as much as fits.
struct Cut<'a, 'b>(&'a mut &'b mut [u8]);

impl Write for Cut<'_, '_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        std::io::Write::write(self.0, text.as_bytes()).map(drop).map_err(|_| std::fmt::Error)
    }
}
