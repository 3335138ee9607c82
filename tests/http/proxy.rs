//! Through nginx, which speaks TLS, wants a password and small requests, to the bulk interface.

use crate::bulk::{Behaviour, Bulk};
use crate::support::{Site, append, connect, free_address, peer, wait_for};
use std::process::Command;

/// Puts nginx in front of `upstream`; returns where it listens.
fn nginx(site: &Site, upstream: &str) -> Option<(peer::Running, String)> {
    let program = peer::find("nginx")?;
    let address = free_address();
    let key = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    std::fs::write(site.path("server.pem"), key.cert.pem()).unwrap();
    std::fs::write(site.path("server.key"), key.signing_key.serialize_pem()).unwrap();
    std::fs::write(site.path("users"), "heka:{PLAIN}secret\n").unwrap();
    let dir = site.dir.path().display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|what| format!("{what}_temp_path {dir}/{what};\n"))
        .concat();
    let config = format!(
        "daemon off; master_process off; pid {dir}/pid; error_log stderr;\nevents {{}}\n\
         http {{ {temporary} access_log off; client_max_body_size 4k;\n\
         server {{ listen {address} ssl; ssl_certificate {dir}/server.pem; ssl_certificate_key {dir}/server.key;\n\
         location / {{ auth_basic es; auth_basic_user_file {dir}/users; proxy_pass http://{upstream}/; }} }} }}\n"
    );
    std::fs::write(site.path("nginx.conf"), config).unwrap();
    let mut command = Command::new(program);
    command.arg("-c").arg(site.path("nginx.conf")).arg("-p").arg(site.dir.path());
    command.arg("-e").arg("stderr");
    let running = peer::Running::start(&mut command, &site.path("nginx.log"));
    connect(&address);
    Some((running, address))
}

#[test]
fn documents_pass_a_proxy_with_tls_and_a_password() {
    let bulk = Bulk::start(Behaviour { failures: 0, types: false, most_bytes: usize::MAX });
    let site = Site::new("");
    let Some((running, address)) = nginx(&site, &bulk.address) else { return };
    let config = |password: &str| {
        format!(
            "[LogstreamerInput]\nlog_directory = \"$D/logs\"\nfile_match = 'app\\.log'\n\
             [ESJsonEncoder]\nid = \"%{{UUID}}\"\nindex = \"app\"\n\
             [ElasticSearchOutput]\nmessage_matcher = \"Type == 'logfile'\"\nserver = \"https://{address}\"\n\
             encoder = \"ESJsonEncoder\"\nflush_count = 500\nflush_interval = 50\nusername = \"heka\"\n\
             password = \"{password}\"\n\
             [ElasticSearchOutput.tls]\nroot_cafile = \"$D/server.pem\"\n"
        )
    };
    // A wrong password, and messages that wait until it is right.
    site.configure(&config("wrong"));
    let text: String = (0..2000).map(|n| format!("line {n:05}\n")).collect();
    append(&site.path("logs/app.log"), text.as_bytes());
    let daemon = site.start();
    let log = || String::from_utf8_lossy(&site.read("stderr")).into_owned();
    wait_for("the refusal", || log().contains("HTTP response error. Status: 401 Unauthorized"));
    // The daemon says that messages are left; they are in the queue.
    assert_eq!(daemon.stop(), 1);
    assert_eq!(bulk.store().requests, 0);
    site.configure(&config("secret"));
    let daemon = site.start();
    wait_for("all documents", || bulk.store().documents.len() == 2000);
    assert_eq!(daemon.stop(), 0);
    assert_eq!(bulk.payloads(), text.lines().collect::<Vec<_>>());
    let store = bulk.store();
    assert!(store.wrong.is_empty(), "{:?}", store.wrong);
    assert!(log().contains("413"), "the proxy takes no more than 4 KiB: {}", log());
    running.end();
}

#[test]
fn single_messages_pass_it_too() {
    let got = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = got.clone();
    let upstream = crate::support::web::serve(move |request| {
        seen.lock().unwrap().push((request.text(), request.header("x-from").map(str::to_owned)));
        crate::support::web::Reply::Say(204, String::new(), String::new())
    });
    let site = Site::new("");
    let Some((running, address)) = nginx(&site, &upstream) else { return };
    site.configure(&format!(
        "[LogstreamerInput]\nlog_directory = \"$D/logs\"\nfile_match = 'app\\.log'\n\
         [PayloadEncoder]\nappend_newlines = false\n\
         [HttpOutput]\nmessage_matcher = \"Type == 'logfile'\"\naddress = \"https://heka:s%65cret@{address}/in\"\n\
         encoder = \"PayloadEncoder\"\nuse_buffering = true\nmethod = \"put\"\n\
         [HttpOutput.headers]\nX-From = [\"hekad\"]\n\
         [HttpOutput.tls]\nroot_cafile = \"$D/server.pem\"\n"
    ));
    let lines: Vec<String> = (0..100).map(|n| format!("line {n}\n")).collect();
    append(&site.path("logs/app.log"), lines.concat().as_bytes());
    let daemon = site.start();
    wait_for("all messages", || got.lock().unwrap().len() >= 100);
    assert_eq!(daemon.stop(), 0);
    let got = got.lock().unwrap();
    assert_eq!(got.iter().map(|(text, _)| text.clone()).collect::<Vec<_>>(), lines);
    assert!(got.iter().all(|(_, from)| from.as_deref() == Some("hekad")));
    running.end();
}
