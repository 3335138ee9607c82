//! How Lua itself shows numbers.

use std::ffi::CStr;

/// Appends a number as Lua's `tostring` does.
pub(crate) fn write_lua_number(value: f64, out: &mut Vec<u8>) {
    const FORMAT: &CStr = c"%.14g";
    let mut text = [0u8; 40];
    // SAFETY: the buffer's length is given, and the format takes one double.
    let length = unsafe { libc::snprintf(text.as_mut_ptr().cast(), text.len(), FORMAT.as_ptr(), value) };
    let length = usize::try_from(length).unwrap_or(0).min(text.len() - 1);
    out.extend_from_slice(&text[..length]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lua_shows_fourteen_digits() {
        for (value, expected) in [(1.0, "1"), (0.1, "0.1"), (1e15, "1e+15"), (1e14, "1e+14"), (-1.5, "-1.5")] {
            let mut out = Vec::new();
            write_lua_number(value, &mut out);
            assert_eq!(out, expected.as_bytes());
        }
    }
}
