//! Nodes whose parts no section names: queues on disk, the daemon's reports on itself, inputs that bring whole messages.

use crate::config::{self, ConsumerCommon, InputCommon, Section};
use crate::control::self_report::{self, SelfReport};
use crate::plan::queue::QueueSpec;
use crate::plan::resolve::{Resolver, placement, retries};
use crate::plan::{Consumer, ConsumerKind, DecoderNode, InputNode, OutputPart, QueueNodes, SplitterNode};
use heka_matcher::Compiler;
use heka_operators::inputs::InputSpec;
use heka_operators::registry::{self, Make};
use heka_operators::splitters::{DeliverOptions, StreamOptions, heka_framing};
use heka_settings::{Problem, Problems, Table};
use std::sync::Arc;

impl Resolver<'_> {
    /// An input whose packets are encoded messages, whatever splitter and decoder its section names.
    pub(super) fn message_input(
        &self,
        section: &Section,
        options: &InputCommon,
        spec: &Arc<dyn InputSpec>,
        id: usize,
        problems: &mut Problems,
    ) -> Option<InputNode> {
        let part = |name: &str| registry::find(name).map(|plugin| plugin.make);
        let (Some(Make::Splitter(splitter)), Some(Make::Decoder(decoder))) =
            (part("NullSplitter"), part("ProtobufDecoder"))
        else {
            return None;
        };
        let empty = Table::default();
        let stream = StreamOptions::up_to(self.globals.max_record_size());
        Some(InputNode {
            name: section.name.clone(),
            type_name: section.plugin.name,
            is_queue: false,
            id: id as u32,
            spec: spec.clone(),
            splitter: SplitterNode {
                name: "NullSplitter".to_owned(),
                spec: splitter(&empty, problems),
                options: DeliverOptions { stream, use_message_bytes: true, whole_packets: spec.sends_messages() },
            },
            decoder: Some(DecoderNode {
                name: "ProtobufDecoder".to_owned(),
                spec: decoder(&empty, problems),
                workers: 1,
                synchronous: false,
            }),
            send_decode_failures: options.send_decode_failures,
            log_decode_failures: options.log_decode_failures,
            can_exit: options.can_exit,
            retries: retries(&options.retries),
            worker: placement(&section.name, self.workers),
        })
    }

    /// The input that brings the daemon's reports on itself.
    pub(super) fn self_report(&self, report: &SelfReport, id: usize, problems: &mut Problems) -> Option<InputNode> {
        let Some(Make::Splitter(splitter)) = registry::find("NullSplitter").map(|plugin| plugin.make) else {
            return None;
        };
        let stream = StreamOptions { keep_truncated: true, ..StreamOptions::up_to(64 << 20) };
        Some(InputNode {
            name: self_report::NAME.to_owned(),
            type_name: "self report",
            is_queue: false,
            id: id as u32,
            spec: Arc::new(report.clone()),
            splitter: SplitterNode {
                name: "NullSplitter".to_owned(),
                spec: splitter(&Table::default(), problems),
                options: DeliverOptions { stream, use_message_bytes: false, whole_packets: false },
            },
            decoder: None,
            send_decode_failures: false,
            log_decode_failures: true,
            can_exit: true,
            retries: retries(&config::Retries::default()),
            worker: placement(self_report::NAME, self.workers),
        })
    }

    /// The nodes of a queue on disk: framed protobuf goes in and comes out.
    pub(super) fn queue(
        &self,
        section: &Section,
        options: &ConsumerCommon,
        problems: &mut Problems,
    ) -> Option<QueueNodes> {
        let part = |name: &str| registry::find(name).map(|plugin| plugin.make);
        let (Some(Make::Encoder(encoder)), Some(Make::Decoder(decoder))) =
            (part("ProtobufEncoder"), part("ProtobufDecoder"))
        else {
            let why = format!("'{}': this build has no queues on disk", section.name);
            problems.push(Problem::error(section.place, why).help("set use_buffering = false"));
            return None;
        };
        let mut never = Problems::default();
        let empty = Table::default();
        let name = format!("{}.queue", section.name);
        let queue = QueueSpec::new(&section.name, &options.buffering);
        let spec = Arc::new(queue.clone());
        let worker = placement(&section.name, self.workers);
        let part = OutputPart {
            spec: spec.clone(),
            encoder_name: "ProtobufEncoder".to_owned(),
            encoder: encoder(&empty, &mut never),
            use_framing: true,
            keeps_loops: true,
        };
        let everything = Compiler::new().compile("TRUE", None).ok()?;
        let writer = Consumer {
            name: format!("{}.buffer", section.name),
            type_name: "disk queue",
            expression: String::new(),
            matcher: everything,
            ticker: None,
            can_exit: false,
            retries: retries(&options.retries),
            worker,
            queue: None,
            kind: ConsumerKind::Output(Box::new(part)),
        };
        let stream = StreamOptions::up_to(self.globals.max_record_size());
        let reader = InputNode {
            name,
            type_name: "disk queue",
            is_queue: true,
            id: u32::MAX,
            spec,
            splitter: SplitterNode {
                name: "HekaFramingSplitter".to_owned(),
                spec: heka_framing::of_queue(),
                options: DeliverOptions { stream, use_message_bytes: true, whole_packets: false },
            },
            decoder: Some(DecoderNode {
                name: "ProtobufDecoder".to_owned(),
                spec: decoder(&empty, &mut never),
                workers: 1,
                synchronous: false,
            }),
            send_decode_failures: false,
            log_decode_failures: true,
            can_exit: false,
            retries: retries(&options.retries),
            worker,
        };
        Some(QueueNodes { spec: queue, writer: Box::new(writer), reader: Box::new(reader) })
    }
}
