//! Files that are copied and truncated, or just overwritten, while they are read.

use super::follow::Look;
use super::*;
use crate::inputs::ChunkPool;

/// The input moved step by step, so that anything can happen between two looks.
struct Stepped {
    input: Logstreamer,
    edge: InputEdge,
    chunks: std::sync::mpsc::Receiver<Chunk>,
    pool: Arc<ChunkPool>,
    read: Vec<u8>,
    _stop: stop_signal::Sender<bool>,
}

impl Stepped {
    fn new(setup: &Setup) -> Self {
        let (sender, chunks) = std::sync::mpsc::channel();
        let (_stop, stopped) = stop_signal::channel(false);
        let (_, commits) = mpsc::unbounded_channel();
        let credits = Credits::new(4 << 20);
        let edge = InputEdge::new(site(), sender, Arc::new(Waker::default()), credits, stopped, commits);
        let pool = ChunkPool::new(64 * 1024, 0, 1);
        Stepped { input: setup.build().unwrap(), edge, chunks, pool, read: Vec::new(), _stop }
    }

    /// Looks, reads and scans until nothing more is to be done.
    fn settle(&mut self) -> String {
        let mut idle = Instant::now();
        while idle.elapsed() < Duration::from_millis(200) {
            let follower = &mut self.input.followers[0];
            match follower.look(&self.edge) {
                Look::Idle => {
                    std::thread::sleep(Duration::from_millis(1));
                    continue;
                }
                Look::Again => {}
                Look::Rescan => assert!(self.input.rescan().is_empty()),
                Look::Data => {
                    let (buffer, credit) = self.edge.try_buffer(&self.pool).unwrap();
                    follower.read(&self.edge, buffer, credit);
                }
            }
            idle = Instant::now();
        }
        self.read.extend(self.chunks.try_iter().flat_map(|chunk| chunk.bytes.as_ref().to_vec()));
        String::from_utf8(self.read.clone()).unwrap()
    }
}

fn truncate(setup: &Setup, name: &str) {
    fs::File::options().write(true).open(setup.log(name)).unwrap().set_len(0).unwrap();
}

/// Whether the file system keeps when files were made.
fn keeps_birth(setup: &Setup) -> bool {
    let keeps = fs::metadata(setup.log("app.log")).unwrap().created().is_ok();
    if !keeps {
        eprintln!("this file system does not keep when files were made: nothing can be tested");
    }
    keeps
}

const COPIES: &str = r"app\.log\.?(?P<Seq>\d*)(\.gz)?";

#[test]
fn a_file_copied_and_written_again_is_noticed_however_little_of_it_was_read() {
    // What was read when the file is rotated, its rest, and what is written behind the rotation: longer than before.
    let almost = format!("line {}\n", "x".repeat(journal::WINDOW - 7));
    for seen in ["", "line ", "line 1\n", &almost] {
        for gzip in [false, true] {
            for generations in 1..4 {
                let setup = Setup::new(COPIES).with("priority", list(&["^Seq"]));
                setup.write("app.log.9", "the oldest\n");
                setup.write("app.log", seen);
                if !keeps_birth(&setup) {
                    return;
                }
                let mut stepped = Stepped::new(&setup);
                assert_eq!(stepped.settle(), format!("the oldest\n{seen}"));
                let mut written = format!("the oldest\n{seen}");
                for generation in 0..generations {
                    let rest = format!("line 2 of {generation}\n").repeat(2 + generation);
                    setup.append("app.log", &rest);
                    written.push_str(&rest);
                    for number in (1..=generation).rev() {
                        for ending in ["", ".gz"] {
                            let to = setup.log(&format!("app.log.{}{ending}", number + 1));
                            let _ = fs::rename(setup.log(&format!("app.log.{number}{ending}")), to);
                        }
                    }
                    fs::copy(setup.log("app.log"), setup.log("app.log.1")).unwrap();
                    if gzip {
                        setup.gzip("app.log.1", "app.log.1.gz");
                    }
                    truncate(&setup, "app.log");
                    let next = format!("{seen}line 3 of {generation}\n");
                    setup.append("app.log", &next);
                    written.push_str(&next);
                }
                let more = "line 4, so that the file is longer than it was\n".repeat(3 + generations);
                setup.append("app.log", &more);
                written.push_str(&more);
                assert_eq!(stepped.settle(), written, "{seen:?} {gzip} {generations}");
            }
        }
    }
}

