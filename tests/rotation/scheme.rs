//! The ways of rotating, and the settings that follow them.

/// A way of rotating.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// The older files move up, `app.log` becomes `app.log.1`, the writer goes on in it for a moment.
    Rename,
    /// The same, and the renamed file is compressed at once.
    RenameGzip,
    /// The same, and each file is compressed at the rotation after its own.
    DelayedGzip,
    /// `app.log` is copied to `app.log.1` and truncated. What is written between the two calls is lost to everyone,
    /// so the writer waits.
    CopyTruncate,
    /// The same, and the copy is compressed.
    CopyTruncateGzip,
    /// `app.log` is copied and truncated under the hands of a writer that never waits: what it writes between the end
    /// of the copy and the truncation is in no file any more. All else must come out.
    CopyTruncateBusy,
    /// `app.log` becomes `app-20140803.log`.
    RenameToDate,
    /// `2014/September/03-noon.log`: each day has four files.
    Dated,
    /// `app.log` is deleted and created again. What a stopped daemon had not read is lost to everyone, so this only
    /// happens while the daemon has the file open.
    Recreate,
    /// A file for each of many hosts and programs, each rotated by renaming at its own time.
    Streams,
}

impl Scheme {
    /// The options of LogstreamerInput.
    pub fn settings(self) -> &'static str {
        match self {
            Scheme::Rename | Scheme::CopyTruncate | Scheme::CopyTruncateBusy => {
                "file_match = 'app\\.log\\.?(?P<Seq>\\d*)'\npriority = [\"^Seq\"]\n"
            }
            Scheme::RenameGzip | Scheme::DelayedGzip | Scheme::CopyTruncateGzip => {
                "file_match = 'app\\.log\\.?(?P<Seq>\\d*)(\\.gz)?'\npriority = [\"^Seq\"]\n"
            }
            Scheme::RenameToDate => {
                "file_match = 'app(-(?P<Day>\\d{8}))?\\.log'\npriority = [\"Day\"]\n\
                 [LogstreamerInput.translation.Day]\nmissing = 99999999\n"
            }
            Scheme::Dated => {
                "file_match = '(?P<Year>\\d+)/(?P<MonthName>\\w+)/(?P<Day>\\d+)-(?P<Part>\\w+)\\.log'\n\
                 priority = [\"Year\", \"MonthName\", \"Day\", \"Part\"]\n\
                 [LogstreamerInput.translation.Part]\nnight = 1\nmorning = 2\nnoon = 3\nevening = 4\n"
            }
            Scheme::Recreate => "file_match = 'app\\.log'\n",
            Scheme::Streams => {
                "file_match = '(?P<Host>[^/]+)/(?P<App>\\w+)\\.log\\.?(?P<Seq>\\d*)'\npriority = [\"^Seq\"]\n\
                 differentiator = [\"Host\", \".\", \"App\"]\n"
            }
        }
    }
}
