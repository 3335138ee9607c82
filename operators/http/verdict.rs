//! What the status of an answer means for what was sent, and how long to wait before it is sent again.

use crate::backoff::Backoff;
use crate::http::client::Answer;
use heka_message::{TimestampParser, UuidSource};
use hyper::header::HeaderValue;
use jiff::tz::TimeZone;
use std::time::Duration;

/// Pauses between attempts, to which up to [`JITTER`] is added.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
const JITTER: Duration = Duration::from_millis(500);
/// The longest that a server may ask to wait.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// What an answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has what it was sent.
    Done,
    /// It may take the same another time.
    Later,
    /// It wants requests to go elsewhere: it takes nothing until the address is set right.
    Moved,
    /// It wants less at a time.
    TooLarge,
    /// It does not want what it was sent, but may want a part of it.
    Refused,
    /// It does not want anything from this client, whatever it is.
    Unwelcome,
}

/// Judges an answer by its status. `later` are further statuses that call for another attempt.
pub fn judge(status: u16, later: &[u16]) -> Verdict {
    match status {
        _ if later.contains(&status) => Verdict::Later,
        408 | 425 | 429 | 500.. => Verdict::Later,
        ..=299 => Verdict::Done,
        300..=399 => Verdict::Moved,
        413 => Verdict::TooLarge,
        401..=405 | 407 => Verdict::Unwelcome,
        _ => Verdict::Refused,
    }
}

/// What to tell a user whose server wants requests to go elsewhere.
pub fn moved(answer: &Answer) -> String {
    let location = answer.location.as_ref().and_then(|location| location.to_str().ok());
    match location {
        Some(location) => {
            format!("{}: redirects are not followed; set the address to {location}", answer.status_line())
        }
        None => format!("{}: redirects are not followed; set the address to where it is now", answer.status_line()),
    }
}

/// The pauses between attempts.
pub struct Pauses {
    backoff: Backoff,
    random: UuidSource,
}

impl Default for Pauses {
    fn default() -> Self {
        Pauses { backoff: Backoff::new(FIRST_PAUSE, LONGEST_PAUSE), random: UuidSource::new() }
    }
}

impl Pauses {
    /// The pause before the next attempt: what the server asked for, within reason, or twice the one before.
    pub fn pause(&mut self, asked: Option<Duration>) -> Duration {
        let own = self.backoff.pause();
        let [a, b, ..] = self.random.next_uuid();
        let jitter = JITTER.mul_f64(f64::from(u16::from_be_bytes([a, b])) / f64::from(u16::MAX));
        asked.map_or(own, |asked| asked.min(LONGEST_WAIT)) + jitter
    }

    /// Something was delivered.
    pub fn reset(&mut self) {
        self.backoff.reset();
    }
}

/// The time that a `Retry-After` header asks for: seconds, or a date. `now` is in nanoseconds since the UNIX epoch.
pub fn retry_after(header: &HeaderValue, now: i64) -> Option<Duration> {
    let text = header.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    // Every layout of dates that HTTP allows is among those that need no setting.
    let date = TimestampParser::new("", TimeZone::UTC).ok()?.parse(text.as_bytes(), now)?;
    Some(Duration::from_nanos(u64::try_from(date.saturating_sub(now)).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_have_meanings() {
        let cases = [
            (200, Verdict::Done),
            (204, Verdict::Done),
            (301, Verdict::Moved),
            (308, Verdict::Moved),
            (400, Verdict::Refused),
            (401, Verdict::Unwelcome),
            (404, Verdict::Unwelcome),
            (408, Verdict::Later),
            (409, Verdict::Refused),
            (413, Verdict::TooLarge),
            (422, Verdict::Refused),
            (425, Verdict::Later),
            (429, Verdict::Later),
            (500, Verdict::Later),
            (503, Verdict::Later),
        ];
        for (status, verdict) in cases {
            assert_eq!(judge(status, &[]), verdict, "{status}");
        }
        assert_eq!(judge(401, &[401]), Verdict::Later);
    }

    #[test]
    fn servers_say_when() {
        // 2013-04-18T14:00:00Z.
        let now = 1_366_293_600_000_000_000;
        let cases = [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Thu, 18 Apr 2013 14:00:28 GMT", Some(28)),
            ("Thursday, 18-Apr-13 14:00:28 GMT", Some(28)),
            ("Thu, 18 Apr 2013 13:00:28 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ];
        for (text, seconds) in cases {
            let header = HeaderValue::from_static(text);
            assert_eq!(retry_after(&header, now), seconds.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn pauses_grow_and_servers_are_believed_within_reason() {
        let mut pauses = Pauses::default();
        for expected in [250, 500, 1000, 2000, 4000, 5000, 5000] {
            let pause = pauses.pause(None).as_millis();
            assert!((expected..=expected + 500).contains(&pause), "{pause}");
        }
        assert!(pauses.pause(Some(Duration::from_secs(30))).as_secs() == 30);
        assert!(pauses.pause(Some(Duration::from_secs(1 << 40))) <= LONGEST_WAIT + JITTER);
        pauses.reset();
        assert!(pauses.pause(None).as_millis() <= 750);
    }
}
