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
    use jiff::tz::Offset;

    /// 2015-03-09T23:30:01.250006007Z, a Monday.
    const TIME: i64 = 1_425_943_801_250_006_007;

    fn printed(format: &str, nanos: i64, zone: &TimeZone) -> String {
        let mut out = Vec::new();
        Strftime::new(format).write(&mut out, nanos, zone);
        String::from_utf8(out).unwrap()
    }

    #[test]
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
