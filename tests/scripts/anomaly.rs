//! Anomaly detection from end to end: generated web traffic through the shipped http_status.lua, in the plugin that
//! runs it in the daemon, with timer events in the traffic's own time.

use crate::support::Random;
use crate::tool::{run, share, text};
use heka_message::framing::write_frame;
use heka_message::{BatchBuilder, FieldValue, Span, write_message};
use serde_json::Value;

/// The first minute, in seconds since the UNIX epoch: a full hour.
const BEGIN: u64 = 1_425_942_000;
/// Minutes in which the history fills, and in which nothing is asked of the detection.
const WARM_UP: u64 = 180;
/// Minutes of ordinary traffic behind it.
const CONTROL: u64 = 60;
/// Minutes of whatever is injected behind that.
const INJECTED: u64 = 60;

/// The configuration that users of the original copy from its documentation.
const BOTH: &str = r#"roc("HTTP Status", 2, 15, 0, 1.5, true, false) mww_nonparametric("HTTP Status", 5, 15, 10, 0.8)"#;

/// Requests of a minute that are answered with 200 and with 500.
type Rates = (u64, u64);
const ORDINARY: Rates = (24, 6);

/// Framed messages: ordinary traffic with noise, then `injected`.
fn traffic(seed: u64, injected: Rates) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut out = Vec::new();
    let mut builder = BatchBuilder::default();
    let mut body = Vec::new();
    for minute in 0..WARM_UP + CONTROL + INJECTED {
        let rates = if minute < WARM_UP + CONTROL { ORDINARY } else { injected };
        for (status, rate) in [(200, rates.0), (500, rates.1)] {
            // The noise of arrivals: about the square root of the rate, and never a straight line.
            let noise: u64 = (0..rate).map(|_| random.below(3)).sum();
            for request in 0..noise {
                builder.restart(Default::default());
                let name = builder.text(b"status");
                let row = builder.row();
                row.set_uuid([7; 16]);
                // Spread over the minute, in order of time within each status.
                let nanos = (BEGIN + minute * 60) * 1_000_000_000 + request * 60_000_000_000 / noise;
                row.set_timestamp(i64::try_from(nanos).unwrap());
                builder.field(name, Span::NONE, FieldValue::Double(f64::from(status)));
                body.clear();
                write_message(builder.batch().row(0), &mut body);
                write_frame(&body, 65536, &mut out).unwrap();
            }
        }
    }
    out
}

/// What the filter made of the traffic.
struct Seen {
    /// Minutes from the beginning, and the texts.
    alerts: Vec<(u64, String)>,
    /// The annotations of the last graph: minute, column, text.
    annotations: Vec<(u64, u64, String)>,
    graphs: usize,
}

fn detect(config: &str, traffic: &[u8]) -> Seen {
    let script = share().join("lua_filters/http_status.lua");
    let arguments = [
        "-type=filter".to_owned(),
        format!("-script={}", script.display()),
        format!("-share={}", share().display()),
        format!("-set=anomaly_config={config}"),
        "-tick=60".to_owned(),
        "-format=json".to_owned(),
    ];
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let run = run(&share(), &arguments, traffic);
    assert!(run.status.success(), "{}", text(&run.stderr));
    let minute = |seconds: u64| (seconds - BEGIN) / 60;
    let mut seen = Seen { alerts: Vec::new(), annotations: Vec::new(), graphs: 0 };
    for line in text(&run.stdout).lines() {
        let message: Value = serde_json::from_str(line).unwrap();
        let payload = message["payload"].as_str().unwrap();
        let kind = message["fields"].as_array().unwrap().iter().find(|field| field["name"] == "payload_type").unwrap();
        match kind["value_string"][0].as_str().unwrap() {
            "alert" => {
                let time = message["timestamp"].as_u64().unwrap() / 1_000_000_000;
                seen.alerts.push((minute(time), payload.to_owned()));
            }
            "cbuf" => {
                seen.graphs += 1;
                let head: Value = serde_json::from_str(payload.lines().next().unwrap()).unwrap();
                let annotations = head["annotations"].as_array().cloned().unwrap_or_default();
                let annotation = |a: &Value| {
                    let text = a["text"].as_str().unwrap().to_owned();
                    (minute(a["x"].as_u64().unwrap() / 1000), a["col"].as_u64().unwrap(), text)
                };
                seen.annotations = annotations.iter().map(annotation).collect();
                let table = payload.lines().nth(1).unwrap();
                assert!(table.contains("\"name\":\"HTTP_500\""), "{table}");
            }
            other => panic!("a payload of the type {other}"),
        }
    }
    seen
}

