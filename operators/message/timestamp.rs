//! Times read from the text of log lines: the user's layout first, then the layouts everybody uses, then what
//! the text does not say is taken from the clock.

use crate::Layout;
use crate::layout_read::{Parts, ZoneText};
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use std::sync::LazyLock;

/// Layouts tried, in this order, on texts that the configured one does not fit.
const WELL_KNOWN: [&str; 15] = [
    "Mon Jan _2 15:04:05 2006",
    "Mon Jan _2 15:04:05 MST 2006",
    "Mon Jan 02 15:04:05 -0700 2006",
    "02 Jan 06 15:04 MST",
    "02 Jan 06 15:04 -0700",
    "Monday, 02-Jan-06 15:04:05 MST",
    "Mon, 02 Jan 2006 15:04:05 MST",
    "Mon, 02 Jan 2006 15:04:05 -0700",
    "2006-01-02T15:04:05Z07:00",
    "2006-01-02T15:04:05.999999999Z07:00",
    "3:04PM",
    "Jan _2 15:04:05",
    "Jan _2 15:04:05.000",
    "Jan _2 15:04:05.000000",
    "Jan _2 15:04:05.000000000",
];

static FALLBACKS: LazyLock<[Layout; WELL_KNOWN.len()]> = LazyLock::new(|| WELL_KNOWN.map(Layout::new));

/// Reads times from text; made once per `timestamp_layout` and `timestamp_location`.
#[derive(Clone, Debug)]
pub struct TimestampParser {
    form: Form,
    zone: TimeZone,
}

#[derive(Clone, Debug)]
enum Form {
    /// A count since the UNIX epoch; the number of decimal places from its unit down to nanoseconds.
    Epoch(u32),
    /// A layout; none when the setting is empty.
    Layout(Option<Layout>),
}

impl TimestampParser {
    /// A parser for `layout`, which is a reference layout, one of `Epoch`, `EpochMilli`, `EpochMicro` and
    /// `EpochNano`, or empty. `zone` is where texts without a zone come from.
    ///
    /// # Errors
    /// When the layout begins with `Epoch` and is none of the four; one line.
    pub fn new(layout: &str, zone: TimeZone) -> Result<Self, String> {
        let form = match layout {
            "Epoch" => Form::Epoch(9),
            "EpochMilli" => Form::Epoch(6),
            "EpochMicro" => Form::Epoch(3),
            "EpochNano" => Form::Epoch(0),
            "" => Form::Layout(None),
            _ if layout.starts_with("Epoch") => return Err(format!("Unrecognized `Epoch` time format: {layout}")),
            _ => Form::Layout(Some(Layout::new(layout))),
        };
        Ok(TimestampParser { form, zone })
    }

    /// The time that `text` names, in nanoseconds since the UNIX epoch; `None` when it names none. `now`, in
    /// the same unit, fills in a missing date or year.
    pub fn parse(&self, text: &[u8], now: i64) -> Option<i64> {
        match &self.form {
            Form::Epoch(places) => epoch(text, *places),
            Form::Layout(layout) => {
                layout.iter().chain(FALLBACKS.iter()).find_map(|layout| resolve(layout.read(text)?, &self.zone, now))
            }
        }
    }
}

/// The zone that `timestamp_location` names: an IANA name, `Local` for the system's zone, or nothing for UTC.
///
/// # Errors
/// When the system does not know the name; one line.
pub fn zone_named(location: &str) -> Result<TimeZone, String> {
    match location {
        "" | "UTC" => Ok(TimeZone::UTC),
        "Local" => Ok(TimeZone::system()),
        name => TimeZone::get(name).map_err(|error| error.to_string()),
    }
}

