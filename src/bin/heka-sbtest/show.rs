//! What is shown: messages on standard output, what calls returned and used on standard error.

use crate::{FLAGS, Failure};
use heka_message::RowRef;
use heka_message::framing::write_frame;
use heka_message::write_message;
use heka_operators::encoders::Encoder;
use heka_operators::log::{self, Log};
use heka_operators::plugin::Site;
use heka_operators::registry::{self, Make};
use heka_operators::script::Called;
use heka_sandbox::Statistics;
use heka_settings::{Problems, Table};
use hekad::tools::print;
use std::io::{self, ErrorKind, Write};
use std::sync::{Mutex, PoisonError};

enum Format {
    /// With the daemon's own encoder.
    Rst(Box<dyn Encoder>),
    Json,
    Payload,
    Frames,
}

/// Writes messages in the form that was asked for.
pub struct Show {
    format: Format,
    output: io::BufWriter<io::Stdout>,
    scratch: Vec<u8>,
    /// Nobody reads any more.
    closed: bool,
}

impl Show {
    pub fn new(format: &str) -> Result<Show, Failure> {
        let format = match format {
            "rst" => Format::Rst(rst()?),
            "json" => Format::Json,
            "payload" => Format::Payload,
            "heka" => Format::Frames,
            other => return Err(Failure::usage(FLAGS.error(format!("invalid value {other:?} for flag -format")))),
        };
        Ok(Show { format, output: io::BufWriter::new(io::stdout()), scratch: Vec::new(), closed: false })
    }

    pub fn message(&mut self, message: RowRef<'_>) -> Result<(), Failure> {
        let scratch = &mut self.scratch;
        scratch.clear();
        match &mut self.format {
            Format::Rst(encoder) => encoder.encode(message, scratch).map(drop).map_err(Failure::usage)?,
            Format::Json => print::json(message, scratch).map_err(|error| Failure::io(&error))?,
            Format::Payload => scratch.extend_from_slice(message.payload()),
            Format::Frames => {
                let mut body = Vec::new();
                write_message(message, &mut body);
                write_frame(&body, u32::MAX as usize, scratch).map_err(Failure::usage)?;
            }
        }
        let bytes = std::mem::take(&mut self.scratch);
        let written = self.bytes(&bytes);
        self.scratch = bytes;
        written
    }

    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = if self.closed { Ok(()) } else { self.output.write_all(bytes) };
        self.checked(written).map_err(|error| Failure::io(&error))
    }

    pub fn finish(&mut self) -> io::Result<()> {
        let written = if self.closed { Ok(()) } else { self.output.flush() };
        self.checked(written)
    }

    /// Who stops reading has seen enough.
    fn checked(&mut self, written: io::Result<()>) -> io::Result<()> {
        match written {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            other => other,
        }
    }
}

fn rst() -> Result<Box<dyn Encoder>, Failure> {
    let missing = || Failure::usage("there is no RstEncoder");
    let Some(Make::Encoder(make)) = registry::find("RstEncoder").map(|plugin| plugin.make) else {
        return Err(missing());
    };
    let site = Site {
        name: "RstEncoder".to_owned(),
        globals: Default::default(),
        stats: Default::default(),
        log: Log::new("Plugin", "RstEncoder"),
    };
    make(&Table::default(), &mut Problems::default()).build(&site).map_err(Failure::usage)
}

/// Counts calls, and shows them when asked to.
pub struct Tally {
    costs: bool,
    counts: Mutex<Counts>,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    loaded: bool,
    /// The tool itself ends the script.
    stopped: bool,
    messages: u64,
    ticks: u64,
    failed: u64,
    instructions: u64,
    used: Statistics,
}

/// An encoder's "nothing to send", which is no failure.
const NOTHING: i64 = -2;

impl Tally {
    pub fn new(costs: bool) -> Self {
        Tally { costs, counts: Mutex::default() }
    }

    /// A call of the script.
    pub fn call(&self, called: Called<'_>, used: Statistics) {
        // The numbers are replaced whole, so a panic elsewhere leaves them usable.
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.instructions = counts.instructions.max(used.instructions);
        counts.used = used;
        let text = match called {
            Called::Load => {
                counts.loaded = true;
                "loaded".to_owned()
            }
            Called::ProcessMessage(result) => {
                counts.messages += 1;
                let what = match result {
                    Ok(returned) => match &returned.error {
                        Some(why) => format!("{} {why:?}", returned.status),
                        None => returned.status.to_string(),
                    },
                    Err(why) => why.clone(),
                };
                let failed = !result.as_ref().is_ok_and(|returned| matches!(returned.status, 0 | NOTHING));
                counts.failed += u64::from(failed && !counts.stopped);
                format!("process_message {}: {what}", counts.messages)
            }
            Called::TimerEvent(nanos, result) => {
                counts.ticks += 1;
                counts.failed += u64::from(result.is_err());
                let what = result.as_ref().err().map_or("done", String::as_str);
                format!("timer_event {} at {nanos}: {what}", counts.ticks)
            }
        };
        if self.costs {
            log::flush();
            eprintln!("{text} ({} instructions, {} bytes in use)", used.instructions, used.memory);
        }
    }

    /// From now on a call that ends early is no failure: the script is told to stop.
    pub fn stop(&self) {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).stopped = true;
    }

    /// Says how it went; whether nothing failed.
    pub fn summary(&self) -> bool {
        let Counts { loaded, messages, ticks, failed, instructions, used, .. } =
            *self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if !loaded {
            return true;
        }
        eprintln!(
            "{messages} messages, {ticks} timer events, {failed} failed; at most {instructions} instructions, {} bytes of \
             memory, {} bytes of output",
            used.max_memory, used.max_output
        );
        failed == 0
    }
}
