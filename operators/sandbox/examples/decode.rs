//! Decodes lines of an access log over and over, for a profiler: `decode CASE ROUNDS`. A round is 100 lines of the same
//! two seconds. Build with `--release`.
//!
//! Cases: `shipped` is `nginx_access.lua`, `agents` the same with its transformation of user agents, `plain` a script
//! of a user who hands tables to `inject_message`, and `empty` a script that does nothing.

use heka_message::{BatchBuilder, FieldDensity, RowRef, Span};
use heka_sandbox::{Config, ConfigValue, Kind, Payload, Refusal, Role, Sandbox};
use std::path::Path;

const LOG_FORMAT: &str = r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent""#;

const AGENTS: [&str; 3] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/122.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:123.0) Gecko/20100101 Firefox/123.0",
    "curl/8.5.0",
];

struct Taker(BatchBuilder);

impl Role for Taker {
    fn builder(&mut self) -> &mut BatchBuilder {
        &mut self.0
    }

    fn message(&mut self, _: Option<RowRef<'_>>) -> Result<(), Refusal> {
        Ok(())
    }

    fn payload(&mut self, _: Option<RowRef<'_>>, _: Payload<'_>) -> Result<(), Refusal> {
        Ok(())
    }

    fn log(&mut self, line: &str) {
        eprintln!("{line}");
    }
}

fn lines() -> Vec<String> {
    let line = |n: usize| {
        format!(
            "192.0.2.{} - - [10/Mar/2015:08:46:{:02} +0000] \"GET /images/{}/logo.png HTTP/1.1\" {} {} \
             \"http://www.example.com/start/index.html\" \"{}\"",
            n * 7 % 256,
            n / 50,
            n * 977,
            [200, 304, 404][n % 3],
            n * 1237,
            AGENTS[n % 3]
        )
    };
    (0..100).map(line).collect()
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let case = arguments.next().unwrap_or_else(|| "shipped".to_owned());
    let rounds: usize = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(1);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let script = match case.as_str() {
        "shipped" | "agents" => root.join("share/lua_decoders/nginx_access.lua"),
        "plain" => root.join("benches/scenarios/scripts/nginx_plain.lua"),
        other => Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("examples/{other}.lua")),
    };
    let mut values = vec![
        ("log_format".to_owned(), ConfigValue::String(LOG_FORMAT.into())),
        ("type".to_owned(), ConfigValue::String("nginx.access".into())),
    ];
    values.extend((case == "agents").then(|| ("user_agent_transform".to_owned(), ConfigValue::Bool(true))));
    let modules = vec![root.join("share/lua_modules")];
    let config = Config { script, modules, values, ..Config::new(Kind::Decoder) };
    let mut sandbox = Sandbox::new(&config, &mut |line| eprintln!("{line}")).expect("a script that loads");

    let mut builder = BatchBuilder::new(lines().concat().into());
    let mut at = 0;
    for line in lines() {
        let row = builder.row();
        row.payload = Span::source(at..at + line.len());
        row.set_timestamp(0);
        at += line.len();
    }
    let batch = builder.finish();
    let mut density = FieldDensity::default();
    for _ in 0..rounds {
        let mut taker = Taker(BatchBuilder::over(&batch));
        // As the daemon does.
        taker.0.reserve_fields_like(density, 100);
        for row in 0..100 {
            let returned = sandbox.process_message(Some(batch.row(row)), &mut taker).expect("a script that goes on");
            assert_eq!(returned.status, 0, "{:?}", returned.error);
        }
        assert!(case == "empty" || taker.0.len() == 100);
        density = FieldDensity::of(taker.0.batch());
    }
    println!("{:?}, {} detours", sandbox.statistics(), sandbox.detours());
}
