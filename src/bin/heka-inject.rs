//! `heka-inject`: sends one message to a daemon over TCP.

use heka_message::framing::write_frame;
use heka_message::{BatchBuilder, UuidSource, write_message};
use heka_operators::net::dial::{Connection, Target};
use hekad::flags::{Flag, Flags, Given, HELP, Takes};
use hekad::tools::{peer, start};
use std::process::ExitCode;

const fn text(name: &'static str, default: &'static str, help: &'static str) -> Flag {
    Flag { name, takes: Takes::Value("text"), default, help }
}

const FLAGS: Flags = Flags {
    program: "heka-inject",
    operands: "",
    table: &[
        Flag {
            name: "heka",
            takes: Takes::Value("host:port"),
            default: "127.0.0.1:5565",
            help: "where the daemon's TcpInput listens",
        },
        text("type", "inject.message", "type of the message"),
        text("logger", "Inject Client", "logger of the message"),
        text("payload", "", "payload of the message"),
        text("hostname", "", "hostname of the message; empty: this machine's"),
        Flag { name: "severity", takes: Takes::Value("n"), default: "7", help: "severity of the message, 0 to 7" },
        Flag { name: "pid", takes: Takes::Value("n"), default: "0", help: "pid of the message; 0: this process's" },
        HELP,
    ],
};

fn main() -> ExitCode {
    let given = match start(&FLAGS) {
        Ok(given) => given,
        Err(code) => return code,
    };
    let (severity, pid) = match (given.parsed("severity"), given.parsed("pid")) {
        (Ok(severity), Ok(pid)) => (severity, pid),
        (Err(error), _) | (_, Err(error)) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let frame = frame(&given, severity, pid);
    match frame.and_then(|frame| send(&given.text("heka"), &frame)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// The message in its frame.
fn frame(given: &Given, severity: i32, pid: i32) -> Result<Vec<u8>, String> {
    let mut builder = BatchBuilder::default();
    let hostname = match given.text("hostname") {
        name if name.is_empty() => hekad::config::hekad::system_hostname(),
        name => name,
    };
    let mut text = |text: String| builder.text(text.as_bytes());
    let (msg_type, logger) = (text(given.text("type")), text(given.text("logger")));
    let (payload, hostname) = (text(given.text("payload")), text(hostname));
    let row = builder.row();
    row.set_uuid(UuidSource::new().next_uuid());
    row.set_timestamp(hekad::engine::now_ns());
    row.set_severity(severity);
    row.set_pid(if pid == 0 { i32::try_from(std::process::id()).unwrap_or(0) } else { pid });
    (row.msg_type, row.logger, row.payload, row.hostname) = (msg_type, logger, payload, hostname);
    let (mut body, mut frame) = (Vec::new(), Vec::new());
    write_message(builder.finish().row(0), &mut body);
    // What a receiver allows is for the receiver to say.
    write_frame(&body, u32::MAX as usize, &mut frame).map_err(|error| error.to_string())?;
    Ok(frame)
}

/// Sends the frame, and sees to it that all of it has arrived.
fn send(address: &str, frame: &[u8]) -> Result<(), String> {
    let target = Target::plain(peer(address)?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(async {
        let mut connection =
            Connection::open(&target).await.map_err(|why| format!("Error creating sender: {address}: {why}"))?;
        let failed = |error: std::io::Error| format!("Error sending message: {error}");
        connection.write_all(frame).await.map_err(failed)?;
        connection.close().await.map_err(failed).map(drop)
    })
}
