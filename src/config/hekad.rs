//! The `[hekad]` section: what concerns the daemon as a whole.

use super::filter_section::read_filter;
use heka_operators::plugin::Globals;
use heka_settings::{Problem, Problems, Settings, Table, refuse_unknown, settings};
use std::time::Duration;

settings! {
    /// Options of the daemon.
    pub struct HekadSettings {
        /// Worker threads. Below 1: one a processor.
        maxprocs: i64 = 1,
        /// Obsolete: memory is bounded by `memory_budget`.
        poolsize: Option<i64>,
        /// Obsolete: queues inside the daemon are bounded by `memory_budget`.
        plugin_chansize: Option<i64>,
        /// Obsolete: decoders run on all workers.
        decoder_poolsize: Option<i64>,
        /// How often a message that filters inject may go round; 0 counts as 1.
        max_message_loops: u32 = 4u32,
        /// Messages that one `process_message` call of a sandbox filter may inject.
        max_process_inject: u32 = 1u32,
        /// Messages that one `timer_event` call of a sandbox filter may inject.
        max_timer_inject: u32 = 10u32,
        /// Nanoseconds that `process_message` of a dynamically loaded sandbox filter may cost on average while it
        /// holds others up; its matcher may cost a fifth of this.
        max_process_duration: u64 = 100_000u64,
        /// How long messages may wait at a plugin before the stall report names it.
        max_pack_idle: Duration = Duration::from_secs(120),
        /// Directory for state; created if missing. Relative paths of state are below it.
        base_dir: String = if cfg!(windows) { "\\var\\cache\\hekad" } else { "/var/cache/hekad" },
        /// Directory of shipped resources. Relative paths of resources are below it.
        share_dir: String = if cfg!(windows) { "\\usr\\share\\heka" } else { "/usr/share/heka" },
        /// Durations are measured for about one in this many operations.
        sample_denominator: i64 = 1000,
        /// Obsolete: use a profiler of the system.
        cpuprof: Option<String>,
        /// Obsolete: use a profiler of the system.
        memprof: Option<String>,
        /// File that holds the process id while the daemon runs; empty: none.
        pid_file: String = "",
        /// The name stamped on messages where the local host name is wanted; default: the system's.
        hostname: Option<String>,
        /// Largest encoded message in bytes, above 1024; 0: 65536.
        max_message_size: u32 = 0u32,
        /// What stands before each line of the log, as a sum: 1 date, 2 time, 4 microseconds, 32 UTC.
        log_flags: u32 = 3u32,
        /// How often to wait, at the start, for a full disk buffer to drain.
        full_buffer_max_retries: u32 = 10u32,
        /// Seconds between two reports on the state of all plugins; 0: only when something asks for one.
        report_interval: u64 = 0u64,
        /// How long a shutdown may take to deliver what is on its way.
        shutdown_deadline: Duration = Duration::from_secs(30),
        /// Bytes that inputs may have on their way through the daemon at once.
        memory_budget: u64 = 12u64 << 20,
    }
}

/// Options that are read and then do nothing, with what took their place.
const OBSOLETE: &[(&str, &str)] = &[
    ("poolsize", "memory is bounded by `memory_budget` now"),
    ("plugin_chansize", "queues are bounded by `memory_budget` now"),
    ("decoder_poolsize", "decoders run on all workers now (`maxprocs`)"),
    ("cpuprof", "use a profiler of the system, such as perf"),
    ("memprof", "use a profiler of the system, such as heaptrack"),
];

impl HekadSettings {
    /// Reads the section, refuses what it does not know, and checks the values.
    pub fn read_section(table: &Table, problems: &mut Problems) -> Self {
        let mut own = Problems::of("hekad");
        let hekad = HekadSettings::read(table, &mut own);
        refuse_unknown(table, &[HekadSettings::table()], &mut own);
        let place = |key: &str| table.get(key).map(|entry| entry.value.place).unwrap_or_default();
        let idle = table.get("max_pack_idle").map(|entry| entry.value.place);
        own = own.map(|mut problem| {
            if Some(problem.place) == idle {
                problem.message = format!("Can't parse `max_pack_idle` time duration: {}", problem.message);
            }
            problem
        });
        for (key, instead) in OBSOLETE {
            if let Some(entry) = table.get(key) {
                own.push(
                    Problem::warning(entry.place, format!("`{key}` has no effect any more: {instead}"))
                        .help("remove the line"),
                );
            }
        }
        if hekad.sample_denominator <= 0 {
            let message = "'sample_denominator' value must be greater than 0.";
            own.push(Problem::error(place("sample_denominator"), message));
        }
        if (1..=1024).contains(&hekad.max_message_size) {
            let message = "Error: 'max_message_size' setting must be greater than 1024.";
            own.push(Problem::error(place("max_message_size"), message));
        }
        if hekad.memory_budget < hekad.max_record_size() {
            let message = format!("'memory_budget' must hold at least one record, {} bytes", hekad.max_record_size());
            own.push(Problem::error(place("memory_budget"), message).help("leave it out, or give some MiB"));
        }
        problems.append(own);
        hekad
    }

