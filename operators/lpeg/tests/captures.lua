-- Captures and their values.

local lpeg = require "lpeg"
local P, R, S, V, C, Ct, Cg = lpeg.P, lpeg.R, lpeg.S, lpeg.V, lpeg.C, lpeg.Ct, lpeg.Cg
local Cc, Cp, Cs, Cf, Cb, Carg = lpeg.Cc, lpeg.Cp, lpeg.Cs, lpeg.Cf, lpeg.Cb, lpeg.Carg

local letter, digit = R "az", R "09"

is("simple", '"ab"', C(letter ^ 1):match "ab1")
is("simple over nothing", '""', C "":match "ab1")
is("nested simple: outer first", '"ab" "a" "b"', C(C(letter) * C(letter)):match "ab")
is("several", '"a" "1"', (C(letter) * C(digit)):match "a1")
is("position", "1 3", (Cp() * "ab" * Cp()):match "ab")
is("constants", '1 "x" nil false', (Cc(1, "x") * Cc(nil) * Cc(false)):match "")
is("no constants", "1", Cc():match "")
is("captures of a failed alternative are gone", '"b"', (C "a" * "x" + P "a" * C "b"):match "ab")
is("negation captures nothing", '"b"', (-C "a" * C "b"):match "b")
is("looking ahead keeps captures", '"a" "a"', (#C "a" * C "a"):match "a")
is("a repetition captures each time", '"a" "b" "c"', (C(letter) ^ 0):match "abc")

is("argument", '"x" nil', (Carg(1) * Carg(2)):match("", 1, "x", nil))
fails("an absent argument", "reference to absent argument #2", function() return Carg(2):match("", 1, "x") end)
fails("argument zero", "bad argument #1 to 'Carg' (invalid argument index)", Carg, 0)

is("table", '{1="a",2="b"}', Ct(C(letter) ^ 0):match "ab")
is("empty table", "{}", Ct(letter ^ 0):match "ab")
is("named groups are fields", '{"k"="a",1="b"}', Ct(Cg(C(letter), "k") * C(letter)):match "ab")
is("a named group gives its first value", '{"k"="a"}', Ct(Cg(C(letter) * C(letter), "k")):match "ab")
is("a named group without captures is its text", '{"k"="ab"}', Ct(Cg(letter ^ 1, "k")):match "ab")
is("the last group of a name wins", '{"k"="b"}', Ct(Cg(letter, "k") * Cg(letter, "k")):match "ab")
is("a number is a name as text", '{"1"="a"}', Ct(Cg(letter, 1)):match "a")
is("any value is a name", '{true="a"}', Ct(Cg(letter, true)):match "a")
is("a nil in a table leaves a hole", "nil 3", (function(t) return t[2], t[3] end)(Ct(Cc(1) * Cc(nil) * Cc(3)):match ""))
is("tables in tables", '{1={1="a"},2={1="b"}}', Ct(Ct(C(letter)) ^ 0):match "ab")

is("anonymous group", '"a" "b"', Cg(C(letter) * C(letter)):match "ab")
is("anonymous group without captures", '"ab"', Cg(P "ab"):match "ab")
is("a named group has no value", "3", Cg(P "ab", "x"):match "ab")
is("back reference", '"a" "a"', (Cg(letter, "x") * Cb "x" * Cb "x"):match "a")
is("back reference to the last of a name", '"b"', (Cg(letter, "x") * Cg(letter, "x") * Cb "x"):match "ab")
is("back reference with several values", '"a" "b"', (Cg(C(letter) * C(letter), "x") * Cb "x"):match "ab")
is("back reference from inside another capture", '{1="a"}', (Cg(letter, "x") * Ct(Cb "x")):match "a")
fails("back reference into a closed capture", "back reference 'x' not found", function() return (Ct(Cg(letter, "x")) * Cb "x"):match "a" end)
fails("back reference to nothing", "back reference 'x' not found", function() return Cb "x":match "" end)

is("function", '"ab" 2', (C(letter ^ 1) / function(s) return s, #s end):match "ab")
is("function without captures gets the text", '"AB"', (letter ^ 1 / string.upper):match "ab")
is("function without results", "3", (letter ^ 1 / function() end):match "ab")
is("function gets nested captures only", '2 "a" "b"', ((C(letter) * C(letter)) / function(...) return select("#", ...), ... end):match "ab")
is("tonumber", "12 0.5 -3 16 nil", (digit ^ 1 / tonumber):match "12", ((P(1) ^ 1) / tonumber):match "0.5",
  ((P(1) ^ 1) / tonumber):match "-3", ((P(1) ^ 1) / tonumber):match "0x10", ((P(1) ^ 1) / tonumber):match "-")
is("tonumber with a base", "255", ((C(P "ff") * Cc(16)) / tonumber):match "ff")
is("tonumber of nil sets no field", "{}", Ct(Cg(P "-" / tonumber, "n")):match "-")
is("tonumber as Lua reads numbers", "1000 15 12 nil nil", (P(1) ^ 1 / tonumber):match "1e3",
  (P(1) ^ 1 / tonumber):match "0xf", (P(1) ^ 1 / tonumber):match " 12 ", (P(1) ^ 1 / tonumber):match "1 2", (P(1) ^ 1 / tonumber):match "1.2.3")
is("tonumber is exact", "true true", (P(1) ^ 1 / tonumber):match "0.1" == 0.1, (P(1) ^ 1 / tonumber):match "123456789.123456" == 123456789.123456)

is("lookup", '"one" "d"', (P "1" / { ["1"] = "one" }):match "1", ((P "2" / { ["1"] = "one" }) ^ 0 * Cc "d"):match "2")
is("lookup of the first capture", '"x"', (C "a" * C "b" / { a = "x", b = "y" }):match "ab")
is("lookup asks __index", '"a!"', (P "a" / setmetatable({}, { __index = function(_, k) return k .. "!" end })):match "a")
is("numbered capture", '"b"', ((C(letter) * C(letter)) / 2):match "ab")
is("numbered capture zero", "3", ((C(letter) * C(letter)) / 0):match "ab")
fails("numbered capture beyond", "no capture '3'", function() return ((C(letter) * C(letter)) / 3):match "ab" end)
fails("a negative number", "bad argument #1 to '?' (invalid number)", function() return P "a" / -1 end)
fails("no replacement", "bad argument #2 to '?' (invalid replacement value)", function() return P "a" / nil end)

is("format", '"<ab>"', (letter ^ 1 / "<%0>"):match "ab")
is("format with captures", '"b-a-ab%"', ((C(letter) * C(letter)) / "%2-%1-%0%%"):match "ab")
is("format with other values", '"3 x"', ((Cc(3) * Cc "x") / "%1 %2"):match "")
is("format names nested texts", '"ab a b"', (C(C(letter) * C(letter)) / "%1 %2 %3"):match "ab")
is("format in format", '"[<a>]"', ((letter / "<%0>") / "[%1]"):match "a")
fails("format beyond", "invalid capture index (2)", function() return (C(letter) / "%2"):match "a" end)
fails("format of a table", "invalid capture value (a table)", function() return (Ct "" / "%1"):match "" end)
fails("format of no value", "no values in capture index 1", function() return ((P "a" / 0) / "%1"):match "a" end)

is("substitution", '"a<b>c"', Cs((P "b" / "<%0>" + 1) ^ 0):match "abc")
is("substitution without captures", '"abc"', Cs(P(1) ^ 0):match "abc")
is("substitution by numbers", '"a1.5"', Cs("a" * (P "b" / function() return 1.5 end)):match "ab")
is("substitution keeps the text of no value", '"ab"', Cs("a" * (P "b" / function() end)):match "ab")
is("substitution in substitution", '"[-b]c"', Cs((Cs(P "a" / "-" * "b") / "[%1]") * "c"):match "abc")
is("a long substitution", "30000", #Cs((P "a" / "xyz") ^ 0):match(("a"):rep(10000)))
fails("substitution by a table", "invalid replacement value (a table)", function() return Cs(Ct(P "a")):match "a" end)

local function sum(a, b) return a + b end
is("fold", "6", Cf(digit / tonumber * (digit / tonumber) ^ 0, sum):match "123")
is("fold with groups", '"(a+b)-c"', Cf(C(letter) * Cg(C(S "+-") * C(letter)) ^ 0, function(a, op, b)
  return (a:find "%p" and "(" .. a .. ")" or a) .. op .. b
end):match "a+b-c")
is("fold of one", "1", Cf(digit / tonumber, sum):match "1")
fails("fold of nothing", "no initial value for fold capture", function() return Cf(digit, sum):match "1" end)
fails("fold needs a function", "bad argument #2 to 'Cf' (function expected, got string)", Cf, P "a", "f")

is("captures in a grammar", '{1="a",2={1="b"}}', P { Ct((C(letter) + "(" * V(1) * ")") ^ 0) }:match "a(b)")
do
  -- Values that are the same are kept once, whatever was matched in between.
  local t, f = {}, function(a) return "f" .. a end
  local part = lpeg.Cg(lpeg.Cc("x", 0, -0, 1, t, t, nil, true), "n") * lpeg.C(1) / f
  local first = part * lpeg.Cc("x", 1, "1", t, nil, false, true)
  local function values(p) return p:match("aab") end
  is("values that come twice", '"fa" "x" 1 "1" true nil false true', (function()
    local a, b, c, d, e, g, h, i = values(first)
    return a, b, c, d, e == t, g, h, i
  end)())
  local whole = lpeg.Ct(first * part * first)
  local all = whole:match("aab")
  is("parts that have been matched before", '"fa" "x" 1 "1" true "fa" "fb" "x" 1 "1" true', all[1], all[2], all[3], all[4],
    all[5] == t, all[9], all[10], all[11], all[12], all[13], all[14] == t)
  local zero = 0
  local zeros = lpeg.Cc(0, -zero, 0)
  is("zeros keep their sign", "inf -inf inf", (function()
    local a, b, c = zeros:match("")
    return 1 / a, 1 / b, 1 / c
  end)())
end
is("many captures", "3000", select("#", (C(1) ^ 0):match(("a"):rep(3000))))
is("a large table", "100000", #Ct(C(1) ^ 0):match(("a"):rep(100000)))
fails("more values than Lua can return", "stack overflow (too many captures)", function() return (C(1) ^ 0):match(("a"):rep(100000)) end)

return finish()
