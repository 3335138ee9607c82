//! The six comparisons, and numbers to compare with.

use std::cmp::Ordering;

/// A comparison. Its number is the set of orderings it admits: 1 for less, 2 for equal, 4 for greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Relation {
    Less = 1,
    Equal = 2,
    LessEqual = 3,
    Greater = 4,
    NotEqual = 5,
    GreaterEqual = 6,
}

impl Relation {
    /// Whether two things in this order stand in the relation; without a branch, so that loops stay tight.
    #[inline]
    pub(crate) fn admits(self, order: Ordering) -> bool {
        (self as u8 >> (order as i8 + 1)) & 1 == 1
    }

    /// How the relation is written.
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Relation::Less => "<",
            Relation::Equal => "==",
            Relation::LessEqual => "<=",
            Relation::Greater => ">",
            Relation::NotEqual => "!=",
            Relation::GreaterEqual => ">=",
        }
    }
}

/// A number of a matcher. Whole numbers are kept exact: as a float, two nanosecond timestamps 100 ns apart
/// would be one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Integer(i64),
    /// Not whole, or too large for 64 bits.
    Double(f64),
}

impl Number {
    /// Reads decimal notation; `None` when malformed or too large for a float.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Ok(integer) = text.parse() {
            return Some(Number::Integer(integer));
        }
        let double: f64 = text.parse().ok().filter(|double: &f64| double.is_finite())?;
        let whole = double.fract() == 0.0 && double.abs() < i64::MAX as f64;
        Some(if whole { Number::Integer(double as i64) } else { Number::Double(double) })
    }
}

/// A comparison with a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct NumberTest {
    pub(crate) relation: Relation,
    pub(crate) number: Number,
}

impl NumberTest {
    #[inline]
    pub(crate) fn holds_for_integer(self, value: i64) -> bool {
        match self.number {
            Number::Integer(number) => self.relation.admits(value.cmp(&number)),
            Number::Double(number) => self.floats(value as f64, number),
        }
    }

    #[inline]
    pub(crate) fn holds_for_double(self, value: f64) -> bool {
        match self.number {
            Number::Integer(number) => self.floats(value, number as f64),
            Number::Double(number) => self.floats(value, number),
        }
    }

    /// NaN differs from every number and is otherwise in no relation to it.
    #[inline]
    fn floats(self, value: f64, number: f64) -> bool {
        value.partial_cmp(&number).map_or(self.relation == Relation::NotEqual, |order| self.relation.admits(order))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Relation; 6] = [
        Relation::Less,
        Relation::Equal,
        Relation::LessEqual,
        Relation::Greater,
        Relation::NotEqual,
        Relation::GreaterEqual,
    ];

    #[test]
    fn relations_admit_what_their_symbols_say() {
        for relation in ALL {
            for (a, b) in [(1, 2), (2, 2), (3, 2)] {
                let expected = match relation.symbol() {
                    "<" => a < b,
                    "==" => a == b,
                    "<=" => a <= b,
                    ">" => a > b,
                    "!=" => a != b,
                    _ => a >= b,
                };
                assert_eq!(relation.admits(a.cmp(&b)), expected, "{a} {} {b}", relation.symbol());
            }
        }
    }

    #[test]
    fn numbers_are_exact_when_whole() {
        for (text, number) in [
            ("4", Some(Number::Integer(4))),
            ("4.0", Some(Number::Integer(4))),
            (".4e1", Some(Number::Integer(4))),
            ("4.", Some(Number::Integer(4))),
            ("1500000000000000001", Some(Number::Integer(1_500_000_000_000_000_001))),
            ("1.4e18", Some(Number::Integer(1_400_000_000_000_000_000))),
            ("9223372036854775808", Some(Number::Double(9_223_372_036_854_775_808.0))),
            ("0.25", Some(Number::Double(0.25))),
            ("25e-2", Some(Number::Double(0.25))),
            ("1e999", None),
            ("1.2.3", None),
            ("1-2", None),
            (".", None),
            ("1e", None),
        ] {
            assert_eq!(Number::parse(text), number, "{text}");
        }
    }

    #[test]
    fn nan_only_differs() {
        for relation in ALL {
            let test = NumberTest { relation, number: Number::Integer(1) };
            assert_eq!(test.holds_for_double(f64::NAN), relation == Relation::NotEqual);
        }
    }
}
