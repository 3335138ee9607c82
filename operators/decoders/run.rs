//! Runs a decoder over whole batches: failures are rolled back, counted, logged, and delivered if asked. A decoder that
//! cannot go on decodes nothing more: what it leaves is the caller's to hold, so that it comes again.

use crate::decoders::Decoder;
use crate::plugin::Site;
use crate::stats::Counter;
use heka_message::{Batch, BatchBuilder, FieldDensity, FieldValue};
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

    /// The messages of a batch of records, if any came out.
    pub fn decode(&mut self, records: &Batch) -> Option<Batch> {
        if self.ended {
            self.leave(records.len());
            return None;
        }
        let mut out = BatchBuilder::over(records);
        out.reserve_fields_like(self.density, records.len());
        let mut logged = false;
        for (index, record) in records.rows().enumerate() {
            let mark = out.mark();
            let decoder = &mut self.decoder;
            let result = catch_unwind(AssertUnwindSafe(|| decoder.decode(record, &mut out)));
            let why = match result {
                Ok(Ok(())) => continue,
                Ok(Err(error)) if error.fatal => {
                    out.rollback(mark);
                    self.end(&error.message);
                    self.leave(records.len() - index);
                    break;
                }
                Ok(Err(error)) => error.message,
                Err(_) => "the decoder panicked".to_owned(),
            };
            out.rollback(mark);
            self.failures.add(1);
            // One line a batch: a stream of garbage must not become a flood of log lines.
            if self.log_failures && !logged && !why.is_empty() {
                self.site.log.error(&why);
                logged = true;
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
        if out.is_empty() {
            return None;
        }
        let batch = out.finish();
        self.density = FieldDensity::of(&batch);
        Some(batch)
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
    use heka_message::{RowRef, Span};

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
        let batch = runner.decode(&builder.finish()).unwrap();
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
        let records = builder.finish();
        let ends = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counted = ends.clone();
        let mut runner = DecodeRunner::new(Box::new(OnlyShort), site.clone(), false, true)
            .on_fatal(Box::new(move || _ = counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst)));
        let batch = runner.decode(&records).unwrap();
        assert_eq!(batch.rows().map(|row| row.payload().to_vec()).collect::<Vec<_>>(), [b"a"]);
        assert!(runner.has_ended());
        assert!(runner.decode(&records).is_none(), "nothing is decoded any more");
        assert_eq!(site.stats.drops("decoder-ended").get(), 2 + 3);
        assert_eq!(site.stats.drops("decode-failure").get(), 0, "nothing is refused: it comes again");
        assert_eq!(ends.load(std::sync::atomic::Ordering::SeqCst), 1);
    }
}
