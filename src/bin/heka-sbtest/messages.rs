//! The messages of the sample that the script gets, one after the other.

use crate::Failure;
use crate::samples::Samples;
use crate::subject::Subject;
use heka_message::Batch;
use hekad::flags::Given;
use std::sync::Arc;

/// Walks through the batches of a sample.
pub struct Messages<'a> {
    subject: &'a Subject,
    samples: Samples,
    batch: Arc<Batch>,
    next: usize,
}

impl<'a> Messages<'a> {
    pub fn open(subject: &'a Subject, given: &Given) -> Result<Self, Failure> {
        Ok(Messages { subject, samples: Samples::open(subject, given)?, batch: Arc::default(), next: 0 })
    }

    /// The next message as a batch and the number of its row.
    pub fn next(&mut self) -> Result<Option<(Arc<Batch>, usize)>, Failure> {
        loop {
            while self.next < self.batch.len() {
                let row = self.next;
                self.next += 1;
                if self.subject.wants(self.batch.row(row)) {
                    return Ok(Some((self.batch.clone(), row)));
                }
            }
            match self.samples.next().map_err(|error| Failure::io(&error))? {
                Some(batch) => (self.batch, self.next) = (Arc::new(batch), 0),
                None => return Ok(None),
            }
        }
    }

    /// Says whether the whole input could be read as what it is.
    pub fn end(&self) -> Result<(), Failure> {
        match self.samples.garbled {
            0 => Ok(()),
            records => Err(Failure(crate::FAILED, format!("{records} records of the input are no messages"))),
        }
    }
}
