//! A point in time taken apart for printing: what both time formats print from.

use jiff::civil::{DateTime, Weekday};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// The months in English, from January on.
pub const MONTHS: [&str; 12] = [
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

/// The days of the week in English, from Sunday on.
pub const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// A point in time as the clocks of a zone show it.
pub(crate) struct Moment<'a> {
    pub(crate) civil: DateTime,
    pub(crate) offset: Offset,
    pub(crate) abbreviation: &'a str,
    pub(crate) nanos: i64,
}

impl Moment<'_> {
    /// Shows `then` the time `nanos`, which counts from the UNIX epoch; all of them are valid times.
    pub(crate) fn with<T>(nanos: i64, zone: &TimeZone, then: impl FnOnce(&Moment<'_>) -> T) -> T {
        let timestamp = Timestamp::UNIX_EPOCH.saturating_add(SignedDuration::from_nanos(nanos));
        // Adding a duration cannot fail here; the epoch stands in for what the types cannot rule out.
        let timestamp = timestamp.unwrap_or(Timestamp::UNIX_EPOCH);
        let info = zone.to_offset_info(timestamp);
        let offset = info.offset();
        let abbreviation = if zone.is_unknown() { "UTC" } else { info.abbreviation() };
        then(&Moment { civil: offset.to_datetime(timestamp), offset, abbreviation, nanos })
    }

    pub(crate) fn month_name(&self) -> &'static str {
        // Months are 1 to 12.
        MONTHS[self.civil.month() as usize - 1]
    }

    /// Days since Sunday.
    pub(crate) fn weekday(&self) -> u8 {
        self.civil.weekday().since(Weekday::Sunday) as u8
    }

    pub(crate) fn weekday_name(&self) -> &'static str {
        WEEKDAYS[self.weekday() as usize % 7]
    }

    /// The hour on a clock of twelve: 12, 1, … 11.
    pub(crate) fn hour12(&self) -> u32 {
        (self.civil.hour() as u32 + 11) % 12 + 1
    }

    pub(crate) fn is_pm(&self) -> bool {
        self.civil.hour() >= 12
    }

    /// Nanoseconds within the second.
    pub(crate) fn subsecond(&self) -> u32 {
        self.nanos.rem_euclid(1_000_000_000) as u32
    }
}

/// Appends a number of at least `width` digits, filled up with `fill`.
pub(crate) fn digits(out: &mut Vec<u8>, value: u32, width: usize, fill: u8) {
    let mut text = [fill; 10];
    let mut at = text.len();
    let mut rest = value;
    loop {
        at -= 1;
        text[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        // A u32 has at most ten digits.
        if rest == 0 || at == 0 {
            break;
        }
    }
    out.extend_from_slice(&text[at.min(text.len() - width.min(text.len()))..]);
}

/// Appends `+hhmm`, or with a separator `+hh:mm`; seconds of an offset are cut off.
pub(crate) fn offset(out: &mut Vec<u8>, offset: Offset, separator: &[u8], minutes: bool) {
    let seconds = offset.seconds();
    let whole = seconds.unsigned_abs() / 60;
    out.push(if seconds < 0 { b'-' } else { b'+' });
    digits(out, whole / 60, 2, b'0');
    if minutes {
        out.extend_from_slice(separator);
        digits(out, whole % 60, 2, b'0');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_fill_up_and_never_cut() {
        let cases = [(0, 2, "00"), (7, 1, "7"), (2015, 2, "2015"), (u32::MAX, 2, "4294967295"), (5, 9, "000000005")];
        for (value, width, text) in cases {
            let mut out = Vec::new();
            digits(&mut out, value, width, b'0');
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }

    #[test]
    fn every_nanosecond_of_an_i64_is_a_time() {
        for nanos in [i64::MIN, -1, 0, i64::MAX] {
            Moment::with(nanos, &TimeZone::UTC, |moment| assert!((1677..=2262).contains(&moment.civil.year())));
        }
        Moment::with(-1, &TimeZone::UTC, |moment| {
            assert_eq!(
                (moment.civil.year(), moment.subsecond(), moment.weekday_name()),
                (1969, 999_999_999, "Wednesday")
            );
        });
    }
}
