//! A loop through queues on disk ends like any other, also when the daemon was started anew in the middle of it.

mod support;

use heka_message::Selection;
use heka_message::framing::write_looped_frame;
use heka_operators::filters::{Filter, FilterSpec, Injector};
use heka_operators::plugin::{PluginError, Site};
use heka_operators::registry;
use heka_settings::Problems;
use hekad::config;
use hekad::engine;
use hekad::plan::{ConsumerKind, Plan, resolve};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use support::{append, wait_for};

/// Answers each message with one of the type `answer`.
struct Echo {
    answer: &'static str,
    seen: Arc<AtomicUsize>,
    site: Arc<Mutex<Option<Site>>>,
}

impl FilterSpec for Echo {
    fn build(&self, site: &Site) -> Result<Box<dyn Filter>, PluginError> {
        *self.site.lock().unwrap() = Some(site.clone());
        Ok(Box::new(Echo { answer: self.answer, seen: self.seen.clone(), site: self.site.clone() }))
    }
}

impl Filter for Echo {
    fn process(&mut self, selection: &Selection, out: &mut Injector) -> Result<(), PluginError> {
        for _ in selection.iter() {
            self.seen.fetch_add(1, Ordering::SeqCst);
            let builder = out.message();
            let answer = builder.text(self.answer.as_bytes());
            builder.last_row().unwrap().msg_type = answer;
        }
        Ok(())
    }
}

const CONFIG: &str = "max_message_loops = 4\n\
    [LogstreamerInput]\nlog_directory = \"$D/logs\"\nfile_match = 'app\\.log'\n\
    [ping]\ntype = \"CounterFilter\"\nmessage_matcher = \"Type == 'logfile' || Type == 'pong'\"\nuse_buffering = true\n\
    [pong]\ntype = \"CounterFilter\"\nmessage_matcher = \"Type == 'ping'\"\nuse_buffering = true\n";

#[test]
fn messages_that_went_round_through_a_queue_are_still_counted() {
    let site = support::Site::new(CONFIG);
    append(&site.path("logs/app.log"), b"one\n");
    // Left by an earlier run: a message in the last round it may be in.
    let mut left = Vec::new();
    write_looped_frame(b"\x1a\x04pong", 4, 65536, &mut left).unwrap();
    std::fs::create_dir_all(site.path("state/output_queue/ping")).unwrap();
    append(&site.path("state/output_queue/ping/0.log"), &left);
    let mut plan: Plan = {
        let loaded = config::load(&site.path("hekad.toml"), registry::TYPES, &|_| None).ok().unwrap();
        resolve(&loaded.config, &mut Problems::default()).unwrap()
    };
    let echo = |answer| Echo { answer, seen: Arc::default(), site: Arc::default() };
    let (ping, pong) = (echo("ping"), echo("pong"));
    let (pings, pongs, where_ping) = (ping.seen.clone(), pong.seen.clone(), ping.site.clone());
    plan.filters[0].kind = ConsumerKind::Filter(Arc::new(ping));
    plan.filters[1].kind = ConsumerKind::Filter(Arc::new(pong));
    let daemon = std::thread::spawn(move || engine::run(plan));
    wait_for("the refusals", || {
        let site = where_ping.lock().unwrap();
        site.as_ref().is_some_and(|site| site.stats.drops("max-message-loops").get() == 2)
    });
    // SAFETY: the daemon listens to the signal; it answered the message above.
    assert_eq!(unsafe { libc::raise(libc::SIGINT) }, 0);
    assert_eq!(daemon.join().unwrap(), 0);
    // What was left, the line, then in the rounds 2 and 4; further answers would have been in round 5.
    assert_eq!((pings.load(Ordering::SeqCst), pongs.load(Ordering::SeqCst)), (4, 2));
}
