//! Runs a decoder over whole batches: failures are rolled back, counted, logged, and delivered if asked.

use crate::decoders::Decoder;
use crate::plugin::Site;
use crate::stats::Counter;
use heka_message::{Batch, BatchBuilder, FieldValue};
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
    /// Fields of a message on average in the last batch, rounded up: what the next batch makes room for.
    fields: usize,
}

/// What is done when a decoder cannot go on.
pub type OnFatal = Box<dyn FnOnce() + Send>;

impl DecodeRunner {
    /// Runs `decoder`; failures are logged when `log_failures`, and delivered tagged when `send_failures`.
    pub fn new(decoder: Box<dyn Decoder>, site: Site, log_failures: bool, send_failures: bool) -> Self {
        let failures = site.stats.counter("DecodeFailures", "count");
        let dropped = site.stats.drops("decode-failure");
        DecodeRunner { decoder, site, log_failures, send_failures, failures, dropped, on_fatal: None, fields: 0 }
    }

    /// Says what is done when the decoder cannot go on; without it, records are refused one by one.
    pub fn on_fatal(self, on_fatal: OnFatal) -> Self {
        DecodeRunner { on_fatal: Some(on_fatal), ..self }
    }

    /// The messages of a batch of records, if any came out.
    pub fn decode(&mut self, records: &Batch) -> Option<Batch> {
        let mut out = BatchBuilder::over(records);
        out.reserve_fields(records.len() * self.fields);
        let mut logged = false;
        for record in records.rows() {
            let mark = out.mark();
            let decoder = &mut self.decoder;
            let result = catch_unwind(AssertUnwindSafe(|| decoder.decode(record, &mut out)));
            let why = match result {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => {
                    if let Some(end) = self.on_fatal.take_if(|_| error.fatal) {
                        self.site.log.error(&error.message);
                        logged = true;
                        end();
                    }
                    error.message
                }
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
        self.fields = out.field_count().div_ceil(records.len().max(1));
        (!out.is_empty()).then(|| out.finish())
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
}
