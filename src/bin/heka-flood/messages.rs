//! What is sent: frames made before the first is sent, in three makes each, and how often which make is due.

use crate::random::Random;
use crate::settings::Test;
use heka_message::framing::{write_frame, write_signed_frame};
use heka_message::{BatchBuilder, FieldValue, Span, UuidSource, write_message};
use hekad::config::hekad::system_hostname;

/// Different messages, where sizes vary.
const VARIETY: usize = 64;

/// One message in each make.
struct Frames {
    plain: Vec<u8>,
    signed: Option<Vec<u8>>,
    oversized: Vec<u8>,
}

/// All messages of a test.
pub struct Messages {
    frames: Vec<Frames>,
    /// How many of a hundred are to be damaged, signed, made too large.
    shares: [f64; 3],
    sent: u64,
    random: Random,
}

impl Messages {
    /// Makes the messages of a test.
    ///
    /// # Errors
    /// When one is larger than the test allows.
    pub fn new(test: &Test) -> Result<Messages, String> {
        let settings = &test.settings;
        let mut maker = Maker { random: Random::new(), uuids: UuidSource::new(), host: system_hostname(), test };
        let count = if settings.variable_size_messages { VARIETY } else { 1 };
        let frames = (0..count).map(|_| maker.frames()).collect::<Result<_, String>>()?;
        let shares = [&settings.corrupt_percentage, &settings.signed_percentage, &settings.oversized_percentage];
        Ok(Messages { frames, shares: shares.map(|share| share.value), sent: 0, random: maker.random })
    }

    /// Appends the next message to `out`. Whether a receiver can take it for a message.
    pub fn next(&mut self, out: &mut Vec<u8>) -> bool {
        let [corrupt, signed, oversized] = self.shares.map(|share| is_due(share, self.sent));
        self.sent += 1;
        let choice = self.random.below(self.frames.len());
        let Some(frames) = self.frames.get(choice) else { return false };
        let frame = match &frames.signed {
            _ if oversized => &frames.oversized,
            Some(frame) if signed => frame,
            _ => &frames.plain,
        };
        let start = out.len();
        out.extend_from_slice(frame);
        if corrupt {
            let at = start + self.random.below(frame.len());
            // Any other value than the one it has.
            out[at] ^= 1 + self.random.below(255) as u8;
        }
        !corrupt && !oversized
    }
}

/// Whether the message sent after `sent` others is one of `share` in a hundred: spread evenly.
fn is_due(share: f64, sent: u64) -> bool {
    let due = |sent: u64| (sent as f64 * share / 100.0).floor();
    due(sent + 1) > due(sent)
}

struct Maker<'a> {
    random: Random,
    uuids: UuidSource,
    host: String,
    test: &'a Test,
}

impl Maker<'_> {
    fn frames(&mut self) -> Result<Frames, String> {
        let settings = &self.test.settings;
        let mut builder = if settings.variable_size_messages { self.variable() } else { self.fixed() };
        let max = settings.max_message_size as usize;
        let body = encoded(&builder);
        let (mut plain, mut oversized) = (Vec::new(), Vec::new());
        write_frame(&body, max, &mut plain).map_err(|error| error.to_string())?;
        let signed = self.test.signer.as_ref().map(|signer| {
            let mut signed = Vec::new();
            write_signed_frame(&body, signer, max, &mut signed).map(|()| signed).map_err(|error| error.to_string())
        });
        let large = builder.text(&self.random.bytes(max + 1, settings.ascii_only));
        if let Some(row) = builder.last_row() {
            row.payload = large;
        }
        // Not held to the limit: that is what it is for.
        write_frame(&encoded(&builder), usize::MAX, &mut oversized).map_err(|error| error.to_string())?;
        Ok(Frames { plain, signed: signed.transpose()?, oversized })
    }

    /// A message with what all of them have, and so many random bytes in its payload.
    fn message(&mut self, env_version: &str, random: usize) -> BatchBuilder {
        let mut payload = format!("hekabench: {} - ", self.host).into_bytes();
        payload.extend(self.random.bytes(random, self.test.settings.ascii_only));
        let mut builder = BatchBuilder::default();
        let texts = [b"hekabench".as_slice(), env_version.as_bytes(), self.host.as_bytes(), &payload];
        let texts = texts.map(|text| builder.text(text));
        let row = builder.row();
        row.set_uuid(self.uuids.next_uuid());
        row.set_timestamp(hekad::engine::now_ns());
        row.set_severity(6);
        row.set_pid(i32::try_from(std::process::id()).unwrap_or(0));
        [row.msg_type, row.env_version, row.hostname, row.payload] = texts;
        builder
    }

    fn fixed(&mut self) -> BatchBuilder {
        self.message("0.8", self.test.settings.static_message_size as usize)
    }

    fn variable(&mut self) -> BatchBuilder {
        let size = self.random.below(2048);
        let mut builder = self.message("0.2", size);
        let logger = builder.text(b"flood");
        if let Some(row) = builder.last_row() {
            row.logger = logger;
        }
        let ascii = self.test.settings.ascii_only;
        for kind in ["string", "bytes", "int", "double", "bool"] {
            for index in 0..self.random.below(5) {
                let name = builder.text(format!("{kind}{index}").as_bytes());
                let word = self.random.word();
                let bytes = self.random.bytes(word as usize % 64, ascii);
                builder.field(
                    name,
                    Span::NONE,
                    match kind {
                        "string" => FieldValue::String(&bytes),
                        "bytes" => FieldValue::Bytes(&bytes),
                        "int" => FieldValue::Integer(word as i64),
                        "double" => FieldValue::Double(word as f64 / 1000.0),
                        _ => FieldValue::Bool(word & 1 == 1),
                    },
                );
            }
        }
        // The rest of what the limit leaves, up to 59 KiB.
        let room = (self.test.settings.max_message_size as usize).saturating_sub(encoded(&builder).len() + 64);
        let filler = self.random.below(room.min(59 * 1024) + 1);
        let (name, filler) = (builder.text(b"filler"), self.random.bytes(filler, ascii));
        builder.field(name, Span::NONE, FieldValue::Bytes(&filler));
        builder
    }
}

