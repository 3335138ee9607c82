//! The file that keeps a script's global variables between two runs.

use crate::plugin::Site;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// One data file.
#[derive(Clone, Debug)]
pub struct DataFile {
    path: PathBuf,
    /// Read when the file is not there: the name that older versions used.
    old: Option<PathBuf>,
}

/// A name with everything but letters, digits and `_` replaced.
pub fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect()
}

impl DataFile {
    /// The file called `name`, and, where older versions called it otherwise, that name.
    pub fn new(site: &Site, name: &str, old: Option<&str>) -> Self {
        let folder = site.globals.state_path("sandbox_preservation");
        // A name is never more than one component of a path.
        let file = |name: &str| folder.join(format!("{}.data", name.replace('/', "_")));
        DataFile { path: file(name), old: old.map(file) }
    }

    /// Where the data is written.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the folder, which nobody else may look into.
    pub fn prepare(&self) -> io::Result<()> {
        let Some(folder) = self.path.parent() else { return Ok(()) };
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
    }

    /// The data and the file it came from, if there is any that can be read.
    pub fn read(&self) -> Option<(Vec<u8>, PathBuf)> {
        std::iter::once(&self.path).chain(&self.old).find_map(|path| Some((std::fs::read(path).ok()?, path.clone())))
    }

    /// Puts the data in place at once: whoever reads finds all of the old or all of the new.
    pub fn write(&self, data: &[u8]) -> io::Result<()> {
        self.prepare()?;
        let beside = self.path.with_extension("data.new");
        let written = (|| {
            let mut file = std::fs::OpenOptions::new();
            let mut file = file.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
            file.write_all(data)?;
            file.sync_all()
        })();
        written.and_then(|()| std::fs::rename(&beside, &self.path)).inspect_err(|_| {
            // What is half written helps nobody; if it cannot be removed either, the next write replaces it.
            let _ = std::fs::remove_file(&beside);
        })
    }

    /// Removes the data.
    pub fn remove(&self) {
        // A file that is not there is what was asked for.
        let _ = std::fs::remove_file(&self.path);
    }

    /// Sets damaged data aside, for people to look at, and says where.
    pub fn set_aside(path: &Path) -> io::Result<PathBuf> {
        let mut aside = path.as_os_str().to_owned();
        aside.push(".corrupt");
        let aside = PathBuf::from(aside);
        std::fs::rename(path, &aside).map(|()| aside)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outputs::harness::site;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn data_is_replaced_as_a_whole_and_found_under_its_old_name() {
        let base = tempfile::tempdir().unwrap();
        let site = site("x", base.path());
        let file = DataFile::new(&site, "out/a-enc", Some("enc"));
        assert!(file.read().is_none());
        DataFile::new(&site, "enc", None).write(b"old").unwrap();
        assert_eq!(file.read().unwrap().0, b"old");
        file.write(b"one").unwrap();
        file.write(b"two").unwrap();
        assert_eq!(file.read().unwrap(), (b"two".to_vec(), file.path().to_owned()));
        assert!(file.path().ends_with("sandbox_preservation/out_a-enc.data"));
        let folder = file.path().parent().unwrap();
        assert_eq!(std::fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), 2);
        let aside = DataFile::set_aside(file.path()).unwrap();
        assert!(aside.ends_with("out_a-enc.data.corrupt"));
        assert_eq!(plain("a b-c_1"), "a_b_c_1");
    }
}
