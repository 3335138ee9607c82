-- Every error of building and of matching that the documentation names.
local lpeg = require "lpeg"
require "string"
local check = require "check"
local P, V, C = lpeg.P, lpeg.V, lpeg.C

local rules = {"r1"}
for i = 1, 201 do
    rules["r" .. i] = P "a"
end
for message, make in pairs{
    ["grammar has too many rules"] = function() return P(rules) end,
    ["grammar has no initial rule"] = function() return P{} end,
    ["initial rule 'x' is not a pattern"] = function() return P{"x", x = check} end,
    ["rule 'x' is not a pattern"] = function() return P{P "a", x = check} end,
    ["rule 'x' undefined in given grammar"] = function() return P{V "x"} end,
    ["rule 'x' used outside a grammar"] = function() return V "x":match "a" end,
    ["may be left recursive"] = function() return P{V(1) * "a"} end,
    ["loop body may accept empty string"] = function() return P "" ^ 0 end,
    ["empty loop in rule"] = function() return P{"x", x = V "y" ^ 0, y = P ""} end,
    ["no initial value for fold capture"] = function() return lpeg.Cf(P "a", function() end):match "a" end,
    ["back reference 'x' not found"] = function() return lpeg.Cb "x":match "" end,
    ["invalid replacement value (a table)"] = function() return lpeg.Cs(P "a" / function() return {} end):match "a" end,
    ["invalid position returned by match-time capture"] = function() return lpeg.Cmt(1, function() return 9 end):match "ab" end,
    ["no capture '2'"] = function() return (C "a" / 2):match "a" end,
    ["invalid capture index (3)"] = function() return (C "a" / "%3"):match "a" end,
    ["reference to absent argument #1"] = function() return lpeg.Carg(1):match "" end,
} do
    check.fails(message, make)
end
local deep = P{"(" * V(1) * ")" + ""}
check.fails("too many pending calls/choices", function() return deep:match(string.rep("(", 5000)) end)
