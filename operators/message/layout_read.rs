//! Reading a time by a reference layout: the text's parts, before anybody decides what a missing year means.

use crate::Layout;
use crate::layout::{Item, OffsetForm, Pad};
use crate::moment::{MONTHS, WEEKDAYS};

/// What a text says about a time; what it does not say is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Parts<'t> {
    pub(crate) year: Option<i16>,
    pub(crate) month: Option<i8>,
    pub(crate) day: Option<i8>,
    pub(crate) hour: i8,
    pub(crate) minute: i8,
    pub(crate) second: i8,
    pub(crate) nanos: i32,
    pub(crate) zone: ZoneText<'t>,
}

/// How a text names its zone.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum ZoneText<'t> {
    /// Not at all.
    #[default]
    Unsaid,
    /// Seconds east of UTC.
    Offset(i32),
    /// Letters, such as `CEST`.
    Abbreviation(&'t [u8]),
}

impl Layout {
    /// The parts of `text`, if the whole of it looks like this layout.
    pub(crate) fn read<'t>(&self, text: &'t [u8]) -> Option<Parts<'t>> {
        let mut parts = Parts::default();
        let mut pm = None;
        let mut rest = text;
        for (at, item) in self.items.iter().enumerate() {
            match item {
                Item::Text(literal) => rest = skip(rest, literal)?,
                Item::Year => parts.year = Some(fixed(&mut rest, 4)? as i16),
                Item::ShortYear => {
                    let year = fixed(&mut rest, 2)? as i16;
                    parts.year = Some(year + if year >= 69 { 1900 } else { 2000 });
                }
                Item::MonthName => parts.month = Some(name(&mut rest, &MONTHS, usize::MAX)? as i8 + 1),
                Item::ShortMonthName => parts.month = Some(name(&mut rest, &MONTHS, 3)? as i8 + 1),
                Item::Month(pad) => parts.month = Some(number(&mut rest, *pad, 1..=12)?),
                Item::WeekdayName => drop(name(&mut rest, &WEEKDAYS, usize::MAX)?),
                Item::ShortWeekdayName => drop(name(&mut rest, &WEEKDAYS, 3)?),
                Item::Day(pad) => parts.day = Some(number(&mut rest, *pad, 1..=31)?),
                // One digit is enough, as it was in the original.
                Item::Hour => parts.hour = number(&mut rest, Pad::None, 0..=23)?,
                Item::Hour12(pad) => parts.hour = number(&mut rest, *pad, 0..=12)?,
                Item::Minute(pad) => parts.minute = number(&mut rest, *pad, 0..=59)?,
                Item::Second(pad) => {
                    parts.second = number(&mut rest, *pad, 0..=59)?;
                    if rest.first() == Some(&b'.') && !dot_follows(self.items.get(at + 1)) {
                        parts.nanos = fraction(&mut rest, b'.').unwrap_or(0);
                    }
                }
                Item::HalfDay(upper) => pm = Some(half_day(&mut rest, *upper)?),
                Item::Offset { z, form } => parts.zone = offset(&mut rest, *z, *form)?,
                Item::Abbreviation => parts.zone = abbreviation(&mut rest)?,
                Item::Fraction { mark, width, optional: false } => {
                    let digits = rest.get(1..=*width).filter(|d| d.iter().all(u8::is_ascii_digit))?;
                    let mut one = &rest[..1 + digits.len()];
                    parts.nanos = fraction(&mut one, *mark)?;
                    rest = &rest[1 + width..];
                }
                Item::Fraction { mark, optional: true, .. } => parts.nanos = fraction(&mut rest, *mark).unwrap_or(0),
            }
        }
        match pm {
            Some(true) if parts.hour < 12 => parts.hour += 12,
            Some(false) if parts.hour == 12 => parts.hour = 0,
            _ => {}
        }
        rest.is_empty().then_some(parts)
    }
}

/// Whether a dot behind the seconds belongs to what the layout says next.
fn dot_follows(next: Option<&Item>) -> bool {
    match next {
        Some(Item::Fraction { .. }) => true,
        Some(Item::Text(text)) => text.first() == Some(&b'.'),
        _ => false,
    }
}

/// Moves past literal text; a run of spaces stands for any run of spaces, and for none at the end.
fn skip<'t>(mut text: &'t [u8], mut literal: &[u8]) -> Option<&'t [u8]> {
    while let Some((&byte, behind)) = literal.split_first() {
        if byte == b' ' {
            if text.first().is_some_and(|&b| b != b' ') {
                return None;
            }
            literal = trim_spaces(literal);
            text = trim_spaces(text);
        } else {
            text = text.strip_prefix(&[byte])?;
            literal = behind;
        }
    }
    Some(text)
}

fn trim_spaces(text: &[u8]) -> &[u8] {
    &text[text.iter().take_while(|&&b| b == b' ').count()..]
}

