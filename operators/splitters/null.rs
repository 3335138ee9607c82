//! No splitting: what arrived together is one record.

use crate::plugin::{PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use crate::splitters::{Record, Splitter, SplitterSpec};
use std::sync::Arc;

/// The plugin type.
pub static TYPE: PluginType = PluginType {
    name: "NullSplitter",
    summary: "Makes a record of each read, packet or block.",
    settings: || &[],
    defaults: Defaults::NONE,
    make: Make::Splitter(|_, _| Arc::new(Spec)),
};

struct Spec;

impl SplitterSpec for Spec {
    fn build(&self, _: &Site) -> Result<Box<dyn Splitter>, PluginError> {
        Ok(Box::new(NullSplitter))
    }
}

/// See the module. Inputs that read a stream to its end ask for one record instead, with
/// [`StreamOptions::whole_stream`](crate::splitters::StreamOptions::whole_stream).
#[derive(Debug)]
pub struct NullSplitter;

impl Splitter for NullSplitter {
    fn split(&mut self, data: &[u8], _: bool, records: &mut Vec<Record>) -> usize {
        if !data.is_empty() {
            records.push(Record::unsigned(0, data.len()));
        }
        data.len()
    }

    fn give_up(&mut self, rest: &[u8]) -> usize {
        rest.len()
    }

    fn divisible(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::splitters::testing::split_all;

    #[test]
    fn each_read_is_a_record() {
        assert_eq!(split_all(&mut NullSplitter, b"a\nb"), (vec![b"a\nb".to_vec()], 3));
        assert_eq!(split_all(&mut NullSplitter, b""), (vec![], 0));
    }
}
