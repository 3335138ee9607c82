//! Frames as peers send them: finds them, also behind garbage, and checks who signed them.
//!
//! Only a signature that verifies makes a signer. A frame that names one without signing is accepted as what it
//! is, an unsigned frame; a signature that cannot be checked (unknown key, unknown hash, wrong digest) drops the
//! record.

use crate::plugin::{PluginError, Site};
use crate::registry::{Defaults, Make, PluginType};
use crate::splitters::{Record, Splitter, SplitterSpec};
use crate::stats::Counter;
use crate::throttle::Throttle;
use heka_message::framing::{FrameStep, Header, SkipReason, read_frame};
use heka_message::{HashFunction, Key};
use heka_settings::{Map, Nested, Problem, Problems, Settings, Table, settings};
use std::sync::Arc;

settings! {
    /// A shared key.
    pub struct SignerSettings {
        /// What signatures are made with.
        hmac_key: String = "",
    }
}

settings! {
    /// Options of `HekaFramingSplitter`.
    pub struct HekaFramingSettings {
        /// The keys of peers that sign: one sub-section for each, called `<name>_<version>`.
        signer: Map<Nested<SignerSettings>>,
        /// Accept every frame without looking at its signature; no message then has a signer.
        skip_authentication: bool = false,
    }
}

/// The plugin type.
pub static TYPE: PluginType = PluginType {
    name: "HekaFramingSplitter",
    summary: "Finds Heka's frames in a stream and checks their signatures.",
    settings: HekaFramingSettings::table,
    defaults: Defaults { use_message_bytes: true, ..Defaults::NONE },
    make: Make::Splitter(read),
};

/// A key of a peer.
struct PeerKey {
    /// An index into [`Keys::names`] plus one.
    signer: u16,
    name: Vec<u8>,
    version: u64,
    key: Key,
}

/// All keys; every stream's splitter refers to them.
#[derive(Default)]
struct Keys {
    names: Vec<String>,
    keys: Vec<PeerKey>,
}

impl Keys {
    /// Adds the key of a sub-section.
    fn add(&mut self, section: &str, key: &str) -> Result<(), String> {
        let unusable = || format!("`{section}` is no name and version of a signer, so nobody can use its key");
        let (name, version) = section.rsplit_once('_').ok_or_else(unusable)?;
        let number: u32 = version.parse().map_err(|_| unusable())?;
        if number.to_string() != version {
            return Err(unusable());
        }
        let at = self.names.iter().position(|n| n == name).unwrap_or(self.names.len());
        let signer = u16::try_from(at + 1).map_err(|_| "more than 65535 signers".to_owned())?;
        if at == self.names.len() {
            self.names.push(name.to_owned());
        }
        let (name, key) = (name.as_bytes().to_vec(), Key::new(key.as_bytes()));
        self.keys.push(PeerKey { signer, name, version: u64::from(number), key });
        Ok(())
    }

    /// The signer that vouches for `body`: 0 when the frame is not signed, `None` when its signature does not
    /// hold.
    fn authenticate(&self, header: &Header<'_>, body: &[u8]) -> Option<u16> {
        let Some(digest) = header.digest else { return Some(0) };
        let hash = HashFunction::from_code(header.hash_code)?;
        let peer = self.keys.iter().find(|k| k.version == header.key_version && k.name == header.signer)?;
        peer.key.verify(hash, body, digest).then_some(peer.signer)
    }
}

struct Spec {
    keys: Arc<Keys>,
    skip_authentication: bool,
    believe_loops: bool,
    throttle: Arc<Throttle>,
}

/// The splitter of a queue on disk: its frames are our own, so nobody has signed them, and what they say of
/// loops is true.
pub fn of_queue() -> Arc<dyn SplitterSpec> {
    Arc::new(Spec {
        keys: Arc::default(),
        skip_authentication: true,
        believe_loops: true,
        throttle: Arc::new(Throttle::default()),
    })
}

fn read(table: &Table, problems: &mut Problems) -> Arc<dyn SplitterSpec> {
    let settings = HekaFramingSettings::read(table, problems);
    let mut keys = Keys::default();
    for (section, signer) in &settings.signer.0 {
        if let Err(why) = keys.add(section, &signer.0.hmac_key) {
            let place = table.get("signer").map_or(table.place, |entry| entry.place);
            problems.push(Problem::warning(place, why).help("call the sub-section for example `ops_1`"));
        }
    }
    Arc::new(Spec {
        keys: Arc::new(keys),
        skip_authentication: settings.skip_authentication,
        believe_loops: false,
        throttle: Arc::new(Throttle::default()),
    })
}

impl SplitterSpec for Spec {
    fn build(&self, site: &Site) -> Result<Box<dyn Splitter>, PluginError> {
        Ok(Box::new(HekaFramingSplitter {
            keys: self.keys.clone(),
            skip_authentication: self.skip_authentication,
            believe_loops: self.believe_loops,
            max_message_size: site.globals.max_message_size,
            unauthenticated: site.stats.drops("unauthenticated"),
            incomplete: site.stats.drops("incomplete-frame"),
            bad_headers: site.stats.drops("bad-frame-header"),
            garbage: site.stats.counter("Dropped-garbage", "B"),
            throttle: self.throttle.clone(),
            site: site.clone(),
        }))
    }
}

/// See the module.
pub struct HekaFramingSplitter {
    keys: Arc<Keys>,
    skip_authentication: bool,
    believe_loops: bool,
    max_message_size: usize,
    unauthenticated: Arc<Counter>,
    incomplete: Arc<Counter>,
    bad_headers: Arc<Counter>,
    garbage: Arc<Counter>,
    /// Shared by all streams: a peer must not fill the log by connecting again and again.
    throttle: Arc<Throttle>,
    site: Site,
}

impl HekaFramingSplitter {
    fn skipped(&self, bytes: usize, why: SkipReason) {
        self.garbage.add(bytes);
        if why != SkipReason::Garbage {
            self.bad_headers.add(1);
            self.throttle.error(&self.site.log, || why);
        }
    }
}

impl Splitter for HekaFramingSplitter {
    fn split(&mut self, data: &[u8], last: bool, records: &mut Vec<Record>) -> usize {
        let mut at = 0;
        loop {
            match read_frame(&data[at..], self.max_message_size) {
                FrameStep::Incomplete => break,
                FrameStep::Skip(bytes, why) => {
                    self.skipped(bytes, why);
                    at += bytes;
                }
                FrameStep::Frame(frame) => {
                    let (start, end) = (at + frame.body.start, at + frame.body.end);
                    let signer = match self.skip_authentication {
                        true => Some(0),
                        false => self.keys.authenticate(&frame.header, &data[start..end]),
                    };
                    match signer {
                        Some(signer) => {
                            let loops = if self.believe_loops { frame.header.loops } else { 0 };
                            let loops = u32::try_from(loops).unwrap_or(u32::MAX);
                            records.push(Record { start, end, signer, loops });
                        }
                        None => self.unauthenticated.add(1),
                    }
                    at += frame.total;
                }
            }
        }
        if last && at < data.len() {
            // Half a frame is no message, and whose it is cannot be told.
            self.incomplete.add(1);
            at = data.len();
        }
        at
    }

    /// Frames bound themselves, so this only happens when records are limited to less than a message; what
    /// follows is found by its first byte.
    fn give_up(&mut self, rest: &[u8]) -> usize {
        self.incomplete.add(1);
        rest.len()
    }

    fn signers(&self) -> &[String] {
        &self.keys.names
    }
}

#[cfg(test)]
#[path = "heka_framing_tests.rs"]
mod tests;
