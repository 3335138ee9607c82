//! What configurations mean.

use super::{accept, consumer, input, load, section, warnings};
use heka_operators::registry::Category;
use heka_settings::Data;
use hekad::config::{Common, FullAction};
use std::time::Duration;

#[test]
fn the_name_is_the_type_unless_a_type_is_given() {
    let loaded =
        accept("[TcpInput]\n[tcp:5565]\ntype = \"TcpInput\"\naddress = \":5565\"\n[:foo]\nTYPE = 'UdpInput'\n");
    let found: Vec<_> = loaded.config.sections.iter().take(3).map(|s| (s.name.as_str(), s.plugin.name)).collect();
    assert_eq!(found, [("TcpInput", "TcpInput"), ("tcp:5565", "TcpInput"), (":foo", "UdpInput")]);
    assert!(warnings(&loaded).is_empty());
}

#[test]
fn six_plugins_exist_without_a_section() {
    let loaded = accept("[TcpInput]\n");
    let names: Vec<_> = loaded.config.sections.iter().map(|s| s.name.as_str()).collect();
    let automatic = ["ProtobufDecoder", "ProtobufEncoder", "TokenSplitter", "HekaFramingSplitter", "NullSplitter"];
    assert_eq!(names[0], "TcpInput");
    assert_eq!(names[1..], automatic, "the tests have no PatternGroupingSplitter");
    let loaded = accept("[TokenSplitter]\ndelimiter = \"\\t\"\n[NullSplitter]\ntype = \"RegexSplitter\"\n");
    assert_eq!(loaded.config.sections.iter().filter(|s| s.name == "TokenSplitter").count(), 1);
    assert_eq!(section(&loaded, "NullSplitter").plugin.name, "RegexSplitter");
}

#[test]
fn names_live_in_a_space_a_category() {
    let files = [("1.toml", "[x]\ntype = \"UdpInput\"\n"), ("2.toml", "[x]\ntype = \"CounterFilter\"\n")];
    let loaded = load(&files).unwrap();
    let found: Vec<_> = loaded.config.sections.iter().filter(|s| s.name == "x").map(|s| s.category()).collect();
    assert_eq!(found, [Category::Input, Category::Filter]);
}

#[test]
fn the_daemons_section_merges_key_by_key() {
    let files = [
        ("1.toml", "[hekad]\nbase_dir = \"/a\"\nmaxprocs = 2\n[UdpInput]\n"),
        ("2.toml", "[hekad]\nMaxProcs = 4\nmemory_budget = 1_000_000\n"),
    ];
    let hekad = load(&files).unwrap().config.hekad;
    assert_eq!((hekad.base_dir.as_str(), hekad.maxprocs, hekad.memory_budget), ("/a", 4, 1_000_000));
}

#[test]
fn the_environment_is_put_in_before_parsing() {
    let loaded = accept("[UdpInput]\naddress = \"%ENV[HOST]:80\"\n[%ENV[NAME]-1]\ntype = %ENV[QUOTE]HttpInput\"\n");
    let table = &section(&loaded, "UdpInput").table;
    assert_eq!(table.get("address").unwrap().value.data, Data::String("example.org:80".into()));
    assert_eq!(section(&loaded, "web-1").plugin.name, "HttpInput");
}

