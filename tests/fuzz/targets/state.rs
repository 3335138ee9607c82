//! What the daemon finds of its own when it starts: journals, queues. A crash, a full disk or a user may have left
//! anything there.

use super::site;
use super::wire::encoded;
use crate::runner::{Target, outcome};
use heka_message::framing::write_frame;
use heka_operators::inputs::logstreamer::{LogstreamerSettings, survey};
use heka_operators::inputs::{Credits, InputEdge, Waker};
use heka_operators::queue::{BufferingSettings, DiskQueue, directory};
use heka_settings::Placed;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

#[test]
fn journal() {
    let directory = tempfile::tempdir().unwrap();
    let logs = fs::canonicalize(directory.path()).unwrap().join("logs");
    fs::create_dir(&logs).unwrap();
    fs::write(logs.join("app.log"), "alpha\nbeta\n").unwrap();
    let settings = LogstreamerSettings {
        log_directory: logs.to_string_lossy().into_owned(),
        file_match: Some(Placed::nowhere(r"app\.log".to_owned())),
        ..LogstreamerSettings::default()
    };
    let words = &["{", "}", "\"seek\":", "\"file_name\":", "\"last_hash\":", ",", "\"", "null", "[", "\\u0000", "11"];
    let target = Target { name: "journal", seeds: Vec::new(), words, runs: 2000, memory: (1 << 21, 1024) };
    target.run(|input| {
        fs::write(directory.path().join("app"), input).unwrap();
        let found = survey(&settings, "app", directory.path()).unwrap();
        let seeks: Vec<u64> = found.streams.iter().map(|stream| stream.seek).collect();
        assert!(seeks.iter().all(|seek| *seek <= 11), "it would begin behind the end: {seeks:?}");
        outcome((seeks, found.complaints.len()))
    });
}

/// The checkpoint, then, behind a zero byte, the file.
#[test]
fn queue() {
    let directory_of_all = tempfile::tempdir().unwrap();
    let site = site("queue", directory_of_all.path());
    let folder = directory(&site.globals, "queue");
    let framed = encoded().into_iter().take(3).map(|body| {
        let mut frame = Vec::new();
        write_frame(&body, 65536, &mut frame).unwrap();
        [&b"0 0\0"[..], &frame, &frame].concat()
    });
    let seeds = framed.chain([b"0 17\0".to_vec(), b"9 0\0x".to_vec(), b"x\0".to_vec()]).collect();
    let words = &["0", " ", "18446744073709551615", "\n", "\u{1e}\u{3}\u{8}"];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let target = Target { name: "queue", seeds, words, runs: 300, memory: (8 << 20, 1024) };
    target.run(|input| {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let at = input.iter().position(|byte| *byte == 0).unwrap_or(0);
        fs::write(folder.join("checkpoint.txt"), &input[..at]).unwrap();
        let content = input.get(at + 1..).unwrap_or_default();
        fs::write(folder.join("0.log"), content).unwrap();
        let queue = DiskQueue::open(&site, &BufferingSettings::default()).unwrap();
        assert!(queue.fill().waiting <= content.len() as u64);
        let (sender, chunks) = std::sync::mpsc::channel();
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let (_, commits) = tokio::sync::mpsc::unbounded_channel();
        let waker = Arc::new(Waker::default());
        let mut edge = InputEdge::new(site.clone(), sender, waker, Credits::new(1 << 20), stopped, commits);
        let mut reader = queue.reader();
        runtime.block_on(async {
            let reading = tokio::time::timeout(Duration::from_secs(60), reader.run(&mut edge));
            let told = async {
                tokio::time::sleep(Duration::from_millis(2)).await;
                stop.send_replace(true);
            };
            let (ended, ()) = tokio::join!(reading, told);
            ended.expect("a reader that is told to stop does").unwrap();
        });
        let read: usize = chunks.try_iter().map(|chunk| chunk.bytes.len()).sum();
        assert!(read <= content.len());
        outcome((read == 0, read == content.len(), queue.fill().waiting == 0))
    });
}
