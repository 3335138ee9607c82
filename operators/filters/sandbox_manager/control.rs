//! Control messages: what they ask for, and why one is refused.

use heka_message::{FieldValue, RowRef};

use crate::script::plain;

/// Nanoseconds by which the clocks of sender and receiver may differ: less than this.
const SKEW: u64 = 5_000_000_000;
/// Longest full name, in bytes; files are called so.
const LONGEST: usize = 200;

/// What a control message asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Control<'a> {
    /// To run a filter.
    Load {
        /// Its section.
        config: &'a str,
        /// The script's text.
        script: &'a [u8],
    },
    /// To end a filter.
    Unload {
        /// The name of its section.
        name: &'a str,
    },
}

/// Why nothing is done.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    /// The rule's name in reports.
    pub(super) rule: &'static str,
    /// One line.
    pub(super) why: String,
}

impl Refused {
    pub(super) fn new(rule: &'static str, why: impl Into<String>) -> Self {
        Refused { rule, why: why.into() }
    }
}

/// Rules that refuse control messages.
pub(super) mod rule {
    pub const UNSIGNED: &str = "control-unsigned";
    pub const SKEW: &str = "control-skew";
    pub const ACTION: &str = "control-unknown-action";
    pub const DAMAGED: &str = "control-damaged";
    pub const LIMIT: &str = "control-max-filters";
    pub const FAILED: &str = "control-load-failed";
    /// All of them, for reports that show what did not happen, too.
    pub const ALL: [&str; 6] = [UNSIGNED, SKEW, ACTION, DAMAGED, LIMIT, FAILED];
}

/// Reads a control message that arrived at `now`, in nanoseconds since the UNIX epoch.
///
/// # Errors
/// When it is too old or too new, asks for something unknown, or lacks what it needs.
pub(super) fn read(message: RowRef<'_>, now: i64) -> Result<Control<'_>, Refused> {
    let skew = message.timestamp().abs_diff(now);
    if skew >= SKEW {
        let seconds = skew / 1_000_000_000;
        return Err(Refused::new(rule::SKEW, format!("Discarded control message: {seconds} seconds skew")));
    }
    match text(message, "action")? {
        "load" => {
            let script = message.payload();
            if script.is_empty() {
                return Err(Refused::new(rule::DAMAGED, "loadSandbox failed: the payload has no script"));
            }
            Ok(Control::Load { config: text(message, "config")?, script })
        }
        "unload" => Ok(Control::Unload { name: text(message, "name")? }),
        other => {
            let other: String = other.chars().take(40).collect();
            Err(Refused::new(rule::ACTION, format!("Ignored control message: unknown action {other:?}")))
        }
    }
}

fn text<'a>(message: RowRef<'a>, name: &str) -> Result<&'a str, Refused> {
    let refused =
        |what: &str| Err(Refused::new(rule::DAMAGED, format!("Ignored control message: its field '{name}' is {what}")));
    match message.field(name.as_bytes(), 0).and_then(|field| field.value(0)) {
        Some(FieldValue::String(bytes) | FieldValue::Bytes(bytes)) => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text),
            Err(_) => refused("no UTF-8"),
        },
        Some(_) => refused("no text"),
        None => refused("missing"),
    }
}

