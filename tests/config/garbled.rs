//! Whatever stands in a file: no panic, and every error has a place that can be shown.

use super::load;
use heka_settings::Place;
use hekad::config::Refused;
use proptest::prelude::*;

const WHOLE: &str = r#"
[hekad]
maxprocs = 4 # comment
base_dir = "/tmp/%ENV[HOST]"
[nginx access]
type = "LogstreamerInput"
parser_type = "regexp"
delimiter = '\n(# )'
priority = ["a", 'b', """
c"""]
[nginx access.retries]
max_delay = 30s
[TcpInput.signer.ops_0]
hmac_key = "k\u00e9\/"
[SandboxFilter]
message_matcher = "Type == 'é日'"
config = { a = 1, b = [1, 2] }
[SandboxDecoder.config]
Size|B = 007
a.b = 1.5
[LogOutput]
message_matcher = "TRUE"
payload_only = true
[TcpOutput]
message_matcher = "TRUE"
queue_full_action = "drop"
"#;

fn check(text: &str) {
    let files = [("a.toml", text), ("b.toml", "[UdpInput]\n")];
    match load(&files) {
        Ok(loaded) => drop(loaded.render_warnings()),
        Err(refused) => check_refused(&refused),
    }
}

fn check_refused(refused: &Refused) {
    let shown = refused.to_string();
    assert!(shown.contains("errors loading plugins"));
    for problem in &refused.problems {
        assert_ne!(problem.place, Place::NOWHERE, "{problem:?}");
        for place in std::iter::once(&problem.place).chain(problem.also.iter().map(|(place, _)| place)) {
            let text = refused.sources.file(*place).map(|file| file.text.as_str());
            let inside = text.and_then(|text| text.get(place.start as usize..place.end as usize));
            assert!(inside.is_some(), "{problem:?}");
        }
    }
}

/// The whole document with one range replaced.
fn mutated() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        Just(String::new()),
        "[\\[\\]{}=.,#\"'\\\\/%|\r\n\t 0-9a-zé-]{1,4}",
        Just("[[x]]".to_owned()),
        Just("%ENV[QUOTE]".to_owned()),
        Just("%ENV[".to_owned()),
        Just("\"\"\"".to_owned()),
        Just("\u{0}\u{7f}\u{feff}".to_owned()),
        Just("[TcpInput]\n".to_owned()),
    ];
    (0..WHOLE.len(), 0usize..12, pieces).prop_map(|(at, len, piece)| {
        let boundary = |mut at: usize| {
            while !WHOLE.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let start = boundary(at);
        let end = boundary((at + len).min(WHOLE.len())).max(start);
        format!("{}{piece}{}", &WHOLE[..start], &WHOLE[end..])
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC*") {
        check(&text);
    }

    #[test]
    fn any_characters_of_the_syntax_are_read_or_refused(text in "[\\[\\]{}=.,#\"'\\\\/%EN\r\n\t 0-9a-cé+_:TZ-]{0,60}") {
        check(&text);
    }

    #[test]
    fn any_slip_in_a_whole_document_is_read_or_refused(text in mutated()) {
        check(&text);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        check(&String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn the_whole_document_is_read() {
    if let Err(refused) = load(&[("a.toml", WHOLE)]) {
        panic!("{refused}");
    }
}

#[test]
fn depth_is_bounded() {
    for open in ["[", "{a=", "a.", "[a."] {
        check(&format!("[UdpInput]\nx = {}", open.repeat(50_000)));
        check(&open.repeat(50_000));
    }
}
