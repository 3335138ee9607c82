//! Matching without Lua values gives what `lpeg.match` gives, on examples and on random patterns.

mod host;

use heka_lpeg::{Captures, Constant, Known, Node, Recipe, Refusal, Source, match_captures, pattern_at};
use heka_lua::{State, bytes, ffi, integer, push_bytes};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::c_int;

/// A Lua value as captures give it.
#[derive(Clone, Debug)]
enum Value {
    Nil,
    Boolean(bool),
    Number(f64),
    Text(Vec<u8>),
    Table(BTreeMap<String, String>),
}

impl Value {
    fn show(&self) -> String {
        match self {
            Value::Nil => "nil".to_owned(),
            Value::Boolean(value) => value.to_string(),
            Value::Number(value) => value.to_string(),
            Value::Text(text) => {
                let text = String::from_utf8_lossy(text);
                format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\\n"))
            }
            Value::Table(fields) => {
                let mut fields: Vec<String> = fields.iter().map(|(key, value)| format!("{key}={value}")).collect();
                // As the scripts do, which sort keys and values together.
                fields.sort();
                format!("{{{}}}", fields.join(","))
            }
        }
    }
}

fn constant(constant: Constant) -> Value {
    match constant {
        Constant::Nil => Value::Nil,
        Constant::Boolean(value) => Value::Boolean(value),
        Constant::Number(value) => Value::Number(value),
        Constant::Text(text) => Value::Text(text.to_vec()),
    }
}

/// The value of a named value; `None` for what Lua must evaluate.
fn named(node: &Node, recipe: Recipe) -> Option<Value> {
    let value = match recipe.source {
        Source::Text => Value::Text(node.text().to_vec()),
        Source::Number => node.number().ok()?.map_or(Value::Nil, Value::Number),
        Source::Constant => constant(node.constant(recipe.key)),
        Source::Call => return None,
    };
    if recipe.representation == 0 {
        return Some(value);
    }
    let mut fields = BTreeMap::new();
    if !matches!(value, Value::Nil) {
        fields.insert("\"value\"".to_owned(), value.show());
    }
    let representation = Value::Text(node.text_of(recipe.representation).to_vec());
    fields.insert("\"representation\"".to_owned(), representation.show());
    Some(Value::Table(fields))
}

/// The values of a capture, as the documentation of `Known` says; `None` for what Lua must evaluate.
fn values(node: &Node) -> Option<Vec<Value>> {
    let text = || Value::Text(node.text().to_vec());
    let inside = || {
        let mut all = Vec::new();
        for child in node.children() {
            all.extend(values(&child)?);
        }
        Some(all)
    };
    Some(match node.kind() {
        Known::Text => [vec![text()], inside()?].concat(),
        Known::Position => vec![Value::Number(node.start() as f64 + 1.0)],
        Known::Constant(of) => vec![constant(of)],
        Known::Group(Some(_)) | Known::Named(_) | Known::Nothing => vec![],
        Known::Group(None) => Some(inside()?).filter(|all| !all.is_empty()).unwrap_or_else(|| vec![text()]),
        Known::Number => vec![node.number().ok()?.map_or(Value::Nil, Value::Number)],
        Known::Format(_) | Known::Substitution => {
            let mut out = Vec::new();
            node.render(&mut out).ok()?;
            vec![Value::Text(out)]
        }
        Known::Table => {
            let (mut fields, mut next) = (BTreeMap::new(), 1);
            for child in node.children() {
                let (named, list) = match child.kind() {
                    Known::Group(Some(name)) => {
                        let mut inside = Vec::new();
                        for value in child.children() {
                            inside.extend(values(&value)?);
                        }
                        let first = inside.into_iter().next().unwrap_or_else(|| Value::Text(child.text().to_vec()));
                        (Some(Value::Text(name.to_vec()).show()), vec![first])
                    }
                    Known::Named(recipe) => {
                        let name = Value::Text(child.text_of(recipe.name).to_vec());
                        (Some(name.show()), vec![named(&child, recipe)?])
                    }
                    _ => (None, values(&child)?),
                };
                for value in list {
                    let key = named.clone().unwrap_or_else(|| next.to_string());
                    next += u64::from(named.is_none());
                    match value {
                        Value::Nil => fields.remove(&key),
                        value => fields.insert(key, value.show()),
                    };
                }
            }
            vec![Value::Table(fields)]
        }
        Known::Call(_) | Known::Fold(_) => return None,
    })
}

thread_local! {
    static COMPARED: Cell<u64> = const { Cell::new(0) };
}

/// What the visit shows: as `show_all` of the scripts; `None` for what it cannot tell.
fn show(pattern: &heka_lpeg::Pattern, subject: &[u8], init: usize) -> Option<String> {
    let mut captures = Captures::default();
    let end = match match_captures(pattern, subject, init, &mut captures) {
        Ok(Some(end)) => end,
        Ok(None) => return Some("nil".to_owned()),
        Err(Refusal::Unknown) => return None,
        Err(refusal) => panic!("{refusal:?}"),
    };
    let mut all = Vec::new();
    let visit = captures.visit(pattern, subject);
    for node in visit.roots() {
        all.extend(values(&node)?);
    }
    if all.is_empty() {
        return Some((end + 1).to_string());
    }
    Some(all.iter().map(Value::show).collect::<Vec<_>>().join(" "))
}

