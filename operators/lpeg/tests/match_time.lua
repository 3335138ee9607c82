-- Match-time captures.

local lpeg = require "lpeg"
local P, R, V, C, Ct, Cg, Cc, Cs, Cmt, Cb, Cf = lpeg.P, lpeg.R, lpeg.V, lpeg.C, lpeg.Ct, lpeg.Cg, lpeg.Cc, lpeg.Cs, lpeg.Cmt, lpeg.Cb, lpeg.Cf

is("arguments", '"abc" 3 "a" "b"', (function()
  local seen
  Cmt(C(1) * C(1), function(...) seen = { ... } return true end):match "abc"
  return unpack(seen)
end)())
is("without captures the text is the argument", '"ab"', Cmt(P(2), function(_, _, text) return true, text end):match "abc")
is("true goes on where the match ended", "3", Cmt(P(2), function() return true end):match "abc")
is("a number goes on there", "4", Cmt(P(1), function() return 4 end):match "abc")
is("false and nil fail", "nil nil nil", Cmt(P(1), function() return false end):match "a", Cmt(P(1), function() return nil end):match "a",
  Cmt(P(1), function() end):match "a")
is("further results are values", '1 nil "x"', Cmt(P(1), function() return true, 1, nil, "x" end):match "a")
is("values of a failed alternative are gone", '"b"', (Cmt(1, function() return true, "a" end) * "x" + C "b"):match "bc")
is("values in a table", '{1=1,2=2,3=3}', Ct(Cmt(1, function(_, i) return true, i - 1 end) ^ 0):match "abc")
is("values in a named group", '{"k"="v"}', Ct(Cg(Cmt(1, function() return true, "v" end), "k")):match "a")
is("values in a substitution", '"-b"', Cs(Cmt("a", function() return true, "-" end) * "b"):match "ab")
is("values in a fold", "6", Cf(Cmt(1, function(_, i) return true, i - 1 end) ^ 1, function(a, b) return a + b end):match "abc")
is("nested", '"ab"', Cmt(Cmt(C(1), function(_, _, a) return true, a end) * C(1), function(_, _, a, b) return true, a .. b end):match "ab")
is("nested values are used up", '"x" "y"', (Cmt(Cmt(1, function() return true, 1, 2, 3 end), function() return true, "x" end) * Cc "y"):match "a")
is("values behind used values", '"x" 4 5', (Cmt(Cmt(1, function() return true, 1, 2, 3 end), function() return true, "x", 4, 5 end)):match "a")
is("back references see what is open", '"aa"', (Cg(C(R "az"), "x") * Cmt(Cb "x", function(_, i, x) return true, x .. x end)):match "a")
is("many attempts leave nothing behind", '"done"', (function()
  local p = (Cmt(1, function(_, i) return true, i, i end) * "!" + 1) ^ 0 * Cc "done"
  return p:match(("a"):rep(20000))
end)())
is("many values", "3000", (function(...) return select("#", ...) end)((Cmt(1, function() return true, 1 end) ^ 0):match(("a"):rep(3000))))
fails("a position before", "invalid position returned by match-time capture", function() return Cmt(P(2), function() return 1 end):match "ab" end)
fails("a position beyond", "invalid position returned by match-time capture", function() return Cmt(P(1), function() return 4 end):match "ab" end)
fails("a position of another type", "invalid position returned by match-time capture", function() return Cmt(P(1), function() return {} end):match "ab" end)
fails("no function", "bad argument #2 to 'Cmt' (function expected, got nil)", Cmt, P "a", nil)

is("an error comes through, and leaves no trace", 'false "boom" "a"', (function()
  local p = Cmt(C(1), function(_, _, a) if a == "x" then error("boom", 0) end return true, a end)
  local ok, text = pcall(p.match, p, "x")
  return ok, text, p:match "a"
end)())
is("a match in a match", '"inner" "outer"', (function()
  local inner = C(P "inner")
  return (Cmt("", function() return true, inner:match "inner" end) * C "outer"):match "outer"
end)())
is("a match in the same match", '{1="c",2="b",3="a"}', (function()
  local list = {}
  local p
  p = Cmt(C(1), function(s, i, a)
    if i <= #s then p:match(s, i) end
    list[#list + 1] = a
    return true
  end)
  p:match "abc"
  return list
end)())
is("a match in a function capture", '"<a><b>"', (function()
  local word = Cs((P(1) / "<%0>") ^ 1)
  return Cs((P(2) / function(s) return word:match(s) end)):match "ab"
end)())
is("a yield is refused", "false true", (function()
  local p = Cmt(P(1), function() coroutine.yield() return true end)
  local co = coroutine.create(function() return p:match "a" end)
  local ok, text = coroutine.resume(co)
  return ok, text:find("attempt to yield", 1, true) ~= nil
end)())
is("matching in a coroutine", '"a"', coroutine.wrap(function() return C(1):match "a" end)())
is("collecting in between", '{1=1,2=2,3=3}', Ct(Cmt(1, function(_, i) collectgarbage() return true, i - 1 end) ^ 0):match "abc")
is("a position far outside is invalid whichever way it lies", "0", (function()
  local accepted = 0
  for _, position in ipairs{-1e308, 1e308, -9.3e18, 9.3e18, 0 / 0, -1 / 0, 1 / 0} do
    local ok, why = pcall(lpeg.match, Cmt(1, function() return position end), "abc")
    if ok or not why:find("invalid position returned by match-time capture", 1, true) then accepted = accepted + 1 end
  end
  return accepted
end)())

return finish()
