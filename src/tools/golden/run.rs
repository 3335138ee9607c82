//! Makes the calls of a case and compares what comes of them.

use super::case::{Call, Case, Step};
use super::message::{Event, show_row};
use heka_message::{BatchBuilder, RowRef};
use heka_sandbox::{Config, Kind, Payload, Refusal, Role, Sandbox};

/// Instructions that a chunk of a module's test may use: they test more than a script does in one call.
const CHUNK_INSTRUCTIONS: u64 = 50_000_000;

/// Takes everything that a script sends out, in its order.
#[derive(Default)]
struct Taker {
    builder: BatchBuilder,
    sent: Vec<Sent>,
}

enum Sent {
    /// The index of a row.
    Message(usize),
    Payload {
        kind: String,
        name: String,
        text: String,
    },
}

impl Role for Taker {
    fn builder(&mut self) -> &mut BatchBuilder {
        &mut self.builder
    }

    fn message(&mut self, _: Option<RowRef<'_>>) -> Result<(), Refusal> {
        self.sent.push(Sent::Message(self.builder.len() - 1));
        Ok(())
    }

    fn payload(&mut self, _: Option<RowRef<'_>>, payload: Payload<'_>) -> Result<(), Refusal> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        self.sent.push(Sent::Payload { kind: text(payload.kind), name: text(payload.name), text: text(payload.bytes) });
        Ok(())
    }

    fn log(&mut self, _: &str) {}
}

/// Runs a chunk that tests a module: it passes when it loads.
///
/// # Errors
/// What it raised.
pub fn chunk(config: &Config) -> Result<(), String> {
    let config = Config { instruction_limit: CHUNK_INSTRUCTIONS, ..config.clone() };
    Sandbox::new(&config, &mut |_| ()).map(drop)
}

/// What a case that passed has cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct Costs {
    /// Messages that `inject_match` made by way of Lua values.
    pub detours: u64,
    /// Bytes that the loaded script holds; 0 for one that is not to load.
    pub loaded: usize,
    /// Bytes that it holds after the first step.
    pub started: usize,
}

/// Runs a case with a script; the case's own configuration goes before that of `config`. `done` is told of every step
/// that passed, counted from 1.
///
/// # Errors
/// The first thing that is not as the case says.
pub fn run(config: &Config, case: &Case, done: &mut dyn FnMut(usize)) -> Result<Costs, String> {
    let mut config = config.clone();
    config.values.retain(|(name, _)| case.config.iter().all(|(own, _)| own != name));
    config.values.extend(case.config.iter().cloned());
    let mut sandbox = match (Sandbox::new(&config, &mut |_| ()), &case.load_error) {
        (Ok(sandbox), None) => sandbox,
        (Err(why), None) => return Err(why),
        (Ok(_), Some(expected)) => return Err(format!("loads instead of failing with: {expected}")),
        (Err(why), Some(expected)) => return contains(&why, expected).map(|()| Costs::default()),
    };
    let mut costs = Costs { loaded: sandbox.statistics().memory, ..Costs::default() };
    for (index, step) in case.steps.iter().enumerate() {
        let number = index + 1;
        run_step(&mut sandbox, config.kind, step, case.exact_order).map_err(|why| format!("step {number}: {why}"))?;
        if index == 0 {
            costs.started = sandbox.statistics().memory;
        }
        done(number);
    }
    Ok(Costs { detours: sandbox.detours(), ..costs })
}

fn run_step(sandbox: &mut Sandbox, kind: Kind, step: &Step, exact_order: bool) -> Result<(), String> {
    let mut taker = Taker::default();
    let result = match &step.call {
        Call::Message(message) => {
            let batch = message.received()?;
            // An input makes its messages of nothing.
            let given = (kind != Kind::Input).then(|| batch.row(0));
            let returned = sandbox.process_message(given, &mut taker);
            returned.map(|returned| (returned.status, returned.error))
        }
        Call::Tick(nanos) => sandbox.timer_event(*nanos, &mut taker).map(|()| (0, None)),
    };
    let (status, error) = match (result, &step.fatal) {
        (Ok(returned), None) => returned,
        (Err(why), None) => return Err(why),
        (Ok(_), Some(expected)) => return Err(format!("returns instead of raising: {expected}")),
        (Err(why), Some(expected)) => return contains(&why, expected),
    };
    if status != step.status {
        return Err(format!("returned {status} ({error:?}) instead of {}", step.status));
    }
    if step.error.is_some() && error != step.error {
        return Err(format!("returned the error {error:?} instead of {:?}", step.error));
    }
    if kind == Kind::Encoder { compare_output(taker, step) } else { compare_events(taker, step, exact_order) }
}

fn contains(text: &str, expected: &str) -> Result<(), String> {
    if text.contains(expected) { Ok(()) } else { Err(format!("failed with: {text}\ninstead of: {expected}")) }
}

/// The last payload is what an encoder makes of a message.
fn compare_output(taker: Taker, step: &Step) -> Result<(), String> {
    let output = taker.sent.into_iter().next_back().map(|sent| match sent {
        Sent::Payload { text, .. } => text,
        Sent::Message(_) => "a message".to_owned(),
    });
    same(output.as_deref().unwrap_or("nothing"), step.output.as_deref().unwrap_or("nothing"))
}

fn compare_events(taker: Taker, step: &Step, exact_order: bool) -> Result<(), String> {
    let batch = taker.builder.finish();
    let mut actual = Vec::new();
    let mut expected = Vec::new();
    for (index, sent) in taker.sent.iter().enumerate() {
        actual.push(match sent {
            Sent::Message(row) => {
                let shown = show_row(batch.row(*row), exact_order);
                if expects_time(step.emits.get(index)) { shown } else { without_time(&shown) }
            }
            Sent::Payload { kind, name, text } => show_payload(kind, name, text),
        });
    }
    for event in &step.emits {
        expected.push(match event {
            Event::Message(message) => message.show(exact_order)?,
            Event::Payload { kind, name, text } => show_payload(kind, name, text),
        });
    }
    same(&actual.join("\n---\n"), &expected.join("\n---\n"))
}

/// A time that a case does not list is not compared.
fn expects_time(event: Option<&Event>) -> bool {
    matches!(event, Some(Event::Message(message)) if message.headers.contains_key("Timestamp"))
}

fn without_time(shown: &str) -> String {
    let kept: Vec<_> = shown.split('\n').filter(|line| !line.starts_with("Timestamp: ")).collect();
    kept.join("\n")
}

fn show_payload(kind: &str, name: &str, text: &str) -> String {
    format!("payload of type {kind:?} called {name:?}:\n{text}")
}

fn same(actual: &str, expected: &str) -> Result<(), String> {
    if actual == expected { Ok(()) } else { Err(format!("sent out:\n{actual}\n=== instead of:\n{expected}")) }
}
