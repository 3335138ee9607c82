-- The table of functions and operators, one line each at least.
require "string"
local lpeg = require "lpeg"
local check = require "check"

check.equal(lpeg.version(), "0.12")
check.equal(lpeg.type(lpeg.P(1)), "pattern")
check.equal(lpeg.type("x"), nil)

-- Anchored, from a position; captures, or the position behind, or nil.
check.equal(lpeg.match(lpeg.P "b", "abc"), nil)
check.equal(lpeg.match(lpeg.P "b", "abc", 2), 3)
check.equal(lpeg.match("c", "abc", -1), 4)
check.equal({lpeg.match(lpeg.C "a" * lpeg.C "b", "abc")}, {"a", "b"})

-- What a value means as a pattern.
for _, case in ipairs{{2, "ab", 3}, {2, "a", nil}, {-2, "a", 1}, {-2, "ab", nil}, {true, "", 1}, {false, "a", nil}, {"ab", "abc", 3}} do
    check.equal(lpeg.P(case[1]):match(case[2]), case[3], tostring(case[1]))
end
check.equal(lpeg.P{"S", S = lpeg.P "a" * lpeg.V "S" + ""}:match "aab", 3)
check.equal(lpeg.P(function(_, at) return at + 1 end):match "ab", 2)

-- Sets, ranges, looking behind.
check.equal((lpeg.S "abc" ^ 1):match "cabx", 4)
check.equal((lpeg.R("az", "09") ^ 1):match "a1B", 3)
check.equal(lpeg.R():match "a", nil)
check.equal((1 * lpeg.B "a" * 1):match "ab", 3)
check.equal((1 * lpeg.B "a" * 1):match "bb", nil)
check.fails("range must have two characters", lpeg.R, "abc")
check.fails("pattern may not have fixed length", lpeg.B, lpeg.P "a" ^ 0)
check.fails("pattern have captures", lpeg.B, lpeg.C "a")
check.fails("pattern too long to look behind", lpeg.B, lpeg.P(256))

-- Operators.
check.equal((lpeg.P "a" + "b"):match "b", 2)
check.equal((lpeg.P "a" ^ 2):match "a", nil)
check.equal((lpeg.P "a" ^ -2):match "aaa", 3)
check.equal((lpeg.P(1) - "a"):match "a", nil)
check.equal((-lpeg.P "a"):match "b", 1)
check.equal({(#lpeg.C "a"):match "a"}, {"a"})

-- Captures.
check.equal((lpeg.C(lpeg.C "a" * "b") / "%2-%1-%0-%%"):match "ab", "a-ab-ab-%")
check.equal({(lpeg.C "a" * lpeg.C "b" / 2):match "ab"}, {"b"})
check.equal((lpeg.C "a" / 0):match "a", 2)
check.equal((lpeg.C(1) / {a = "found"}):match "a", "found")
check.equal((lpeg.C(1) / {a = "found"}):match "b", 2)
check.equal({(lpeg.C(1) / function(a) return a, 5 end):match "x"}, {"x", 5})
check.equal({(lpeg.Cp() * 1 * lpeg.Cp()):match "a"}, {1, 2})
check.equal({lpeg.Cc(1, "x", true):match ""}, {1, "x", true})
check.equal({(lpeg.Carg(2) * lpeg.Carg(1)):match("", 1, "one", "two")}, {"two", "one"})
check.equal(lpeg.Ct(lpeg.C(1) * lpeg.Cg(lpeg.C(1), "k")):match "ab", {"a", k = "b"})
check.equal((lpeg.Cg(lpeg.C(1), "x") * lpeg.Cb "x"):match "a", "a")
check.equal(lpeg.Cf((lpeg.C(1) / tonumber) ^ 1, function(a, b) return a + b end):match "123", 6)
check.equal(lpeg.Cs((lpeg.P "a" / "b" + 1) ^ 0):match "banana", "bbnbnb")
check.equal({lpeg.Cmt(lpeg.C(1), function(_, at, text) return at, text .. "!" end):match "a"}, {"a!"})

-- The last group of a name wins; a nil from tonumber sets nothing.
check.equal(lpeg.Ct(lpeg.Cg(lpeg.C(1), "k") * lpeg.Cg(lpeg.C(1), "k")):match "ab", {k = "b"})
check.equal(lpeg.Ct(lpeg.Cg(lpeg.C(1) / tonumber, "k")):match "a", {})

-- Classes of the C locale.
local classes = lpeg.locale()
check.equal(lpeg.locale(classes), classes)
for class, text in pairs{alnum = "a", alpha = "Z", cntrl = "\1", digit = "5", graph = "!", lower = "a", print = " ", punct = ".",
    space = "\t", upper = "A", xdigit = "f"} do
    check.equal(classes[class]:match(text), 2, class)
    check.equal(classes[class]:match "\233", nil, class)
end
lpeg.setmaxstack(100)
