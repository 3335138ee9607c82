-- Patterns written as text. A recursive descent: every parse_* function takes the place in the text where its construct
-- would begin, and returns the pattern and the place behind it (blanks skipped), or nil where there is none.

local lpeg = ...

local P, R, V = lpeg.P, lpeg.R, lpeg.V
local C, Cb, Cg, Cmt, Cp, Cs, Ct = lpeg.C, lpeg.Cb, lpeg.Cg, lpeg.Cmt, lpeg.Cp, lpeg.Cs, lpeg.Ct
local error, pairs, pcall, select, tonumber, type, unpack = error, pairs, pcall, select, tonumber, type, unpack
-- A script need not have required it.
local string = string or require "string"
local find, format, gsub, match, sub, upper = string.find, string.format, string.gsub, string.match, string.sub, string.upper

local any = P(1)

-- Predefined classes, by the letters of Lua's own patterns.
local predefined

-- Compiled patterns by their text, for the functions that take texts. A cache that is full starts anew.
local matchers, searchers, replacers
local CACHED = 100

local letters = {
  a = "alpha", c = "cntrl", d = "digit", g = "graph", l = "lower", p = "punct", s = "space", u = "upper", w = "alnum",
  x = "xdigit",
}

local function updatelocale()
  predefined = { nl = P "\n" }
  local classes = lpeg.locale()
  for letter, class in pairs(letters) do
    predefined[letter] = classes[class]
    predefined[upper(letter)] = any - classes[class]
  end
  matchers, searchers, replacers = { count = 0, made = {} }, { count = 0, made = {} }, { count = 0, made = {} }
end

updatelocale()

-- The text under way ------------------------------------------------------------------------------------------------

local text, definitions
-- How many grammars are open around the construct being read.
local depth
-- The first thing that has no meaning. It is an error only if the whole text can be read.
local fault

-- The place of the next token: blanks and comments are skipped.
local function skip(at)
  while true do
    at = find(text, "[^ \t\n\v\f\r]", at) or #text + 1
    if sub(text, at, at + 1) ~= "--" then return at end
    at = find(text, "\n", at, true) or #text + 1
  end
end

local function fail(at)
  local near = #text < at + 20 and sub(text, at) or sub(text, at, at + 20) .. "..."
  error(format("pattern error near '%s'", near), 0)
end

