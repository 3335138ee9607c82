//! Reading preserved data: statements of Lua, which every version wrote a little differently.

use crate::State;
use crate::ffi;
use crate::outcome::error_text;
use crate::require::load_source;
use heka_lua::bytes_at;
use std::path::Path;

/// Statements run at once when the file as a whole has more constants than Lua allows in a function.
const PART: usize = 4096;

/// Runs the statements of a data file in the state.
pub(crate) fn run(state: State, data: &[u8], path: &Path) -> Result<(), String> {
    match run_part(state, data, path) {
        Err(why) if why.contains("constant table overflow") || why.contains("control structure too long") => {}
        result => return result,
    }
    let (first, rest) = data.split_at(end_of_line(data));
    // The first line ends the whole file, not only its own part.
    if is_other_version(state, first) {
        return Ok(());
    }
    let mut rest = if version_of(first).is_some() { rest } else { data };
    while !rest.is_empty() {
        let (part, behind) = rest.split_at(end_of_part(rest));
        run_part(state, part, path)?;
        rest = behind;
    }
    Ok(())
}

fn run_part(state: State, part: &[u8], path: &Path) -> Result<(), String> {
    // SAFETY: the state is live, with room on its stack; both calls catch what is raised.
    unsafe {
        load_source(state, part, path).map_err(|why| String::from_utf8_lossy(&why).into_owned())?;
        let status = ffi::lua_pcall(state, 0, 0, 0);
        let result = if status == ffi::LUA_OK { Ok(()) } else { Err(error_text(state)) };
        ffi::lua_settop(state, 0);
        result
    }
}

/// The version that the first line asks for.
fn version_of(line: &[u8]) -> Option<i64> {
    let line = std::str::from_utf8(line).ok()?;
    let number = line.strip_prefix("if _PRESERVATION_VERSION and _PRESERVATION_VERSION ~= ")?;
    number.trim_end().strip_suffix(" then return end")?.parse().ok()
}

fn is_other_version(state: State, line: &[u8]) -> bool {
    let Some(wanted) = version_of(line) else { return false };
    // SAFETY: the state is live; walking the globals raw neither allocates nor raises.
    unsafe {
        ffi::lua_settop(state, 0);
        ffi::lua_pushnil(state);
        let mut other = false;
        while ffi::lua_next(state, ffi::LUA_GLOBALSINDEX) != 0 {
            if bytes_at(state, 1) == Some(b"_PRESERVATION_VERSION") {
                other = ffi::lua_type(state, 2) != ffi::LUA_TNUMBER || ffi::lua_tonumber(state, 2) != wanted as f64;
            }
            ffi::lua_settop(state, 1);
        }
        other
    }
}

/// Where the statement at the beginning ends: behind a newline outside of texts.
fn end_of_line(data: &[u8]) -> usize {
    let mut in_text = false;
    let mut at = 0;
    while let Some(&byte) = data.get(at) {
        match byte {
            b'\\' if in_text => at += 1,
            b'"' => in_text = !in_text,
            b'\n' if !in_text => return at + 1,
            _ => {}
        }
        at += 1;
    }
    data.len()
}

fn end_of_part(data: &[u8]) -> usize {
    let mut end = 0;
    for _ in 0..PART {
        end += end_of_line(&data[end..]);
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_end_outside_of_texts() {
        assert_eq!(end_of_line(b"a = 1\nb"), 6);
        assert_eq!(end_of_line(b"a = \"x\\\ny\\\"\n\"\nb = 2"), 14);
        assert_eq!(end_of_line(b"a"), 1);
        assert_eq!(end_of_part(b"a\nb\n"), 4);
    }

    #[test]
    fn the_first_line_names_a_version() {
        let line = b"if _PRESERVATION_VERSION and _PRESERVATION_VERSION ~= 7 then return end\n";
        assert_eq!((version_of(line), version_of(b"_G[\"a\"] = 1\n")), (Some(7), None));
    }
}
