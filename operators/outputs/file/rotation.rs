//! Names of rotated files, and when the next one begins. Pure: clock and zone come in from outside.
//!
//! Periods are counted in the local zone from midnight, as the wall clock shows it: with an interval of four
//! hours a new file begins at 00:00, 04:00, 08:00 and so on, on days of 23 and 25 hours too. A file is named
//! by the beginning of its period, also the first one after a start in mid-period, so that a restart goes on
//! with the same file.

use heka_message::Strftime;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// The intervals allowed, in hours; 0 is no rotation.
pub const INTERVALS: [u32; 5] = [0, 1, 4, 12, 24];

/// A path with strftime codes, and how long each name lasts.
#[derive(Clone, Debug)]
pub struct Rotation {
    pattern: Strftime,
    /// Hours; at least 1.
    interval: i8,
    zone: TimeZone,
}

impl Rotation {
    /// `hours` is one of [`INTERVALS`]; `None` when it is 0.
    pub fn new(pattern: &str, hours: u32, zone: TimeZone) -> Option<Self> {
        let interval = i8::try_from(hours).ok().filter(|hours| *hours > 0)?;
        Some(Rotation { pattern: Strftime::new(pattern), interval, zone })
    }

    /// The name of the file that is written at `now`.
    pub fn path(&self, now: Timestamp) -> PathBuf {
        let now = now.to_zoned(self.zone.clone());
        let hour = now.hour() - now.hour() % self.interval;
        let start = self.zoned(now.date().to_datetime(Time::constant(hour, 0, 0, 0)));
        // Where the clock is put back the hour begins twice; the name comes out the same.
        let time = start.as_ref().filter(|start| **start <= now).unwrap_or(&now).timestamp();
        let mut path = Vec::new();
        // The clock of this machine runs out of 64 bits of nanoseconds in the year 2262.
        let nanos = i64::try_from(time.as_nanosecond()).unwrap_or(i64::MAX);
        self.pattern.write(&mut path, nanos, &self.zone);
        OsString::from_vec(path).into()
    }

    /// When the next file begins: the first period that begins after `now`. `None` at the end of time.
    pub fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let now = now.to_zoned(self.zone.clone());
        let midnight = now.date().to_datetime(Time::midnight());
        let period = i64::from(now.hour() / self.interval);
        // A period that begins in an hour that a clock put forward skips may begin before `now`: take the one after.
        (1..4).find_map(|step| {
            let start = midnight.checked_add((i64::from(self.interval) * (period + step)).hours()).ok()?;
            self.zoned(start).filter(|start| *start > now).map(|start| start.timestamp())
        })
    }

    fn zoned(&self, time: DateTime) -> Option<Zoned> {
        time.to_zoned(self.zone.clone()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn rotation(pattern: &str, hours: u32, zone: &str) -> Rotation {
        Rotation::new(pattern, hours, TimeZone::get(zone).unwrap()).unwrap()
    }

    #[test]
    fn names_by_the_beginning_of_the_period() {
        let cases = [
            ("/d/%Y-%m-%d.log", 24, "UTC", "2015-03-09T23:59:59Z", "/d/2015-03-09.log", "2015-03-10T00:00:00Z"),
            ("/d/%Y-%m-%d.log", 24, "UTC", "2015-03-10T00:00:00Z", "/d/2015-03-10.log", "2015-03-11T00:00:00Z"),
            ("%H", 4, "UTC", "2015-03-09T05:30:00Z", "04", "2015-03-09T08:00:00Z"),
            ("%H", 12, "UTC", "2015-03-09T11:00:00Z", "00", "2015-03-09T12:00:00Z"),
            ("%d-%H", 1, "UTC", "2015-03-09T23:10:00Z", "09-23", "2015-03-10T00:00:00Z"),
            // Local midnight, not that of UTC.
            ("%F", 24, "Europe/Berlin", "2015-03-09T23:30:00Z", "2015-03-10", "2015-03-10T23:00:00Z"),
            ("%F", 24, "Asia/Kolkata", "2015-03-09T18:00:00Z", "2015-03-09", "2015-03-09T18:30:00Z"),
            // The day has 23 hours: 02:00 becomes 03:00.
            ("%F", 24, "Europe/Berlin", "2015-03-28T23:00:00Z", "2015-03-29", "2015-03-29T22:00:00Z"),
            ("%H", 1, "Europe/Berlin", "2015-03-29T00:30:00Z", "01", "2015-03-29T01:00:00Z"),
            ("%H", 1, "Europe/Berlin", "2015-03-29T01:30:00Z", "03", "2015-03-29T02:00:00Z"),
            ("%H", 4, "Europe/Berlin", "2015-03-29T00:30:00Z", "00", "2015-03-29T02:00:00Z"),
            // The day has 25 hours: 02:30 comes twice, and is one period.
            ("%H", 1, "Europe/Berlin", "2015-10-25T00:30:00Z", "02", "2015-10-25T02:00:00Z"),
            ("%H", 1, "Europe/Berlin", "2015-10-25T01:30:00Z", "02", "2015-10-25T02:00:00Z"),
            // The day begins at 01:00.
            ("%F-%H", 24, "America/Sao_Paulo", "2015-10-18T05:00:00Z", "2015-10-18-01", "2015-10-19T02:00:00Z"),
        ];
        for (pattern, hours, zone, now, name, next) in cases {
            let rotation = rotation(pattern, hours, zone);
            assert_eq!(rotation.path(at(now)), PathBuf::from(name), "{pattern} {hours} h at {now} in {zone}");
            assert_eq!(rotation.next(at(now)), Some(at(next)), "{pattern} {hours} h after {now} in {zone}");
        }
    }

    #[test]
    fn every_name_lasts_until_the_next() {
        for zone in ["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo"] {
            for hours in [1, 4, 12, 24] {
                let rotation = rotation("%F %H", hours, zone);
                let mut now = at("2015-01-01T00:00:00Z");
                let end = at("2016-01-02T00:00:00Z");
                while now < end {
                    let next = rotation.next(now).unwrap();
                    assert!(next > now);
                    let last = next - 1.nanoseconds();
                    assert_eq!(rotation.path(now), rotation.path(last), "{zone} {hours} h {now}");
                    assert_ne!(rotation.path(now), rotation.path(next), "{zone} {hours} h {now}");
                    now = next;
                }
            }
        }
    }

    #[test]
    fn unknown_codes_stay() {
        assert_eq!(rotation("/x/%Q-%d%", 24, "UTC").path(at("2015-03-09T00:00:00Z")), PathBuf::from("/x/%Q-09%"));
        assert!(Rotation::new("x", 0, TimeZone::UTC).is_none());
    }
}
