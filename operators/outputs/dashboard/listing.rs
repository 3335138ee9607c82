//! The list of a folder's entries, as a page.

use super::folder::Entry;
use super::paths::encode;
use std::fmt::Write;

/// A page that links to the entries of the folder it stands for.
pub(super) fn page(entries: &[Entry]) -> String {
    let mut page = "<!doctype html>\n<meta charset=\"utf-8\">\n<title>Files</title>\n<pre>\n".to_owned();
    for entry in entries {
        let slash = if entry.is_folder { "/" } else { "" };
        // `./` keeps a name such as `a:b` from being read as a scheme. Writing to a String cannot fail.
        let name = escape(&String::from_utf8_lossy(&entry.name));
        let _ = writeln!(page, "<a href=\"./{}{slash}\">{name}{slash}</a>", encode(&entry.name));
    }
    page.push_str("</pre>\n");
    page
}

/// A text as HTML.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_links_and_never_markup() {
        let entry = |name: &[u8], is_folder| Entry { name: name.to_vec(), is_folder };
        let page = page(&[
            entry(b"F.HTTPStatus.cbuf", false),
            entry(b"mine", true),
            entry(b"\"><script>alert(1)</script>", false),
            entry(b"javascript:x", false),
            entry(&[0xff], false),
        ]);
        let lines: Vec<&str> = page.lines().filter(|line| line.starts_with("<a ")).collect();
        assert_eq!(lines[0], "<a href=\"./F.HTTPStatus.cbuf\">F.HTTPStatus.cbuf</a>");
        assert_eq!(lines[1], "<a href=\"./mine/\">mine/</a>");
        assert!(!page.contains("<script") && lines[2].contains("%3Cscript%3E"));
        assert_eq!(lines[3], "<a href=\"./javascript%3Ax\">javascript:x</a>");
        assert_eq!(lines[4], "<a href=\"./%FF\">\u{fffd}</a>");
    }
}
