//! What a request's path names: decoded once, cut into segments, and refused when a segment could lead anywhere but
//! down.

/// A path below some folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Names from the root down; none of them is empty, hidden, or has a separator in it.
    pub segments: Vec<Vec<u8>>,
    /// Whether it ends in a slash, so that a folder is wanted.
    pub folder: bool,
}

/// Why a path names nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It cannot be decoded.
    Malformed,
    /// It could only name what is not for readers: hidden files, and whatever lies above.
    Hidden,
}

impl Wanted {
    /// Reads the path of a request, without its query.
    pub(super) fn parse(path: &str) -> Result<Wanted, Refused> {
        let path = path.strip_prefix('/').ok_or(Refused::Malformed)?;
        let folder = path.is_empty() || path.ends_with('/');
        let inner = path.strip_suffix('/').unwrap_or(path);
        if inner.is_empty() && !path.is_empty() {
            return Err(Refused::Hidden);
        }
        let segments = inner.split('/').filter(|_| !inner.is_empty()).map(segment).collect::<Result<_, _>>()?;
        Ok(Wanted { segments, folder })
    }

    /// Whether the path begins with `name`.
    pub(super) fn is_below(&self, name: &str) -> bool {
        self.segments.first().is_some_and(|first| first == name.as_bytes())
    }

    /// The one name in the folder called `folder`, if the path is that.
    pub(super) fn file_in(&self, folder: &str) -> Option<&[u8]> {
        match self.segments.as_slice() {
            [first, name] if first == folder.as_bytes() && !self.folder => Some(name),
            _ => None,
        }
    }

    /// The path of the only segment, if there is only one.
    pub(super) fn single(&self) -> Option<&[u8]> {
        match self.segments.as_slice() {
            [name] if !self.folder => Some(name),
            _ => None,
        }
    }
}

/// One segment, decoded. Hidden are names with a leading dot: `.` and `..`, and files that are being written.
fn segment(text: &str) -> Result<Vec<u8>, Refused> {
    let mut name = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            name.push(byte);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2).ok_or(Refused::Malformed)?;
        rest = after;
        let digit = |byte: u8| (byte as char).to_digit(16).ok_or(Refused::Malformed);
        // Two hexadecimal digits are below 256.
        name.push((digit(digits[0])? * 16 + digit(digits[1])?) as u8);
    }
    if name.contains(&0) {
        return Err(Refused::Malformed);
    }
    match name.first() {
        None | Some(b'.') => Err(Refused::Hidden),
        Some(_) if name.contains(&b'/') => Err(Refused::Hidden),
        Some(_) => Ok(name),
    }
}

/// A name as a segment of a path: everything encoded but what no reader could mistake.
pub(super) fn encode(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len());
    for &byte in name {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(byte as char),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_down_or_nowhere() {
        let ok = |segments: &[&str], folder| {
            Ok(Wanted { segments: segments.iter().map(|s| s.as_bytes().to_vec()).collect(), folder })
        };
        let cases = [
            ("/", ok(&[], true)),
            ("/data/", ok(&["data"], true)),
            ("/data", ok(&["data"], false)),
            ("/data/F..txt", ok(&["data", "F..txt"], false)),
            ("/data/a%20b%25.cbuf", ok(&["data", "a b%.cbuf"], false)),
            ("/data/a%5c..%5cb", ok(&["data", "a\\..\\b"], false)),
            ("", Err(Refused::Malformed)),
            ("x", Err(Refused::Malformed)),
            ("/%", Err(Refused::Malformed)),
            ("/%4", Err(Refused::Malformed)),
            ("/%zz", Err(Refused::Malformed)),
            ("/%+1", Err(Refused::Malformed)),
            ("/a%00.txt", Err(Refused::Malformed)),
            ("//", Err(Refused::Hidden)),
            ("//data", Err(Refused::Hidden)),
            ("/data//x", Err(Refused::Hidden)),
            ("/data/x//", Err(Refused::Hidden)),
            ("/..", Err(Refused::Hidden)),
            ("/data/../x", Err(Refused::Hidden)),
            ("/data/%2e%2e/x", Err(Refused::Hidden)),
            ("/data/.%2E", Err(Refused::Hidden)),
            ("/data/./x", Err(Refused::Hidden)),
            ("/data/.x.new", Err(Refused::Hidden)),
            ("/data/..%2fx", Err(Refused::Hidden)),
            ("/data/a%2f..%2f..%2fx", Err(Refused::Hidden)),
        ];
        for (path, expected) in cases {
            assert_eq!(Wanted::parse(path), expected, "{path}");
        }
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        for name in [&b"F.HTTPStatus.cbuf"[..], b"a b/c?#%\"<>&'", "Größe".as_bytes(), &[0xff, 0x01]] {
            let encoded = encode(name);
            assert!(encoded.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)), "{encoded}");
            let path = format!("/data/{encoded}");
            match name.contains(&b'/') {
                true => assert_eq!(Wanted::parse(&path), Err(Refused::Hidden)),
                false => assert_eq!(Wanted::parse(&path).unwrap().file_in("data"), Some(name)),
            }
        }
    }
}
