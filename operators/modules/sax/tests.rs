//! The module as scripts see it.

use crate::testing::{error, run};

fn script(chunk: &str) -> String {
    run(&format!("require 'sax' {chunk}"))
}

#[test]
fn series_become_words() {
    for (chunk, result) in [
        ("return sax.word.new({10.3, 7, 1, -5, -5, 7.2}, 2, 8)", "FC"),
        ("return sax.window.new(4, 2, 4)", "##"),
        ("local w = sax.window.new(4, 2, 4) w:add(1) w:add(2) return w, w:get_word()", "#C,#C"),
        ("local w = sax.window.new(4, 2, 4) w:add({1, 2, 3, 4}) w:clear() return w", "##"),
        ("return sax.word.new('AB#D', 4)", "AB#D"),
        ("return sax.word.new({0/0, 1, 2, 3}, 4, 4)", "#ACD"),
        ("return sax.version()", "0.4.0"),
    ] {
        assert_eq!(script(chunk), result, "{chunk}");
    }
}

#[test]
fn words_and_windows_compare() {
    for (chunk, result) in [
        (
            "local word, window = sax.word.new({1, 2, 3, 10.1}, 2, 4), sax.window.new(4, 2, 4)
             window:add({-10, 1, 2, 3, 10.1})
             return word == window, window == word, word == window:get_word(), word ~= sax.word.new('AA', 4)",
            "true,true,true,true",
        ),
        ("return sax.word.new('AB', 4) == sax.word.new('AB', 5), sax.word.new('AB', 4) == 'AB'", "false,false"),
        (
            "local word, window = sax.word.new({10.3, 7, 1, -5, -5, 7.2}, 2, 8), sax.window.new(6, 2, 8)
             window:add({-9, -8, -7, -5, -5, 7.2})
             return ('%.6f %.6f %.6f'):format(sax.mindist(word, window))",
            "1.560325 1.103316 1.103316",
        ),
        ("return sax.mindist(sax.word.new('AAH', 8), sax.word.new('BBA', 8))", "2.301,2.301,0"),
        ("return sax.mindist(sax.word.new('AA', 8), sax.word.new('#B', 8))", "0,0,0"),
        ("return sax.mindist(sax.word.new('AA', 8), sax.word.new('AA', 7))", "nil"),
        ("return sax.mindist(sax.word.new('AA', 8), sax.word.new('AAA', 8))", "nil"),
        ("return sax.mindist(sax.word.new('AA', 8), sax.window.new(4, 2, 8))", "nil"),
    ] {
        assert_eq!(script(chunk), result, "{chunk}");
    }
}

#[test]
fn preservation_makes_them_again() {
    assert_eq!(
        script("local w = sax.window.new(4, 2, 4) w:add({0.1, 1/0}) return serialise(w, 'K')"),
        "if K == nil then K = sax.window.new(4, 2, 4) end\nK:clear()\nK:add({0/0,0/0,0.1,1/0})\n"
    );
    assert_eq!(
        script("return serialise(sax.window.new(4, 2, 4), 'K')"),
        "if K == nil then K = sax.window.new(4, 2, 4) end\nK:clear()\n"
    );
    assert_eq!(
        script("return serialise(sax.word.new('A#', 4), 'K')"),
        "if K == nil then K = sax.word.new(\"A#\", 4) end\n"
    );
    let again = "K = sax.window.new(6, 3, 5) for i = 1, 8 do K:add(i * i % 7) end
        local text, word = serialise(K, 'K'), tostring(K) K = nil loadstring(text)()
        return serialise(K, 'K') == text, tostring(K) == word, render(K) == word";
    assert_eq!(script(again), "true,true,true");
}

#[test]
fn wrong_arguments_are_named() {
    for (chunk, text) in [
        ("sax.window.new(1, 1, 4)", "bad argument #1 to 'new' (the number of values must be between 2 and 4096)"),
        ("sax.window.new(8, 1, 4)", "bad argument #2 to 'new' (the number of frames must be between 2 and 2048)"),
        ("sax.window.new(8, 3, 4)", "bad argument #2 to 'new' (the number of frames must divide that of the values)"),
        ("sax.window.new(8, 4, 17)", "bad argument #3 to 'new' (cardinality must be between 2 and 16)"),
        ("sax.window.new(8, 4, 0/0)", "bad argument #3 to 'new' (cardinality must be between 2 and 16)"),
        ("sax.word.new({1}, 2, 4)", "bad argument #1 to 'new' (the array must have 2 to 4096 values)"),
        ("sax.word.new({1, 'x'}, 2, 4)", "bad argument #1 to 'new' (the array must hold numbers only)"),
        ("sax.word.new('A', 4)", "bad argument #1 to 'new' (the word must have 2 to 2048 symbols)"),
        (
            "sax.word.new('AE', 4)",
            "bad argument #1 to 'new' (the word has a symbol that the cardinality does not have)",
        ),
        ("sax.window.new(4, 2, 4):add({1, {}})", "bad argument #1 to 'add' (the array must hold numbers only)"),
        ("sax.window.new(4, 2, 4):add('x')", "bad argument #1 to 'add' (number expected, got string)"),
        (
            "sax.window.new(4, 2, 4).add(sax.word.new('AA', 4), 1)",
            "bad argument #1 to 'add' (mozsvc.sax.window expected, got userdata)",
        ),
        (
            "sax.mindist(sax.word.new('AA', 4), 1)",
            "bad argument #2 to 'mindist' (mozsvc.sax.word or mozsvc.sax.window expected)",
        ),
    ] {
        assert_eq!(error(&format!("require 'sax' {chunk}")), format!("chunk:1: {text}"));
    }
    assert_eq!(script("local w = sax.window.new(4, 2, 4) w:add(setmetatable({}, {__index = error})) return w"), "##");
}