/// `visit(pattern, subject, init, shown)`: an error when the visit shows something else.
unsafe extern "C-unwind" fn visit(state: State) -> c_int {
    unsafe {
        let pattern = pattern_at(state, 1).expect("a pattern");
        let (subject, init, shown) = (bytes(state, 2), integer(state, 3), bytes(state, 4));
        let distance = init.unsigned_abs() as usize;
        let init = if init > 0 { distance - 1 } else { subject.len().saturating_sub(distance) };
        let failed = show(&pattern, subject, init).is_some_and(|seen| {
            COMPARED.set(COMPARED.get() + 1);
            seen.as_bytes() != shown
        });
        if failed {
            push_bytes(state, b"the visit shows something else than ");
            ffi::lua_pushvalue(state, 4);
            ffi::lua_concat(state, 2);
            ffi::lua_error(state)
        }
    }
    0
}

#[test]
fn random_patterns_are_visited_as_lua_evaluates_them() {
    let out = std::env::temp_dir().join(format!("heka-lpeg-visit-{}", std::process::id()));
    let arguments = [out.display().to_string(), "9".to_owned(), "1".to_owned(), "8000".to_owned()];
    let text = include_str!("fuzz.lua");
    let result = host::run(&host::Chunk { name: "fuzz", text, arguments: &arguments, functions: &[(c"visit", visit)] });
    std::fs::remove_file(&out).expect("removed");
    assert_eq!(result, Ok(String::new()));
    assert!(COMPARED.get() > 4000, "only {} visits could be compared", COMPARED.get());
}

#[test]
fn a_log_line_is_visited() {
    let text = r#"
        local lpeg = require "lpeg"
        local C, Cg, Ct, Cc, digit = lpeg.C, lpeg.Cg, lpeg.Ct, lpeg.Cc, lpeg.R"09"
        local size = Ct(Cg(digit ^ 1 / tonumber, "value") * Cg(Cc"B", "representation"))
        local p = Ct(Cg((1 - lpeg.P" ") ^ 1, "host") * " " * Cg(digit ^ 1 / tonumber, "status") * " " * Cg(size, "size")
          * " " * Cg(lpeg.Cs((lpeg.P'""' / '"' + 1) ^ 0), "rest"))
        visit(p, '10.0.0.1 404 17 a""b', 1,
          '{"host"="10.0.0.1","rest"="a\\"b","size"={"representation"="B","value"=17},"status"=404}')"#;
    let before = COMPARED.get();
    let chunk = host::Chunk { name: "line", text, arguments: &[], functions: &[(c"visit", visit)] };
    assert_eq!(host::run(&chunk), Ok(String::new()));
    assert_eq!(COMPARED.get(), before + 1);
}

#[test]
fn what_only_lua_can_evaluate_is_unknown() {
    unsafe extern "C-unwind" fn known(state: State) -> c_int {
        unsafe {
            let known = pattern_at(state, 1).map(|pattern| pattern.is_known());
            push_bytes(state, if known == Some(true) { b"known" } else { b"unknown" });
        }
        1
    }
    for (pattern, expected) in [
        ("lpeg.C'a' * lpeg.Cp() * lpeg.Cc('x', 1, nil, true)", "known"),
        ("lpeg.Ct(lpeg.Cg(lpeg.R'09' ^ 1 / tonumber, 'n')) * lpeg.Cs(1) * (lpeg.C(1) / '%1')", "known"),
        ("lpeg.P'a' / string.upper", "known"),
        ("lpeg.P'a' / function() end", "known"),
        ("lpeg.Cf('a', rawset)", "known"),
        ("(lpeg.C'ff' * lpeg.Cc(16)) / tonumber", "known"),
        ("lpeg.P'a' / {}", "unknown"),
        ("lpeg.Cc({})", "unknown"),
        ("lpeg.Carg(1)", "unknown"),
        ("lpeg.Cmt('a', function() end)", "unknown"),
        ("lpeg.Cg('a', 'x') * lpeg.Cb'x'", "unknown"),
        ("lpeg.Cf('a', function() end)", "unknown"),
        ("'a'", "unknown"),
        ("io.stdout", "unknown"),
    ] {
        let text = format!("local lpeg = require 'lpeg' return known({pattern})");
        let chunk = host::Chunk { name: "known", text: &text, arguments: &[], functions: &[(c"known", known)] };
        assert_eq!(host::run(&chunk).as_deref(), Ok(expected), "{pattern}");
    }
}

#[test]
fn limits_hold_as_in_lua() {
    unsafe extern "C-unwind" fn refusal(state: State) -> c_int {
        unsafe {
            let pattern = pattern_at(state, 1).expect("a pattern");
            let result = match_captures(&pattern, bytes(state, 2), 0, &mut Captures::default());
            let text = match result {
                Err(Refusal::TooManyPending) => "pending",
                Err(Refusal::OutOfBudget) => "budget",
                _ => "none",
            };
            push_bytes(state, text.as_bytes());
        }
        1
    }
    let grammar = "lpeg.P { '(' * lpeg.V(1) * ')' + lpeg.C'x' }";
    let slow = "(lpeg.P'a' ^ 0 * 'b' + lpeg.C(1)) ^ 0";
    for (pattern, subject, expected) in [
        (grammar, "('('):rep(1000) .. 'x'", "pending"),
        (grammar, "('('):rep(50) .. 'x' .. (')'):rep(50)", "none"),
        (slow, "('a'):rep(100000)", "budget"),
    ] {
        heka_lua::set_budget(100_000, None);
        let text = format!("local lpeg = require 'lpeg' return refusal({pattern}, {subject})");
        let chunk = host::Chunk { name: "limits", text: &text, arguments: &[], functions: &[(c"refusal", refusal)] };
        assert_eq!(host::run(&chunk).as_deref(), Ok(expected), "{pattern}");
    }
    heka_lua::set_budget(u64::MAX, None);
}