    /// Largest encoded message, in bytes.
    pub fn message_limit(&self) -> u32 {
        if self.max_message_size == 0 { 65536 } else { self.max_message_size }
    }

    /// Largest record, in bytes: a whole frame around the largest message.
    pub fn max_record_size(&self) -> u64 {
        u64::from(self.message_limit()) + 3 + 255
    }

    /// What plugins need to know of the section.
    pub fn globals(&self) -> Globals {
        Globals {
            base_dir: self.base_dir.as_str().into(),
            share_dir: self.share_dir.as_str().into(),
            hostname: self.hostname.clone().filter(|name| !name.is_empty()).unwrap_or_else(system_hostname),
            max_message_size: self.message_limit() as usize,
            pid: i32::try_from(std::process::id()).unwrap_or(0),
            max_message_loops: self.max_message_loops.max(1),
            max_process_inject: self.max_process_inject,
            max_timer_inject: self.max_timer_inject,
            max_process_duration: self.max_process_duration,
            read_section: read_filter,
            ..Globals::default()
        }
    }
}

/// The system's host name; `localhost` when it has none.
pub fn system_hostname() -> String {
    let mut name = [0u8; 256];
    // SAFETY: the buffer lives through the call, and the length given is one less than it has, so that a zero
    // follows whatever was written.
    let failed = unsafe { libc::gethostname(name.as_mut_ptr().cast(), name.len() - 1) } != 0;
    let len = name.iter().position(|b| *b == 0).unwrap_or(name.len());
    if failed || len == 0 { "localhost".to_owned() } else { String::from_utf8_lossy(&name[..len]).into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heka_settings::Data;

    fn read(entries: &[(&str, Data)]) -> (HekadSettings, Vec<String>) {
        let table = entries.iter().fold(Table::default(), |table, (key, data)| table.with(key, data.clone()));
        let mut problems = Problems::default();
        let hekad = HekadSettings::read_section(&table, &mut problems);
        (hekad, problems.iter().map(|p| p.message.clone()).collect())
    }

    #[test]
    fn defaults_are_the_originals() {
        let (hekad, problems) = read(&[]);
        assert!(problems.is_empty());
        assert_eq!((hekad.maxprocs, hekad.max_message_loops, hekad.max_process_inject), (1, 4, 1));
        assert_eq!((hekad.max_timer_inject, hekad.max_process_duration, hekad.log_flags), (10, 100_000, 3));
        assert_eq!((hekad.sample_denominator, hekad.full_buffer_max_retries), (1000, 10));
        assert_eq!((hekad.base_dir.as_str(), hekad.share_dir.as_str()), ("/var/cache/hekad", "/usr/share/heka"));
        assert_eq!((hekad.message_limit(), hekad.max_record_size()), (65536, 65794));
        assert_eq!((hekad.max_pack_idle, hekad.shutdown_deadline), (Duration::from_secs(120), Duration::from_secs(30)));
        assert_eq!((hekad.report_interval, hekad.memory_budget), (0, 12_582_912));
        assert!(!hekad.globals().hostname.is_empty());
    }

    #[test]
    fn values_out_of_bounds_are_refused() {
        let cases = [
            ("max_message_size", Data::Integer(1024), "Error: 'max_message_size' setting must be greater than 1024."),
            ("sample_denominator", Data::Integer(0), "'sample_denominator' value must be greater than 0."),
            ("memory_budget", Data::Integer(9), "'memory_budget' must hold at least one record, 65794 bytes"),
            ("base_dirs", Data::Bool(true), "unknown config setting for 'hekad': base_dirs"),
            ("maxprocs", Data::String("2".into()), "expected an integer, found string"),
            (
                "poolsize",
                Data::Integer(5),
                "`poolsize` has no effect any more: memory is bounded by `memory_budget` now",
            ),
        ];
        for (key, data, message) in cases {
            assert_eq!(read(&[(key, data)]).1, [message], "{key}");
        }
        let (_, problems) = read(&[("max_pack_idle", Data::String("2x".into()))]);
        assert!(problems[0].starts_with("Can't parse `max_pack_idle` time duration: "), "{problems:?}");
        assert!(read(&[("max_message_size", Data::Integer(1025))]).1.is_empty());
    }
}