impl Seen {
    /// Alerts behind the warm-up.
    fn late(&self) -> Vec<&(u64, String)> {
        self.alerts.iter().filter(|(minute, _)| *minute >= WARM_UP).collect()
    }

    /// The only alert behind the warm-up, which must come with its annotation, and not before it has a reason.
    fn only(&self, column: u64) -> &str {
        let late = self.late();
        let [(minute, alert)] = late.as_slice() else { panic!("not one alert: {late:?}") };
        assert!(*minute > WARM_UP + CONTROL, "{minute} {alert}");
        let marks: Vec<_> = self.annotations.iter().filter(|(minute, ..)| *minute >= WARM_UP).collect();
        let [(marked, col, text)] = marks.as_slice() else { panic!("not one annotation: {marks:?}") };
        assert_eq!((marked, *col), (minute, column));
        assert!(alert.ends_with(text.as_str()), "{alert} {text}");
        alert
    }
}

#[test]
fn ordinary_traffic_raises_nothing() {
    for seed in 1..=2 {
        let seen = detect(BOTH, &traffic(seed, ORDINARY));
        assert!(seen.late().is_empty(), "{seed}: {:?}", seen.alerts);
        assert!(seen.annotations.iter().all(|(minute, ..)| *minute < WARM_UP), "{seed}: {:?}", seen.annotations);
        assert_eq!(seen.graphs as u64, WARM_UP + CONTROL + INJECTED, "a graph a minute");
    }
}

#[test]
fn a_drop_of_the_rate_is_found_by_roc_once() {
    let seen = detect(BOTH, &traffic(1, (8, 6)));
    let alert = seen.only(2);
    assert_eq!(alert, "HTTP Status - algorithm: roc col: 2 msg: detected anomaly, standard deviation exceeds 1.5");
}

#[test]
fn a_loss_of_data_is_found_by_roc_once() {
    // The filter has other messages to keep its time going.
    let seen = detect(r#"roc("HTTP Status", 2, 15, 0, 100, true, false)"#, &traffic(1, (0, 6)));
    assert_eq!(seen.only(2), "HTTP Status - algorithm: roc col: 2 msg: no new data");
}

#[test]
fn a_rise_of_errors_is_found_by_mww_nonparametric_once() {
    let seen = detect(BOTH, &traffic(1, (24, 30)));
    let alert = seen.only(5);
    let pstat = alert.strip_prefix("HTTP Status - algorithm: mww_nonparametric col: 5 msg: detected anomaly, pstat: ");
    let pstat: f64 = pstat.unwrap_or_else(|| panic!("{alert}")).parse().unwrap();
    assert!(pstat > 0.8 && pstat <= 1.0, "{pstat}");
}

#[test]
fn a_rise_of_errors_is_found_by_mww_once_and_no_fall() {
    let config = |trend| format!(r#"mww("HTTP Status", 5, 15, 10, 0.0001, {trend})"#);
    let rising = traffic(1, (24, 30));
    let seen = detect(&config("increasing"), &rising);
    assert_eq!(seen.only(5), "HTTP Status - algorithm: mww col: 5 msg: detected anomaly, increasing values");
    let seen = detect(&config("any"), &rising);
    assert_eq!(seen.only(5), "HTTP Status - algorithm: mww col: 5 msg: detected anomaly");
    assert!(detect(&config("decreasing"), &rising).late().is_empty());
    assert!(detect(&config("any"), &traffic(1, ORDINARY)).late().is_empty());
}