#[test]
fn copies_of_what_was_read_before_are_not_taken_for_the_open_file() {
    let setup = Setup::new(COPIES).with("priority", list(&["^Seq"]));
    setup.write("app.log.2", "line 0\n");
    setup.write("app.log.1", "line 1\n");
    setup.write("app.log", "line ");
    if !keeps_birth(&setup) {
        return;
    }
    let mut stepped = Stepped::new(&setup);
    assert_eq!(stepped.settle(), "line 0\nline 1\nline ");
    // Compressed when the next file had only begun.
    setup.gzip("app.log.1", "app.log.1.gz");
    setup.append("app.log", "2\n");
    assert_eq!(stepped.settle(), "line 0\nline 1\nline 2\n");
    // A copy in the making.
    setup.write("app.log.1", "line 2");
    setup.gzip("app.log.1.gz", "app.log.3.gz");
    setup.append("app.log", "line 3\n");
    assert_eq!(stepped.settle(), "line 0\nline 1\nline 2\nline 3\n");
}

#[test]
fn what_is_gone_is_counted() {
    let setup = Setup::new(r"app\.log");
    setup.write("app.log", "line 1\n");
    let mut stepped = Stepped::new(&setup);
    assert_eq!(stepped.settle(), "line 1\n");
    setup.append("app.log", "line 2\n");
    assert_eq!(stepped.input.followers[0].look(&stepped.edge), Look::Data, "it is known to be there");
    setup.write("app.log", "other\n");
    assert_eq!(stepped.settle(), "line 1\nother\n");
    let stats = &stepped.input.followers[0].site.stats;
    assert_eq!(stats.drops("truncated-bytes").get(), 7);
    assert_eq!(stats.counter("TruncatedFiles", "count").get(), 1);
}

#[test]
fn a_file_overwritten_with_more_is_read_again_from_its_start() {
    let setup = Setup::new(r"app\.log");
    setup.write("app.log", "one\n");
    let running = setup.start();
    running.wait_for(&["one\n"]);
    // Read to the end before the file is replaced in one step, so that no shorter length is ever seen.
    setup.wait_for_journal("app", 4, "app.log", &journal::hash(b"one\n"));
    let file = fs::OpenOptions::new().write(true).open(setup.log("app.log")).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, b"two\nthree\n", 0).unwrap();
    running.wait_for(&["one\n", "two\n", "three\n"]);
    running.stop();
}

#[test]
fn a_copy_made_before_truncation_is_read_to_its_end() {
    let setup = Setup::new(r"app\.log\.?(?P<Seq>\d*)").with("priority", list(&["^Seq"]));
    setup.write("app.log", "");
    let running = setup.start();
    let rounds = 30;
    for round in 0..rounds {
        setup.append("app.log", &format!("{round} a\n"));
        wait(|| running.payloads().len() > 2 * round, || format!("{:?}", running.payloads()));
        // Often only the copy is left when the input looks.
        setup.append("app.log", &format!("{round} b\n"));
        fs::copy(setup.log("app.log"), setup.log("copying")).unwrap();
        for seq in (1..=round).rev() {
            let (from, to) = (format!("app.log.{seq}"), format!("app.log.{}", seq + 1));
            fs::rename(setup.log(&from), setup.log(&to)).unwrap();
        }
        fs::rename(setup.log("copying"), setup.log("app.log.1")).unwrap();
        fs::OpenOptions::new().write(true).truncate(true).open(setup.log("app.log")).unwrap();
    }
    let wanted: Vec<_> = (0..rounds).flat_map(|round| [format!("{round} a\n"), format!("{round} b\n")]).collect();
    wait(|| running.payloads() == wanted, || format!("found {:?}", running.payloads()));
    running.stop();
}

#[test]
fn a_copy_in_the_making_is_left_for_its_original() {
    let setup = Setup::new(r"app\.log\.?(?P<Seq>\d*)").with("priority", list(&["^Seq"]));
    setup.write("app.log.2", "one\n");
    setup.write("app.log", "two\nthree\n");
    if fs::metadata(setup.log("app.log")).unwrap().created().is_err() {
        eprintln!("this file system does not keep when files were made: nothing can be tested");
        return;
    }
    // The clock of files is coarse.
    std::thread::sleep(Duration::from_millis(20));
    setup.write("app.log.1", "two\n");
    let running = setup.start();
    running.wait_for(&["one\n", "two\n", "three\n"]);
    setup.append("app.log.1", "three\n");
    setup.write("app.log", "four\n");
    running.wait_for(&["one\n", "two\n", "three\n", "four\n"]);
    running.stop();
}
