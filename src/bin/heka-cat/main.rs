//! `heka-cat`: reads files of framed messages; filters, prints, counts, extracts, follows.

mod frames;

use frames::{Found, Frames};
use heka_matcher::{Compiler, Matcher, Predicates};
use heka_message::{BatchBuilder, Span, read_message};
use hekad::flags::{Flag, Flags, Given, HELP, Takes, UsageError};
use hekad::tools::print::{self, Format};
use hekad::tools::show;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

const FLAGS: Flags = Flags {
    program: "heka-cat",
    operands: "<file>",
    table: &[
        Flag { name: "match", takes: Takes::Value("matcher"), default: "TRUE", help: "show messages that match" },
        Flag { name: "format", takes: Takes::Value("txt|json|heka|count"), default: "txt", help: "how to show them" },
        Flag { name: "output", takes: Takes::Value("file"), default: "", help: "write to a file, not to the terminal" },
        Flag { name: "tail", takes: Takes::Bool, default: "", help: "at the end of the file, wait for more" },
        Flag { name: "offset", takes: Takes::Value("bytes"), default: "0", help: "start so far into the file" },
        Flag {
            name: "max-message-size",
            takes: Takes::Value("bytes"),
            default: "4194304",
            help: "largest message that is no mistake",
        },
        HELP,
    ],
};

/// How long to wait at the end of a file that is followed.
const WAIT: Duration = Duration::from_millis(500);

/// Why the tool ends before its work is done: the exit code, and one line.
struct Failure(u8, String);

fn main() -> ExitCode {
    let given = match FLAGS.parse(std::env::args_os().skip(1)) {
        Ok(given) if given.is_on("help") => {
            show(&FLAGS.usage());
            return ExitCode::SUCCESS;
        }
        Ok(given) => given,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let [file] = given.operands() else {
        eprint!("{}", FLAGS.usage());
        return ExitCode::FAILURE;
    };
    match cat(&given, file) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(code, why)) => {
            eprintln!("{why}");
            ExitCode::from(code)
        }
    }
}

fn usage(error: UsageError) -> Failure {
    Failure(1, error.to_string())
}

fn cat(given: &Given, path: &OsStr) -> Result<(), Failure> {
    let max_message_size: u64 = given.parsed("max-message-size").map_err(usage)?;
    if max_message_size >= u64::from(u32::MAX) {
        return Err(Failure(8, format!("Message size is too large: {max_message_size}")));
    }
    let offset: u64 = given.parsed("offset").map_err(usage)?;
    let expression = given.text("match");
    let mut compiler = Compiler::new();
    let matcher =
        compiler.compile(&expression, None).map_err(|error| Failure(2, format!("Match specification - {error}")))?;
    let mut file = File::open(path).map_err(|error| Failure(3, format!("{}: {error}", path.display())))?;
    let output: Box<dyn Write> = match given.text("output") {
        name if name.is_empty() => Box::new(io::stdout().lock()),
        name => {
            let opened = File::options().write(true).create(true).truncate(true).mode(0o644).open(&name);
            Box::new(opened.map_err(|error| Failure(4, format!("{name}: {error}")))?)
        }
    };
    // What cannot be sought, a pipe for example, can still be read from its start.
    if offset > 0 {
        file.seek(SeekFrom::Start(offset)).map_err(|error| Failure(5, format!("{}: {error}", path.display())))?;
    }
    let format = Format::named(&given.text("format"));
    eprintln!(
        "Input:{}  Offset:{offset}  Match:{expression}  Format:{}  Tail:{}  Output:{}",
        path.display(),
        given.text("format"),
        given.is_on("tail"),
        given.text("output")
    );
    let frames = Frames::new(file, offset, max_message_size as usize);
    let mut cat = Cat {
        frames,
        matcher,
        predicates: compiler.finish_uncached(),
        format,
        // A count is of what there is.
        tail: given.is_on("tail") && format != Format::Count,
        output: io::BufWriter::with_capacity(64 * 1024, output),
        builder: BatchBuilder::default(),
        processed: 0,
        matched: 0,
    };
    let end = cat.run();
    eprintln!("Processed: {}, matched: {} messages", cat.processed, cat.matched);
    end
}

struct Cat {
    frames: Frames<File>,
    matcher: Matcher,
    predicates: Arc<Predicates>,
    format: Format,
    tail: bool,
    output: io::BufWriter<Box<dyn Write>>,
    /// The message at hand; kept for its memory.
    builder: BatchBuilder,
    processed: u64,
    matched: u64,
}

impl Cat {
    fn run(&mut self) -> Result<(), Failure> {
        loop {
            let found = self.frames.next(!self.tail).map_err(|error| Failure(6, format!("can't read: {error}")))?;
            let written = match found {
                Found::Message { offset } => self.message(offset),
                Found::Garbage { offset, bytes } => {
                    eprintln!("Corruption detected at offset: {offset} bytes: {bytes}");
                    Ok(())
                }
                Found::End if self.tail => self.output.flush().map(|()| std::thread::sleep(WAIT)),
                Found::End => return self.output.flush().or_else(unwritable),
                Found::Nothing => Ok(()),
            };
            match written {
                Ok(()) => {}
                // Who reads has seen enough.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
                Err(error) => return unwritable(error),
            }
        }
    }

    /// The frame at `offset`, which was just found.
    fn message(&mut self, offset: u64) -> io::Result<()> {
        self.processed += 1;
        let body = self.frames.body();
        self.builder.restart(bytes::Bytes::copy_from_slice(body));
        if let Err(error) = read_message(&mut self.builder, body, Span::source(0..body.len())) {
            eprintln!("Error unmarshalling message at offset: {offset} error: {error}");
            return Ok(());
        }
        let message = self.builder.batch().row(0);
        if !self.matcher.matches(&self.predicates, message) {
            return Ok(());
        }
        self.matched += 1;
        match self.format {
            Format::Text => print::text(message, &mut self.output),
            Format::Json => print::json(message, &mut self.output),
            Format::Frames => self.output.write_all(self.frames.frame()),
            Format::Count => Ok(()),
        }
    }
}

fn unwritable(error: io::Error) -> Result<(), Failure> {
    match error.kind() {
        ErrorKind::BrokenPipe => Ok(()),
        _ => Err(Failure(4, format!("can't write: {error}"))),
    }
}