/// Digits with an optional fraction, shifted by `places` without any floating point.
fn epoch(text: &[u8], places: u32) -> Option<i64> {
    let (whole, fraction) = match memchr::memchr(b'.', text) {
        Some(dot) => (&text[..dot], &text[dot + 1..]),
        None => (text, &b"0"[..]),
    };
    let decimal = |digits: &[u8]| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    if !decimal(whole) || !decimal(fraction) {
        return None;
    }
    let shifted = fraction.iter().copied().chain(std::iter::repeat(b'0')).take(places as usize);
    let mut digits = whole.iter().copied().chain(shifted);
    digits.try_fold(0i64, |value, digit| value.checked_mul(10)?.checked_add(i64::from(digit - b'0')))
}

/// Fills in what the text left out and finds the instant.
fn resolve(parts: Parts<'_>, zone: &TimeZone, now: i64) -> Option<i64> {
    let time = Time::new(parts.hour, parts.minute, parts.second, parts.nanos).ok()?;
    let date = match (parts.year, parts.month, parts.day) {
        (Some(year), month, day) => Date::new(year, month.unwrap_or(1), day.unwrap_or(1)).ok()?,
        (None, None, None) => today(zone, now)?,
        (None, month, day) => without_year(month.unwrap_or(1), day.unwrap_or(1), today(zone, now)?)?,
    };
    let timestamp = instant(DateTime::from_parts(date, time), parts.zone, zone)?;
    i64::try_from(timestamp.as_nanosecond()).ok()
}

fn today(zone: &TimeZone, now: i64) -> Option<Date> {
    let now = Timestamp::UNIX_EPOCH.checked_add(SignedDuration::from_nanos(now)).ok()?;
    Some(zone.to_datetime(now).date())
}

/// The date in the current year; around New Year, in the year that is nearer.
fn without_year(month: i8, day: i8, today: Date) -> Option<Date> {
    let year = match (month, today.month()) {
        (12, 1) => today.year() - 1,
        (1, 12) => today.year() + 1,
        _ => today.year(),
    };
    match Date::new(year, month, day) {
        Ok(date) => Some(date),
        // A leap day read in another year stands for the day after 28 February.
        Err(_) if (month, day) == (2, 29) => Date::new(year, 3, 1).ok(),
        Err(_) => None,
    }
}

fn instant(civil: DateTime, text: ZoneText<'_>, zone: &TimeZone) -> Option<Timestamp> {
    let offset = match text {
        ZoneText::Unsaid => return zone.to_ambiguous_timestamp(civil).compatible().ok(),
        ZoneText::Offset(seconds) => Offset::from_seconds(seconds).ok()?,
        ZoneText::Abbreviation(b"UTC") => Offset::UTC,
        ZoneText::Abbreviation(letters) => known_offset(civil, letters, zone).unwrap_or(Offset::UTC),
    };
    offset.to_timestamp(civil).ok()
}