fn take<'t>(rest: &mut &'t [u8], len: usize) -> Option<&'t [u8]> {
    let (taken, behind) = rest.split_at_checked(len)?;
    *rest = behind;
    Some(taken)
}

/// Exactly `len` digits.
fn fixed(rest: &mut &[u8], len: usize) -> Option<u32> {
    take(rest, len)?
        .iter()
        .try_fold(0, |value, byte| byte.is_ascii_digit().then(|| value * 10 + u32::from(byte - b'0')))
}

/// A number of one or two digits; of two, when a zero pads it.
fn number(rest: &mut &[u8], pad: Pad, range: std::ops::RangeInclusive<i8>) -> Option<i8> {
    if pad == Pad::Space {
        *rest = rest.strip_prefix(b" ").unwrap_or(rest);
    }
    let two = pad == Pad::Zero || rest.get(1).is_some_and(u8::is_ascii_digit);
    let value = fixed(rest, if two { 2 } else { 1 })? as i8;
    range.contains(&value).then_some(value)
}

/// Which of `names`, cut to `len` letters, the text begins with, in any case.
fn name(rest: &mut &[u8], names: &[&str], len: usize) -> Option<usize> {
    let found = names.iter().position(|name| {
        let name = &name.as_bytes()[..len.min(name.len())];
        rest.get(..name.len()).is_some_and(|text| text.eq_ignore_ascii_case(name))
    })?;
    let len = len.min(names[found].len());
    take(rest, len)?;
    Some(found)
}

fn half_day(rest: &mut &[u8], upper: bool) -> Option<bool> {
    match (take(rest, 2)?, upper) {
        (b"AM", true) | (b"am", false) => Some(false),
        (b"PM", true) | (b"pm", false) => Some(true),
        _ => None,
    }
}

/// A mark and at least one digit, as nanoseconds; digits past the ninth are cut off.
fn fraction(rest: &mut &[u8], mark: u8) -> Option<i32> {
    let behind = rest.strip_prefix(&[mark])?;
    let len = behind.iter().take_while(|b| b.is_ascii_digit()).count();
    if len == 0 {
        return None;
    }
    *rest = &behind[len..];
    let digits = behind[..len].iter().copied().chain(std::iter::repeat(b'0'));
    Some(digits.take(9).fold(0, |value, digit| value * 10 + i32::from(digit - b'0')))
}

fn offset<'t>(rest: &mut &'t [u8], z: bool, form: OffsetForm) -> Option<ZoneText<'t>> {
    if z && let Some(behind) = rest.strip_prefix(b"Z") {
        *rest = behind;
        return Some(ZoneText::Offset(0));
    }
    let sign = match take(rest, 1)? {
        b"+" => 1,
        b"-" => -1,
        _ => return None,
    };
    let hours = fixed(rest, 2)? as i32;
    if form == OffsetForm::Extended && take(rest, 1)? != b":" {
        return None;
    }
    let minutes = if form == OffsetForm::Hours { 0 } else { fixed(rest, 2)? as i32 };
    (hours <= 24 && minutes < 60).then_some(ZoneText::Offset(sign * (hours * 3600 + minutes * 60)))
}

