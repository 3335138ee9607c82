//! Problems as a compiler shows them: the message, the file, the line, a caret under the cause, the remedy.

use super::source::{SourceFile, Sources};
use heka_settings::{Level, Place, Problem};
use std::fmt::Write;

/// Columns shown of a line; longer ones are cut around what matters.
const WIDTH: usize = 120;

/// Renders problems, in the order of the text they stand in, with a closing line that counts the errors.
pub fn render(sources: &Sources, problems: &[Problem]) -> String {
    let mut sorted: Vec<&Problem> = problems.iter().collect();
    // Problems without a place come first: they are about the configuration as a whole.
    sorted.sort_by_key(|p| (p.place != Place::NOWHERE, p.place));
    let mut out = String::new();
    for problem in &sorted {
        render_one(sources, problem, &mut out);
        out.push('\n');
    }
    let errors = problems.iter().filter(|p| p.level == Level::Error).count();
    if errors > 0 {
        let _ = writeln!(out, "{errors} errors loading plugins");
    }
    out
}

/// Writing to a `String` cannot fail, here and below.
fn render_one(sources: &Sources, problem: &Problem, out: &mut String) {
    let level = if problem.level == Level::Error { "error" } else { "warning" };
    let _ = writeln!(out, "{level}: {}", printable(&problem.message));
    let shown: Vec<(Shown<'_>, &str, char)> = std::iter::once((problem.place, "", '^'))
        .chain(problem.also.iter().map(|(place, note)| (*place, note.as_str(), '-')))
        .filter_map(|(place, note, mark)| Some((Shown::find(sources.file(place)?, place), note, mark)))
        .collect();
    let gutter = shown.iter().map(|(s, ..)| s.line.to_string().len()).max().unwrap_or(1);
    let mut arrow = "-->";
    for (place, note, mark) in &shown {
        place.render(note, *mark, arrow, gutter, out);
        arrow = ":::";
    }
    if let Some(help) = &problem.help {
        let _ = writeln!(out, "{:gutter$} = help: {}", "", printable(help));
    }
}

/// A place, resolved to a line of its file.
struct Shown<'a> {
    file: &'a SourceFile,
    /// Counted from 1.
    line: usize,
    /// Characters before the place, plus 1.
    column: usize,
    text: &'a str,
    /// Bytes of `text` the place covers.
    start: usize,
    end: usize,
}

impl<'a> Shown<'a> {
    fn find(file: &'a SourceFile, place: Place) -> Self {
        let text = file.text.as_str();
        let start = boundary(text, place.start as usize);
        let end = boundary(text, place.end as usize).max(start);
        let bytes = text.as_bytes();
        // A line ends with LF, CR or both.
        let is_end = |at: usize| match bytes[at] {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        };
        let line_start = (0..start).rev().find(|at| is_end(*at)).map_or(0, |at| at + 1);
        let line = 1 + (0..line_start).filter(|at| is_end(*at)).count();
        let line_len = bytes[line_start..].iter().position(|b| matches!(b, b'\n' | b'\r'));
        let line_end = line_len.map_or(text.len(), |len| line_start + len);
        let shown = &text[line_start..line_end];
        let start = start.min(line_end) - line_start;
        Shown {
            file,
            line,
            column: 1 + shown[..start].chars().filter(|c| *c != '\u{feff}').count(),
            text: shown,
            start,
            end: end.clamp(line_start + start, line_end) - line_start,
        }
    }

    fn render(&self, note: &str, mark: char, arrow: &str, gutter: usize, out: &mut String) {
        let path = printable(&self.file.path.to_string_lossy()).into_owned();
        let _ = writeln!(out, "{:gutter$}{arrow} {path}:{}:{}", "", self.line, self.column);
        let (before, marked, after) =
            (&self.text[..self.start], &self.text[self.start..self.end], &self.text[self.end..]);
        let mut cells = Cells::default();
        before.chars().for_each(|c| cells.push(c));
        let from = cells.width;
        marked.chars().for_each(|c| cells.push(c));
        let to = cells.width.max(from + 1);
        after.chars().for_each(|c| cells.push(c));
        let (line, from, to) = cells.window(from, to);
        let _ = writeln!(out, "{:gutter$} |", "");
        let _ = writeln!(out, "{}", format!("{:>gutter$} | {line}", self.line).trim_end());
        let marks = mark.to_string().repeat(to - from);
        let under = format!("{:gutter$} | {:from$}{marks} {}", "", "", printable(note));
        let _ = writeln!(out, "{}", under.trim_end());
    }
}

