//! Time stamps that a script parsed as UTC, although they were another zone's.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// The zone that a script's `tz` names; none for UTC.
pub struct Zone(Option<TimeZone>);

impl Zone {
    /// The zone called `name`; the configuration has been checked, so an unknown one counts as UTC.
    pub fn named(name: &str) -> Self {
        let zone = heka_message::zone_named(name).ok();
        Zone(zone.filter(|zone| *zone != TimeZone::UTC))
    }

    /// The time, in nanoseconds since the UNIX epoch, whose local clock shows what UTC's shows at `nanos`.
    pub fn local(&self, nanos: i64) -> i64 {
        self.0.as_ref().and_then(|zone| local(zone, nanos)).unwrap_or(nanos)
    }
}

fn local(zone: &TimeZone, nanos: i64) -> Option<i64> {
    let shown = Timestamp::UNIX_EPOCH.checked_add(SignedDuration::from_nanos(nanos)).ok()?;
    let civil = TimeZone::UTC.to_datetime(shown);
    let meant = zone.to_ambiguous_timestamp(civil).compatible().ok()?;
    i64::try_from(meant.as_nanosecond()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_read_in_their_zone() {
        let zone = Zone(Some(TimeZone::posix("EST5").unwrap()));
        assert_eq!(zone.local(1_000_000_007), 1_000_000_007 + 5 * 3_600_000_000_000);
        assert_eq!(Zone::named("").local(5), 5);
        assert_eq!(Zone::named("UTC").local(5), 5);
        assert_eq!(zone.local(i64::MAX), i64::MAX);
    }
}
