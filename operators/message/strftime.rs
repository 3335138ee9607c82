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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(format: &str, nanos: i64, zone: &TimeZone) -> String {
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
    }
}
