//! The daemon's reports on itself as messages: `heka.all-report` and `heka.memstat`, every `report_interval`
//! seconds, or as often as a dashboard wants them. An input like any other, so that any plugin can match them.

use crate::control::report::{Source, json};
use crate::plan::Plan;
use heka_operators::inputs::{Chunk, ChunkBuf, ChunkEnd, Credits, FieldSeed, Input, InputEdge, InputSpec, Stream};
use heka_operators::plugin::{BoxFuture, PluginError, Site};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// The name of the input in the plan.
pub const NAME: &str = "hekad-report";

/// Makes one report's text; set once the daemon runs.
type Report = Box<dyn Fn() -> String + Send + Sync>;

/// The input's specification, with a slot for what it reports on.
#[derive(Clone)]
pub struct SelfReport {
    interval: Duration,
    report: Arc<OnceLock<Report>>,
}

impl SelfReport {
    /// An input that reports every `interval`.
    pub fn new(interval: Duration) -> Self {
        SelfReport { interval, report: Arc::default() }
    }

    /// Says what is reported on; the first call counts.
    pub fn connect(&self, plan: Arc<Plan>, source: Arc<impl Source + Send + Sync + 'static>, credits: Credits) {
        let _ = self.report.set(Box::new(move || format!("{}\n", json(&plan, source.as_ref(), &credits))));
    }
}

impl InputSpec for SelfReport {
    fn build(&self, site: &Site) -> Result<Box<dyn Input>, PluginError> {
        Ok(Box::new(Reporter { spec: self.clone(), site: site.clone(), sent: [0; 2] }))
    }
}

struct Reporter {
    spec: SelfReport,
    site: Site,
    /// Bytes sent so far of each of the two streams.
    sent: [u64; 2],
}

impl Reporter {
    fn send(&mut self, edge: &InputEdge, index: usize, msg_type: &str, fields: Vec<FieldSeed>, text: &[u8]) {
        let stream = Stream {
            id: index as u32,
            token: msg_type.to_owned(),
            logger: b"hekad".to_vec(),
            msg_type: Some(msg_type.as_bytes().to_vec()),
            hostname: Some(self.site.globals.hostname.as_bytes().to_vec()),
            pid: Some(self.site.globals.pid),
            fields,
            ..Stream::default()
        };
        edge.send(Chunk {
            bytes: ChunkBuf::copy_of(text),
            stream: Arc::new(stream),
            position: self.sent[index],
            offset: 0,
            end: ChunkEnd::Packet,
            packets: Vec::new(),
            received: crate::engine::now_ns(),
            credit: None,
        });
        self.sent[index] += text.len() as u64;
    }
}

impl Input for Reporter {
    fn run<'a>(&'a mut self, edge: &'a mut InputEdge) -> BoxFuture<'a, Result<(), PluginError>> {
        Box::pin(async move {
            let mut ticks = tokio::time::interval(self.spec.interval);
            ticks.tick().await;
            loop {
                tokio::select! {
                    _ = ticks.tick() => {}
                    () = edge.stopped() => return Ok(()),
                }
                let Some(report) = self.spec.report.get() else { continue };
                let text = report();
                self.send(edge, 0, "heka.all-report", Vec::new(), text.as_bytes());
                // A record has at least one byte; the original's payload here is empty.
                self.send(edge, 1, "heka.memstat", memory(), b"\n");
            }
        })
    }
}

/// The process's memory under the names the original gave its runtime's figures, in bytes.
fn memory() -> Vec<FieldSeed> {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    // SAFETY: asks for a constant of the system.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    let pages = |index: usize| statm.split(' ').nth(index).and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
    let (resident, data) = (pages(1) * page, pages(5) * page);
    [
        ("HeapSys", data.max(resident), "B"),
        ("HeapAlloc", resident, "B"),
        ("HeapIdle", (data - resident).max(0), "B"),
        ("HeapInuse", resident, "B"),
        ("HeapReleased", 0, "B"),
        ("HeapObjects", 0, "count"),
    ]
    .into_iter()
    .map(|(name, value, unit)| FieldSeed::Integer(name.to_owned(), unit.to_owned(), value))
    .collect()
}
