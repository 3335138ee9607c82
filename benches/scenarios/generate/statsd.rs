//! statsd lines as a fleet of web servers sends them: timers and counters, some of them sampled, and a few gauges.

use super::random::Random;

/// What fits into one Ethernet frame together with the headers.
pub const DATAGRAM: usize = 1432;

const NAMES: [&str; 8] = [
    "web.requests",
    "web.request.time",
    "db.query.time",
    "cache.hits",
    "cache.misses",
    "queue.length",
    "worker.jobs",
    "auth.logins",
];

/// Datagrams one behind the other, used round and round.
pub struct Load {
    bytes: Vec<u8>,
    /// Where each datagram ends in `bytes`, and how many lines it holds.
    ends: Vec<(usize, u64)>,
}

impl Load {
    /// `datagrams` of them: as full as they get, or each with one line.
    pub fn new(datagrams: usize, full: bool, seed: u64) -> Load {
        let mut random = Random::new(seed);
        let mut load = Load { bytes: Vec::new(), ends: Vec::with_capacity(datagrams) };
        let mut line = line(&mut random);
        for _ in 0..datagrams {
            let start = load.bytes.len();
            let mut lines = 0;
            while lines == 0 || full && load.bytes.len() - start + line.len() <= DATAGRAM {
                load.bytes.extend_from_slice(line.as_bytes());
                lines += 1;
                line = self::line(&mut random);
            }
            load.ends.push((load.bytes.len(), lines));
        }
        load
    }

    /// The datagrams, each with its number of lines.
    pub fn datagrams(&self) -> impl Iterator<Item = (&[u8], u64)> {
        let mut start = 0;
        self.ends.iter().map(move |&(end, lines)| {
            let bytes = &self.bytes[start..end];
            start = end;
            (bytes, lines)
        })
    }
}

fn line(random: &mut Random) -> String {
    let name = random.popular(&NAMES);
    let host = random.below(200);
    let sampled = if random.chance(1, 5) { "|@0.1" } else { "" };
    match random.below(10) {
        0..5 => format!("host{host:03}.{name}:{}|c{sampled}\n", 1 + random.below(9)),
        5..9 => format!("host{host:03}.{name}:{}.{}|ms{sampled}\n", random.size(0, 10), random.below(10)),
        _ => format!("host{host:03}.{name}:{}{}|g\n", ["", "+", "-"][random.below(3)], random.below(1000)),
    }
}
