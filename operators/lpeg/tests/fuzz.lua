-- Random patterns on random subjects: `fuzz.lua OUT SEED FIRST LAST` appends a line for each pattern, with what
-- building and matching it gave. Two libraries that agree write the same file.

local out, seed, first, last = ...
local lpeg = require "lpeg"
local P, S, R, B = lpeg.P, lpeg.S, lpeg.R, lpeg.B
lpeg.setmaxstack(2000)

-- Numbers -------------------------------------------------------------------------------------------------------------

local state
local function random(n)
  state = state * 16807 % 2147483647
  return state % n + 1
end
local function pick(list) return list[random(#list)] end

-- Values to text ------------------------------------------------------------------------------------------------------

local function show(value)
  local kind = type(value)
  if kind == "string" then return string.format("%q", value) end
  if kind ~= "table" then return kind == "function" and kind or tostring(value) end
  local parts = {}
  for key, item in pairs(value) do parts[#parts + 1] = show(key) .. "=" .. show(item) end
  table.sort(parts)
  return "{" .. table.concat(parts, ",") .. "}"
end

local function show_all(...)
  local parts = {}
  for i = 1, select("#", ...) do parts[i] = show((select(i, ...))) end
  return table.concat(parts, " ")
end

-- Versions of the library word some errors differently, and limit different things.
local function show_error(text)
  text = tostring(text):gsub("^[^:]*:%d+: ", "")
  if text:find("stack overflow", 1, true) or text:find("pending calls", 1, true) then return "STACK" end
  if text:find("too deep", 1, true) then return "STACK" end
  return (text:gsub("absent extra", "absent"):gsub("rule '[^']*' may be left", "rule may be left"))
end

-- Functions of scripts ------------------------------------------------------------------------------------------------

local calls

local functions = {
  function(...) return show_all(...) end,
  function(...) calls[#calls + 1] = show_all(...) end,
  function(...) return ... end,
  function(a) return a, 1 end,
  function(a) return nil end,
  tonumber,
}

local folds = {
  function(a, ...) return show(a) .. "|" .. show_all(...) end,
  function(a, b) return b end,
}

local runtimes = {
  function(_, i, ...) calls[#calls + 1] = i .. ":" .. show_all(...) return true end,
  function(_, i, ...) calls[#calls + 1] = i .. ":" .. show_all(...) return i, ... end,
  function(s, i, a) calls[#calls + 1] = tostring(i) return i <= #s and i + 1, a, "dyn" end,
  function(_, i, a) return i % 2 == 0, a end,
  function(_, i, ...) return true, {...}, i end,
  function() return false end,
  function() return nil end,
}

local lookup = { a = "A", b = 2, ab = true, [1] = "one", aa = {} }

-- Patterns ------------------------------------------------------------------------------------------------------------

local letters = { "a", "b", "c", "ab", "ba", "aab", "abcab", "" , "bca" }
local formats = { "<%0>", "%1", "[%1%2]", "x", "%%%0", "%1-%0", "" }
local rules = { "A", "B", "D" }
local names = { "x", "y", "value" }

-- Captures and match-time captures made so far; rules count as both, because they may have some.
local capture_count, runtime_count = 0, 0
for _, name in ipairs { "C", "Ct", "Cg", "Cc", "Cp", "Cs", "Cf", "Cb", "Cmt", "Carg", "V" } do
  local make = lpeg[name]
  lpeg[name] = function(...)
    capture_count = capture_count + 1
    if name == "Cmt" or name == "V" then runtime_count = runtime_count + 1 end
    return make(...)
  end
end
local divide = getmetatable(P(1)).__div
getmetatable(P(1)).__div = function(...)
  capture_count = capture_count + 1
  return divide(...)
end
local V, C, Ct, Cg, Cc, Cp = lpeg.V, lpeg.C, lpeg.Ct, lpeg.Cg, lpeg.Cc, lpeg.Cp
local Cs, Cf, Cb, Cmt, Carg = lpeg.Cs, lpeg.Cf, lpeg.Cb, lpeg.Cmt, lpeg.Carg

local generate

local function leaf(level)
  local n = random(14)
  if n <= 5 then return P(pick(letters)) end
  if n == 6 then return P(random(3) - 1) end
  if n == 7 then return S(pick { "ab", "bc", "a", "", "abc" }) end
  if n == 8 then return R("ab") end
  if n == 9 then return P(pick { true, false, -1, -2, 1 }) end
  if n == 10 then return Cp() end
  if n == 11 then return pick { Cc(1), Cc("k"), Cc(nil), Cc(), Cc(1, "two", false) } end
  if n == 12 then return Cb(pick(names)) end
  if n == 13 and level.grammar then return V(pick(rules)) end
  if n == 14 then return Carg(random(2)) end
  return P(pick(letters))
end

local function unary(p, captures_in, runtimes_in)
  local n = random(29)
  if n <= 3 then return p ^ (random(3) - 1) end
  if n <= 5 then return p ^ -random(3) end
  -- Some versions skip a match-time capture inside a negation where the next byte tells the outcome.
  if n == 6 then return runtimes_in and p or -p end
  -- 0.12 keeps the captures of what was matched ahead and 1.0 drops them: without captures the two agree.
  if n == 7 then return runtimes_in and p or captures_in and -(-p) or #p end
  if n <= 10 then return C(p) end
  if n <= 12 then return Ct(p) end
  if n == 13 then return Cg(p) end
  if n <= 15 then return Cg(p, pick(names)) end
  if n <= 17 then return Cs(p) end
  if n == 18 then return Cf(p, pick(folds)) end
  if n == 19 then return p / pick(formats) end
  if n == 20 then return p / (random(3) - 1) end
  if n == 21 then return p / lookup end
  if n <= 23 then return p / pick(functions) end
  if n <= 25 then return Cmt(p, pick(runtimes)) end
  if n <= 27 then
    -- As fields of messages are captured.
    local number = pick { p / tonumber, Cs(p) / tonumber, (p / 0) / tonumber, p }
    local represented = Ct(Cg(number, "value") * Cg(pick { Cc("B"), Cc(1), C(1) }, "representation"))
    return Cg(represented, pick(names))
  end
  if n == 28 then return Ct(Cg(p + C(1) / tonumber + Cc("k"), pick(names)) * Cg(p, pick(names))) end
  return B(p)
end

local function grammar(level)
  local inner = { depth = level.depth - 1, grammar = true }
  local rule = {}
  rule[1] = random(2) == 1 and "A" or generate(inner)
  for _, name in ipairs(rules) do rule[name] = generate(inner) end
  return P(rule)
end

function generate(level)
  if level.depth == 0 then return leaf(level) end
  local inner = { depth = level.depth - 1, grammar = level.grammar }
  local n = random(20)
  if n <= 1 then return leaf(level) end
  if n <= 8 then return generate(inner) * generate(inner) end
  if n <= 12 then return generate(inner) + generate(inner) end
  if n == 13 then
    local runtimes = runtime_count
    local p = generate(inner)
    return runtime_count > runtimes and p or generate(inner) - p
  end
  if n == 14 then
    local choice = generate(inner)
    for _ = 1, random(4) do choice = choice + P(pick(letters)) * leaf(level) end
    return choice
  end
  if n == 15 and level.depth > 1 then return grammar(level) end
  local captures, runtimes = capture_count, runtime_count
  local p = generate(inner)
  return unary(p, capture_count > captures, runtime_count > runtimes)
end

local function subject()
  local bytes = {}
  for i = 1, random(10) - 1 do bytes[i] = pick { "a", "b", "c" } end
  return table.concat(bytes)
end

-- The run -------------------------------------------------------------------------------------------------------------

local file = assert(io.open(out, "a"))
for index = tonumber(first), tonumber(last) do
  -- Each pattern has a seed of its own, so that one can be repeated alone.
  state = (tonumber(seed) * 7919 + index * 104729) % 2147483646 + 1
  random(2)
  random(2)
  local line = {}
  local ok, p = pcall(generate, { depth = 1 + random(4) })
  if ok then
    for _ = 1, 4 do
      local text = subject()
      calls = {}
      local init = random(8) == 1 and random(5) - 2 or 1
      local matched, shown = pcall(function() return show_all(lpeg.match(p, text, init, "extra")) end)
      if not matched then
        shown = "error " .. show_error(shown)
      elseif visit then
        -- The host has another way to match: what it can tell must be the same.
        visit(p, text, init, shown)
      end
      line[#line + 1] = show(text) .. " " .. shown .. " calls " .. table.concat(calls, ";")
    end
  else
    line[1] = "error " .. show_error(p)
  end
  -- What was done is kept even if the next pattern ends the process: the C library has assertions.
  file:write(index, "\t", (table.concat(line, "\t"):gsub("\n", "\\n")), "\n")
  file:flush()
end
file:close()
