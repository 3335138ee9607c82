//! The `Subject` header: as it is where mail allows that, otherwise in encoded words (RFC 2047).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What the longest line may hold, its end aside.
const LINE: usize = 78;
const HEADER: &str = "Subject: ";
/// Longest subject that stands as it is.
const PLAIN: usize = LINE - HEADER.len();

/// The whole header, without the end of its last line.
pub(super) fn header(subject: &str) -> String {
    let mut out = HEADER.to_owned();
    if subject.len() <= PLAIN && subject.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        out.push_str(subject);
        return out;
    }
    let mut room = PLAIN;
    let mut rest = subject;
    loop {
        let (word, taken) = word(rest, room);
        out.push_str(&word);
        rest = rest.get(taken..).unwrap_or_default();
        if rest.is_empty() {
            return out;
        }
        out.push_str("\r\n ");
        room = LINE - 1;
    }
}

/// An encoded word of at most `room` characters, and how many bytes of the text it stands for: by whichever encoding
/// takes more of them, `Q` if both take as many.
fn word(text: &str, room: usize) -> (String, usize) {
    let inner = room - "=?utf-8?Q?".len() - "?=".len();
    let quoted = prefix(text, inner, |c| c.len_utf8() * if is_literal(c) || c == ' ' { 1 } else { 3 });
    // Every three bytes or fewer become four characters.
    let encoded = prefix(text, inner / 4 * 3, char::len_utf8);
    if encoded > quoted {
        return (format!("=?utf-8?B?{}?=", STANDARD.encode(&text[..encoded])), encoded);
    }
    let mut word = "=?utf-8?Q?".to_owned();
    for c in text[..quoted].chars() {
        match c {
            ' ' => word.push('_'),
            c if is_literal(c) => word.push(c),
            c => c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| word.push_str(&format!("={byte:02X}"))),
        }
    }
    (word + "?=", quoted)
}

/// How many bytes at the front of `text`, whole characters only, cost at most `room`.
fn prefix(text: &str, room: usize, cost: impl Fn(char) -> usize) -> usize {
    let mut used = 0;
    text.char_indices()
        .find(|(_, c)| {
            used += cost(*c);
            used > room
        })
        .map_or(text.len(), |(at, _)| at)
}

/// Whether `Q` leaves a character as it is.
fn is_literal(c: char) -> bool {
    matches!(c, '!'..='~') && !matches!(c, '=' | '?' | '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_subjects_stand_as_they_are() {
        assert_eq!(header("Heka [SmtpOutput]"), "Subject: Heka [SmtpOutput]");
        let longest = "a".repeat(69);
        assert_eq!(header(&longest), format!("Subject: {longest}"));
        assert_eq!(header(""), "Subject: ");
    }

    #[test]
    fn others_become_encoded_words() {
        let cases = [
            ("a".repeat(70), format!("Subject: =?utf-8?Q?{}?=\r\n =?utf-8?Q?{}?=", "a".repeat(57), "a".repeat(13))),
            (
                "从前有座山，山里有座庙".to_owned(),
                "Subject: =?utf-8?B?5LuO5YmN5pyJ5bqn5bGx77yM5bGx6YeM5pyJ5bqn5bqZ?=".to_owned(),
            ),
            ("naïve alert".to_owned(), "Subject: =?utf-8?Q?na=C3=AFve_alert?=".to_owned()),
            ("é".to_owned(), "Subject: =?utf-8?Q?=C3=A9?=".to_owned()),
            ("a\r\nBcc: b".to_owned(), "Subject: =?utf-8?Q?a=0D=0ABcc:_b?=".to_owned()),
            ("=?_é".to_owned(), "Subject: =?utf-8?Q?=3D=3F=5F=C3=A9?=".to_owned()),
        ];
        for (subject, wanted) in cases {
            assert_eq!(header(&subject), wanted);
        }
    }

    /// What a reader makes of a header, character by character of the standard.
    fn read(header: &str) -> Vec<u8> {
        let text = header.strip_prefix(HEADER).unwrap();
        if !text.starts_with("=?utf-8?") {
            return text.as_bytes().to_vec();
        }
        let mut out = Vec::new();
        for word in text.split("\r\n ") {
            let inner = word.strip_suffix("?=").unwrap();
            if let Some(encoded) = inner.strip_prefix("=?utf-8?B?") {
                out.extend(STANDARD.decode(encoded).unwrap());
                continue;
            }
            let mut bytes = inner.strip_prefix("=?utf-8?Q?").unwrap().bytes();
            while let Some(byte) = bytes.next() {
                out.push(match byte {
                    b'_' => b' ',
                    b'=' => {
                        let pair = [bytes.next().unwrap(), bytes.next().unwrap()];
                        u8::from_str_radix(std::str::from_utf8(&pair).unwrap(), 16).unwrap()
                    }
                    byte => byte,
                });
            }
        }
        out
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read_back(subject in ".{0,200}") {
            let header = header(&subject);
            prop_assert!(header.split("\r\n").all(|line| line.len() <= LINE && line.is_ascii()), "{}", header);
            // A plain subject that looks encoded is read as encoded words are; nothing can be done about that.
            prop_assume!(!subject.starts_with("=?utf-8?"));
            prop_assert_eq!(read(&header), subject.as_bytes());
        }

        #[test]
        fn characters_are_never_split(subject in "[é山a ]{60,120}") {
            for word in header(&subject).strip_prefix(HEADER).unwrap().split("\r\n ") {
                let alone = read(&[HEADER, word].concat());
                prop_assert!(String::from_utf8(alone).is_ok());
            }
        }
    }
}
