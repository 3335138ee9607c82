//! Runs with damage between them: what was acknowledged survives.

use super::*;
use proptest::prelude::*;

/// What a crash, or somebody with a shell, does to a queue between two runs.
#[derive(Clone, Debug)]
enum Damage {
    None,
    CutNewest(prop::sample::Index),
    Checkpoint(String),
    Remove(prop::sample::Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        3 => Just(Damage::None),
        2 => any::<prop::sample::Index>().prop_map(Damage::CutNewest),
        1 => "[0-9x \n]{0,6}".prop_map(Damage::Checkpoint),
        1 => (0u64..4, 0u64..900).prop_map(|(file, offset)| Damage::Checkpoint(format!("{file} {offset}"))),
        1 => any::<prop::sample::Index>().prop_map(Damage::Remove),
    ]
}

impl Damage {
    fn inflict(&self, base: &Path) {
        let files: Vec<_> = layout::scan(&folder(base)).unwrap().into_iter().collect();
        let written: Vec<_> = files.iter().filter(|(_, length)| *length > 0).collect();
        match self {
            Damage::None => {}
            Damage::CutNewest(at) => {
                if let Some((file, length)) = written.last() {
                    let file = std::fs::File::options().write(true).open(layout::file_path(&folder(base), *file));
                    file.unwrap().set_len(at.index(*length as usize) as u64).unwrap();
                }
            }
            Damage::Checkpoint(text) => std::fs::write(folder(base).join("checkpoint.txt"), text).unwrap(),
            Damage::Remove(which) => {
                let (file, _) = files[which.index(files.len())];
                std::fs::remove_file(layout::file_path(&folder(base), file)).unwrap();
            }
        }
    }
}

/// The messages that files and checkpoint on disk promise, found without the code under test's ledger.
fn promised(base: &Path) -> Vec<Vec<u8>> {
    let files = layout::scan(&folder(base)).unwrap();
    let from = layout::read_checkpoint(&folder(base)).ok().flatten().filter(|at| files.keys().any(|f| *f >= at.file));
    let from = from.unwrap_or_default();
    let rest = files.keys().filter(|file| **file >= from.file).map(|file| {
        let bytes = std::fs::read(layout::file_path(&folder(base), *file)).unwrap();
        let skip = if *file == from.file { (from.offset as usize).min(bytes.len()) } else { 0 };
        frames(&bytes[skip..]).0
    });
    rest.flatten().map(|(message, _)| message).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Runs of writing, reading and committing, with damage in between: every acknowledged message comes out,
    /// in order, none before the checkpoint, and nothing panics or hangs.
    #[test]
    fn acknowledged_messages_survive(
        runs in prop::collection::vec((prop::collection::vec(1usize..12, 0..5), 0usize..40, damage()), 1..4),
    ) {
        let base = tempfile::tempdir().unwrap();
        let small = BufferingSettings { max_file_size: MAX_RECORD as u64 * 2, ..settings() };
        let mut sent = 0;
        let mut unconsumed: Vec<Vec<u8>> = Vec::new();
        std::fs::create_dir_all(folder(base.path())).unwrap();
        for (blocks, commit, damage) in runs {
            let before = promised(base.path());
            let queue = open(base.path(), &small);
            let waiting = queue.fill().waiting;
            let mut reading = Reading::start(&queue);
            let mut writing = Harness::start(queue.writer());
            let mut last = 0;
            let mut written = 0;
            let mut expected = before;
            for block in blocks {
                let block = messages(sent..sent + block);
                sent += block.len();
                written += block.concat().len() as u64;
                last = writing.send(&block);
                expected.extend(block);
            }
            writing.wait_acked(last);
            wait_until("all bytes", || { reading.pump(); reading.position == waiting + written });
            prop_assert_eq!(&reading.bodies(), &expected);
            let commit = commit.min(expected.len());
            reading.commit(commit);
            prop_assert_eq!(writing.end(), Ok(()));
            reading.end();
            drop(queue);
            unconsumed.clear();
            unconsumed.extend(expected.drain(commit..));
            prop_assert_eq!(&promised(base.path()), &unconsumed, "the disk holds what is not committed");
            damage.inflict(base.path());
        }
    }
}