/// The offset that the zone calls by these letters: around `civil` if it does then, else around its last or
/// next few changes. The same letters mean other offsets elsewhere, so no other zone is asked.
fn known_offset(civil: DateTime, letters: &[u8], zone: &TimeZone) -> Option<Offset> {
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    let readings = [ambiguous.earlier().ok()?, ambiguous.later().ok()?];
    for reading in readings {
        let info = zone.to_offset_info(reading);
        if info.abbreviation().as_bytes() == letters {
            return Some(info.offset());
        }
    }
    let [earlier, later] = readings;
    let changes = zone.preceding(earlier).take(4).chain(zone.following(later).take(4));
    changes.into_iter().find(|change| change.abbreviation().as_bytes() == letters).map(|change| change.offset())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;
    /// 2015-06-15T12:00:00Z.
    const NOW: i64 = 1_434_369_600 * SECOND;

    fn pacific() -> TimeZone {
        TimeZone::posix("PST8PDT,M3.2.0,M11.1.0").unwrap()
    }

    fn at(text: &str) -> i64 {
        i64::try_from(text.parse::<Timestamp>().unwrap().as_nanosecond()).unwrap()
    }

    fn parsed(layout: &str, text: &str, zone: TimeZone, now: i64) -> Option<i64> {
        TimestampParser::new(layout, zone).unwrap().parse(text.as_bytes(), now)
    }

    #[test]
    fn counts_since_the_epoch_are_exact() {
        let cases = [
            ("Epoch", "1414448234", Some(1_414_448_234 * SECOND)),
            ("Epoch", "1414448234.638504391", Some(1_414_448_234_638_504_391)),
            ("EpochMilli", "1414448234638.5043911232", Some(1_414_448_234_638_504_391)),
            ("EpochMicro", "1414448234638504.391", Some(1_414_448_234_638_504_391)),
            ("EpochNano", "1414448234638504391.99999", Some(1_414_448_234_638_504_391)),
            ("Epoch", "-1", None),
            ("Epoch", "12x", None),
            ("Epoch", "", None),
            ("Epoch", ".5", None),
            ("Epoch", "99999999999", None),
            ("EpochNano", "99999999999999999999999999999999999", None),
            ("Epoch", "2013-04-18T14:00:28Z", None),
        ];
        for (layout, text, nanos) in cases {
            assert_eq!(parsed(layout, text, TimeZone::UTC, NOW), nanos, "{layout}: {text}");
        }
        let refused = TimestampParser::new("EpochFoo", TimeZone::UTC).unwrap_err();
        assert_eq!(refused, "Unrecognized `Epoch` time format: EpochFoo");
    }

    #[test]
    fn layouts_and_zones_name_instants() {
        let apache = "02/Jan/2006:15:04:05 -0700";
        let local = "02/Jan/2006:15:04:05";
        let instant = Some(1_366_318_828 * SECOND);
        assert_eq!(parsed(apache, "18/Apr/2013:14:00:28 -0700", TimeZone::UTC, NOW), instant);
        assert_eq!(parsed(local, "18/Apr/2013:14:00:28", pacific(), NOW), instant);
        let fraction = parsed("2006-01-02 15:04:05", "2013-04-18 14:00:28.250", TimeZone::UTC, NOW);
        assert_eq!(fraction, Some(1_366_293_628_250_000_000));
    }

    #[test]
    fn well_known_layouts_need_no_setting() {
        let instant = at("2013-04-18T14:00:28Z");
        let cases = [
            ("Thu Apr 18 14:00:28 2013", instant),
            ("Thu Apr 18 14:00:28 UTC 2013", instant),
            ("Thu Apr 18 16:00:28 +0200 2013", instant),
            ("18 Apr 13 14:00 UTC", instant - 28 * SECOND),
            ("18 Apr 13 15:00 +0100", instant - 28 * SECOND),
            ("Thursday, 18-Apr-13 14:00:28 UTC", instant),
            ("Thu, 18 Apr 2013 14:00:28 UTC", instant),
            ("Thu, 18 Apr 2013 14:00:28 GMT", instant),
            ("Thu, 18 Apr 2013 07:00:28 -0700", instant),
            ("2013-04-18T14:00:28Z", instant),
            ("2013-04-18T14:00:28.123456Z", 1_366_293_628_123_456_000),
            ("2013-04-18T15:00:28.5+01:00", instant + SECOND / 2),
            ("5:16PM", at("2015-06-15T17:16:00Z")),
            ("Mar  9 23:30:01", at("2015-03-09T23:30:01Z")),
            ("Mar  9 23:30:01.250", at("2015-03-09T23:30:01.25Z")),
        ];
        for layout in ["", "2006 does not fit", "2012-04-23T18:25:43.511Z"] {
            for (text, nanos) in cases {
                assert_eq!(parsed(layout, text, TimeZone::UTC, NOW), Some(nanos), "{text}");
            }
        }
        for text in ["", "nonsense", "2013-02-30T00:00:00Z", "Apr 31 00:00:00", "2013-04-18T14:00:28Z and more"] {
            assert_eq!(parsed("", text, TimeZone::UTC, NOW), None, "{text}");
        }
    }

    #[test]
    fn a_missing_year_is_the_nearest_that_makes_sense() {
        let cases = [
            ("Mar  9 23:30:01", "2015-01-02T00:00:00Z", "2015-03-09T23:30:01Z"),
            ("Dec 31 23:59:59", "2015-01-01T00:00:05Z", "2014-12-31T23:59:59Z"),
            ("Jan  1 00:00:01", "2014-12-31T23:59:59Z", "2015-01-01T00:00:01Z"),
            ("Dec 31 23:59:59", "2015-06-01T00:00:00Z", "2015-12-31T23:59:59Z"),
            ("Jan  1 00:00:01", "2015-06-01T00:00:00Z", "2015-01-01T00:00:01Z"),
            ("Feb 29 01:00:00", "2016-06-01T00:00:00Z", "2016-02-29T01:00:00Z"),
            ("Feb 29 01:00:00", "2015-06-01T00:00:00Z", "2015-03-01T01:00:00Z"),
        ];
        for (text, now, instant) in cases {
            assert_eq!(parsed("Jan _2 15:04:05", text, TimeZone::UTC, at(now)), Some(at(instant)), "{text} at {now}");
        }
    }

    #[test]
    fn a_time_without_date_is_today_where_it_was_written() {
        // Ten in the evening of 14 June in California.
        let now = at("2015-06-15T05:00:00Z");
        assert_eq!(parsed("", "9:30PM", pacific(), now), Some(at("2015-06-15T04:30:00Z")));
        assert_eq!(parsed("", "9:30PM", TimeZone::UTC, now), Some(at("2015-06-15T21:30:00Z")));
    }

    #[test]
    fn letters_count_where_the_zone_knows_them() {
        let layout = "2006-01-02 15:04:05 MST";
        let cases = [
            ("2013-01-18 14:00:28 PST", "2013-01-18T14:00:28Z", TimeZone::UTC),
            ("2013-01-18 14:00:28 PST", "2013-01-18T22:00:28Z", pacific()),
            ("2013-07-18 14:00:28 PDT", "2013-07-18T21:00:28Z", pacific()),
            ("2013-01-18 14:00:28 PDT", "2013-01-18T21:00:28Z", pacific()),
            ("2013-01-18 14:00:28 UTC", "2013-01-18T14:00:28Z", pacific()),
            ("2013-01-18 14:00:28 CEST", "2013-01-18T14:00:28Z", pacific()),
            ("2013-01-18 14:00:28 GMT+2", "2013-01-18T12:00:28Z", pacific()),
            // The hour that comes twice.
            ("2013-11-03 01:30:00 PDT", "2013-11-03T08:30:00Z", pacific()),
            ("2013-11-03 01:30:00 PST", "2013-11-03T09:30:00Z", pacific()),
        ];
        for (text, instant, zone) in cases {
            assert_eq!(parsed(layout, text, zone, NOW), Some(at(instant)), "{text}");
        }
    }

    #[test]
    fn zones_have_names() {
        assert_eq!(zone_named(""), Ok(TimeZone::UTC));
        assert!(zone_named("Nowhere/Atlantis").unwrap_err().contains("Nowhere/Atlantis"));
        assert!(zone_named("Local").is_ok());
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in proptest::collection::vec(0u8.., 0..40), now: i64) {
            for layout in ["", "Epoch", "2006-01-02 15:04:05.999 MST"] {
                let parser = TimestampParser::new(layout, pacific()).unwrap();
                let _ = parser.parse(&text, now);
            }
        }

        #[test]
        fn what_a_layout_prints_it_reads(nanos: i64) {
            let layout = "Mon, 02 Jan 2006 15:04:05.000000000 -07:00";
            let mut text = Vec::new();
            Layout::new(layout).write(&mut text, nanos, &TimeZone::UTC);
            let parser = TimestampParser::new(layout, pacific()).unwrap();
            proptest::prop_assert_eq!(parser.parse(&text, 0), Some(nanos));
        }
    }
}
