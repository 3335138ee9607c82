//! `os.date` and `os.time`, in UTC whatever the process's zone, and strict about conversions.

use crate::{State, ffi};
use heka_lua::{Raise, opt_bytes, protect, push_bytes};
use jiff::civil::{Date, DateTime};
use std::ffi::{CStr, c_int};
use std::io::Write;

/// Conversions that stand alone, those that may follow `E`, and those that may follow `O`.
const PLAIN: &[u8] = b"aAbBcCdDeFgGhHIjklmMnprRSstTuUVwWxXyYzZ%";
const AFTER_E: &[u8] = b"cCxXyY";
const AFTER_O: &[u8] = b"deHImMSuUVwWy";

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

/// Seconds since the UNIX epoch.
fn now() -> i64 {
    crate::host::now().div_euclid(1_000_000_000)
}

/// The time of a number of seconds, if the calendar holds it.
fn moment(seconds: i64) -> Option<DateTime> {
    let time = jiff::Timestamp::from_second(seconds).ok()?;
    Some(jiff::tz::Offset::UTC.to_datetime(time))
}

/// `os.date([format [, time]])`.
unsafe extern "C-unwind" fn date(state: State) -> c_int {
    unsafe {
        let format = opt_bytes(state, 1).unwrap_or(b"%c");
        let seconds = if heka_lua::is_none_or_nil(state, 2) { now() } else { heka_lua::number(state, 2) as i64 };
        // Local time is UTC as well.
        let format = format.strip_prefix(b"!").unwrap_or(format);
        let Some(at) = moment(seconds) else {
            ffi::lua_pushnil(state);
            return 1;
        };
        if format.starts_with(b"*t") {
            table(state, at);
            return 1;
        }
        protect(state, || {
            let host = crate::host::host(state);
            host.scratch.clear();
            print(format, at, seconds, &mut host.scratch).map_err(|refused| match refused {
                Refused::Unknown(bad) => Raise::argument(1, [b"invalid conversion specifier '%", bad, b"'"].concat()),
                Refused::TooLong => Raise::argument(1, "format results in too long a text"),
            })
        });
        push_bytes(state, &crate::host::host(state).scratch);
    }
    1
}

unsafe fn table(state: State, at: DateTime) {
    let numbers = [
        (c"sec", i32::from(at.second())),
        (c"min", i32::from(at.minute())),
        (c"hour", i32::from(at.hour())),
        (c"day", i32::from(at.day())),
        (c"month", i32::from(at.month())),
        (c"year", i32::from(at.year())),
        (c"wday", weekday(at) as i32 + 1),
        (c"yday", i32::from(at.day_of_year())),
    ];
    unsafe {
        ffi::lua_createtable(state, 0, 9);
        for (key, number) in numbers {
            ffi::lua_pushnumber(state, number.into());
            ffi::lua_setfield(state, -2, key.as_ptr());
        }
        ffi::lua_pushboolean(state, 0);
        ffi::lua_setfield(state, -2, c"isdst".as_ptr());
    }
}

/// Days since Sunday.
fn weekday(at: DateTime) -> usize {
    at.weekday().to_sunday_zero_offset() as usize
}

/// Why a time is not written.
#[derive(Debug, PartialEq, Eq)]
enum Refused<'a> {
    /// The specifier is not known.
    Unknown(&'a [u8]),
    TooLong,
}

/// Longest text of a time, in bytes.
const LONGEST: usize = 1 << 20;
/// Steps of native work that a conversion takes.
const CONVERSION: u64 = 50;

/// Writes the time.
fn print<'a>(format: &'a [u8], at: DateTime, seconds: i64, out: &mut Vec<u8>) -> Result<(), Refused<'a>> {
    let mut rest = format;
    let start = out.len();
    while let Some(percent) = memchr::memchr(b'%', rest) {
        let (text, behind) = rest.split_at(percent);
        out.extend_from_slice(text);
        let behind = &behind[1..];
        let (conversion, length) = match behind {
            [b'E', c, ..] if AFTER_E.contains(c) => (*c, 2),
            [b'O', c, ..] if AFTER_O.contains(c) => (*c, 2),
            [b'E' | b'O', ..] => return Err(Refused::Unknown(&behind[..behind.len().min(2)])),
            [c, ..] if PLAIN.contains(c) => (*c, 1),
            _ => return Err(Refused::Unknown(&behind[..behind.len().min(1)])),
        };
        convert(conversion, at, seconds, out);
        // What the host's instruction count does not see.
        if !heka_lua::spend(CONVERSION) || out.len() - start > LONGEST {
            return Err(Refused::TooLong);
        }
        rest = &behind[length..];
    }
    out.extend_from_slice(rest);
    Ok(())
}

