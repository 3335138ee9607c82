//! Anomalies of the traffic: none in ordinary hours; when pages fail, both searches find it, the graph is marked, and
//! one mail goes out, however long it lasts.

use crate::mail::MailServer;
use crate::pipeline::{Pipeline, Places};
use crate::support::{Random, append, wait_for};
use crate::traffic::{minute, ordinary, this_minute};
use base64::Engine;
use std::fs;
use std::time::Duration;

/// The search for anomalies runs at the first tick, and then once for every row of the graph.
const ROW: Duration = Duration::from_secs(60);
const A_FEW_TICKS: Duration = Duration::from_secs(5);

#[test]
fn anomalies_mark_the_graph_and_send_one_mail() {
    let mut places = Places::default();
    let pipeline_dir = tempfile::tempdir().unwrap();
    let Some(mail) = MailServer::start(&pipeline_dir.path().join("mail")) else { return };
    places.mail = mail.address.clone();
    let pipeline = Pipeline::new(&places, "");
    let random = &mut Random::new(7);
    fs::write(pipeline.logs.join("access.log.1"), ordinary(random, 1)).unwrap();

    // The first search sees hardly anything. What comes until the next is all there is by then.
    let daemon = pipeline.start();
    pipeline.shown("http_status.HTTPStatus.cbuf", |text| text.contains("HTTP_200"));
    let history = ordinary(random, 240);
    fs::write(pipeline.site.path("access.log"), &history).unwrap();
    fs::rename(pipeline.site.path("access.log"), pipeline.logs.join("access.log")).unwrap();
    std::thread::sleep(ROW + A_FEW_TICKS);
    let ordinary_graph = pipeline.shown("http_status.HTTPStatus.cbuf", |text| text.contains("HTTP_200"));
    assert!(ordinary_graph.starts_with("{\"annotations\":{}}"), "{}", first_line(&ordinary_graph));
    assert!(mail.mails().is_empty(), "an alert in ordinary hours: {:?}", mail.mails());

    // The last quarter of an hour goes wrong: failures, and far more requests than before.
    let now = this_minute();
    let wrong: String = (now - 15..now).map(|at| minute(random, at, &[(200, 300), (500, 150)])).collect();
    append(&pipeline.logs.join("access.log"), wrong.as_bytes());
    wait_for_slowly("the mail", || !mail.mails().is_empty());
    let mails = mail.mails();
    let (head, body) = mails[0].split_once("\r\n\r\n").unwrap();
    for header in ["From: heka@example.com", "Subject: Heka [SmtpOutput]", "X-Envelope-To: alert@example.com"] {
        assert!(head.lines().any(|line| line == header), "{header} is missing in\n{head}");
    }
    let body: String = body.split_whitespace().collect();
    let body = String::from_utf8(base64::engine::general_purpose::STANDARD.decode(body).unwrap()).unwrap();
    for part in [
        "Plugin: http_status",
        "HTTP Status - algorithm: roc col: 2 msg: detected anomaly, standard deviation exceeds 1.5",
        "HTTP Status - algorithm: mww_nonparametric col: 5 msg: detected anomaly, pstat: ",
    ] {
        assert!(body.contains(part), "{part} is missing in\n{body}");
    }
    let graph = pipeline.shown("http_status.HTTPStatus.cbuf", |text| text.contains("shortText"));
    for part in ["\"col\":2", "\"col\":5", "\"shortText\":\"A\""] {
        assert!(first_line(&graph).contains(part), "{part} is missing in {}", first_line(&graph));
    }

    // It goes on, but a second mail within the hour would tell nothing new.
    std::thread::sleep(ROW + A_FEW_TICKS);
    assert_eq!(mail.mails().len(), 1);
    // None of the other servers is there, which the end says, too.
    assert_eq!(daemon.stop(), 1);
    assert_eq!(mail.mails().len(), 1);
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// [`wait_for`] with twice its patience.
fn wait_for_slowly(what: &str, mut done: impl FnMut() -> bool) {
    let begun = std::time::Instant::now();
    wait_for(what, || done() || begun.elapsed() > Duration::from_secs(50));
    wait_for(what, done);
}