/// A line as terminals show it: tabs as four blanks, control characters visible.
#[derive(Default)]
struct Cells {
    /// What is shown for each character and how wide it is.
    shown: Vec<(char, usize)>,
    width: usize,
}

impl Cells {
    fn push(&mut self, c: char) {
        match c {
            '\u{feff}' => {}
            '\t' => (0..4).for_each(|_| self.push(' ')),
            c => {
                let c = if c.is_control() { '\u{fffd}' } else { c };
                let width = width(c);
                self.shown.push((c, width));
                self.width += width;
            }
        }
    }

    /// The line and the marked columns, cut to [`WIDTH`] around the mark.
    fn window(&self, from: usize, to: usize) -> (String, usize, usize) {
        if self.width <= WIDTH {
            return (self.shown.iter().map(|(c, _)| c).collect(), from, to);
        }
        let left = from.saturating_sub(WIDTH / 3).min(self.width.saturating_sub(WIDTH));
        let right = left + WIDTH;
        let mut line = String::new();
        let (mut at, mut first) = (0, None);
        for (c, width) in &self.shown {
            if at >= left && at + width <= right {
                first.get_or_insert(at);
                line.push(*c);
            }
            at += width;
        }
        let cut = if left > 0 { "…" } else { "" };
        let shift = first.unwrap_or(0);
        let column = |at: usize| at.clamp(shift, right) - shift + cut.chars().count();
        let end = if right < self.width { "…" } else { "" };
        (format!("{cut}{line}{end}"), column(from), column(to).max(column(from) + 1))
    }
}

/// Columns a character takes in a terminal: 0 for combining marks, 2 for East Asian wide ones and emoji.
fn width(c: char) -> usize {
    match u32::from(c) {
        0x0300..=0x036f | 0x200b..=0x200f | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f
        | 0x2e80..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1faff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// Text without control characters: a configuration must not be able to drive the terminal it is shown on.
fn printable(text: &str) -> std::borrow::Cow<'_, str> {
    if text.chars().any(char::is_control) {
        text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
    } else {
        text.into()
    }
}

/// The nearest character boundary at or before `at`.
fn boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str, start: u32, end: u32) -> String {
        let sources = Sources::from_texts([("a.toml", text)]);
        let mut out = String::new();
        render_one(&sources, &Problem::error(Place { file: 0, start, end }, "bad"), &mut out);
        out.lines().skip(1).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_caret_stands_under_its_cause() {
        let cases = [
            ("a\nbc = 1\n", 2, 4, " --> a.toml:2:1\n  |\n2 | bc = 1\n  | ^^"),
            ("\tk = 1", 1, 2, " --> a.toml:1:2\n  |\n1 |     k = 1\n  |     ^"),
            ("é日 = x", 8, 9, " --> a.toml:1:6\n  |\n1 | é日 = x\n  |       ^"),
            ("a\r\nb\rc", 5, 6, " --> a.toml:3:1\n  |\n3 | c\n  | ^"),
            ("a = ", 4, 4, " --> a.toml:1:5\n  |\n1 | a =\n  |     ^"),
            ("a = [\n1\n]", 4, 9, " --> a.toml:1:5\n  |\n1 | a = [\n  |     ^"),
            ("\u{1b}[31m", 1, 2, " --> a.toml:1:2\n  |\n1 | \u{fffd}[31m\n  |  ^"),
            ("\u{feff}ab", 4, 5, " --> a.toml:1:2\n  |\n1 | ab\n  |  ^"),
        ];
        for (text, start, end, expected) in cases {
            assert_eq!(show(text, start, end), expected, "{text:?}");
        }
    }

    #[test]
    fn long_lines_are_cut_around_the_cause() {
        let text = format!("k = \"{}X{}\"", "a".repeat(300), "b".repeat(300));
        let out = show(&text, 305, 306);
        let lines: Vec<_> = out.lines().collect();
        let column = lines[3].chars().position(|c| c == '^').unwrap();
        assert_eq!(lines[2].chars().nth(column), Some('X'));
        assert!(lines[2].chars().count() < 130);
    }

    #[test]
    fn places_outside_the_text_do_no_harm() {
        for (start, end) in [(0, 0), (3, 1), (2, 900), (900, 901), (1, 2)] {
            assert!(show("aé", start, end).contains("a.toml:1:"));
        }
    }
}
