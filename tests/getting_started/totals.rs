//! What goes in comes out, exactly, on every side: through rotation and compression while the daemon runs and while it
//! does not, through stops and starts, and through an ElasticSearch that fails now and then.

use crate::elastic::Elastic;
use crate::influx::{GRAPHITE, Influx, NATIVE};
use crate::mail::MailServer;
use crate::nginx::{self, Nginx};
use crate::old_influx::OldInflux;
use crate::pipeline::{Pipeline, Places, column_sum};
use crate::statsd::{COUNTERS, Clients};
use crate::support::carbon_cache::CarbonCache;
use crate::support::peer::Running;
use crate::support::wait_for;
use std::collections::HashMap;
use std::path::Path;

/// Every server there is.
struct Servers {
    carbon: CarbonCache,
    _running: Running,
    influx: Influx,
    old_influx: OldInflux,
    elastic: Elastic,
    mail: MailServer,
    clients: Clients,
}

impl Servers {
    fn start(dir: &Path) -> Option<Servers> {
        let carbon = CarbonCache::configure(&dir.join("carbon"))?;
        Some(Servers {
            clients: Clients::find()?,
            _running: carbon.start(),
            carbon,
            influx: Influx::start(&dir.join("influx"))?,
            mail: MailServer::start(&dir.join("mail"))?,
            old_influx: OldInflux::start(),
            elastic: Elastic::start(),
        })
    }

    fn places(&self) -> Places {
        Places {
            carbon: self.carbon.address.clone(),
            influx: self.influx.http.clone(),
            elastic: self.elastic.address.clone(),
            mail: self.mail.address.clone(),
            old_influx: self.old_influx.address.clone(),
        }
    }

    /// Waits until all that was counted has arrived, as the sum of what came in each interval.
    fn wait_for_counts(&self, counted: u64) {
        for counter in 0..COUNTERS {
            let name = format!("stats.counters.{counter:06}.count");
            let expected = (counted * (counter + 1)) as f64;
            wait_for(&format!("{expected} of {name} in Carbon"), || self.carbon.sum(&name) == expected);
            wait_for(&format!("{expected} of {name} in the old InfluxDB"), || self.old_influx.sum(&name) == expected);
            self.influx.wait_for_sum(NATIVE, &name, expected);
            self.influx.wait_for_sum(GRAPHITE, &name, expected);
        }
    }

    /// Waits until every line of every log is a document, and shows that it is one just once.
    fn wait_for_lines(&self, logs: &Path) {
        let lines = nginx::lines(logs);
        wait_for(&format!("{} documents", lines.len()), || self.elastic.count() >= lines.len());
        assert_eq!(self.elastic.complaints(), Vec::<String>::new());
        let mut documents = HashMap::new();
        for document in self.elastic.documents() {
            let field = |name: &str| document.source[name].to_string();
            *documents.entry((field("status"), field("request"), document.index)).or_insert(0) += 1;
        }
        let mut expected = HashMap::new();
        for line in lines {
            // 127.0.0.1 - - [30/Nov/2026:12:34:56 +0000] "GET / HTTP/1.0" 200 13 "-" "ApacheBench/2.3"
            let quoted: Vec<&str> = line.split('"').collect();
            let status = quoted[2].split_whitespace().next().unwrap();
            let day = jiff::fmt::strtime::parse("%d/%b/%Y", &line[line.find('[').unwrap() + 1..][..11]).unwrap();
            let index = day.to_date().unwrap().strftime("heka-%Y.%m.%d").to_string();
            *expected.entry((status.to_owned(), format!("\"{}\"", quoted[1]), index)).or_insert(0) += 1;
        }
        assert_eq!(documents, expected, "status, request and index of the documents, and of the lines");
    }
}

#[test]
fn everything_arrives_just_once_on_every_side() {
    let dir = tempfile::tempdir().unwrap();
    let Some(servers) = Servers::start(dir.path()) else { return };
    let graphite = format!(
        "[influx_graphite]\ntype = \"CarbonOutput\"\nmessage_matcher = \"Type == 'heka.statmetric'\"\n\
         address = \"{}\"\nprotocol = \"tcp\"\ntcp_keep_alive = true\n",
        servers.influx.graphite
    );
    let pipeline = Pipeline::new(&servers.places(), &graphite);
    let Some(nginx) = Nginx::start(dir.path(), &pipeline.logs) else { return };

    // Logs from before the daemon's time: plain, rotated, and compressed.
    for _ in 0..2 {
        nginx.load("/", 300);
        nginx.load("/missing", 40);
        nginx.rotate();
    }
    nginx.load("/broken", 25);

    let mut counted = 0;
    for life in 0..3 {
        let daemon = pipeline.start();
        for round in 0..2 {
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    nginx.load("/", 400);
                    nginx.rotate();
                    nginx.load("/missing", 100);
                });
                counted += servers.clients.count(&pipeline.statsd, 150);
            });
            if (life, round) == (0, 0) {
                servers.wait_for_counts(counted);
                pipeline.shown("stat_graph.Stats.cbuf", |text| column_sum(text, 0) == counted as f64);
            }
        }
        servers.wait_for_lines(&pipeline.logs);
        // What was counted last is flushed by the stop, if not before.
        assert_eq!(daemon.stop(), 0);
        servers.wait_for_counts(counted);
        nginx.load("/", 100);
        nginx.rotate();
    }

    let daemon = pipeline.start();
    servers.wait_for_lines(&pipeline.logs);
    let lines = nginx::lines(&pipeline.logs).len() as f64;
    let graphed = |text: &str| (0..6).map(|column| column_sum(text, column)).sum::<f64>();
    pipeline.shown("http_status.HTTPStatus.cbuf", |text| graphed(text) == lines);
    assert_eq!(daemon.stop(), 0);
    assert_eq!(servers.old_influx.complaints(), Vec::<String>::new());
    assert!(servers.elastic.failures_injected() > 10, "too few failures to show anything");
    assert!(servers.mail.mails().is_empty(), "nothing was out of the ordinary: {:?}", servers.mail.mails());
}
