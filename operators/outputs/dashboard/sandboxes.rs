//! Which outputs the sandboxes have, and the names of their files.
//!
//! A file is named for the filter, the output and its type. Names come from messages, so they are made harmless, and
//! two outputs that would share a file are told apart by a hash of what they are called.

use ring::digest::{SHA256, digest};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of a payload's name, and of its type, that go into the name of its file.
const NAME_BYTES: usize = 64;
/// Bytes of a filter's name that do: with the rest, less than any file system allows.
const FILTER_BYTES: usize = 100;
/// Outputs that are told apart; far more than any daemon has, and few enough to be kept.
const MOST_OUTPUTS: usize = 4096;

/// An output of a filter: the filter, its name, its type.
type Key = (String, String, String);

/// The outputs of all sandboxes, as far as they have shown.
pub(super) struct Sandboxes {
    files: BTreeMap<Key, String>,
    taken: BTreeSet<String>,
    /// The outputs of each filter that has not been terminated, in order of appearance: name and file.
    listed: BTreeMap<String, Vec<(String, String)>>,
}

/// The file of an output.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Placed {
    pub file: String,
    /// Whether the list has grown by it.
    pub is_new: bool,
}

impl Sandboxes {
    /// No outputs yet; the names `reserved` are never given away.
    pub(super) fn new(reserved: &[&str]) -> Self {
        let taken = reserved.iter().map(|name| (*name).to_owned()).collect();
        Sandboxes { files: BTreeMap::new(), taken, listed: BTreeMap::new() }
    }

    /// The file of an output, which is now listed. `None` when there are too many.
    pub(super) fn place(&mut self, filter: &[u8], name: &[u8], kind: &[u8]) -> Option<Placed> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let key = (text(filter), text(name), text(kind));
        let file = match self.files.get(&key) {
            Some(file) => file.clone(),
            None if self.files.len() >= MOST_OUTPUTS => return None,
            None => {
                let file = self.free_name(&key);
                self.taken.insert(file.clone());
                self.files.insert(key.clone(), file.clone());
                file
            }
        };
        let outputs = self.listed.entry(key.0).or_default();
        let is_new = !outputs.iter().any(|(_, listed)| *listed == file);
        if is_new {
            outputs.push((key.1, file.clone()));
        }
        Some(Placed { file, is_new })
    }

    /// A filter has ended. Whether the list has shrunk by it.
    pub(super) fn remove(&mut self, filter: &[u8]) -> bool {
        self.listed.remove(String::from_utf8_lossy(filter).as_ref()).is_some()
    }

    /// The list as the original wrote it.
    pub(super) fn to_json(&self) -> String {
        let outputs = |outputs: &[(String, String)]| -> Vec<_> {
            outputs.iter().map(|(name, file)| json!({ "Name": name, "Filename": format!("data/{file}") })).collect()
        };
        let sandboxes: Vec<_> =
            self.listed.iter().map(|(filter, list)| json!({ "Name": filter, "Outputs": outputs(list) })).collect();
        // Outside of strings JSON has none of these.
        let text = json!({ "sandboxes": sandboxes }).to_string();
        text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026") + "\n"
    }

    fn free_name(&self, key: &Key) -> String {
        let (filter, name, kind) = key;
        let safe = harmless(filter);
        let changed = safe != *filter;
        let (name, kind) = (word(name), word(kind));
        let plain = format!("{safe}.{name}.{kind}");
        if !changed && !self.taken.contains(&plain) {
            return plain;
        }
        let hash = digest(&SHA256, format!("{key:?}").as_bytes());
        let hex: String = hash.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        // A word has no hyphen: no other output's plain name can be this.
        format!("{safe}.{name}-{hex}.{kind}")
    }
}

/// The word characters of a text, the first few of them.
fn word(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(NAME_BYTES).collect()
}