/// Writes what one conversion stands for, in the C locale. Writing to a vector does not fail.
fn convert(conversion: u8, at: DateTime, seconds: i64, out: &mut Vec<u8>) {
    let (year, month, day) = (i64::from(at.year()), at.month(), at.day());
    let (hour, minute, second) = (at.hour(), at.minute(), at.second());
    let hour12 = (hour + 11) % 12 + 1;
    // Months are 1 to 12, weekdays 0 to 6.
    let month_name = MONTHS[month as usize - 1];
    let day_name = DAYS[weekday(at)];
    let iso = at.date().iso_week_date();
    let day_of_year = i64::from(at.day_of_year()) - 1;
    let since_sunday = weekday(at) as i64;
    let since_monday = (since_sunday + 6) % 7;
    let _ = match conversion {
        b'a' => write!(out, "{}", &day_name[..3]),
        b'A' => write!(out, "{day_name}"),
        b'b' | b'h' => write!(out, "{}", &month_name[..3]),
        b'B' => write!(out, "{month_name}"),
        b'c' => write!(out, "{} {} {day:2} {hour:02}:{minute:02}:{second:02} {year}", &day_name[..3], &month_name[..3]),
        b'C' => write!(out, "{:02}", year.div_euclid(100)),
        b'd' => write!(out, "{day:02}"),
        b'D' | b'x' => write!(out, "{month:02}/{day:02}/{:02}", year.rem_euclid(100)),
        b'e' => write!(out, "{day:2}"),
        b'F' => write!(out, "{year}-{month:02}-{day:02}"),
        b'g' => write!(out, "{:02}", iso.year().rem_euclid(100)),
        b'G' => write!(out, "{}", iso.year()),
        b'H' => write!(out, "{hour:02}"),
        b'I' => write!(out, "{hour12:02}"),
        b'j' => write!(out, "{:03}", day_of_year + 1),
        b'k' => write!(out, "{hour:2}"),
        b'l' => write!(out, "{hour12:2}"),
        b'm' => write!(out, "{month:02}"),
        b'M' => write!(out, "{minute:02}"),
        b'n' => writeln!(out),
        b'p' => write!(out, "{}", if hour < 12 { "AM" } else { "PM" }),
        b'r' => write!(out, "{hour12:02}:{minute:02}:{second:02} {}", if hour < 12 { "AM" } else { "PM" }),
        b'R' => write!(out, "{hour:02}:{minute:02}"),
        b'S' => write!(out, "{second:02}"),
        b's' => write!(out, "{seconds}"),
        b't' => write!(out, "\t"),
        b'T' | b'X' => write!(out, "{hour:02}:{minute:02}:{second:02}"),
        b'u' => write!(out, "{}", since_monday + 1),
        b'U' => write!(out, "{:02}", (day_of_year + 7 - since_sunday) / 7),
        b'V' => write!(out, "{:02}", iso.week()),
        b'w' => write!(out, "{since_sunday}"),
        b'W' => write!(out, "{:02}", (day_of_year + 7 - since_monday) / 7),
        b'y' => write!(out, "{:02}", year.rem_euclid(100)),
        b'Y' => write!(out, "{year}"),
        b'z' => write!(out, "+0000"),
        b'Z' => write!(out, "UTC"),
        _ => write!(out, "%"),
    };
}

/// `os.time([table])`.
unsafe extern "C-unwind" fn time(state: State) -> c_int {
    unsafe {
        if heka_lua::is_none_or_nil(state, 1) {
            ffi::lua_pushnumber(state, now() as f64);
            return 1;
        }
        ffi::luaL_checktype(state, 1, ffi::LUA_TTABLE);
        ffi::lua_settop(state, 1);
        let year = part(state, c"year", None);
        let month = part(state, c"month", None);
        let day = part(state, c"day", None);
        let hour = part(state, c"hour", Some(12));
        let minute = part(state, c"min", Some(0));
        let second = part(state, c"sec", Some(0));
        match seconds(year, month, day, hour, minute, second) {
            Some(seconds) => ffi::lua_pushnumber(state, seconds as f64),
            None => ffi::lua_pushnil(state),
        }
    }
    1
}

