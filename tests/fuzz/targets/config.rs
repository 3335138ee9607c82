//! Configurations, through to the plan.

use crate::runner::{Target, outcome};
use heka_operators::registry::TYPES;
use heka_settings::Problems;
use hekad::config::{Sources, load_sources};
use hekad::plan::{Graph, describe, resolve, stalls};

const WORDS: &[&str] = &[
    "[",
    "]",
    "[[x]]",
    "{",
    "}",
    "=",
    "\"\"\"",
    "'''",
    "\\u",
    "#",
    "%ENV[HOME]",
    "%ENV[",
    "true",
    "1e9",
    "07:32:00",
    "1979-05-27T07:32:00Z",
    "inf",
    "type = ",
    "message_matcher = \"TRUE\"",
    "encoder = \"PayloadEncoder\"",
    "[PayloadEncoder]\n",
    "[LogOutput]\n",
    "[TcpInput]\n",
    "[x.config]\n",
    "[hekad]\n",
    "use_buffering = true\n",
    "decoder = \"x\"\n",
    "splitter = \"TokenSplitter\"\n",
    "subs = [\"x\"]\n",
    "\r\n",
    "\u{0}",
];

#[test]
fn config() {
    let target = Target { name: "config", seeds: Vec::new(), words: WORDS, runs: 1500, memory: (4 << 20, 4096) };
    target.run(|input| {
        let text = String::from_utf8_lossy(input);
        let files = [("a.toml", text.as_ref()), ("b.toml", "[PayloadEncoder]\n")];
        let env = |name: &str| (name == "HOME").then(|| "\"x\"".to_owned());
        match load_sources(Sources::from_texts(files), Problems::default(), TYPES, &env) {
            Err(refused) => outcome((refused.problems.len(), refused.to_string().len().ilog2())),
            Ok(loaded) => {
                let shown = loaded.render_warnings().len();
                let plan = resolve(&loaded.config, &mut Problems::default());
                let plan = plan.map(|plan| (describe(&stalls(&plan)).len(), Graph::of(&plan).nodes.len()));
                outcome((shown > 0, plan))
            }
        }
    });
}