/// What a manager's filter is called in the log, in reports and as a file: `<manager>-<filter>`. Whatever the parts
/// hold, it is one component of a path.
///
/// # Errors
/// When the filter's name is empty, or the whole too long for a file.
pub(super) fn full_name(manager: &str, filter: &str) -> Result<String, String> {
    if filter.is_empty() {
        return Err("the filter has no name".to_owned());
    }
    let name = format!("{}-{}", plain(manager), plain(filter));
    if name.len() > LONGEST {
        return Err(format!("the filter's name is longer than {LONGEST} bytes"));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use heka_message::{Batch, BatchBuilder};

    fn message(age: i64, payload: &str, fields: &[(&str, FieldValue<'_>)]) -> Batch {
        let mut builder = BatchBuilder::default();
        let payload = builder.text(payload.as_bytes());
        let row = builder.row();
        row.set_timestamp(1_000_000_000_000 - age);
        row.payload = payload;
        for (name, value) in fields {
            let [name, empty] = [name.as_bytes(), b""].map(|text| builder.text(text));
            builder.field(name, empty, *value);
        }
        builder.finish()
    }

    fn read_one(batch: &Batch) -> Result<Control<'_>, Refused> {
        read(batch.row(0), 1_000_000_000_000)
    }

    const LOAD: (&str, FieldValue<'static>) = ("action", FieldValue::String(b"load"));
    const CONFIG: (&str, FieldValue<'static>) = ("config", FieldValue::String(b"[a]"));

    #[test]
    fn messages_say_what_to_do() {
        let load = message(0, "script", &[CONFIG, LOAD]);
        assert_eq!(read_one(&load), Ok(Control::Load { config: "[a]", script: b"script" }));
        let fields = [("action", FieldValue::Bytes(b"unload")), ("name", FieldValue::String(b"a"))];
        assert_eq!(read_one(&message(0, "", &fields)), Ok(Control::Unload { name: "a" }));
    }

    #[test]
    fn clocks_may_differ_by_less_than_five_seconds_either_way() {
        for age in [4_000_000_000, -4_999_999_999] {
            assert!(read_one(&message(age, "script", &[CONFIG, LOAD])).is_ok(), "{age}");
        }
        for (age, seconds) in [(5_000_000_000, 5), (-6_500_000_000, 6), (i64::MIN / 2, 4_611_686_017u64)] {
            let refused = read_one(&message(age, "script", &[CONFIG, LOAD])).map(|_| ()).unwrap_err();
            assert_eq!(refused.rule, rule::SKEW);
            let said = refused.why.strip_prefix("Discarded control message: ").unwrap();
            assert!(age == i64::MIN / 2 || said == format!("{seconds} seconds skew"), "{said}");
        }
    }

    #[test]
    fn damaged_messages_are_told_apart() {
        let integer = FieldValue::Integer(1);
        type Fields<'a> = &'a [(&'a str, FieldValue<'a>)];
        let cases: [(&str, Fields<'_>, &str, &str); 7] = [
            ("x", &[], rule::DAMAGED, "Ignored control message: its field 'action' is missing"),
            ("x", &[("action", integer)], rule::DAMAGED, "Ignored control message: its field 'action' is no text"),
            (
                "x",
                &[("action", FieldValue::String(b"\xff"))],
                rule::DAMAGED,
                "Ignored control message: its field 'action' is no UTF-8",
            ),
            (
                "x",
                &[("action", FieldValue::String(b"Load"))],
                rule::ACTION,
                "Ignored control message: unknown action \"Load\"",
            ),
            ("x", &[LOAD], rule::DAMAGED, "Ignored control message: its field 'config' is missing"),
            ("", &[LOAD, CONFIG], rule::DAMAGED, "loadSandbox failed: the payload has no script"),
            (
                "",
                &[("action", FieldValue::String(b"unload"))],
                rule::DAMAGED,
                "Ignored control message: its field 'name' is missing",
            ),
        ];
        for (payload, fields, rule, why) in cases {
            assert_eq!(read_one(&message(0, payload, fields)), Err(Refused::new(rule, why)));
        }
    }

    #[test]
    fn names_cannot_leave_their_directory() {
        assert_eq!(full_name("hs mgr", "../../etc/cron.d/x").unwrap(), "hs_mgr-______etc_cron_d_x");
        assert_eq!(full_name("m-1", "a-b_C\0ö").unwrap(), "m_1-a_b_C__");
        assert!(full_name("m", "").is_err() && full_name("m", &"x".repeat(300)).is_err());
    }
}
