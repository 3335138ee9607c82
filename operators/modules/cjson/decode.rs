//! `cjson.decode`: a text becomes values on the Lua stack.

use super::container::{Container, Hashes, hash_room};
use super::layout::hash;
use super::lexer::{Lexer, Piece, Token, Unescape};
use super::settings::settings;
use crate::scratch::{Scratch, room};
use crate::spend_bytes;
use heka_lua::{Raise, State, arg_error, bytes, bytes_at, ffi, push_bytes, raise};
use std::ffi::c_int;

pub unsafe extern "C-unwind" fn decode(state: State) -> c_int {
    unsafe {
        if ffi::lua_gettop(state) != 1 {
            arg_error(state, 1, c"expected 1 argument");
        }
        let text = bytes(state, 1);
        if matches!(text, [0, _, ..] | [_, 0, ..]) {
            raise(state, Raise::here("JSON parser does not support UTF-16 or UTF-32"));
        }
        spend_bytes(state, text.len());
        let settings = settings(state);
        let mut lexer = Lexer::new(text, settings.decode_invalid);
        let depth_limit = settings.decode_max_depth as usize;
        let decode_null = settings.decode_null;

        // The containers around the innermost one, 16 bytes each.
        let mut outer_room = room::<512>();
        let mut outer = Scratch::new(state, &mut outer_room);
        let mut hash_room = hash_room();
        let mut hashes = Hashes::new(&mut hash_room);
        let mut depth = 0;
        let mut inner = Container::NONE;
        let mut token = lexer.next();
        'value: loop {
            let mut nil = false;
            match token {
                Token::Plain(text) => push_bytes(state, text),
                Token::Escaped(text) => push_unescaped(state, text),
                Token::Number(value) => ffi::lua_pushnumber(state, value),
                Token::Boolean(value) => ffi::lua_pushboolean(state, c_int::from(value)),
                Token::Null if decode_null => ffi::lua_pushlightuserdata(state, std::ptr::null_mut()),
                Token::Null => {
                    nil = true;
                    ffi::lua_pushnil(state);
                }
                Token::ObjectBegin | Token::ArrayBegin => {
                    if depth >= depth_limit {
                        too_deep(state, depth + 1, lexer.at);
                    }
                    let object = token == Token::ObjectBegin;
                    let Some(mut container) = Container::begin(state, object, depth) else {
                        too_deep(state, depth + 1, lexer.at)
                    };
                    token = lexer.next();
                    match token {
                        Token::ObjectEnd if object => container.end(state, &mut hashes),
                        Token::ArrayEnd if !object => container.end(state, &mut hashes),
                        _ => {
                            outer.extend(&inner.to_bytes());
                            depth += 1;
                            inner = container;
                            if object {
                                token = key(state, &mut lexer, token, &mut inner, &mut hashes);
                            }
                            continue 'value;
                        }
                    }
                }
                other => unexpected(state, "value", other, lexer.index),
            }
            // A complete value is at the top: put it into its container, which may complete that one.
            loop {
                if depth == 0 {
                    break 'value;
                }
                inner.add(state, &mut hashes, nil);
                nil = false;
                token = if lexer.pass(b',') { Token::Comma } else { lexer.next() };
                match token {
                    Token::Comma => {
                        token = lexer.next();
                        if inner.object {
                            token = key(state, &mut lexer, token, &mut inner, &mut hashes);
                        }
                        continue 'value;
                    }
                    Token::ObjectEnd if inner.object => {}
                    Token::ArrayEnd if !inner.object => {}
                    other if inner.object => unexpected(state, "comma or object end", other, lexer.index),
                    other => unexpected(state, "comma or array end", other, lexer.index),
                }
                inner.end(state, &mut hashes);
                depth -= 1;
                let saved = outer.as_slice();
                inner = saved.last_chunk().map_or(Container::NONE, |bytes| Container::from_bytes(*bytes));
                outer.truncate_by(size_of::<u128>());
            }
        }
        token = lexer.next();
        if token != Token::End {
            unexpected(state, "the end", token, lexer.index);
        }
    }
    1
}

/// Pushes the key that `token` is, passes the colon, and returns the first token of its value.
unsafe fn key<'a>(
    state: State,
    lexer: &mut Lexer<'a>,
    token: Token<'a>,
    object: &mut Container,
    hashes: &mut Hashes,
) -> Token<'a> {
    unsafe {
        match token {
            Token::Plain(text) => {
                push_bytes(state, text);
                if object.waits() {
                    object.key(hashes, hash(text));
                }
            }
            Token::Escaped(text) => {
                push_unescaped(state, text);
                if object.waits() {
                    object.key(hashes, hash(bytes_at(state, -1).unwrap_or_default()));
                }
            }
            other => unexpected(state, "object key string", other, lexer.index),
        }
        let colon = if lexer.pass(b':') { Token::Colon } else { lexer.next() };
        if colon != Token::Colon {
            unexpected(state, "colon", colon, lexer.index);
        }
        lexer.next()
    }
}

unsafe fn push_unescaped(state: State, text: &[u8]) {
    unsafe {
        let mut room = room::<512>();
        let mut unescaped = Scratch::new(state, &mut room);
        for piece in Unescape(text) {
            match piece {
                Piece::Run(run) => unescaped.extend(run),
                Piece::Byte(byte) => unescaped.push(byte),
                Piece::Character(character) => {
                    unescaped.extend(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
        }
        unescaped.finish();
    }
}

#[cold]
unsafe fn unexpected(state: State, expected: &str, found: Token, index: usize) -> ! {
    let found = found.name();
    unsafe { raise(state, Raise::here(format!("Expected {expected} but found {found} at character {}", index + 1))) }
}

#[cold]
unsafe fn too_deep(state: State, depth: usize, at: usize) -> ! {
    unsafe { raise(state, Raise::here(format!("Found too many nested data structures ({depth}) at character {at}"))) }
}
