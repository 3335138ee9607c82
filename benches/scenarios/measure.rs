//! A child process and what it costs: CPU of all its threads and children, peak memory, bytes it has written.

use crate::Result;
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// How often a running child is looked at.
const LOOK: Duration = Duration::from_millis(2);

/// A running child. Dropping it kills it, and it does not outlive this process.
pub struct Process {
    name: String,
    child: Child,
    peak_kib: u64,
    reaped: bool,
}

/// What a child has cost from its start to its end.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// User and system time, with that of its own children.
    pub cpu: Duration,
    /// The most resident memory it had, in KiB.
    pub peak_kib: u64,
}

impl Process {
    /// Starts `command`; `name` is for messages.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(name: &str, command: &mut Command) -> Result<Process> {
        // SAFETY: the closure makes one system call and touches no memory of this process.
        let command = unsafe {
            command.pre_exec(|| match libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) {
                0 => Ok(()),
                _ => Err(io::Error::last_os_error()),
            })
        };
        let child = command.spawn().map_err(|error| format!("cannot start {name}: {error}"))?;
        Ok(Process { name: name.to_owned(), child, peak_kib: 0, reaped: false })
    }

    /// The running child.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Its process id.
    pub fn id(&self) -> libc::pid_t {
        // Ids of processes fit; the standard library widens them.
        self.child.id() as libc::pid_t
    }

    /// CPU that all its threads have used so far, in the scheduler's own resolution.
    ///
    /// # Errors
    /// When it does not run any more.
    pub fn cpu(&self) -> Result<Duration> {
        let mut clock: libc::clockid_t = 0;
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: both calls write only into the variables given, which outlive them.
        let failed = unsafe {
            libc::clock_getcpuclockid(self.id(), &raw mut clock) != 0 || libc::clock_gettime(clock, &raw mut time) != 0
        };
        if failed {
            return Err(format!("{} does not run any more", self.name).into());
        }
        Ok(Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
    }

    /// Bytes that it has handed to `write` and its kin so far, whatever became of them: how far a program has come
    /// that writes to `/dev/null`. Zero once it has ended.
    pub fn written(&self) -> u64 {
        self.number("io", "wchar:")
    }

    fn number(&self, file: &str, key: &str) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/{file}", self.id())).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(key));
        line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    }

    /// The peak comes from `VmHWM` and not from `ru_maxrss`, which counts what this process had in memory when it
    /// started the child.
    fn look_at_memory(&mut self) {
        self.peak_kib = self.peak_kib.max(self.number("status", "VmHWM:"));
    }

    /// Resident memory now, in bytes.
    ///
    /// # Errors
    /// When it cannot be told.
    pub fn resident(&self) -> Result<u64> {
        match self.number("status", "VmRSS:") {
            0 => Err(format!("{} does not run any more", self.name).into()),
            kib => Ok(kib * 1024),
        }
    }

    /// The most resident memory so far, in MiB.
    pub fn peak_mib(&mut self) -> f64 {
        self.look_at_memory();
        self.peak_kib as f64 / 1024.0
    }

    /// Waits until `done` says so.
    ///
    /// # Errors
    /// When the child ends, when `done` fails, and after `patience`.
    pub fn wait_until(
        &mut self,
        what: &str,
        patience: Duration,
        mut done: impl FnMut(&mut Process) -> Result<bool>,
    ) -> Result<()> {
        let begun = Instant::now();
        while !done(self)? {
            if let Some(status) = self.ended()? {
                return Err(format!("{} ended ({status}) before {what}", self.name).into());
            }
            if begun.elapsed() > patience {
                return Err(format!("{}: {what} did not come to be within {patience:?}", self.name).into());
            }
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    /// How the child has ended, if it has; it stays unreaped, so that its usage can still be asked for.
    fn ended(&self) -> Result<Option<String>> {
        // SAFETY: all zero bytes are a valid `siginfo_t`.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
        // SAFETY: the call writes only into `info`, which outlives it.
        if unsafe { libc::waitid(libc::P_PID, self.id() as libc::id_t, &raw mut info, options) } != 0 {
            return Err(io::Error::last_os_error().into());
        }
        // SAFETY: the fields are those of a child's change of state, or zero when there was none.
        let (pid, status) = unsafe { (info.si_pid(), info.si_status()) };
        Ok((pid != 0).then(|| match info.si_code {
            libc::CLD_EXITED => format!("exit code {status}"),
            _ => format!("signal {status}"),
        }))
    }

    /// Waits for the child to end by itself.
    ///
    /// # Errors
    /// When it does not within `patience`, or fails.
    pub fn finish(mut self, patience: Duration) -> Result<Usage> {
        let begun = Instant::now();
        loop {
            self.look_at_memory();
            match self.ended()? {
                Some(status) if status == "exit code 0" => return self.reap(),
                Some(status) => return Err(format!("{} failed: {status}", self.name).into()),
                None if begun.elapsed() > patience => {
                    return Err(format!("{} does not end within {patience:?}", self.name).into());
                }
                None => std::thread::sleep(LOOK),
            }
        }
    }

    /// Ends the child, whose work is done and checked.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn stop(mut self) -> Result<Usage> {
        self.look_at_memory();
        self.child.kill()?;
        self.reap()
    }

    fn reap(&mut self) -> Result<Usage> {
        let mut status = 0;
        // SAFETY: all zero bytes are a valid `rusage`.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: the call writes only into the variables given, which outlive it.
        if unsafe { libc::wait4(self.id(), &raw mut status, 0, &raw mut usage) } != self.id() {
            return Err(io::Error::last_os_error().into());
        }
        self.reaped = true;
        let time = |t: libc::timeval| Duration::new(t.tv_sec as u64, t.tv_usec as u32 * 1000);
        Ok(Usage { cpu: time(usage.ru_utime) + time(usage.ru_stime), peak_kib: self.peak_kib })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.reaped {
            // Nothing can be done about a child that cannot be killed.
            let _ = self.child.kill();
            let _ = self.reap();
        }
    }
}