/// A number of the table at index 1.
unsafe fn part(state: State, key: &CStr, default: Option<i64>) -> i64 {
    unsafe {
        ffi::lua_getfield_(state, 1, key.as_ptr());
        let number =
            if ffi::lua_isnumber(state, -1) != 0 { Some(ffi::lua_tonumber(state, -1) as i64) } else { default };
        ffi::lua_settop(state, 1);
        match number {
            Some(number) => number,
            None => {
                push_bytes(state, b"field '");
                push_bytes(state, key.to_bytes());
                push_bytes(state, b"' missing in date table");
                ffi::luaL_where(state, 1);
                ffi::lua_insert(state, 2);
                ffi::lua_concat(state, 4);
                ffi::lua_error(state)
            }
        }
    }
}

/// Seconds since the UNIX epoch; what exceeds its unit carries over, as C's `mktime` does it.
pub(crate) fn seconds(year: i64, month: i64, day: i64, hour: i64, minute: i64, second: i64) -> Option<i64> {
    let months = year.checked_mul(12)?.checked_add(month.checked_sub(1)?)?;
    let first = Date::new(i16::try_from(months.div_euclid(12)).ok()?, months.rem_euclid(12) as i8 + 1, 1).ok()?;
    let midnight = jiff::tz::Offset::UTC.to_timestamp(first.to_datetime(jiff::civil::Time::midnight())).ok()?;
    let parts = [(day.checked_sub(1)?, 86400), (hour, 3600), (minute, 60), (second, 1)];
    parts.iter().try_fold(midnight.as_second(), |sum, (n, unit)| sum.checked_add(n.checked_mul(*unit)?))
}

/// Replaces the two functions in the `os` table at the top.
///
/// # Safety
/// `state` is live, with room for two values. May raise an error.
pub(crate) unsafe fn install(state: State) {
    unsafe { heka_lua::set_functions(state, &[(c"date", date), (c"time", time)]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(format: &str, seconds: i64) -> Result<String, String> {
        let mut out = Vec::new();
        match print(format.as_bytes(), moment(seconds).unwrap(), seconds, &mut out) {
            Ok(()) => Ok(String::from_utf8(out).unwrap()),
            Err(Refused::Unknown(bad)) => Err(String::from_utf8(bad.to_vec()).unwrap()),
            Err(Refused::TooLong) => Err("too long".to_owned()),
        }
    }

    /// 2015-03-09T23:05:01Z, a Monday.
    const TIME: i64 = 1_425_942_301;

    #[test]
    fn dates_print_in_utc() {
        let cases = [
            ("%c", "Mon Mar  9 23:05:01 2015"),
            ("%Y-%m-%dT%H:%M:%SZ", "2015-03-09T23:05:01Z"),
            ("%a %A %b %B %h", "Mon Monday Mar March Mar"),
            ("%C %d %D %e %F", "20 09 03/09/15  9 2015-03-09"),
            ("%g %G %V %u %w %U %W %j", "15 2015 11 1 1 10 10 068"),
            ("%I %k %l %p %r %R %T", "11 23 11 PM 11:05:01 PM 23:05 23:05:01"),
            ("%n%t%%%s %x %X %y %z %Z", "\n\t%1425942301 03/09/15 23:05:01 15 +0000 UTC"),
            ("%EY %Od", "2015 09"),
            ("", ""),
        ];
        for (format, text) in cases {
            assert_eq!(printed(format, TIME), Ok(text.to_owned()), "{format}");
        }
        assert_eq!(printed("%G-W%V-%u", 1_420_070_400), Ok("2015-W01-4".to_owned()));
    }

    #[test]
    fn what_is_no_conversion_is_refused() {
        for (format, bad) in [("%Q", "Q"), ("%Ed", "Ed"), ("%OY", "OY"), ("x%", ""), ("%E", "E"), ("%5d", "5")] {
            assert_eq!(printed(format, TIME), Err(bad.to_owned()), "{format}");
        }
    }

    #[test]
    fn parts_carry_over() {
        assert_eq!(seconds(2015, 3, 9, 23, 5, 1), Some(TIME));
        assert_eq!(seconds(2014, 15, 9, 23, 5, 1), Some(TIME));
        assert_eq!(seconds(2015, 3, 1, 24 * 8 + 23, 4, 61), Some(TIME));
        assert_eq!(seconds(1970, 1, 0, 0, 0, 0), Some(-86400));
        assert_eq!(seconds(i64::MAX, 1, 1, 0, 0, 0), None);
        assert_eq!(seconds(2015, 1, i64::MAX, 0, 0, 0), None);
    }
}
