//! SmtpOutput to a mail server that others have written, read by a mail parser that others have written.

use crate::mail_server::{MailServer, certificates};
use crate::support::{Daemon, Site, append, wait_for};
use serde_json::{Value, json};

const INPUT: &str = "[LogstreamerInput]\nlog_directory = \"$D/logs\"\nfile_match = 'a\\.log'\n\
    [lines]\ntype = \"PayloadEncoder\"\nappend_newlines = false\n";

/// An output called `name` that sends every line to that server.
fn output(name: &str, server: &MailServer, options: &str) -> String {
    format!(
        "[{name}]\ntype = \"SmtpOutput\"\nmessage_matcher = \"TRUE\"\nencoder = \"lines\"\nhost = \"{}\"\n{options}\n",
        server.address
    )
}

fn bodies(server: &MailServer) -> Vec<String> {
    let mut bodies: Vec<String> =
        server.mails().iter().map(|mail| mail["body"].as_str().unwrap().trim_end().to_owned()).collect();
    bodies.sort();
    bodies
}

/// What the daemon says a plugin's counter is by now.
fn counted(site: &Site, daemon: &Daemon, counter: &str, wanted: u64) {
    let line = format!("{counter}: {wanted}");
    wait_for(&line, || {
        daemon.signal(libc::SIGUSR1);
        std::thread::sleep(std::time::Duration::from_millis(50));
        String::from_utf8_lossy(&site.read("stdout")).lines().any(|found| found.trim() == line)
    });
}

#[test]
fn mails_are_what_a_mail_parser_expects_and_every_login_works() {
    let site = Site::new("");
    let who = json!({ "user": "heka", "password": "pass word" });
    let Some(server) = MailServer::start(&site, &who) else { return };
    let to = "send_to = [\"ops@example.org\", \"root@localhost\"]\nuser = \"heka\"\npassword = \"pass word\"\n";
    let outputs: String = ["Plain", "Login", "CRAMMD5"]
        .map(|auth| output(auth, &server, &format!("{to}auth = \"{auth}\"\nsubject = \"Überlauf: 从前有座山 {auth}\"")))
        .concat();
    site.configure(&(INPUT.to_owned() + &outputs));
    let daemon = site.start();
    append(&site.path("logs/a.log"), "one\nzwölf\n.\n".as_bytes());
    wait_for("the mails", || server.mails().len() == 9);
    assert_eq!(daemon.stop(), 0);
    let mails = server.mails();
    for (auth, mechanism) in [("Plain", "PLAIN"), ("Login", "LOGIN"), ("CRAMMD5", "CRAM-MD5")] {
        let mine: Vec<&Value> = mails.iter().filter(|mail| mail["login"] == mechanism).collect();
        let texts: Vec<&str> = mine.iter().map(|mail| mail["body"].as_str().unwrap().trim_end()).collect();
        assert_eq!(texts, ["one", "zwölf", "."], "{mails:?}");
        for mail in mine {
            assert_eq!(mail["subject"], format!("Überlauf: 从前有座山 {auth}"));
            assert_eq!(mail["from"], "heka@localhost.localdomain");
            assert_eq!(mail["to"], json!(["ops@example.org", "root@localhost"]));
            assert_eq!(mail["defects"], json!([]));
            let headers = json!([
                "Date",
                "Message-ID",
                "To",
                "From",
                "Subject",
                "MIME-Version",
                "Content-Type",
                "Content-Transfer-Encoding"
            ]);
            assert_eq!(mail["headers"], headers);
            assert!(mail["date"].as_f64().unwrap() > 1.7e9);
        }
    }
    let logs = [site.read("stdout"), site.read("stderr")].concat();
    assert!(!String::from_utf8_lossy(&logs).contains("pass word"));
}

#[test]
fn encryption_is_used_as_the_server_offers_it() {
    for at_once in [false, true] {
        let site = Site::new("");
        certificates(&site);
        let path = |name: &str| site.path(name).display().to_string();
        let options = json!({
            "certificate": path("server.pem"), "key": path("server.key"), "at_once": at_once,
            "require_starttls": !at_once, "user": "u", "password": "p",
        });
        let Some(server) = MailServer::start(&site, &options) else { return };
        let options = format!(
            "send_to = [\"ops@example.org\"]\nauth = \"Plain\"\nuser = \"u\"\npassword = \"p\"\nuse_tls = {at_once}\n\
             [SmtpOutput.tls]\nroot_cafile = \"$D/ca.pem\""
        );
        site.configure(&(INPUT.to_owned() + &output("SmtpOutput", &server, &options)));
        let daemon = site.start();
        append(&site.path("logs/a.log"), b"secret\n");
        wait_for("the mail", || server.mails().len() == 1);
        assert_eq!(daemon.stop(), 0);
        let mail = &server.mails()[0];
        assert_eq!((&mail["encrypted"], &mail["login"]), (&json!(true), &json!("PLAIN")));
        assert_eq!(mail["subject"], "Heka [SmtpOutput]");
    }
}

#[test]
fn refusals_are_dropped_by_rule_and_delays_are_not() {
    let site = Site::new("");
    let options = json!({ "answers": [
        ["RCPT", "b@test", "550 no such user"],
        ["MAIL", "heka", "451 later"],
        ["DATA", "two", "452 disk full"],
        ["DATA", "spam", "554 spam"],
    ] });
    let Some(server) = MailServer::start(&site, &options) else { return };
    site.configure(&(INPUT.to_owned() + &output("SmtpOutput", &server, "send_to = [\"a@test\", \"b@test\"]")));
    let daemon = site.start();
    append(&site.path("logs/a.log"), b"one\ntwo\nspam\nthree\n");
    wait_for("the mails", || server.mails().len() == 3);
    assert_eq!(bodies(&server), ["one", "three", "two"]);
    counted(&site, &daemon, "Dropped-recipient-refused", 1);
    counted(&site, &daemon, "Dropped-mail-refused", 1);
    counted(&site, &daemon, "RetryCount", 2);
    assert_eq!(daemon.stop(), 0);
    // The positions are committed: nothing comes again.
    let daemon = site.start();
    append(&site.path("logs/a.log"), b"four\n");
    wait_for("the last mail", || server.mails().len() == 4);
    assert_eq!(daemon.stop(), 0);
    assert_eq!(bodies(&server), ["four", "one", "three", "two"]);
}

#[test]
fn an_interval_collects_and_a_stop_sends_what_waits() {
    let site = Site::new("");
    let Some(server) = MailServer::start(&site, &json!({})) else { return };
    let options = "send_to = [\"a@test\"]\nsend_interval = 3600";
    site.configure(&(INPUT.to_owned() + &output("SmtpOutput", &server, options)));
    let daemon = site.start();
    append(&site.path("logs/a.log"), b"A\n");
    wait_for("the first mail", || server.mails().len() == 1);
    append(&site.path("logs/a.log"), b"B\nC\n");
    counted(&site, &daemon, "ThrottledMessageCount", 2);
    daemon.crash();
    assert_eq!(bodies(&server), ["A"]);
    // What waited was not acknowledged, and comes again; the first of it at once.
    let daemon = site.start();
    wait_for("the second mail", || server.mails().len() >= 2);
    assert_eq!(daemon.stop(), 0);
    let all = bodies(&server).join("|");
    assert!(all.contains('B') && all.contains('C'), "{all}");
}
