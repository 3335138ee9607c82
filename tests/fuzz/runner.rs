//! Runs a target on the inputs that are kept in `corpus`, then on what can be made of them: the same inputs in every
//! run, unless told otherwise. An input whose outcome is new is made into others in its turn.
//!
//! `HEKA_FUZZ=<n>` runs every target so many times as much, and `HEKA_FUZZ_SEED=<n>` makes other inputs.

use crate::memory::{live, peak_of};
use crate::mutate::mutate;
use crate::support::Random;
use crate::watchdog::Watchdog;
use std::collections::HashSet;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Inputs with a new outcome that are kept to make others of.
const KEPT: usize = 1000;
/// Bytes that the state of a target may grow by over a run: what it keeps on purpose is bounded.
const GROWTH: isize = 8 << 20;

/// What is tried.
pub struct Target<'a> {
    /// Names its folder in `corpus`.
    pub name: &'a str,
    /// Inputs made by code, beside those in `corpus`.
    pub seeds: Vec<Vec<u8>>,
    /// What its format is made of.
    pub words: &'a [&'a str],
    /// Times it is run, in the ordinary tests.
    pub runs: u64,
    /// Bytes it may have allocated at once: so many, and so many more for each byte of the input.
    pub memory: (usize, usize),
}

/// The outcome of an input, as far as it tells one way through the code from another.
pub fn outcome(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

impl Target<'_> {
    /// Runs `target` on everything; it gives the [`outcome`].
    pub fn run(mut self, mut target: impl FnMut(&[u8]) -> u64) {
        let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
        let runs = self.runs * number("HEKA_FUZZ").unwrap_or(1);
        let mut random = Random::new(number("HEKA_FUZZ_SEED").unwrap_or(0));
        self.seeds.extend(corpus(self.name));
        assert!(!self.seeds.is_empty(), "{}: nothing to begin with", self.name);
        let watchdog = Watchdog::new(self.name);
        let mut pool = self.seeds.clone();
        let mut known = HashSet::new();
        for input in &self.seeds {
            known.insert(self.check(input, &watchdog, &mut target));
        }
        let before = live();
        let mut kept = 0;
        for _ in 0..runs {
            // Often one to begin with: what was found must not crowd out what it was made of.
            let pick = |random: &mut Random| {
                let among = if random.below(3) == 0 { self.seeds.len() } else { pool.len() };
                random.below(among as u64) as usize
            };
            let (one, other) = (pick(&mut random), pick(&mut random));
            let input = mutate(&pool[one], &pool[other], self.words, &mut random);
            if known.insert(self.check(&input, &watchdog, &mut target)) && pool.len() < self.seeds.len() + KEPT {
                kept += input.capacity() as isize;
                pool.push(input);
            }
        }
        let grown = live() - before - kept;
        eprintln!("{}: {runs} runs, {} outcomes, {} KiB kept by the target", self.name, known.len(), grown >> 10);
        let allowed = GROWTH + 64 * known.len() as isize + 128 * pool.len() as isize;
        assert!(grown < allowed, "{}: its state grew by {grown} bytes", self.name);
    }

    fn check(&self, input: &[u8], watchdog: &Watchdog, target: &mut impl FnMut(&[u8]) -> u64) -> u64 {
        watchdog.begin(input);
        let (result, peak) = peak_of(|| catch_unwind(AssertUnwindSafe(|| target(input))));
        let what = match &result {
            Err(_) => "panic",
            Ok(_) if peak as usize > self.memory.0 + self.memory.1 * input.len() => "memory",
            Ok(outcome) => return *outcome,
        };
        let path = keep(self.name, what, input);
        panic!("{}: {what}, {peak} bytes at once: {:?}\nkept as {path}", self.name, String::from_utf8_lossy(input));
    }
}

/// The inputs of a target, in the order of their names.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target);
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Writes an input down; mended, it belongs into `corpus`.
pub fn keep(target: &str, what: &str, input: &[u8]) -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz");
    let path = folder.join(format!("{target}-{what}-{:016x}", outcome(input)));
    let written = fs::create_dir_all(&folder).and_then(|()| fs::write(&path, input));
    written.map_or_else(|error| error.to_string(), |()| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(name: &str) -> Target<'_> {
        Target { name, seeds: vec![b"ab".to_vec()], words: &["c"], runs: 2000, memory: (1 << 16, 16) }
    }

    #[test]
    #[should_panic(expected = "self_panic: panic")]
    fn a_panic_is_found() {
        target("self_panic").run(|input| {
            assert!(!(input.starts_with(b"ab") && input.contains(&b'c')), "as told");
            outcome(input.len())
        });
    }

    #[test]
    #[should_panic(expected = "self_memory: memory")]
    fn an_input_that_takes_too_much_is_found() {
        target("self_memory").run(|input| outcome(vec![0u8; if input.contains(&b'c') { 1 << 20 } else { 1 }].len()));
    }

    #[test]
    #[should_panic(expected = "its state grew")]
    fn what_grows_from_input_to_input_is_found() {
        let mut kept = Vec::new();
        target("self_growth").run(|_| {
            kept.push(vec![0u8; 8192]);
            0
        });
    }

    #[test]
    fn every_run_tries_the_same() {
        let tried = || {
            let mut tried = Vec::new();
            target("self_same").run(|input| {
                tried.push(outcome(input));
                outcome(input.len())
            });
            tried
        };
        assert_eq!(tried(), tried());
    }
}
