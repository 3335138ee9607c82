//! Lines of an access log as nginx would have written them in the past.

use crate::support::Random;
use std::fmt::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The minute that is running, counted since the UNIX epoch.
pub fn this_minute() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 60
}

/// Lines of one minute: so many of each status code.
pub fn minute(random: &mut Random, minute: u64, counts: &[(u16, u64)]) -> String {
    let mut text = String::new();
    for (status, count) in counts {
        for _ in 0..*count {
            let second = minute * 60 + random.below(60);
            let time = jiff::Timestamp::try_from(UNIX_EPOCH + Duration::from_secs(second)).unwrap();
            let host = random.below(200);
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "10.0.0.{host} - - [{}] \"GET /page HTTP/1.1\" {status} 312 \"-\" \"test/1.0\"",
                time.strftime("%d/%b/%Y:%H:%M:%S +0000")
            );
        }
    }
    text
}

/// Ordinary traffic of all whole minutes from `minutes` ago until now, oldest first: about a hundred pages a minute,
/// now and then a failure.
pub fn ordinary(random: &mut Random, minutes: u64) -> String {
    let now = this_minute();
    (now - minutes..now)
        .map(|at| {
            let counts = [(200, 60 + random.below(80)), (304, random.below(20)), (500, random.below(4))];
            minute(random, at, &counts)
        })
        .collect()
}
