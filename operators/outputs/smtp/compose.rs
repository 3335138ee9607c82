//! The text of a mail: headers, an empty line, the body in base64.

use super::subject;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use heka_message::{UuidSource, write_uuid};
use jiff::Zoned;

/// Bytes of the body that a line of 76 characters stands for.
const LINE: usize = 57;
/// What a line of `To` may hold before the next address goes to a line of its own.
const FOLD: usize = 78;

/// What is the same in all mails of an output.
pub(super) struct Letterhead {
    /// `To` and what surrounds it up to the variable headers.
    to: String,
    /// From `From` to the empty line.
    fixed: String,
    /// Behind the `@` of `Message-ID`.
    host: String,
    uuids: UuidSource,
}

impl Letterhead {
    pub(super) fn new(from: &str, to: &[String], subject: &str, host: &str) -> Self {
        let fixed = format!(
            "From: {from}\r\n{}\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=\"utf-8\"\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n",
            subject::header(subject)
        );
        Letterhead { to: to_header(to), fixed, host: host.to_owned(), uuids: UuidSource::new() }
    }

    /// A mail, with an identity of its own. Line ends are CRLF; there is none at the end.
    pub(super) fn mail(&mut self, body: &[u8], now: &Zoned) -> Vec<u8> {
        let date = now.strftime("%a, %d %b %Y %H:%M:%S %z").to_string();
        let mut mail = format!("Date: {date}\r\nMessage-ID: <").into_bytes();
        write_uuid(&self.uuids.next_uuid(), &mut mail);
        mail.extend_from_slice(format!("@{}>\r\n{}", self.host, self.to).as_bytes());
        mail.extend_from_slice(self.fixed.as_bytes());
        for (number, line) in body.chunks(LINE).enumerate() {
            if number > 0 {
                mail.extend_from_slice(b"\r\n");
            }
            mail.extend_from_slice(STANDARD.encode(line).as_bytes());
        }
        mail
    }
}

/// The `To` header, folded between addresses.
fn to_header(addresses: &[String]) -> String {
    let mut header = "To: ".to_owned();
    let mut line = header.len();
    for (number, address) in addresses.iter().enumerate() {
        if number > 0 {
            header.push(',');
            if line + 2 + address.len() > FOLD {
                header.push_str("\r\n");
                line = 0;
            }
            header.push(' ');
            line += 2;
        }
        header.push_str(address);
        line += address.len();
    }
    header + "\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(body: &[u8]) -> String {
        let to = ["root@localhost".to_owned()];
        let mut head = Letterhead::new("heka@localhost.localdomain", &to, "Heka [SmtpOutput]", "here");
        let now: Zoned = "2026-02-03T04:05:06+01:00[+01:00]".parse().unwrap();
        String::from_utf8(head.mail(body, &now)).unwrap()
    }

    #[test]
    fn a_mail_ends_with_what_the_original_sent() {
        let text = mail(b"Write me out to the network");
        assert!(text.ends_with(
            "\r\nFrom: heka@localhost.localdomain\r\nSubject: Heka [SmtpOutput]\r\nMIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=\"utf-8\"\r\nContent-Transfer-Encoding: base64\r\n\r\n\
             V3JpdGUgbWUgb3V0IHRvIHRoZSBuZXR3b3Jr"
        ));
        let (head, _) = text.split_once("\r\nFrom: ").unwrap();
        let lines: Vec<&str> = head.split("\r\n").collect();
        assert_eq!((lines[0], lines[2]), ("Date: Tue, 03 Feb 2026 04:05:06 +0100", "To: root@localhost"));
        assert!(lines[1].starts_with("Message-ID: <") && lines[1].ends_with("@here>") && lines[1].len() == 55);
        assert_ne!(text, mail(b"Write me out to the network"));
    }

    #[test]
    fn a_body_is_cut_into_lines_of_76_characters() {
        let lines = |length: usize| {
            let text = mail(&vec![b'x'; length]);
            let (_, body) = text.split_once("\r\n\r\n").unwrap();
            body.split("\r\n").map(str::len).collect::<Vec<_>>()
        };
        assert_eq!(lines(114), [76, 76]);
        assert_eq!(lines(57), [76]);
        assert_eq!(lines(58), [76, 4]);
        assert_eq!(lines(0), [0]);
    }

    #[test]
    fn many_recipients_are_folded() {
        let to: Vec<String> = (0..6).map(|i| format!("operator-{i}@example.org")).collect();
        let header = to_header(&to);
        assert!(header.lines().all(|line| line.len() <= FOLD + 1), "{header}");
        assert_eq!(header.replace("\r\n ", " ").trim_end(), format!("To: {}", to.join(", ")));
    }
}
