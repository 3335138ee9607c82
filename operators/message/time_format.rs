//! A user's way to write times: strftime, or a reference layout of older configurations. What was printed
//! for one second is kept for the next message of the same second, which is nearly always the next one.

use crate::{Layout, Strftime};
use jiff::tz::TimeZone;

/// Prints times in one format and one zone.
#[derive(Clone, Debug)]
pub struct TimeFormat {
    format: Format,
    zone: TimeZone,
    /// The second that `text` shows; `None` before the first, and always when the format shows fractions.
    second: Option<i64>,
    text: Vec<u8>,
}

#[derive(Clone, Debug)]
enum Format {
    Strftime(Strftime),
    Layout(Layout),
}

impl TimeFormat {
    /// A strftime format, or a layout when the text is one of old; see [`Layout::is_legacy`].
    pub fn new(format: &str, zone: TimeZone) -> Self {
        let format = if Layout::is_legacy(format) {
            Format::Layout(Layout::new(format))
        } else {
            Format::Strftime(Strftime::new(format))
        };
        TimeFormat { format, zone, second: None, text: Vec::new() }
    }

    /// Appends the time `nanos`, in nanoseconds since the UNIX epoch.
    #[inline]
    pub fn write(&mut self, out: &mut Vec<u8>, nanos: i64) {
        let second = nanos.div_euclid(1_000_000_000);
        if self.second != Some(second) {
            self.print(nanos, second);
        }
        out.extend_from_slice(&self.text);
    }

    fn print(&mut self, nanos: i64, second: i64) {
        self.text.clear();
        let subsecond = match &self.format {
            Format::Strftime(format) => {
                format.write(&mut self.text, nanos, &self.zone);
                format.is_subsecond()
            }
            Format::Layout(layout) => {
                layout.write(&mut self.text, nanos, &self.zone);
                layout.is_subsecond()
            }
        };
        self.second = (!subsecond).then_some(second);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_kept_only_while_it_shows_the_truth() {
        let cases = [
            ("%S", [0, 999_999_999, 1_000_000_000, -1], "00|00|01|59|"),
            ("%S.%f", [0, 1_000, 1_000_000, 0], "00.000000|00.000001|00.001000|00.000000|"),
            ("2006 05", [0, 1, 1_000_000_000, 0], "1970 00|1970 00|1970 01|1970 00|"),
            ("2006 05.000", [0, 1_000_000, 2_000_000, 0], "1970 00.000|1970 00.001|1970 00.002|1970 00.000|"),
        ];
        for (format, times, text) in cases {
            let mut format = TimeFormat::new(format, TimeZone::UTC);
            let mut out = Vec::new();
            for nanos in times {
                format.write(&mut out, nanos);
                out.push(b'|');
            }
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }
}