fn encoded(builder: &BatchBuilder) -> Vec<u8> {
    let mut body = Vec::new();
    write_message(builder.batch().row(0), &mut body);
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::test_of;
    use heka_message::framing::{FrameStep, read_frame};
    use heka_message::read_message;

    fn messages(options: &str) -> Messages {
        Messages::new(&test_of(&format!("[default]\nip_address = \":1\"\n{options}")).unwrap()).unwrap()
    }

    /// The next frame, and whether it counts as delivered.
    fn next(messages: &mut Messages) -> (Vec<u8>, bool) {
        let mut frame = Vec::new();
        let good = messages.next(&mut frame);
        (frame, good)
    }

    #[test]
    fn shares_are_spread_evenly() {
        let due = |share| (0..10).filter(|sent| is_due(share, *sent)).collect::<Vec<_>>();
        assert!(due(0.0).is_empty());
        assert_eq!(due(100.0), (0..10).collect::<Vec<_>>());
        assert_eq!(due(50.0), [1, 3, 5, 7, 9]);
        assert_eq!(due(30.0), [3, 6, 9]);
    }

    #[test]
    fn the_fixed_message_is_what_receivers_know() {
        let mut messages = messages("static_message_size = 10\nascii_only = true\n");
        let (frame, good) = next(&mut messages);
        let FrameStep::Frame(found) = read_frame(&frame, 65536) else { panic!("no frame") };
        let body = &frame[found.body];
        let mut read = BatchBuilder::new(bytes::Bytes::copy_from_slice(body));
        read_message(&mut read, body, Span::source(0..body.len())).unwrap();
        let batch = read.finish();
        let message = batch.row(0);
        assert!(good && found.header.digest.is_none());
        assert_eq!(
            (message.msg_type(), message.severity(), message.env_version()),
            (&b"hekabench"[..], 6, &b"0.8"[..])
        );
        let payload = String::from_utf8(message.payload().to_vec()).unwrap();
        let host = String::from_utf8(message.hostname().to_vec()).unwrap();
        assert_eq!(payload.strip_prefix(&format!("hekabench: {host} - ")).unwrap().len(), 10);
        assert_eq!(next(&mut messages).0, frame, "the same each time");
    }

    #[test]
    fn every_make_is_what_it_says() {
        let mut signed = messages("signed_percentage = 100\n[default.signer]\nname = \"ops\"\nhmac_key = \"k\"\n");
        let (frame, good) = next(&mut signed);
        assert!(good);
        assert!(
            matches!(read_frame(&frame, 65536), FrameStep::Frame(f) if f.header.signer == b"ops" && f.header.digest.is_some())
        );
        let (frame, good) = next(&mut messages("oversized_percentage = 100\nmax_message_size = 2000\n"));
        assert!(!good && frame.len() > 2000);
        assert!(matches!(read_frame(&frame, 1 << 20), FrameStep::Frame(f) if f.total == frame.len()));
        let mut corrupt = messages("corrupt_percentage = 50\n");
        let ((whole, _), (damaged, good)) = (next(&mut corrupt), next(&mut corrupt));
        let differ = whole.iter().zip(&damaged).filter(|(a, b)| a != b).count();
        assert!(!good && differ == 1 && whole.len() == damaged.len());
    }

    #[test]
    fn sizes_vary_within_the_limit() {
        let mut messages = messages("variable_size_messages = true\nmax_message_size = 20000\n");
        let sizes: std::collections::BTreeSet<usize> = (0..500).map(|_| next(&mut messages).0.len()).collect();
        assert!(sizes.len() > 10 && sizes.last().is_some_and(|largest| *largest < 20_300), "{sizes:?}");
    }

    #[test]
    fn a_message_beyond_the_limit_is_refused_before_anything_is_sent() {
        let test = test_of("[default]\nip_address = \":1\"\nmax_message_size = 100\n").unwrap();
        assert!(Messages::new(&test).is_err_and(|why| why.starts_with("Message too big")));
    }
}