/// A filter's name that stays in its folder and is not hidden.
fn harmless(filter: &str) -> String {
    let mut name = String::new();
    for c in filter.chars() {
        if name.len() + c.len_utf8() > FILTER_BYTES {
            break;
        }
        let is_bad = matches!(c, '/' | '\\' | char::REPLACEMENT_CHARACTER) || c.is_control();
        name.push(if is_bad || (c == '.' && name.is_empty()) { '_' } else { c });
    }
    if name.is_empty() { "_".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(sandboxes: &mut Sandboxes, filter: &str, name: &str, kind: &str) -> String {
        sandboxes.place(filter.as_bytes(), name.as_bytes(), kind.as_bytes()).unwrap().file
    }

    #[test]
    fn files_are_named_as_ever() {
        let mut all = Sandboxes::new(&[]);
        let long = "x".repeat(100);
        let cases = [
            ("FxaHttpStatus", "HTTP Status", "cbuf", "FxaHttpStatus.HTTPStatus.cbuf".to_owned()),
            ("F", "Req (Requests)", "cbuf", "F.ReqRequests.cbuf".to_owned()),
            ("MyFilter", "", "txt", "MyFilter..txt".to_owned()),
            ("F", &long, "txt", format!("F.{}.txt", &long[..64])),
            ("a b%", "ü_1", "c/b\n", "a b%._1.cb".to_owned()),
        ];
        for (filter, name, kind, expected) in cases {
            assert_eq!(place(&mut all, filter, name, kind), expected);
            assert_eq!(place(&mut all, filter, name, kind), expected, "and stay the same");
        }
    }

    #[test]
    fn no_name_leaves_the_folder_or_takes_anothers_place() {
        let mut all = Sandboxes::new(&["reserved.1.tsv"]);
        let hostile = [
            ("../../etc/passwd", "", "txt"),
            ("..\\x", "", "txt"),
            (".hidden", "", "txt"),
            ("a/b", "x", "txt"),
            ("a\\b", "x", "txt"),
            ("a_b", "x", "txt"),
            ("line\nbreak\0", "x", "txt"),
            ("F", "a b", "txt"),
            ("F", "ab", "txt"),
            ("F", "a-b", "txt"),
            ("reserved", "1", "tsv"),
            (&"long".repeat(100), "x", "txt"),
            (&"long".repeat(101), "x", "txt"),
            ("", "", ""),
        ];
        let mut seen = BTreeSet::new();
        for (filter, name, kind) in hostile {
            let file = place(&mut all, filter, name, kind);
            assert!(!file.contains(['/', '\\', '\0', '\n']) && file.len() <= 255, "{file}");
            assert!(!file.starts_with('.'), "{file}");
            assert!(seen.insert(file.clone()) && file != "reserved.1.tsv", "{file} is another's");
        }
        assert!(seen.contains("a_b.x.txt") && seen.contains("F.ab.txt"));
    }

    #[test]
    fn the_list_has_all_outputs_of_the_living() {
        let mut all = Sandboxes::new(&[]);
        assert_eq!(all.to_json(), "{\"sandboxes\":[]}\n");
        assert!(all.place(b"F", b"HTTP Status", b"cbuf").unwrap().is_new);
        let expected =
            r#"{"sandboxes":[{"Name":"F","Outputs":[{"Name":"HTTP Status","Filename":"data/F.HTTPStatus.cbuf"}]}]}"#;
        assert_eq!(all.to_json(), format!("{expected}\n"));
        assert!(all.place(b"F", b"HTTP Status", b"cbufd").unwrap().is_new, "another type is another output");
        assert!(!all.place(b"F", b"HTTP Status", b"cbuf").unwrap().is_new);
        all.place(b"G", b"<b>&", b"txt").unwrap();
        assert!(all.to_json().contains(r#"{"Name":"\u003cb\u003e\u0026","Filename":"data/G.b.txt"}"#));
        assert!(all.remove(b"F") && !all.remove(b"F"));
        assert!(!all.to_json().contains("HTTP"));
        let back = all.place(b"F", b"HTTP Status", b"cbufd").unwrap();
        assert_eq!(back, Placed { file: "F.HTTPStatus.cbufd".to_owned(), is_new: true });
    }

    #[test]
    fn there_are_only_so_many() {
        let mut all = Sandboxes::new(&[]);
        for n in 0..MOST_OUTPUTS {
            assert!(all.place(b"F", n.to_string().as_bytes(), b"txt").is_some());
        }
        assert_eq!(all.place(b"F", b"one more", b"txt"), None);
        assert!(all.place(b"F", b"17", b"txt").is_some());
    }
}
