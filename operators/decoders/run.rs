//! Runs a decoder over batches, in parts if they take long: failures are rolled back, counted, logged, and delivered if asked. A decoder that
//! cannot go on decodes nothing more: what it leaves is the caller's to hold, so that it comes again.

use crate::decoders::Decoder;
use crate::plugin::Site;
use crate::stats::Counter;
use heka_message::{Batch, BatchBuilder, FieldDensity, FieldValue, Origin, RowRef};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Longest error text that is put into a message.
const ERROR_TEXT: usize = 500;

/// A decoder with what becomes of its failures.
pub struct DecodeRunner {
    decoder: Box<dyn Decoder>,
    site: Site,
    log_failures: bool,
    send_failures: bool,
    failures: Arc<Counter>,
    dropped: Arc<Counter>,
    /// Called once, when the decoder cannot go on.
    on_fatal: Option<OnFatal>,
    ended: bool,
    /// Records that came to a decoder that could not go on.
    left: usize,
    /// Of the last batch: room for the next one is made at once.
    density: FieldDensity,
}

/// What is done when a decoder cannot go on.
pub type OnFatal = Box<dyn FnOnce() + Send>;

impl DecodeRunner {
    /// Runs `decoder`; failures are logged when `log_failures`, and delivered tagged when `send_failures`.
    pub fn new(decoder: Box<dyn Decoder>, site: Site, log_failures: bool, send_failures: bool) -> Self {
        let failures = site.stats.counter("DecodeFailures", "count");
        let dropped = site.stats.drops("decode-failure");
        DecodeRunner {
            decoder,
            site,
            log_failures,
            send_failures,
            failures,
            dropped,
            on_fatal: None,
            ended: false,
            left: 0,
            density: FieldDensity::default(),
        }
    }

    /// Says what is done when the decoder cannot go on.
    pub fn on_fatal(mut self, on_fatal: OnFatal) -> Self {
        self.on_fatal = Some(on_fatal);
        self
    }

    /// Whether the decoder cannot go on. Then the last batch was not decoded to its end, and no later one will be.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Begins a batch of records.
    pub fn begin(&self, records: Arc<Batch>) -> Decoding {
        let mut out = BatchBuilder::over(&records);
        out.reserve_fields_like(self.density, records.len());
        Decoding { records, next: 0, out, logged: false }
    }

    /// Decodes the next `count` records of a batch. When the decoder cannot go on, the rest of the batch is left.
    pub fn go_on(&mut self, work: &mut Decoding, count: usize) {
        let records = work.records.clone();
        let end = work.next.saturating_add(count).min(records.len());
        while work.next < end && !self.ended {
            self.decode_one(records.row(work.next), work);
            // What ended it was not decoded either.
            work.next += usize::from(!self.ended);
        }
        if self.ended {
            self.leave(records.len() - work.next);
            work.next = records.len();
        }
    }

    /// The messages of a batch that is done, if any came out.
    pub fn finish(&mut self, work: Decoding) -> Option<Batch> {
        if work.out.is_empty() {
            return None;
        }
        let batch = work.out.finish();
        self.density = FieldDensity::of(&batch);
        Some(batch)
    }

    fn decode_one(&mut self, record: RowRef<'_>, work: &mut Decoding) {
        let out = &mut work.out;
        let mark = out.mark();
        let decoder = &mut self.decoder;
        let result = catch_unwind(AssertUnwindSafe(|| decoder.decode(record, out)));
        let why = match result {
            Ok(Ok(())) => return,
            Ok(Err(error)) if error.fatal => {
                out.rollback(mark);
                self.end(&error.message);
                return;
            }
            Ok(Err(error)) => error.message,
            Err(_) => "the decoder panicked".to_owned(),
        };
        out.rollback(mark);
        self.failures.add(1);
        // One line a batch: a stream of garbage must not become a flood of log lines.
        if self.log_failures && !work.logged && !why.is_empty() {
            self.site.log.error(&why);
            work.logged = true;
        }
        if self.send_failures {
            out.copy_row(record);
            let row = out.len() - 1;
            let text = &why.as_bytes()[..why.len().min(ERROR_TEXT)];
            out.append_field(row, b"decode_failure", FieldValue::Bool(true));
            out.append_field(row, b"decode_error", FieldValue::String(text));
        } else {
            self.dropped.add(1);
        }
    }

