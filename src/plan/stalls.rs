//! Which filters and outputs can hold which inputs back: what a plan means when something does not deliver.

use crate::control::self_report;
use crate::plan::{Consumer, ConsumerKind, Plan};
use heka_operators::queue::FullAction;
use std::fmt::{self, Write};

/// Something that inputs may have to wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stall<'a> {
    /// The filter or output.
    pub consumer: &'a str,
    /// How it can come to that.
    pub why: Why,
}

/// How a consumer can hold inputs back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Nothing stands between it and the inputs.
    Unbuffered,
    /// Its queue on disk blocks once it holds so many bytes.
    Blocks(u64),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::Unbuffered => f.write_str("it has no queue on disk (use_buffering)"),
            Why::Blocks(bytes) => {
                write!(f, "its queue on disk takes {bytes} bytes, and then its full_action is \"block\"")
            }
        }
    }
}

/// For each input what can hold it back. All inputs share one budget of memory, so whatever keeps messages of one
/// of them keeps them all waiting in the end.
pub fn stalls(plan: &Plan) -> Vec<(&str, Vec<Stall<'_>>)> {
    let stalls: Vec<_> = plan.consumers().filter_map(stall).collect();
    // The daemon's reports on itself are small, and come whatever happens.
    let inputs = plan.inputs.iter().filter(|input| input.name != self_report::NAME);
    inputs.map(|input| (input.name.as_str(), stalls.clone())).collect()
}

fn stall(consumer: &Consumer) -> Option<Stall<'_>> {
    let why = match (&consumer.queue, &consumer.kind) {
        _ if consumer.matcher.is_never() => return None,
        (Some(queue), _) => match (queue.spec.full_action(), queue.spec.limit()) {
            (FullAction::Block, Some(limit)) => Why::Blocks(limit),
            _ => return None,
        },
        // A filter works where the inputs' messages pass: it can be slow, and then all is, but it waits for nobody.
        (None, ConsumerKind::Filter(_)) => return None,
        (None, ConsumerKind::Output(_)) => Why::Unbuffered,
    };
    Some(Stall { consumer: &consumer.name, why })
}

/// The stalls as text for people; empty when nothing can hold anything back.
pub fn describe(stalls: &[(&str, Vec<Stall<'_>>)]) -> String {
    let mut text = String::new();
    let mut rest: Vec<_> = stalls.iter().filter(|(_, holders)| !holders.is_empty()).collect();
    while let Some((_, holders)) = rest.first() {
        let (alike, others): (Vec<_>, Vec<_>) = rest.iter().copied().partition(|(_, other)| other == holders);
        let inputs: Vec<&str> = alike.iter().map(|(input, _)| *input).collect();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "note: {} can be held back by", inputs.join(", "));
        for stall in holders {
            let _ = writeln!(text, "  {}: {}", stall.consumer, stall.why);
        }
        rest = others;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Sources, load_sources};
    use crate::plan::resolve;
    use heka_operators::registry;
    use heka_settings::Problems;

    const BASE: &str = "[one]\ntype = \"UdpInput\"\naddress = \"127.0.0.1:1\"\n\
        [two]\ntype = \"LogstreamerInput\"\nfile_match = 'x'\n[PayloadEncoder]\n";

    fn plan(text: &str) -> Plan {
        let text = format!("[hekad]\nreport_interval = 5\n{BASE}{text}");
        let loaded =
            load_sources(Sources::from_texts([("x", &*text)]), Problems::default(), registry::TYPES, &|_| None);
        resolve(&loaded.ok().unwrap().config, &mut Problems::default()).unwrap()
    }

    fn output(options: &str) -> String {
        format!("[LogOutput]\nencoder = \"PayloadEncoder\"\nmessage_matcher = \"TRUE\"\n{options}")
    }

    #[test]
    fn an_input_waits_for_what_keeps_its_messages_in_memory() {
        let queue = |action| {
            output(&format!(
                "use_buffering = true\n[LogOutput.buffering]\nmax_buffer_size = 1000000\nfull_action = \"{action}\"\n"
            ))
        };
        let never = output("").replace("TRUE", "FALSE");
        let cases = [
            (String::new(), None),
            (output(""), Some(Why::Unbuffered)),
            (output("use_buffering = true\n"), None),
            // A queue without a limit is never full.
            (output("use_buffering = true\n[LogOutput.buffering]\nfull_action = \"block\"\n"), None),
            (queue("block"), Some(Why::Blocks(1_000_000))),
            (queue("drop"), None),
            (queue("shutdown"), None),
            (never, None),
            ("[CounterFilter]\n".to_owned(), None),
        ];
        for (text, why) in cases {
            let plan = plan(&text);
            let expected: Vec<_> = why.map(|why| Stall { consumer: "LogOutput", why }).into_iter().collect();
            assert_eq!(stalls(&plan), [("one", expected.clone()), ("two", expected)], "{text}");
        }
    }

    #[test]
    fn inputs_that_wait_for_the_same_are_told_together() {
        let (slow, full) =
            (Stall { consumer: "slow", why: Why::Unbuffered }, Stall { consumer: "full", why: Why::Blocks(9) });
        let inputs =
            [("a", vec![slow.clone()]), ("b", vec![slow.clone(), full.clone()]), ("c", vec![slow]), ("d", vec![])];
        let expected = "note: a, c can be held back by\n  slow: it has no queue on disk (use_buffering)\n\
            note: b can be held back by\n  slow: it has no queue on disk (use_buffering)\n  \
            full: its queue on disk takes 9 bytes, and then its full_action is \"block\"\n";
        assert_eq!(describe(&inputs), expected);
        assert_eq!(describe(&[]), "");
    }
}