/// Letters that look like the name of a zone: three, four ending in `T`, five ending in `ST`, two odd ones,
/// or `GMT` with a signed hour.
fn abbreviation<'t>(rest: &mut &'t [u8]) -> Option<ZoneText<'t>> {
    if rest.starts_with(b"ChST") || rest.starts_with(b"MeST") {
        return take(rest, 4).map(ZoneText::Abbreviation);
    }
    if let Some(behind) = rest.strip_prefix(b"GMT")
        && let Some((sign @ (b'+' | b'-'), digits)) = behind.split_first()
    {
        let len = digits.iter().take_while(|b| b.is_ascii_digit()).count().min(2);
        let mut digits = digits;
        if let Some(hours @ 0..=23) = (len > 0).then(|| fixed(&mut digits, len)).flatten() {
            *rest = digits;
            let seconds = hours as i32 * 3600;
            return Some(ZoneText::Offset(if *sign == b'-' { -seconds } else { seconds }));
        }
    }
    let letters = rest.iter().take_while(|b| b.is_ascii_uppercase()).take(6).count();
    let fits = match letters {
        3 => true,
        4 => rest[3] == b'T',
        5 => rest[3..5] == *b"ST",
        _ => false,
    };
    if fits { take(rest, letters).map(ZoneText::Abbreviation) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'t>(layout: &str, text: &'t str) -> Option<Parts<'t>> {
        Layout::new(layout).read(text.as_bytes())
    }

    #[test]
    fn elements_read_what_they_show() {
        let date = Parts { year: Some(2013), month: Some(4), day: Some(18), ..Parts::default() };
        let time = Parts { hour: 14, minute: 0, second: 28, ..Parts::default() };
        let day = |day| Parts { day: Some(day), ..Parts::default() };
        let year = |year| Parts { year: Some(year), ..Parts::default() };
        let month = |month| Parts { month: Some(month), ..Parts::default() };
        let hour = |hour| Parts { hour, ..Parts::default() };
        let cases = [
            ("2006-01-02", "2013-04-18", Some(date)),
            ("2006-1-2", "2013-4-18", Some(date)),
            ("2006-01-02", "2013-4-18", None),
            ("2006-01-02", "2013-13-18", None),
            ("2006-01-02", "2013-04-18x", None),
            ("2006-01-02", "2013-04-1", None),
            ("Jan", "aPR", Some(month(4))),
            ("January", "APRIL", Some(month(4))),
            ("January", "Apr", None),
            ("Monday", "friday", Some(Parts::default())),
            ("Mon", "Nod", None),
            ("06", "69", Some(year(1969))),
            ("06", "68", Some(year(2068))),
            ("_2", " 9", Some(day(9))),
            ("_2", "19", Some(day(19))),
            ("02", " 9", None),
            ("02", "32", None),
            ("15:04:05", "14:00:28", Some(time)),
            ("15:04:05", "24:00:28", None),
            ("15:04:05", "14:60:28", None),
            ("15:04:05", "14:00:60", None),
            ("15", "9", Some(hour(9))),
            ("3PM", "12AM", Some(hour(0))),
            ("3PM", "12PM", Some(hour(12))),
            ("3PM", "5PM", Some(hour(17))),
            ("3PM", "5pm", None),
            ("03pm", "05pm", Some(hour(17))),
            ("3", "13", None),
            ("a  b", "a b", Some(Parts::default())),
            ("a b", "a   b", Some(Parts::default())),
            ("a b", "ab", None),
            ("a ", "a", Some(Parts::default())),
        ];
        for (layout, text, parts) in cases {
            assert_eq!(read(layout, text), parts, "{layout}: {text}");
        }
    }

    #[test]
    fn fractions_follow_seconds() {
        let cases = [
            ("05.000", "28.123", Some(123_000_000)),
            ("05.000", "28.12", None),
            ("05.000", "28.1234", None),
            ("05.000", "28", None),
            ("05,000", "28,123", Some(123_000_000)),
            ("05,000", "28.123", None),
            ("05.999", "28.1234567", Some(123_456_700)),
            ("05.999", "28", Some(0)),
            ("05", "28.250", Some(250_000_000)),
            ("05", "28.1234567899", Some(123_456_789)),
            ("05", "28.", None),
            ("05MST", "28.5UTC", Some(500_000_000)),
            ("05.x", "28.x", Some(0)),
        ];
        for (layout, text, nanos) in cases {
            assert_eq!(read(layout, text).map(|parts| parts.nanos), nanos, "{layout}: {text}");
        }
        let dotted = read("15.04.05.2006", "01.02.03.2013").unwrap();
        assert_eq!((dotted.second, dotted.nanos, dotted.year), (3, 0, Some(2013)));
    }

    #[test]
    fn zones_are_offsets_or_letters() {
        use ZoneText::{Abbreviation, Offset};
        let cases = [
            ("-0700", "-0330", Some(Offset(-12_600))),
            ("-0700", "+0100", Some(Offset(3600))),
            ("-0700", "0100", None),
            ("-0700", "Z", None),
            ("-07:00", "-07:00", Some(Offset(-25_200))),
            ("-07:00", "-0700", None),
            ("-07", "+02", Some(Offset(7200))),
            ("Z07:00", "Z", Some(Offset(0))),
            ("Z0700", "+0530", Some(Offset(19_800))),
            ("Z07", "-09", Some(Offset(-32_400))),
            ("-0700", "+0160", None),
            ("-0700", "+2500", None),
            ("MST", "PST", Some(Abbreviation(b"PST"))),
            ("MST", "CEST", Some(Abbreviation(b"CEST"))),
            ("MST", "AAAA", None),
            ("MST", "AMXST", Some(Abbreviation(b"AMXST"))),
            ("MST", "AMXXT", None),
            ("MST", "ChST", Some(Abbreviation(b"ChST"))),
            ("MST", "GMT+3", Some(Offset(10_800))),
            ("MST", "GMT-11", Some(Offset(-39_600))),
            ("MST", "GMT", Some(Abbreviation(b"GMT"))),
            ("MST", "GMT+99", None),
            ("MST", "UT", None),
            ("MST", "ABCDEFG", None),
        ];
        for (layout, text, zone) in cases {
            assert_eq!(read(layout, text).map(|parts| parts.zone), zone, "{layout}: {text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(layout in "[ 0-9a-zA-Z_.,:+-]{0,30}", text in "[ 0-9a-zA-Z.,:+-]{0,30}") {
            let _ = read(&layout, &text);
            let _ = read("Monday, 02-Jan-06 15:04:05.999 MST -0700 PM", &text);
        }
    }
}
