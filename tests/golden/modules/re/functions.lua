local re = require "re"
local check = require "check"

check.equal({re.match("hello world", "{[a-z]+} ' ' {.+}")}, {"hello", "world"})
check.equal(re.match("abc", "'b'", 2), 3)
check.equal({re.find("hello world", "{'wor'}")}, {7, 9, "wor"})
check.equal(re.find("hello", "'x'"), nil)
check.equal(re.find("abcabc", "'b'", 3), 5)
check.equal(re.gsub("a1b22", "[0-9]+", "<%0>"), "a<1>b<22>")
re.updatelocale()

-- The syntax, piece by piece: pattern, subject, result.
for _, case in ipairs{
    {"'ab'", "abc", 3}, {'"ab"', "abc", 3}, {"[a-c]*", "abcd", 4}, {"[^a]", "a", nil}, {".", "x", 2}, {"%a+", "ab1", 3},
    {"%nl", "\n", 2}, {"'a'?", "b", 1}, {"'a'^2", "aaa", 3}, {"'a'^+2", "aaa", 4}, {"'a'^-2", "aaa", 3}, {"&'a' .", "a", 2},
    {"!'a' .", "a", nil}, {"'a' / 'b'", "b", 2}, {"{}", "a", 1}, {"('a' 'b')+", "abab", 5}, {"{'a'} -> 'x%1'", "a", "xa"},
    {"{~ ('a' -> 'b' / .)* ~}", "banana", "bbnbnb"}, {"S <- 'a' S / ''", "aaa", 4}, {"S <- <T> 'b' T <- 'x' / 'a'", "ab", 3},
} do
    check.equal(re.match(case[2], case[1]), case[3], case[1])
end
check.equal({re.match("ab", "{'a'} {'b'} -> 0")}, {"a"})
check.equal(re.compile("{.} -> classes", {classes = {x = "found"}}):match "x", "found")
check.equal(re.match("k=v", "{| {:k: %a+ :} '=' {:v: %a+ :} |}"), {k = "k", v = "v"})
check.equal(re.match("aa", "{:x: . :} =x"), 3)
check.equal(re.match("ab", "{:x: . :} =x"), nil)
check.equal(re.match("12", re.compile("{%d+} -> n", {n = tonumber})), 12)
check.fails("pattern error", re.compile, "'a' )")
check.equal(re.compile("{.} => f", {f = function(_, at, c) return at, c .. "?" end}):match "a", "a?")
check.equal(re.compile "'a'" :match "a", 2)
