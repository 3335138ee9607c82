//! C-like time formats, in the subset the original documents: English names, unknown codes copied unchanged.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use std::io::Write;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// A time format, parsed once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strftime {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(Vec<u8>),
    Code(u8),
}

impl Strftime {
    /// Parses a format. Every text is one: what is no code stands for itself.
    pub fn new(format: &str) -> Self {
        let mut pieces = Vec::new();
        let mut text = Vec::new();
        let mut bytes = format.bytes().peekable();
        while let Some(byte) = bytes.next() {
            let code = bytes.peek().copied().filter(|c| byte == b'%' && CODES.contains(c));
            match code {
                Some(code) => {
                    bytes.next();
                    if !text.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut text)));
                    }
                    pieces.push(Piece::Code(code));
                }
                None => text.push(byte),
            }
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        Strftime { pieces }
    }

    /// Appends the time `nanos` (since the UNIX epoch) as seen in `zone`. A time outside the calendar's range
    /// is clamped to it.
    pub fn write(&self, out: &mut Vec<u8>, nanos: i64, zone: &TimeZone) {
        let at = jiff::Timestamp::from_nanosecond(i128::from(nanos)).unwrap_or(jiff::Timestamp::MAX);
        let zoned = at.to_zoned(zone.clone());
        let time = zoned.datetime();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Code(code) => write_code(out, *code, time, &zoned),
            }
//! Times printed by strftime formats, English names only.
//!
//! A format is taken apart once; printing walks the parts. Sequences it does not know, and a single `%` at
//! the end, are copied.

use crate::moment::{Moment, digits, offset};
use jiff::tz::TimeZone;
use std::io::Write;

/// A strftime format, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strftime {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(Box<[u8]>),
    Code(u8),
}

/// Codes that stand for a whole format.
fn composite(code: u8) -> Option<&'static [u8]> {
    Some(match code {
        b'D' => b"%m/%d/%y",
        b'F' => b"%Y-%m-%d",
        b'R' => b"%H:%M",
        b'r' => b"%I:%M:%S %p",
        b'T' => b"%H:%M:%S",
        b'v' => b"%e-%b-%Y",
        _ => return None,
    })
}

/// Codes that print something of the time.
const CODES: &[u8] = b"AaBbhCdefHIjklLMmNPpSsWwYyZz";

impl Strftime {
    /// Takes a format apart; every text is one.
    pub fn new(format: impl AsRef<[u8]>) -> Self {
        let mut parts = Vec::new();
        let mut text = Vec::new();
        compile(format.as_ref(), &mut parts, &mut text);
        if !text.is_empty() {
            parts.push(Part::Text(text.into()));
        }
        Strftime { parts }
    }

    /// Whether what is printed depends on the time at all.
    pub fn is_constant(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Text(_)))
    }

    /// Whether what is printed changes within a second.
    pub fn is_subsecond(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Code(b'f' | b'L' | b'N')))
    }

    /// Appends the time `nanos`, in nanoseconds since the UNIX epoch, as the clocks of `zone` show it.
    pub fn write(&self, out: &mut Vec<u8>, nanos: i64, zone: &TimeZone) {
        Moment::with(nanos, zone, |moment| {
            for part in &self.parts {
                match part {
                    Part::Text(text) => out.extend_from_slice(text),
                    Part::Code(code) => write_code(out, *code, moment),
                }
            }
        });
    }
}

fn compile(format: &[u8], parts: &mut Vec<Part>, text: &mut Vec<u8>) {
    let mut rest = format;
    while let Some((&byte, behind)) = rest.split_first() {
        let code = if byte == b'%' { behind.first().copied() } else { None };
        let Some(code) = code else {
            text.push(byte);
            rest = behind;
            continue;
        };
        rest = &behind[1..];
        match code {
            b'%' => text.push(b'%'),
            b'n' => text.push(b'\n'),
            b't' => text.push(b'\t'),
            code if CODES.contains(&code) => {
                if !text.is_empty() {
                    parts.push(Part::Text(std::mem::take(text).into()));
                }
                parts.push(Part::Code(code));
            }
            code => match composite(code) {
                // One level deep: composites name no composites.
                Some(format) => compile(format, parts, text),
                None => text.extend_from_slice(&[b'%', code]),
            },
        }
    }
}

const CODES: &[u8] = b"AaBbhCDdeFfHkIljMmnPpRrSsTtvwYyZz%";

