//! CarbonOutput to InfluxDB, which takes Graphite's lines too.

use crate::support::peer::{self, Running};
use crate::support::{Site, append, connect, free_address, wait_for};
use std::io::{Read, Write};
use std::process::Command;

/// Asks for a query's result.
fn query(address: &str, query: &str) -> String {
    let mut stream = connect(address);
    let query = query.replace(' ', "%20");
    let request = format!("GET /query?db=graphite&q={query} HTTP/1.0\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn influxdb_has_every_point() {
    let Some(program) = peer::find("influxd") else { return };
    let site = Site::new("");
    let (http, rpc, graphite) = (free_address(), free_address(), free_address());
    let dir = site.path("influx").display().to_string();
    std::fs::create_dir(site.path("influx")).unwrap();
    std::fs::write(
        site.path("influx/influxdb.conf"),
        format!(
            "reporting-disabled = true\nbind-address = \"{rpc}\"\n[meta]\ndir = \"{dir}/meta\"\n\
             [data]\ndir = \"{dir}/data\"\nwal-dir = \"{dir}/wal\"\n[http]\nbind-address = \"{http}\"\n\
             [[graphite]]\nenabled = true\nbind-address = \"{graphite}\"\nbatch-timeout = \"50ms\"\n"
        ),
    )
    .unwrap();
    let mut command = Command::new(program);
    command.arg("-config").arg(site.path("influx/influxdb.conf"));
    let _influx = Running::start(&mut command, &site.path("influx/output"));
    drop((connect(&http), connect(&graphite)));
    site.configure(&format!(
        "[LogstreamerInput]\nlog_directory = \"$D/logs\"\nfile_match = 'a\\.log'\n\
         [CarbonOutput]\nmessage_matcher = \"TRUE\"\naddress = \"{graphite}\"\n"
    ));
    let daemon = site.start();
    let lines: String = (0..2000).map(|i| format!("some.metric {i} {}\n", 1_700_000_000 + i)).collect();
    append(&site.path("logs/a.log"), lines.as_bytes());
    let wanted = format!("2000,{}]", 1999 * 2000 / 2);
    wait_for("the points", || query(&http, "SELECT count(value),sum(value) FROM \"some.metric\"").contains(&wanted));
    assert_eq!(daemon.stop(), 0);
}
