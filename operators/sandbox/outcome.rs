//! What a call of a script came to: a status, or an error in one line.

use crate::{State, ffi};

/// Longest text kept of an error, in bytes.
const ERROR_TEXT: usize = 255;

/// What a call of `process_message` returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Returned {
    /// 0: success; negative: this message failed; positive: the script cannot go on.
    pub status: i64,
    /// The text returned with it.
    pub error: Option<String>,
}

/// Calls the `process_message` at the top, the only value on the stack.
pub(crate) unsafe fn call(state: State) -> Result<Returned, String> {
    unsafe {
        match ffi::lua_pcall(state, 0, 2, 0) {
            ffi::LUA_OK => returned(state),
            _ => Err(error_text(state)),
        }
    }
}

/// Reads the two results of `process_message`.
unsafe fn returned(state: State) -> Result<Returned, String> {
    unsafe {
        if ffi::lua_type(state, 1) != ffi::LUA_TNUMBER {
            return Err("must return a numeric status code".to_owned());
        }
        let status = ffi::lua_tonumber(state, 1) as i64;
        let error = match ffi::lua_type(state, 2) {
            ffi::LUA_TNIL => None,
            ffi::LUA_TSTRING => Some(cut(heka_lua::bytes_at(state, 2).unwrap_or_default())),
            _ => return Err("must return a nil or string error message".to_owned()),
        };
        Ok(Returned { status, error })
    }
}

/// The error at the top of the stack as text. Never converts, because that could raise.
pub(crate) unsafe fn error_text(state: State) -> String {
    unsafe {
        match ffi::lua_type(state, -1) {
            ffi::LUA_TSTRING => cut(heka_lua::bytes_at(state, -1).unwrap_or_default()),
            ffi::LUA_TNUMBER => {
                let mut text = Vec::new();
                crate::number::write_lua_number(ffi::lua_tonumber(state, -1), &mut text);
                cut(&text)
            }
            kind => {
                let name = std::ffi::CStr::from_ptr(ffi::lua_typename(state, kind)).to_string_lossy();
                format!("(error object is a {name} value)")
            }
        }
    }
}

/// A text of at most 255 bytes, cut between characters.
pub(crate) fn cut(text: &[u8]) -> String {
    let kept = &text[..text.len().min(ERROR_TEXT)];
    let mut lossy = match std::str::from_utf8(kept) {
        Ok(text) => text.to_owned(),
        // Only the last character was cut.
        Err(error) if error.error_len().is_none() && text.len() > ERROR_TEXT => {
            String::from_utf8_lossy(&kept[..error.valid_up_to()]).into_owned()
        }
        Err(_) => String::from_utf8_lossy(kept).into_owned(),
    };
    // Replaced bytes take three.
    lossy.truncate(lossy.floor_char_boundary(ERROR_TEXT));
    lossy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_texts_are_cut_between_characters() {
        assert_eq!(cut(b"short"), "short");
        assert_eq!(cut("é".repeat(200).as_bytes()).len(), 254);
        assert!(cut(&[0xff; 300]).len() <= 255);
        assert_eq!(cut(&[b'x'; 300]).len(), 255);
    }
}
