//! hekad itself: started with a configuration, asked for its report.

use crate::Result;
use crate::bench::{Bench, PATIENCE};
use crate::measure::Process;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// How long it may take to start, and to answer.
const ANSWER: Duration = Duration::from_secs(20);

/// A running hekad.
pub struct Hekad {
    /// The process.
    pub process: Process,
    lines: Receiver<String>,
}

/// What the daemon says about itself: plugin and counter, value.
pub struct Report(HashMap<(String, String), String>);

impl Hekad {
    /// Starts it with `sections` and that many workers, with no state, and waits until its inputs have started. In
    /// `sections`, `$D` stands for the run's folder. The encoder called `lines` writes payloads as they are.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(bench: &Bench, workers: usize, sections: &str) -> Result<Hekad> {
        bench.fresh("state")?;
        let dir = bench.dir().display().to_string();
        let config = format!(
            "[hekad]\nmaxprocs = {workers}\nbase_dir = \"$D/state\"\n\
             [lines]\ntype = \"PayloadEncoder\"\nappend_newlines = false\n{sections}"
        );
        let path = bench.dir().join("hekad.toml");
        fs::write(&path, config.replace("$D", &dir))?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_hekad"));
        command.arg(format!("-config={}", path.display()));
        command.stdout(Stdio::piped()).stderr(File::create(bench.dir().join("hekad.stderr"))?);
        let mut process = Process::start("hekad", &mut command)?;
        let output = process.child().stdout.take().ok_or("hekad has no output")?;
        let (sender, lines) = channel();
        // Ends when hekad does.
        std::thread::spawn(move || {
            BufReader::new(output).lines().map_while(std::io::Result::ok).try_for_each(|line| sender.send(line))
        });
        let hekad = Hekad { process, lines };
        while !hekad.line()?.contains("Input started: ") {}
        Ok(hekad)
    }

    fn line(&self) -> Result<String> {
        self.lines.recv_timeout(ANSWER).map_err(|_| "hekad does not answer".into())
    }

    /// Waits for a line of its output that holds `text`.
    ///
    /// # Errors
    /// When none comes.
    pub fn wait_for_line(&mut self, text: &str) -> Result<()> {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).map_err(|_| format!("hekad does not say: {text}"))?;
            if line.contains(text) {
                return Ok(());
            }
        }
    }

    /// Asks for a report.
    ///
    /// # Errors
    /// When none comes.
    pub fn report(&self) -> Result<Report> {
        // SAFETY: the child is not reaped yet, so the id is still its own.
        if unsafe { libc::kill(self.process.id(), libc::SIGUSR1) } != 0 {
            return Err(std::io::Error::last_os_error().into());
        }
        while !self.line()?.contains("[heka.all-report]") {}
        let mut values = HashMap::new();
        let mut plugin = String::new();
        loop {
            let line = self.line()?;
            if line == "========" {
                return Ok(Report(values));
            }
            match line.strip_prefix("    ").and_then(|line| line.split_once(": ")) {
                Some((key, value)) => drop(values.insert((plugin.clone(), key.to_owned()), value.to_owned())),
                None => plugin = line.trim_end_matches(':').to_owned(),
            }
        }
    }

    /// The port that the input called `input` has got from the system.
    ///
    /// # Errors
    /// When it does not listen.
    pub fn port(&mut self, input: &str) -> Result<u16> {
        for _ in 0..1000 {
            if let Some(address) = self.report()?.0.get(&(input.to_owned(), "Address".to_owned())) {
                let port = address.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
                return port.ok_or_else(|| format!("{address} names no port").into());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Err(format!("{input} does not listen").into())
    }

    /// Waits until the filter or output called `plugin` has had `count` messages, and not one more.
    ///
    /// # Errors
    /// When that does not happen.
    pub fn wait_for_count(&mut self, plugin: &str, count: u64) -> Result<()> {
        let begun = std::time::Instant::now();
        loop {
            let now = self.report()?.count(plugin, "ProcessMessageCount");
            match now {
                now if now == count => return Ok(()),
                now if now > count => return Err(format!("{plugin} had {now} messages of {count}").into()),
                now if begun.elapsed() > PATIENCE => return Err(format!("{plugin} had {now} of {count}").into()),
                _ => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }
}

impl Report {
    /// The number called `key` of `plugin`; 0 when there is none.
    pub fn count(&self, plugin: &str, key: &str) -> u64 {
        self.0.get(&(plugin.to_owned(), key.to_owned())).and_then(|value| value.parse().ok()).unwrap_or(0)
    }
}
