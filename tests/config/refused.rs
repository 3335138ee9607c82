//! What is said of configurations that are wrong. `tests/config/refused/` holds one configuration a directory,
//! and what is printed of it.

use super::{errors, golden, types};
use hekad::config::load;
use std::path::Path;

#[test]
fn every_problem_is_shown_where_it_stands() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut cases: Vec<_> =
        std::fs::read_dir(root.join("tests/config/refused")).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() >= 10, "the cases are in the repository");
    for case in cases {
        let refused = match load(&case, types::TYPES, &|_| None) {
            Ok(_) => panic!("{} was accepted", case.display()),
            Err(refused) => refused,
        };
        let dir = format!("{}/", case.display());
        let shown = refused.to_string().replace(&dir, "");
        let path = case.join("printed.txt");
        golden(path.strip_prefix(root).unwrap().to_str().unwrap(), &shown, "UPDATE_GOLDEN=1 cargo test --test config");
    }
}

#[test]
fn the_originals_messages_are_kept() {
    let cases = [
        ("", "Empty configuration, exiting."),
        ("[hekad]\nmaxprocs = 2\n", "Empty configuration, exiting."),
        ("[NopeInput]\n", "No registered plugin type: NopeInput"),
        ("[x]\ntype = \"Nope\"\n", "No registered plugin type: Nope"),
        ("x = 1\n", "can't decode common config for 'x': expected a section, found integer"),
        ("[x]\ntype = 1\n", "can't decode common config for 'x': expected a string, found integer"),
        ("[UdpInput]\nbogus = 1\n", "unknown config setting for 'UdpInput': bogus"),
        ("[UdpInput.tls]\nbogus = 1\n", "unknown config setting for 'UdpInput': bogus"),
        (
            "[UdpInput]\ndecoder = 1\n",
            "can't decode common input config for 'UdpInput': expected a string, found integer",
        ),
        ("[SandboxFilter]\n", "Error making runner for SandboxFilter: 'SandboxFilter' missing message matcher"),
        (
            "[TcpOutput]\nmessage_matcher = \"TRUE\"\nticker_interval = 1\n",
            "Error making runner for TcpOutput: 'TcpOutput' can't support a ticker_interval setting",
        ),
        (
            "[TcpOutput]\nmessage_matcher = \"TRUE\"\n[TcpOutput.buffering]\nfull_action = \"wait\"\n",
            "Error making runner for TcpOutput: buffer full_action must be 'shutdown', 'drop', or 'block', got 'wait'",
        ),
        (
            "[TcpOutput]\nmessage_matcher = \"TRUE\"\n[TcpOutput.buffering]\nmax_file_size = 5\n",
            "can't initialize buffer: `max_file_size` must be greater than maximum record size of 65794",
        ),
        (
            "[TcpOutput]\nmessage_matcher = \"TRUE\"\n[TcpOutput.buffering]\nmax_size = 5\n",
            "unknown config setting for 'TcpOutput.buffering': max_size",
        ),
        (
            "[hekad]\nmax_message_size = 2000\n[TokenSplitter]\nmin_buffer_size = 2259\n",
            "Error making runner for TokenSplitter: 'min_buffer_size' (2259) can't be larger than MAX_RECORD_SIZE (2258)",
        ),
        ("[UdpInput]\n[UdpInput]\n", "Error decoding config file: Key 'UdpInput' has already been defined."),
        ("[UdpInput]\naddress = \"%ENV[X\"\n", "Missing closing delimiter"),
    ];
    for (text, message) in cases {
        assert_eq!(errors(text), [message], "{text}");
    }
}

#[test]
fn a_full_action_counts_only_where_a_queue_is_used() {
    let text = "[CounterFilter.buffering]\nfull_action = \"wait\"\n";
    super::accept(text);
    assert_eq!(errors(&format!("[CounterFilter]\nuse_buffering = true\n{text}")).len(), 1);
}