    /// The messages of a batch of records, if any came out, for callers that have time: engines decode in parts.
    pub fn decode(&mut self, records: impl Into<Arc<Batch>>) -> Option<Batch> {
        let mut work = self.begin(records.into());
        while !work.is_done() {
            self.go_on(&mut work, 64);
        }
        self.finish(work)
    }

    fn end(&mut self, why: &str) {
        self.ended = true;
        self.failures.add(1);
        self.site.log.error(why);
        if let Some(end) = self.on_fatal.take() {
            end();
        }
    }

    fn leave(&mut self, records: usize) {
        self.left += records;
        self.site.stats.drops("decoder-ended").add(records);
    }
}

/// A batch of records on its way through a decoder: it need not be decoded in one go.
pub struct Decoding {
    records: Arc<Batch>,
    /// The record that comes next.
    next: usize,
    out: BatchBuilder,
    /// A failure in this batch has been logged.
    logged: bool,
}

impl Decoding {
    /// Whether all records are decoded.
    pub fn is_done(&self) -> bool {
        self.next >= self.records.len()
    }

    /// Where the records came from.
    pub fn origin(&self) -> Origin {
        self.records.origin
    }
}

impl Drop for DecodeRunner {
    fn drop(&mut self) {
        if self.left > 0 {
            self.site.log.error(format_args!(
                "{} records were not decoded; what a position or a queue covers comes again after the next start",
                self.left
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decoders::DecodeError;
    use crate::log::Log;
    use crate::stats::Stats;
    use heka_message::Span;

    struct OnlyShort;
    impl Decoder for OnlyShort {
        fn decode(&mut self, record: RowRef<'_>, out: &mut BatchBuilder) -> Result<(), DecodeError> {
            out.copy_row(record);
            match record.payload() {
                b"panic" => panic!("as told"),
                b"end" => Err(DecodeError { fatal: true, ..DecodeError::new("as told") }),
                text if text.len() < 3 => Ok(()),
                _ => Err(DecodeError::new("too long")),
            }
        }
    }

    fn run(send: bool) -> (Vec<(String, bool)>, i64) {
        let stats = Arc::new(Stats::default());
        let site = Site { name: "d".into(), globals: Arc::default(), stats, log: Log::new("Decoder", "d") };
        let mut builder = BatchBuilder::new(bytes::Bytes::from_static(b"ablongpanicc"));
        for range in [0..2, 2..6, 6..11, 11..12] {
            builder.row().payload = Span::source(range);
        }
        let mut runner = DecodeRunner::new(Box::new(OnlyShort), site.clone(), false, send);
        let batch = runner.decode(builder.finish()).unwrap();
        let seen = batch
            .rows()
            .map(|r| (String::from_utf8_lossy(r.payload()).into_owned(), r.field(b"decode_error", 0).is_some()));
        (seen.collect(), site.stats.counter("DecodeFailures", "count").get())
    }

    #[test]
    fn failures_leave_no_trace_unless_they_are_asked_for() {
        let text = |s: &str, failed| (s.to_owned(), failed);
        assert_eq!(run(false), (vec![text("ab", false), text("c", false)], 2));
        let all = vec![text("ab", false), text("long", true), text("panic", true), text("c", false)];
        assert_eq!(run(true), (all, 2));
    }

    #[test]
    fn what_comes_after_a_fatal_error_is_left() {
        let stats = Arc::new(Stats::default());
        let site = Site { name: "d".into(), globals: Arc::default(), stats, log: Log::new("Decoder", "d") };
        let mut builder = BatchBuilder::new(bytes::Bytes::from_static(b"aendb"));
        for range in [0..1, 1..4, 4..5] {
            builder.row().payload = Span::source(range);
        }
        let records = Arc::new(builder.finish());
        let ends = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counted = ends.clone();
        let mut runner = DecodeRunner::new(Box::new(OnlyShort), site.clone(), false, true)
            .on_fatal(Box::new(move || _ = counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst)));
        let batch = runner.decode(records.clone()).unwrap();
        assert_eq!(batch.rows().map(|row| row.payload().to_vec()).collect::<Vec<_>>(), [b"a"]);
        assert!(runner.has_ended());
        assert!(runner.decode(records.clone()).is_none(), "nothing is decoded any more");
        assert_eq!(site.stats.drops("decoder-ended").get(), 2 + 3);
        assert_eq!(site.stats.drops("decode-failure").get(), 0, "nothing is refused: it comes again");
        assert_eq!(ends.load(std::sync::atomic::Ordering::SeqCst), 1);
    }
}
