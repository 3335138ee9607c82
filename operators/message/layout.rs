//! Times printed and read by reference layouts: a layout is the time `Mon Jan 2 15:04:05 MST 2006`, written
//! the way the user wants times to look. Older configurations use them wherever strftime formats are used
//! today, and `timestamp_layout` always does.

use crate::moment::{Moment, digits, offset};
use jiff::tz::TimeZone;

/// A reference layout, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    pub(crate) items: Vec<Item>,
}

/// One element of a layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Text(Box<[u8]>),
    Year,
    ShortYear,
    MonthName,
    ShortMonthName,
    Month(Pad),
    WeekdayName,
    ShortWeekdayName,
    Day(Pad),
    Hour,
    Hour12(Pad),
    Minute(Pad),
    Second(Pad),
    /// `PM`, or `pm` when false.
    HalfDay(bool),
    /// `-0700` and its like; with `z`, UTC is written `Z`.
    Offset {
        z: bool,
        form: OffsetForm,
    },
    Abbreviation,
    /// A mark and so many digits; `optional` ones lose their trailing zeros when printed.
    Fraction {
        mark: u8,
        width: usize,
        optional: bool,
    },
}

/// What stands before a number of one digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pad {
    None,
    Zero,
    Space,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OffsetForm {
    /// `-07`
    Hours,
    /// `-0700`
    Basic,
    /// `-07:00`
    Extended,
}

/// The elements by their spelling; the first that fits wins, so longer ones stand before their prefixes.
const SPELLINGS: &[(&str, Item)] = &[
    ("January", Item::MonthName),
    ("Jan", Item::ShortMonthName),
    ("Monday", Item::WeekdayName),
    ("Mon", Item::ShortWeekdayName),
    ("MST", Item::Abbreviation),
    ("2006", Item::Year),
    ("01", Item::Month(Pad::Zero)),
    ("02", Item::Day(Pad::Zero)),
    ("03", Item::Hour12(Pad::Zero)),
    ("04", Item::Minute(Pad::Zero)),
    ("05", Item::Second(Pad::Zero)),
    ("06", Item::ShortYear),
    ("15", Item::Hour),
    ("1", Item::Month(Pad::None)),
    ("_2", Item::Day(Pad::Space)),
    ("2", Item::Day(Pad::None)),
    ("3", Item::Hour12(Pad::None)),
    ("4", Item::Minute(Pad::None)),
    ("5", Item::Second(Pad::None)),
    ("PM", Item::HalfDay(true)),
    ("pm", Item::HalfDay(false)),
    ("-07:00", Item::Offset { z: false, form: OffsetForm::Extended }),
    ("-0700", Item::Offset { z: false, form: OffsetForm::Basic }),
    ("-07", Item::Offset { z: false, form: OffsetForm::Hours }),
    ("Z07:00", Item::Offset { z: true, form: OffsetForm::Extended }),
    ("Z0700", Item::Offset { z: true, form: OffsetForm::Basic }),
    ("Z07", Item::Offset { z: true, form: OffsetForm::Hours }),
];

/// The element that `rest` begins with, and its length.
fn element(rest: &[u8], previous: Option<&Item>) -> Option<(Item, usize)> {
    if matches!(previous, Some(Item::Second(_))) {
        if let Some(found) = fraction(rest) {
            return Some(found);
        }
    }
    if rest.starts_with(b"_2006") {
        return None;
    }
    let (spelling, item) = SPELLINGS.iter().find(|(spelling, _)| rest.starts_with(spelling.as_bytes()))?;
    // "Month" and "Janet" are words of their own.
    let word = matches!(item, Item::ShortMonthName | Item::ShortWeekdayName);
    if word && rest.get(spelling.len()).is_some_and(u8::is_ascii_lowercase) {
        return None;
    }
    Some((item.clone(), spelling.len()))
}

/// `.000` or `.999`, also with a comma, not followed by another digit.
fn fraction(rest: &[u8]) -> Option<(Item, usize)> {
    let (&mark, behind) = rest.split_first()?;
    let &digit = behind.first()?;
    if !matches!(mark, b'.' | b',') || !matches!(digit, b'0' | b'9') {
        return None;
    }
    let width = behind.iter().take_while(|&&b| b == digit).count();
    if behind.get(width).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    Some((Item::Fraction { mark, width, optional: digit == b'9' }, width + 1))
}

impl Layout {
    /// Takes a layout apart; every text is one.
    pub fn new(layout: impl AsRef<[u8]>) -> Self {
        let mut rest = layout.as_ref();
        let mut items = Vec::new();
        let mut text = Vec::new();
        while let Some((&byte, behind)) = rest.split_first() {
            let previous = if text.is_empty() { items.last() } else { None };
            let Some((item, len)) = element(rest, previous) else {
                text.push(byte);
                rest = behind;
                continue;
            };
            if !text.is_empty() {
                items.push(Item::Text(std::mem::take(&mut text).into()));
            }
            items.push(item);
            rest = &rest[len..];
        }
        if !text.is_empty() {
            items.push(Item::Text(text.into()));
        }
        Layout { items }
    }

    /// Whether a text that ought to be a strftime format is a layout of old: it names the reference year and
    /// has no `%`.
    pub fn is_legacy(text: impl AsRef<[u8]>) -> bool {
        let text = text.as_ref();
        !text.contains(&b'%') && memchr::memmem::find(text, b"2006").is_some()
    }

