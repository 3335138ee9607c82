-- Grammars, and what is refused when they are built.

local lpeg = require "lpeg"
local P, R, S, V, C, Ct = lpeg.P, lpeg.R, lpeg.S, lpeg.V, lpeg.C, lpeg.Ct

is("rule 1 is the initial one", "4", P { "a" * V "rest", rest = P "bc" }:match "abc")
is("rule 1 may name the initial one", "4", P { "first", first = "a" * V "rest", rest = P "bc" }:match "abc")
is("balanced brackets", "7 nil", P { "(" * (V(1) + (1 - S "()")) ^ 0 * ")" }:match "(a(b))", P { "(" * (V(1) + (1 - S "()")) ^ 0 * ")" }:match "((")
is("rules by other keys", "3", P { [1] = V(2) * V(true), [2] = P "a", [true] = P "b" }:match "ab")
is("a grammar in a grammar", "4", P { "a" * P { V "x", x = P "b" } * V "x", x = P "c" }:match "abc")
is("a grammar used twice", "5", (function(g) return (g * g):match "abab" end)(P { "a" * V "b", b = P "b" }))
is("mutual recursion", "5", P { "even", even = "a" * V "odd" + -P(1), odd = "a" * V "even" }:match "aaaa")
is("a last call needs no room", "100001", P { "a" * V(1) + -P(1) }:match(("a"):rep(100000)))
is("an unused rule is not checked", "2", P { "x", x = P "a", y = V "y2" * "b", y2 = P "" }:match "a")

fails("no initial rule", "grammar has no initial rule", P, {})
fails("the initial rule is no pattern", "initial rule '1' is not a pattern", P, { true })
fails("the named initial rule is no pattern", "initial rule 'x' is not a pattern", P, { "x", x = "a" })
fails("the named initial rule is absent", "grammar has no initial rule", P, { "x" })
fails("a rule is no pattern", "rule 'y' is not a pattern", P, { P "a", y = "b" })
fails("a rule with an odd name is no pattern", "rule '(a table)' is not a pattern", P, { P "a", [{}] = 1 })
fails("a rule is undefined", "rule 'y' undefined in given grammar", P, { V "y" })
fails("a rule of an outer grammar is undefined", "rule 'y' undefined in given grammar", function() return P { P { V "y" }, y = P "a" } end)
fails("a rule outside a grammar", "rule 'y' used outside a grammar", function() return V "y":match "a" end)
fails("a nil name", "bad argument #1 to 'V' (non-nil value expected)", V, nil)
fails("left recursion", "rule '1' may be left recursive", P, { V(1) * "a" })
fails("left recursion behind an optional", "rule '1' may be left recursive", P, { P "a" ^ -1 * V(1) })
fails("left recursion ahead", "rule '1' may be left recursive", P, { #V(1) * "a" })
fails("left recursion through rules", "rule 'b' may be left recursive", P, { "a", a = V "b" * "x", b = "y" + V "b" })
fails("a loop over a rule that may be empty", "empty loop in rule 'a'", P, { "a", a = V "b" ^ 0, b = P "x" ^ 0 })

do
  local rules = { P "a" }
  for i = 2, 200 do rules[i] = P "a" end
  is("as many rules as possible", "2", P(rules):match "a")
  rules[201] = P "a"
  fails("too many rules", "bad argument #1 to 'P' (grammar has too many rules)", P, rules)
  -- A cycle through all rules is longer than any walk the check describes.
  local chain = {}
  for i = 1, 199 do chain[i] = V(i + 1) end
  chain[200] = V(1)
  fails("too many left calls", "too many left calls in grammar", P, chain)
  -- Without the cycle this would take 2^199 steps, were every path walked.
  local fan = {}
  for i = 1, 199 do fan[i] = V(i + 1) + V(i + 1) * "x" end
  fan[200] = P "a"
  lpeg.setmaxstack(1000)
  is("many ways to the same rule", "2", P(fan):match "a")
end

return finish()