-- The place behind `token` if it comes at `at`.
local function past(token, at)
  if sub(text, at, at + #token - 1) == token then return skip(at + #token) end
end

local function parse_name(at)
  local name = match(text, "^[%a_][%w_]*", at)
  if name then return name, at + #name end
end

-- A name with an arrow behind it begins a rule.
local function parse_rule_name(at)
  local name, after = parse_name(at)
  if name then
    after = past("<-", skip(after))
    if after then return name, after end
  end
end

local function parse_string(at)
  local quote = match(text, "^['\"]", at)
  local stop = quote and find(text, quote, at + 1, true)
  if stop then return sub(text, at + 1, stop - 1), stop + 1 end
end

-- What stands for a pattern without a meaning.
local function blame(reason)
  fault = fault or reason
  return P(false)
end

-- `make(value)` for the value that a name is defined as.
local function with_definition(name, make)
  local value = definitions and definitions[name]
  if not value then return blame("undefined name: " .. name) end
  return make(value)
end

-- What `%name` stands for.
local function parse_class_name(at)
  if sub(text, at, at) ~= "%" then return end
  local name, after = parse_name(at + 1)
  if not name then return end
  local class = definitions and definitions[name] or predefined[name]
  return class or blame("name '" .. name .. "' undefined"), after
end

-- Expressions -------------------------------------------------------------------------------------------------------

local parse_expression

-- `[…]`: the first item may be the closing bracket.
local function parse_class(at)
  if sub(text, at, at) ~= "[" then return end
  at = at + 1
  local negated = sub(text, at, at) == "^"
  if negated then at = at + 1 end
  local class
  repeat
    local item, after = parse_class_name(at)
    if not item then
      local first, last = match(text, "^(.)%-([^%]])", at)
      if first then
        item, after = R(first .. last), at + 3
      elseif at <= #text then
        item, after = P(sub(text, at, at)), at + 1
      else
        return
      end
    end
    class, at = class and class + item or item, after
  until sub(text, at, at) == "]"
  return negated and any - class or class, at + 1
end

-- Matches again what the group of a name has captured.
local function again(subject, at, captured)
  if type(captured) ~= "string" then return nil end
  local stop = at + #captured
  return sub(subject, at, stop - 1) == captured and stop or nil
end

-- What stands between a pair of tokens.
local function parse_between(open, close, at)
  local inside = past(open, at)
  if not inside then return end
  local p, after = parse_expression(inside)
  if sub(text, after, after + #close - 1) == close then return p, after + #close end
end

local function parse_group(at)
  local inside = past("{:", at)
  if not inside then return end
  local name, colon = parse_name(inside)
  if name and sub(text, colon, colon) == ":" then inside = skip(colon + 1) else name = nil end
  local p, after = parse_expression(inside)
  if sub(text, after, after + 1) == ":}" then return Cg(p, name), after + 2 end
end

local function parse_braces(at)
  local p, after = parse_group(at)
  if p then return p, after end
  if past("{}", at) then return Cp(), at + 2 end
  p, after = parse_between("{~", "~}", at)
  if p then return Cs(p), after end
  p, after = parse_between("{|", "|}", at)
  if p then return Ct(p), after end
  p, after = parse_between("{", "}", at)
  if p then return C(p), after end
end

local function parse_call(at)
  local name, after = match(text, "^<([%a_][%w_]*)>()", at)
  if not name then
    name, after = parse_name(at)
    if not name or parse_rule_name(at) then return end
  end
  if depth == 0 then return blame("rule '" .. name .. "' used outside a grammar"), after end
  return V(name), after
end

local function parse_primary(at)
  local byte = sub(text, at, at)
  if byte == "(" then return parse_between("(", ")", at) end
  if byte == "'" or byte == '"' then
    local literal, after = parse_string(at)
    if literal then return P(literal), after end
  elseif byte == "[" then
    return parse_class(at)
  elseif byte == "%" then
    local class, after = parse_class_name(at)
    if class then return P(class), after end
  elseif byte == "{" then
    return parse_braces(at)
  elseif byte == "=" then
    local name, after = parse_name(at + 1)
    if name then return Cmt(Cb(name), again), after end
  elseif byte == "." then
    return any, at + 1
  else
    return parse_call(at)
  end
end

local function exactly(p, n)
  local whole = P(true)
  for _ = 1, n do whole = whole * p end
  return whole
end

local postfix = {}

postfix["+"] = function(p, at) return p ^ 1, at + 1 end
postfix["*"] = function(p, at) return p ^ 0, at + 1 end
postfix["?"] = function(p, at) return p ^ -1, at + 1 end

postfix["^"] = function(p, at)
  local sign, count, after = match(text, "^([+-]?)(%d+)()", at + 1)
  if not count then return end
  if sign == "" then return exactly(p, tonumber(count)), after end
  return p ^ tonumber(sign .. count), after
end

postfix["-"] = function(p, at)
  local target = past("->", at)
  if not target then return end
  local literal, after = parse_string(target)
  if literal then return p / literal, after end
  local number
  number, after = match(text, "^(%d+)()", target)
  if number then return p / tonumber(number), after end
  if sub(text, target, target + 1) == "{}" then return Ct(p), target + 2 end
  local name
  name, after = parse_name(target)
  if name then return with_definition(name, function(value) return p / value end), after end
end

postfix["="] = function(p, at)
  local target = past("=>", at)
  if not target then return end
  local name, after = parse_name(target)
  if name then return with_definition(name, function(value) return Cmt(p, value) end), after end
end

local function parse_suffixed(at)
  local p, after = parse_primary(at)
  if not p then return end
  at = skip(after)
  while true do
    local operator = postfix[sub(text, at, at)]
    if not operator then return p, at end
    local more
    more, after = operator(p, at)
    if not more then return p, at end
    p, at = more, skip(after)
  end
end

local function parse_prefixed(at)
  local byte = sub(text, at, at)
  if byte ~= "&" and byte ~= "!" then return parse_suffixed(at) end
  local p, after = parse_prefixed(skip(at + 1))
  if p then return byte == "&" and #p or -p, after end
end

-- What may come behind a sequence.
local function ends_sequence(at)
  return at > #text or find(text, "^[/)}]", at) or find(text, "^[:~|]}", at) or parse_rule_name(at)
end

local function parse_sequence(at)
  local whole = P(true)
  while true do
    local p, after = parse_prefixed(at)
    if not p then break end
    whole, at = whole * p, after
  end
  if not ends_sequence(at) then fail(at) end
  return whole, at
end

local function parse_grammar(at)
  local name, after = parse_rule_name(at)
  local rules = { name }
  depth = depth + 1
  while name do
    if rules[name] then blame("'" .. name .. "' already defined as a rule") end
    rules[name], at = parse_expression(after)
    name, after = parse_rule_name(at)
  end
  depth = depth - 1
  -- Rules without a meaning would give errors of their own.
  return fault and P(false) or P(rules), at
end

function parse_expression(at)
  if parse_rule_name(at) then return parse_grammar(at) end
  local p, after = parse_sequence(at)
  while sub(text, after, after) == "/" do
    local other
    other, after = parse_sequence(skip(after + 1))
    p = p + other
  end
  return p, after
end

-- The functions -----------------------------------------------------------------------------------------------------

-- Reads a text; errors are those of the function `level` levels up.
local function build(pattern, defs, level)
  if lpeg.type(pattern) == "pattern" then return pattern end
  if type(pattern) ~= "string" and type(pattern) ~= "number" then
    error(format("bad pattern (string expected, got %s)", type(pattern)), level)
  end
  -- A definition may be looked up by a function that compiles a text itself.
  local outer_text, outer_definitions, outer_depth, outer_fault = text, definitions, depth, fault
  text, definitions, depth, fault = pattern .. "", defs, 0, nil
  local ok, p = pcall(function()
    local p, at = parse_expression(skip(1))
    if at <= #text then fail(at) end
    if fault then error(fault, 0) end
    return p
  end)
  text, definitions, depth, fault = outer_text, outer_definitions, outer_depth, outer_fault
  if ok then return p end
  if type(p) == "string" then p = gsub(p, "^re:%d+: ", "") end
  error(p, level)
end

local function compile(pattern, defs)
  local p = build(pattern, defs, 3)
  return p
end

local function remember(cache, key, value)
  if cache.count == CACHED then cache.count, cache.made = 0, {} end
  cache.count = cache.count + 1
  cache.made[key] = value
  return value
end

local function re_match(subject, pattern, init)
  local p = pattern ~= nil and matchers.made[pattern] or remember(matchers, pattern, build(pattern, nil, 3))
  return p:match(subject, init or 1)
end

-- The end comes last from the match, and goes before the captures.
local function end_first(...)
  local count = select("#", ...)
  local values = { ... }
  return values[count] - 1, unpack(values, 1, count - 1)
end

local function re_find(subject, pattern, init)
  local p = pattern ~= nil and searchers.made[pattern]
  if not p then
    p = P { Cp() * (build(pattern, nil, 3) * Cp() / end_first) + 1 * V(1) }
    remember(searchers, pattern, p)
  end
  return p:match(subject, init or 1)
end

local function re_gsub(subject, pattern, replacement)
  local by_replacement = pattern ~= nil and replacers.made[pattern]
  if not by_replacement then
    by_replacement = remember(replacers, pattern, { count = 0, made = {}, p = build(pattern, nil, 3) })
  end
  local p = replacement ~= nil and by_replacement.made[replacement]
  if not p then
    p = Cs((by_replacement.p / replacement + 1) ^ 0)
    remember(by_replacement, replacement, p)
  end
  return p:match(subject)
end

return { compile = compile, match = re_match, find = re_find, gsub = re_gsub, updatelocale = updatelocale }