    /// Whether what is printed changes within a second.
    pub fn is_subsecond(&self) -> bool {
        self.items.iter().any(|item| matches!(item, Item::Fraction { .. }))
    }

    /// Appends the time `nanos`, in nanoseconds since the UNIX epoch, as the clocks of `zone` show it.
    pub fn write(&self, out: &mut Vec<u8>, nanos: i64, zone: &TimeZone) {
        Moment::with(nanos, zone, |moment| self.items.iter().for_each(|item| write_item(out, item, moment)));
    }
}

fn number(out: &mut Vec<u8>, value: i8, pad: Pad) {
    let value = value.unsigned_abs() as u32;
    match pad {
        Pad::None => digits(out, value, 1, b'0'),
        Pad::Zero => digits(out, value, 2, b'0'),
        Pad::Space => digits(out, value, 2, b' '),
    }
}

fn write_item(out: &mut Vec<u8>, item: &Item, moment: &Moment<'_>) {
    let time = &moment.civil;
    let year = time.year().unsigned_abs() as u32;
    match item {
        Item::Text(text) => out.extend_from_slice(text),
        Item::Year => digits(out, year, 4, b'0'),
        Item::ShortYear => digits(out, year % 100, 2, b'0'),
        Item::MonthName => out.extend_from_slice(moment.month_name().as_bytes()),
        Item::ShortMonthName => out.extend_from_slice(&moment.month_name().as_bytes()[..3]),
        Item::Month(pad) => number(out, time.month(), *pad),
        Item::WeekdayName => out.extend_from_slice(moment.weekday_name().as_bytes()),
        Item::ShortWeekdayName => out.extend_from_slice(&moment.weekday_name().as_bytes()[..3]),
        Item::Day(pad) => number(out, time.day(), *pad),
        Item::Hour => number(out, time.hour(), Pad::Zero),
        Item::Hour12(pad) => number(out, moment.hour12() as i8, *pad),
        Item::Minute(pad) => number(out, time.minute(), *pad),
        Item::Second(pad) => number(out, time.second(), *pad),
        Item::HalfDay(upper) => out.extend_from_slice(match (upper, moment.is_pm()) {
            (true, true) => b"PM",
            (true, false) => b"AM",
            (false, true) => b"pm",
            (false, false) => b"am",
        }),
        Item::Offset { z: true, .. } if moment.offset.is_zero() => out.push(b'Z'),
        Item::Offset { form, .. } => {
            let separator: &[u8] = if *form == OffsetForm::Extended { b":" } else { b"" };
            offset(out, moment.offset, separator, *form != OffsetForm::Hours);
        }
        Item::Abbreviation => out.extend_from_slice(moment.abbreviation.as_bytes()),
        Item::Fraction { mark, width, optional } => write_fraction(out, *mark, *width, *optional, moment.subsecond()),
    }
}

fn write_fraction(out: &mut Vec<u8>, mark: u8, width: usize, optional: bool, nanos: u32) {
    let start = out.len();
    out.push(mark);
    digits(out, nanos, 9, b'0');
    // Nine digits are all there are; a wider layout is filled up.
    out.resize(start + 1 + width, b'0');
    if optional {
        let kept = out[start + 1..].iter().rposition(|&b| b != b'0').map_or(0, |last| last + 2);
        out.truncate(start + kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2015-03-09T23:30:01.25Z, a Monday.
    const TIME: i64 = 1_425_943_801_250_000_000;

    fn printed(layout: &str) -> String {
        let mut out = Vec::new();
        Layout::new(layout).write(&mut out, TIME, &TimeZone::posix("EST5").unwrap());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn layouts_print_times_the_way_they_look() {
        let cases = [
            ("2006.01.02", "2015.03.09"),
            ("06-1-2 _2|02", "15-3-9  9|09"),
            ("Monday Mon January Jan", "Monday Mon March Mar"),
            ("15:04:05 03:4:5 3PM 3pm", "18:30:01 06:30:1 6PM 6pm"),
            ("-0700 -07:00 -07 Z0700 Z07:00 Z07 MST", "-0500 -05:00 -05 -0500 -05:00 -05 EST"),
            ("05.000 05.999999 05,0 05.00x 05", "01.250 01.25 01,2 01.25x 01"),
            ("05.0001", "01.0003"),
            ("_2006 Month Janet", "_2015 Month Janet"),
            ("http-2006-01-02.log", "http-2015-03-09.log"),
            ("", ""),
        ];
        for (layout, text) in cases {
            assert_eq!(printed(layout), text, "{layout}");
        }
    }

    #[test]
    fn utc_and_whole_seconds_are_written_short_where_the_layout_says_so() {
        let mut out = Vec::new();
        Layout::new("2006-01-02T15:04:05.999Z07:00").write(&mut out, 0, &TimeZone::UTC);
        assert_eq!(out, b"1970-01-01T00:00:00Z");
    }

    #[test]
    fn a_layout_of_old_is_recognised() {
        let cases = [("heka-2006.01.02", true), ("%Y-2006", false), ("01.02", false), ("", false), ("2006", true)];
        for (text, legacy) in cases {
            assert_eq!(Layout::is_legacy(text), legacy, "{text}");
        }
    }
}
