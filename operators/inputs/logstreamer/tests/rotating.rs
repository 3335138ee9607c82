//! Files that are renamed, compressed, removed and made anew while they are read.

use super::*;

#[test]
fn compression_while_running_repeats_nothing() {
    let setup = Setup::new(r"app\.log\.?(?P<Seq>\d*)(\.gz)?").with("priority", list(&["^Seq"]));
    setup.write("app.log", "one\ntwo\n");
    let running = setup.start();
    running.wait_for(&["one\n", "two\n"]);
    fs::rename(setup.log("app.log"), setup.log("app.log.1")).unwrap();
    setup.write("app.log", "");
    setup.gzip("app.log.1", "app.log.1.gz");
    setup.append("app.log", "three\n");
    running.wait_for(&["one\n", "two\n", "three\n"]);
    running.stop();
}

#[test]
fn a_removed_file_that_comes_back_is_picked_up() {
    let setup = Setup::new(r"app\.log");
    setup.write("app.log", "one\n");
    let running = setup.start();
    running.wait_for(&["one\n"]);
    fs::remove_file(setup.log("app.log")).unwrap();
    setup.write("app.log", "two\n");
    running.wait_for(&["one\n", "two\n"]);
    running.stop();
}

#[test]
fn a_damaged_compressed_file_is_read_as_far_as_it_goes() {
    let setup = Setup::new(r"app\.log\.?(?P<Seq>\d*)(\.gz)?").with("priority", list(&["^Seq"]));
    setup.write("plain", "one\ntwo\n");
    setup.gzip("plain", "app.log.1.gz");
    let mut bytes = fs::read(setup.log("app.log.1.gz")).unwrap();
    bytes.extend_from_slice(b"no gzip member follows");
    fs::write(setup.log("app.log.1.gz"), bytes).unwrap();
    let file = fs::File::options().write(true).open(setup.log("app.log.1.gz")).unwrap();
    file.set_modified(std::time::SystemTime::now() - Duration::from_secs(3600)).unwrap();
    setup.write("app.log", "three\n");
    let running = setup.start();
    running.wait_for(&["one\n", "two\n", "three\n"]);
    running.stop();
}

/// How a writer rotates; each line it writes is a number.
#[derive(Clone, Copy, Debug)]
enum Rotation {
    /// Rename, then create.
    Rename,
    /// Rename, compress the file before, then create.
    Compress,
    /// A new file with a new number in its name.
    Dated,
}

/// Writes `lines` numbered lines, rotating every so often; `keep` files stay.
fn write_rotating(setup: &Setup, rotation: Rotation, lines: usize) {
    let mut file = fs::OpenOptions::new().append(true).create(true).open(setup.log("app.log")).unwrap();
    let mut rotations = 0;
    for line in 0..lines {
        writeln!(file, "line {line}").unwrap();
        if line % 37 == 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        if line % 500 != 499 {
            continue;
        }
        rotations += 1;
        match rotation {
            Rotation::Dated => {
                let name = format!("app.log.{rotations}");
                file = fs::OpenOptions::new().append(true).create(true).open(setup.log(&name)).unwrap();
                continue;
            }
            Rotation::Rename => {
                for seq in (1..rotations).rev() {
                    let (from, to) = (format!("app.log.{seq}"), format!("app.log.{}", seq + 1));
                    fs::rename(setup.log(&from), setup.log(&to)).unwrap();
                }
                fs::rename(setup.log("app.log"), setup.log("app.log.1")).unwrap();
            }
            Rotation::Compress => {
                for seq in (2..rotations).rev() {
                    let (from, to) = (format!("app.log.{seq}.gz"), format!("app.log.{}.gz", seq + 1));
                    fs::rename(setup.log(&from), setup.log(&to)).unwrap();
                }
                if rotations > 1 {
                    setup.gzip("app.log.1", "app.log.2.gz");
                }
                fs::rename(setup.log("app.log"), setup.log("app.log.1")).unwrap();
            }
        }
        file = fs::OpenOptions::new().append(true).create(true).open(setup.log("app.log")).unwrap();
    }
}

#[test]
fn nothing_is_lost_or_repeated_while_files_rotate() {
    for rotation in [Rotation::Rename, Rotation::Compress, Rotation::Dated] {
        let priority = if matches!(rotation, Rotation::Dated) { "Seq" } else { "^Seq" };
        let setup = Setup::new(r"app\.log\.?(?P<Seq>\d*)(\.gz)?").with("priority", list(&[priority]));
        setup.write("app.log", "");
        let lines = 6000;
        let mut seen = Vec::new();
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| write_rotating(&setup, rotation, lines));
            // Stopped and started again while the writer goes on.
            for _ in 0..3 {
                let running = setup.start();
                std::thread::sleep(Duration::from_millis(40));
                seen.extend(running.stop());
            }
            writer.join().unwrap();
        });
        let running = setup.start();
        let missing = lines - seen.len();
        wait(
            || running.payloads().len() >= missing,
            || format!("{rotation:?}: {} of {missing}", running.payloads().len()),
        );
        seen.extend(running.stop());
        let wanted: Vec<_> = (0..lines).map(|line| format!("line {line}\n")).collect();
        let found: Vec<_> = seen.into_iter().map(|record| record.payload).collect();
        let differs = wanted.iter().zip(&found).position(|(wanted, found)| wanted != found);
        assert_eq!((differs, found.len()), (None, lines), "{rotation:?}");
    }
}