fn write_code(out: &mut Vec<u8>, code: u8, t: DateTime, zoned: &jiff::Zoned) {
    let month = MONTHS[(t.month() as usize + 11) % 12];
    let day = DAYS[t.date().weekday().to_sunday_zero_offset() as usize % 7];
    let hour12 = (t.hour() + 11) % 12 + 1;
    let (noon, noon_lower) = if t.hour() < 12 { ("AM", "am") } else { ("PM", "pm") };
    // Writing to a Vec cannot fail.
    let _ = match code {
        b'A' => write!(out, "{day}"),
        b'a' => write!(out, "{}", &day[..3]),
        b'B' => write!(out, "{month}"),
        b'b' | b'h' => write!(out, "{}", &month[..3]),
        b'C' => write!(out, "{:02}", t.year().div_euclid(100)),
        b'D' => write!(out, "{:02}/{:02}/{:02}", t.month(), t.day(), t.year().rem_euclid(100)),
        b'd' => write!(out, "{:02}", t.day()),
        b'e' => write!(out, "{:2}", t.day()),
        b'F' => write!(out, "{:04}-{:02}-{:02}", t.year(), t.month(), t.day()),
        b'f' => write!(out, "{:06}", t.subsec_nanosecond() / 1000),
        b'H' => write!(out, "{:02}", t.hour()),
        b'k' => write!(out, "{:2}", t.hour()),
        b'I' => write!(out, "{hour12:02}"),
        b'l' => write!(out, "{hour12:2}"),
        b'j' => write!(out, "{:03}", t.date().day_of_year()),
        b'M' => write!(out, "{:02}", t.minute()),
        b'm' => write!(out, "{:02}", t.month()),
        b'n' => out.write_all(b"\n"),
        b'P' => write!(out, "{noon_lower}"),
        b'p' => write!(out, "{noon}"),
        b'R' => write!(out, "{:02}:{:02}", t.hour(), t.minute()),
        b'r' => write!(out, "{hour12:02}:{:02}:{:02} {noon}", t.minute(), t.second()),
        b'S' => write!(out, "{:02}", t.second()),
        b's' => write!(out, "{}", zoned.timestamp().as_second()),
        b'T' => write!(out, "{:02}:{:02}:{:02}", t.hour(), t.minute(), t.second()),
        b't' => write!(out, "\t"),
        b'v' => write!(out, "{:2}-{}-{:04}", t.day(), &month[..3], t.year()),
        b'w' => write!(out, "{}", t.date().weekday().to_sunday_zero_offset()),
        b'Y' => write!(out, "{:04}", t.year()),
        b'y' => write!(out, "{:02}", t.year().rem_euclid(100)),
        b'Z' => write!(out, "{}", zoned.strftime("%Z")),
        b'z' => {
            let seconds = zoned.offset().seconds();
            let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
            write!(out, "{sign}{:02}{:02}", minutes / 60, minutes % 60)
        }
        _ => write!(out, "%"),
    };
fn write_code(out: &mut Vec<u8>, code: u8, moment: &Moment<'_>) {
    let time = &moment.civil;
    let year = time.year().unsigned_abs() as u32;
    match code {
        b'A' => out.extend_from_slice(moment.weekday_name().as_bytes()),
        b'a' => out.extend_from_slice(&moment.weekday_name().as_bytes()[..3]),
        b'B' => out.extend_from_slice(moment.month_name().as_bytes()),
        b'b' | b'h' => out.extend_from_slice(&moment.month_name().as_bytes()[..3]),
        b'C' => digits(out, year / 100, 2, b'0'),
        b'd' => digits(out, time.day() as u32, 2, b'0'),
        b'e' => digits(out, time.day() as u32, 2, b' '),
        b'f' => digits(out, moment.subsecond() / 1_000, 6, b'0'),
        b'H' => digits(out, time.hour() as u32, 2, b'0'),
        b'I' => digits(out, moment.hour12(), 2, b'0'),
        b'j' => digits(out, time.day_of_year() as u32, 3, b'0'),
        b'k' => digits(out, time.hour() as u32, 2, b' '),
        b'l' => digits(out, moment.hour12(), 2, b' '),
        b'L' => digits(out, moment.subsecond() / 1_000_000, 3, b'0'),
        b'M' => digits(out, time.minute() as u32, 2, b'0'),
        b'm' => digits(out, time.month() as u32, 2, b'0'),
        b'N' => digits(out, moment.subsecond(), 9, b'0'),
        b'P' => out.extend_from_slice(if moment.is_pm() { b"pm" } else { b"am" }),
        b'p' => out.extend_from_slice(if moment.is_pm() { b"PM" } else { b"AM" }),
        b'S' => digits(out, time.second() as u32, 2, b'0'),
        b's' => {
            // Writing to a vector does not fail.
            let _ = write!(out, "{}", moment.nanos.div_euclid(1_000_000_000));
        }
        b'w' => digits(out, u32::from(moment.weekday()), 1, b'0'),
        b'Y' => digits(out, year, 4, b'0'),
        b'y' => digits(out, year % 100, 2, b'0'),
        b'Z' => out.extend_from_slice(moment.abbreviation.as_bytes()),
        b'z' => offset(out, moment.offset, b"", true),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(format: &str, nanos: i64, zone: &TimeZone) -> String {
    use jiff::tz::Offset;

    /// 2015-03-09T23:30:01.250006007Z, a Monday.
    const TIME: i64 = 1_425_943_801_250_006_007;

    fn printed(format: &str, nanos: i64, zone: &TimeZone) -> String {
        let mut out = Vec::new();
        Strftime::new(format).write(&mut out, nanos, zone);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_code_of_the_table() {
        let nanos = 1_425_943_801_250_042_000; // Monday 2015-03-09 23:30:01.250042 UTC
        let cases = [
            ("%A %a %B %b %h", "Monday Mon March Mar Mar"),
            ("%C %Y %y %D %F", "20 2015 15 03/09/15 2015-03-09"),
            ("%d|%e|%j|%w|%v", "09| 9|068|1| 9-Mar-2015"),
            ("%H %k %I %l %p %P", "23 23 11 11 PM pm"),
            ("%M %S %f %R %T %r", "30 01 250042 23:30 23:30:01 11:30:01 PM"),
            ("%s %Z %z %%", "1425943801 UTC +0000 %"),
            ("%n%t", "\n\t"),
            ("%Q %Y% ", "%Q 2015% "),
            ("%", "%"),
            ("2006.01.02", "2006.01.02"),
            ("[%Y/%b/%d:%H:%M:%S %z] ", "[2015/Mar/09:23:30:01 +0000] "),
        ];
        for (format, want) in cases {
            assert_eq!(show(format, nanos, &TimeZone::UTC), want, "{format}");
        }
        let west = TimeZone::fixed(jiff::tz::Offset::from_seconds(-12_600).unwrap());
        assert_eq!(show("%z %H:%M", nanos, &west), "-0330 20:00");
        assert_eq!(show("%l %I", 1_425_859_200_000_000_000, &TimeZone::UTC), "12 12");
    fn every_code_prints_what_the_table_says() {
        let cases = [
            ("%A %a", "Monday Mon"),
            ("%B %b %h", "March Mar Mar"),
            ("%C", "20"),
            ("%D", "03/09/15"),
            ("%d|%e", "09| 9"),
            ("%F", "2015-03-09"),
            ("%f", "250006"),
            ("%H %I", "23 11"),
            ("%j", "068"),
            ("%k|%l", "23|11"),
            ("%L %N", "250 250006007"),
            ("%M %m", "30 03"),
            ("%n%t", "\n\t"),
            ("%P %p", "pm PM"),
            ("%R %T", "23:30 23:30:01"),
            ("%r", "11:30:01 PM"),
            ("%S %s", "01 1425943801"),
            ("%v", " 9-Mar-2015"),
            ("%w", "1"),
            ("%Y %y", "2015 15"),
            ("%Z %z", "UTC +0000"),
            ("100%% [%Q] %", "100% [%Q] %"),
            ("no codes", "no codes"),
            ("", ""),
            ("[%Y/%b/%d:%H:%M:%S %z]", "[2015/Mar/09:23:30:01 +0000]"),
        ];
        for (format, text) in cases {
            assert_eq!(printed(format, TIME, &TimeZone::UTC), text, "{format}");
        }
    }

    #[test]
    fn small_numbers_are_padded_as_their_code_says() {
        // 1970-01-04T00:05:06Z, a Sunday, and midnight by a clock of twelve.
        let time = (3 * 86_400 + 306) * 1_000_000_000;
        let cases = [("%e %k %l %I %p %w %j", " 4  0 12 12 AM 0 004"), ("%f %L %N", "000000 000 000000000")];
        for (format, text) in cases {
            assert_eq!(printed(format, time, &TimeZone::UTC), text, "{format}");
        }
        assert_eq!(printed("%F %T.%N %s", -1, &TimeZone::UTC), "1969-12-31 23:59:59.999999999 -1");
    }

    #[test]
    fn zones_move_the_clock() {
        let newfoundland = TimeZone::fixed(Offset::from_seconds(-(3 * 3600 + 1800)).unwrap());
        assert_eq!(printed("%T %z", TIME, &newfoundland), "20:00:01 -0330");
        let half_hour = TimeZone::fixed(Offset::from_seconds(-1800).unwrap());
        assert_eq!(printed("%T %z", TIME, &half_hour), "23:00:01 -0030");
        let pacific = TimeZone::posix("PST8PDT,M3.2.0,M11.1.0").unwrap();
        assert_eq!(printed("%F %T %Z %z", TIME, &pacific), "2015-03-09 16:30:01 PDT -0700");
        assert_eq!(printed("%Z", TIME - 30 * 86_400 * 1_000_000_000, &pacific), "PST");
        assert_eq!(printed("%Z", TIME, &TimeZone::unknown()), "UTC");
    }

    #[test]
    fn a_format_knows_how_often_it_changes() {
        let cases =
            [("plain %% text", true, false), ("%T", false, false), ("%T.%f", false, true), ("%D%L", false, true)];
        for (format, constant, subsecond) in cases {
            let strftime = Strftime::new(format);
            assert_eq!((strftime.is_constant(), strftime.is_subsecond()), (constant, subsecond), "{format}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_format_and_no_time_makes_it_panic(format in proptest::collection::vec(0u8.., 0..20), nanos: i64) {
            Strftime::new(&format).write(&mut Vec::new(), nanos, &TimeZone::UTC);
        }
    }
}