/// The documents of the original's users: none is TOML as it is today.
#[test]
fn the_originals_dialect_is_understood() {
    let text = "\
# Comment with a control character: \u{1}\r\
[hekad]\r\
maxprocs = 04\r\
\r\
  [nginx access]\r\
  type = \"SandboxDecoder\"\r\
  filename = \"lua\\/decoders\\/nginx.lua\"\r\
    [nginx access.config]\r\
    a.b = 1\r\
    RequestSize|B= \"%RequestSize%\"\r\
    Case = '\\d+'\r\
[UdpInput]\r\
keep_alive_period = 30s\r\
[UdpInput.retries]\r\
max_delay = 5s\r\
delay = \"\"\r\
max_jitter = \"0s\"\r";
    let loaded = accept(text);
    assert_eq!(loaded.config.hekad.maxprocs, 4);
    let decoder = section(&loaded, "nginx access");
    assert_eq!(decoder.table.get("filename").unwrap().value.data, Data::String("lua/decoders/nginx.lua".into()));
    let config = decoder.table.get("config").unwrap().value.data.to_string();
    assert_eq!(config, r#"{ "a.b" = 1, "RequestSize|B" = "%RequestSize%", "Case" = "\\d+" }"#);
    let retries = &input(section(&loaded, "UdpInput")).retries;
    assert_eq!((retries.max_delay, retries.delay), (Duration::from_secs(5), Duration::from_millis(250)));
    assert_eq!((retries.max_jitter, retries.max_retries), (Duration::ZERO, -1));
}

#[test]
fn all_of_todays_toml_is_understood() {
    let text = r#"
[SandboxFilter]
message_matcher = """
Type == 'a' && \
Fields[x] == 'y'"""
memory_limit = 8_000_000
config = { "quoted key" = 0x1F, nested = { a = [1, 2.5] }, when = 1979-05-27 }
["a.b"]
type = 'UdpInput'
tls.min_version = "TLS13"
"#;
    let loaded = accept(text);
    assert_eq!(
        consumer(section(&loaded, "SandboxFilter")).message_matcher.as_ref().unwrap().value,
        "Type == 'a' && Fields[x] == 'y'"
    );
    let config = section(&loaded, "SandboxFilter").table.get("config").unwrap().value.data.to_string();
    assert_eq!(config, r#"{ "quoted key" = 31, "nested" = { "a" = [1, 2.5] }, "when" = 1979-05-27 }"#);
    assert_eq!(section(&loaded, "a.b").plugin.name, "UdpInput");
}

/// Where a document has both readings, the one without errors counts; without errors in either, today's.
#[test]
fn the_reading_with_fewer_errors_counts() {
    let both = accept("[HttpInput.headers]\na.b = \"x\"\n");
    let headers = section(&both, "HttpInput").table.get("headers").unwrap().value.data.to_string();
    assert_eq!(headers, r#"{ "a.b" = "x" }"#, "text is wanted here, so a.b is one key");
    let today = accept("[SandboxDecoder.config]\na.b = 1\n");
    let config = section(&today, "SandboxDecoder").table.get("config").unwrap().value.data.to_string();
    assert_eq!(config, r#"{ "a" = { "b" = 1 } }"#);
}

#[test]
fn options_come_from_the_section_then_the_type_then_the_daemon() {
    let loaded = accept(
        "[TcpInput]\n[t2]\ntype = \"TcpInput\"\ndecoder = \"\"\nsplitter = \"TokenSplitter\"\ncan_exit = true\n\
         [UdpInput]\n[HttpInput]\n[h2]\ntype = \"HttpInput\"\nticker_interval = 3\n",
    );
    let get = |name: &str| {
        let common = input(section(&loaded, name));
        let decoder = common.decoder.as_ref().map(|d| d.value.clone());
        (decoder, common.splitter.value.clone(), common.ticker_interval, common.can_exit)
    };
    assert_eq!(get("TcpInput"), (Some("ProtobufDecoder".into()), "HekaFramingSplitter".into(), 0, false));
    assert_eq!(get("t2"), (None, "TokenSplitter".into(), 0, true));
    assert_eq!(get("UdpInput"), (None, "NullSplitter".into(), 0, false));
    assert_eq!((get("HttpInput").2, get("h2").2), (10, 3));
    assert!(input(section(&loaded, "UdpInput")).log_decode_failures);
    let Common::Splitter(framing) = &section(&loaded, "HekaFramingSplitter").common else { panic!() };
    assert_eq!(framing.use_message_bytes, Some(true));
}

#[test]
fn outputs_have_their_types_queues() {
    let loaded = accept(
        "[TcpOutput]\nmessage_matcher = \"TRUE\"\n[TcpOutput.buffering]\nmax_buffer_size = 9\nfull_action = \"block\"\n\
         [FileOutput]\nmessage_matcher = \"TRUE\"\nencoder = \"ProtobufEncoder\"\nuse_framing = false\n\
         [CounterFilter]\n[SandboxFilter]\nmessage_matcher = 'TRUE'\n",
    );
    let tcp = consumer(section(&loaded, "TcpOutput"));
    assert_eq!((tcp.use_buffering, tcp.use_framing), (true, None));
    let queue = &tcp.buffering;
    assert_eq!((queue.max_file_size, queue.max_buffer_size, queue.cursor_update_count), (128 << 20, 9, 50));
    assert_eq!(queue.full_action, FullAction::Block);
    let file = consumer(section(&loaded, "FileOutput"));
    assert_eq!((file.use_buffering, file.use_framing, file.buffering.max_file_size), (false, Some(false), 512 << 20));
    assert_eq!(file.buffering.cursor_update_count, 1);
    let counter = consumer(section(&loaded, "CounterFilter"));
    assert_eq!(counter.message_matcher.as_ref().unwrap().value, "Type != 'heka.counter-output'");
    assert_eq!((counter.ticker_interval, counter.can_exit), (5, false));
    assert!(consumer(section(&loaded, "SandboxFilter")).can_exit);
}

#[test]
fn old_names_of_options_are_understood_with_a_warning() {
    let cases = [
        ("[CounterFilter]\noutput_timer = 7\n", "CounterFilter", "{ \"ticker_interval\" = 7 }"),
        ("[HttpInput]\nuser = \"me\"\n", "HttpInput", "{ \"username\" = \"me\" }"),
        ("[StatAccumInput]\npercent_threshold = 90\n", "StatAccumInput", "{ \"percent_threshold\" = [90] }"),
        (
            "[ESJsonEncoder]\nfields = [\"Uuid\", \"Fields\"]\n",
            "ESJsonEncoder",
            "{ \"fields\" = [\"Uuid\", \"DynamicFields\"] }",
        ),
        (
            "[ElasticSearchOutput]\nmessage_matcher = \"TRUE\"\nserver = \"host:9200\"\n",
            "ElasticSearchOutput",
            "{ \"message_matcher\" = \"TRUE\", \"server\" = \"http://host:9200\" }",
        ),
        (
            "[FileOutput]\nmessage_matcher = \"TRUE\"\nencoder = \"x\"\nflushinterval = 5\n",
            "FileOutput",
            "{ \"message_matcher\" = \"TRUE\", \"encoder\" = \"x\", \"flush_interval\" = 5 }",
        ),
        (
            "[TcpOutput]\nmessage_matcher = \"TRUE\"\nqueue_full_action = \"drop\"\n",
            "TcpOutput",
            "{ \"message_matcher\" = \"TRUE\", \"buffering\" = { \"full_action\" = \"drop\" } }",
        ),
        ("[LogstreamerInput]\nuse_seek_journal = true\n", "LogstreamerInput", "{}"),
    ];
    for (text, name, table) in cases {
        let loaded = accept(text);
        assert_eq!(Data::Table(section(&loaded, name).table.clone()).to_string(), table);
        assert_eq!(warnings(&loaded).len(), 1, "{text}");
    }
    let loaded = accept("[CounterFilter]\noutput_timer = 7\nticker_interval = 3\n");
    assert_eq!(consumer(section(&loaded, "CounterFilter")).ticker_interval, 3);
    assert!(warnings(&loaded)[0].contains("is ignored"));
}

#[test]
fn parsers_of_old_are_splitters_of_their_own() {
    let cases = [
        ("parser_type = \"token\"", "TokenSplitter", "{}"),
        ("parser_type = \"token\"\ndelimiter = \"\\t\"", "TokenSplitter", "{ \"delimiter\" = \"\\t\" }"),
        ("delimiter = \"|\"", "TokenSplitter", "{ \"delimiter\" = \"|\" }"),
        (
            "parser_type = \"regexp\"\ndelimiter = '\\n(#)'\ndelimiter_location = \"start\"",
            "RegexSplitter",
            "{ \"delimiter\" = \"\\\\n(#)\", \"delimiter_eol\" = false }",
        ),
        (
            "parser_type = \"regexp\"\ndelimiter = 'x'\ndelimiter_location = \"end\"",
            "RegexSplitter",
            "{ \"delimiter\" = \"x\", \"delimiter_eol\" = true }",
        ),
        ("parser_type = \"message.proto\"", "HekaFramingSplitter", "{}"),
        (
            "[x.signer.ops_0]\nhmac_key = \"k\"",
            "HekaFramingSplitter",
            "{ \"signer\" = { \"ops_0\" = { \"hmac_key\" = \"k\" } } }",
        ),
        (
            "parser_type = \"message.proto\"\n[x.signer.ops_0]\nhmac_key = \"k\"",
            "HekaFramingSplitter",
            "{ \"signer\" = { \"ops_0\" = { \"hmac_key\" = \"k\" } } }",
        ),
    ];
    for (options, type_name, table) in cases {
        let loaded = accept(&format!("[x]\ntype = \"UdpInput\"\n{options}\n"));
        assert_eq!(input(section(&loaded, "x")).splitter.value, "x.splitter", "{options}");
        let splitter = section(&loaded, "x.splitter");
        assert_eq!(splitter.plugin.name, type_name, "{options}");
        assert_eq!(Data::Table(splitter.table.clone()).to_string(), table);
        assert!(!warnings(&loaded).is_empty());
    }
    let loaded = accept("[UdpInput]\nsplitter = \"NullSplitter\"\nparser_type = \"token\"\n");
    assert_eq!(input(section(&loaded, "UdpInput")).splitter.value, "NullSplitter");
    assert!(warnings(&loaded)[0].contains("is ignored"));
}

#[test]
fn outputs_of_old_have_encoders_of_their_own() {
    let cases = [
        ("LogOutput", "payload_only = true", "PayloadEncoder", None),
        ("LogOutput", "payload_only = false", "RstEncoder", None),
        ("LogOutput", "", "RstEncoder", None),
        ("FileOutput", "", "PayloadEncoder", None),
        ("FileOutput", "format = \"text\"", "PayloadEncoder", None),
        ("FileOutput", "format = \"json\"", "ESJsonEncoder", None),
        ("FileOutput", "format = \"protobufstream\"", "ProtobufEncoder", Some(true)),
    ];
    for (plugin, option, encoder, framing) in cases {
        let loaded = accept(&format!("[x]\ntype = \"{plugin}\"\nmessage_matcher = \"TRUE\"\n{option}\n"));
        let output = consumer(section(&loaded, "x"));
        assert_eq!(output.encoder.as_ref().unwrap().value, "x.encoder", "{plugin} {option}");
        assert_eq!(output.use_framing, framing);
        assert_eq!(section(&loaded, "x.encoder").plugin.name, encoder);
        assert_eq!(warnings(&loaded).len(), 1);
    }
    let text = "[LogOutput]\nmessage_matcher = \"TRUE\"\nencoder = \"RstEncoder\"\npayload_only = true\nanything = 1\n";
    let loaded = accept(text);
    assert_eq!(consumer(section(&loaded, "LogOutput")).encoder.as_ref().unwrap().value, "RstEncoder");
    assert!(warnings(&loaded)[0].contains("is ignored"));
}

#[test]
fn unknown_keys_of_retries_and_queues_are_told_of_as_they_never_stopped_anyone() {
    let text = "[CounterFilter.retries]\nmax_retires = 3\n[CounterFilter.buffering]\nmax_size = 1\n";
    let loaded = accept(text);
    assert_eq!(
        warnings(&loaded),
        [
            "unknown config setting for 'CounterFilter.retries': max_retires",
            "unknown config setting for 'CounterFilter.buffering': max_size"
        ]
    );
    assert_eq!(loaded.warnings[0].help.as_deref(), Some("did you mean `max_retries`?"));
}

#[test]
fn sections_that_ask_for_the_same_are_the_same() {
    let of = |text: &str| section(&accept(text), "x").clone();
    let one = of("[x]\ntype = \"SandboxDecoder\"\nfilename = \"a\"\n[x.config]\nb = 1\nc = [1]\n");
    let moved = of("# moved\n[x]\nfilename = 'a'\ntype = \"SandboxDecoder\"\nconfig = { c = [ 1 ], b = 1 }\n");
    let other = of("[x]\ntype = \"SandboxDecoder\"\nfilename = \"a\"\n[x.config]\nb = 2\nc = [1]\n");
    assert!(one.same(&moved));
    assert!(!one.same(&other));
}
