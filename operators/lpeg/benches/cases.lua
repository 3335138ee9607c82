-- Work for comparing two LPeg libraries: `cases.lua NAME ROUNDS` runs a case so many times. A case checks its result
-- once, so that both do the same.

local name, rounds = ...
local lpeg = require "lpeg"
local P, S, R, V, C, Ct, Cg, Cc = lpeg.P, lpeg.S, lpeg.R, lpeg.V, lpeg.C, lpeg.Ct, lpeg.Cg, lpeg.Cc
local Cs, Cf, Cp = lpeg.Cs, lpeg.Cf, lpeg.Cp

local digit, alpha, space = R "09", R("az", "AZ"), S " \t\n"
local cases = {}

-- An access log in the combined format: a table with the fields of the line.
function cases.nginx()
  local octet = R "09" * digit ^ -2
  local v4 = octet * "." * octet * "." * octet * "." * octet
  local v6 = (R("09", "af", "AF") ^ -4 * ":") ^ 1 * R("09", "af", "AF") ^ -4
  local host = (R("az", "AZ", "09") + S "-_.") ^ 1
  local function typed(value, representation)
    return Ct(Cg(value, "value") * Cg(Cc(representation), "representation"))
  end
  local address = typed(v4, "ipv4") + typed(v6, "ipv6") + typed(host, "hostname")
  local months = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" }
  local month = P(false)
  for i, short in ipairs(months) do month = month + P(short) * Cc(i) end
  local two, four = digit * digit, digit * digit * digit * digit
  local function to_ns(t)
    local y, m = t.year, t.month
    if m <= 2 then y, m = y - 1, m + 12 end
    local days = 365 * y + math.floor(y / 4) - math.floor(y / 100) + math.floor(y / 400) + math.floor((153 * m - 457) / 5)
      + t.day - 719469
    local zone = t.offset_hour * 3600 + t.offset_min * 60
    if t.offset_sign == "-" then zone = -zone end
    return ((days * 24 + t.hour) * 3600 + t.min * 60 + t.sec - zone) * 1e9
  end
  local time = Ct(Cg(two / tonumber, "day") * "/" * Cg(month, "month") * "/" * Cg(four / tonumber, "year")
    * ":" * Cg(two / tonumber, "hour") * ":" * Cg(two / tonumber, "min") * ":" * Cg(two / tonumber, "sec") * " "
    * Cg(S "+-", "offset_sign") * Cg(two / tonumber, "offset_hour") * Cg(two / tonumber, "offset_min")) / to_ns
  local quoted = (1 - P '"') ^ 0
  local grammar = Ct(Cg(address, "remote_addr") * " - " * Cg((1 - P " ") ^ 1, "remote_user")
    * " [" * Cg(time, "time") * '] "' * Cg(quoted, "request") * '" ' * Cg(digit ^ 1 / tonumber, "status") * " "
    * Cg(Ct(Cg(digit ^ 1 / tonumber, "value") * Cg(Cc "B", "representation")), "body_bytes_sent")
    * ' "' * Cg(quoted, "http_referer") * '" "' * Cg(quoted, "http_user_agent") * '"' * -1)
  local line = '127.0.0.1 - - [10/Feb/2014:08:46:41 -0800] "GET /images/logos/mozilla-color.png HTTP/1.1" 304 1287 '
    .. '"http://www.example.com/start/index.html" "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_9_1) AppleWebKit/537.36"'
  local t = grammar:match(line)
  assert(t.time == 1392050801e9 and t.status == 304 and t.body_bytes_sent.value == 1287 and t.remote_user == "-")
  return function() return grammar:match(line) end
end

function cases.json()
  local ws = space ^ 0
  local null = {}
  local number = (P "-" ^ -1 * (P "0" + R "19" * digit ^ 0) * ("." * digit ^ 1) ^ -1 * (S "eE" * S "+-" ^ -1 * digit ^ 1) ^ -1) / tonumber
  local escapes = { n = "\n", t = "\t", r = "\r", b = "\b", f = "\f", ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }
  local text = '"' * Cs((("\\" * C(1)) / escapes + (1 - S '"\\')) ^ 0) * '"'
  local grammar = P {
    ws * V "value" * -1,
    value = (V "object" + V "array" + text + number + P "true" * Cc(true) + P "false" * Cc(false) + P "null" * Cc(null)) * ws,
    array = "[" * ws * Ct((V "value" * ("," * ws * V "value") ^ 0) ^ -1) * "]",
    object = "{" * ws * Cf(Ct "" * (V "member" * ("," * ws * V "member") ^ 0) ^ -1, rawset) * "}",
    member = Cg(text * ws * ":" * ws * V "value"),
  }
  local document = [[{"name": "value", "list": [1, 2.5, -3e2, true, false, null], "nested": {"a": {"b": ["x\ny", "z"]}},
    "long text": "the quick brown fox jumps over the lazy dog", "count": 12345, "empty": [], "none": {}}]]
  local t = grammar:match(document)
  assert(t.list[3] == -300 and t.nested.a.b[1] == "x\ny" and t.count == 12345)
  return function() return grammar:match(document) end
end

function cases.csv()
  local field = '"' * Cs(((P(1) - '"') + P '""' / '"') ^ 0) * '"' + C((1 - S ',\n"') ^ 0)
  local record = Ct(field * ("," * field) ^ 0) * (P "\n" + -1)
  local line = 'one,two,"three, with ""quotes""",4,5.5,,seven eight nine,"ten"\n'
  local t = record:match(line)
  assert(#t == 8 and t[3] == 'three, with "quotes"')
  return function() return record:match(line) end
end

function cases.date_time()
  local function number(n) return digit * digit ^ -(n - 1) / tonumber end
  local two, four = digit * digit / tonumber, digit * digit * digit * digit / tonumber
  local fraction = ("." * (digit ^ 1 / tonumber)) ^ -1
  local zone = P "Z" * Cc(0) + Cg(S "+-", "sign") * two * P ":" ^ -1 * two
  local grammar = Ct(Cg(four, "year") * "-" * Cg(two, "month") * "-" * Cg(two, "day") * S "Tt " * Cg(two, "hour") * ":"
    * Cg(two, "min") * ":" * Cg(two, "sec") * Cg(fraction, "fraction") * Cg(zone, "zone"))
  local text = "2014-02-10T08:46:41.123456-08:00"
  assert(grammar:match(text).year == 2014)
  return function() return grammar:match(text) end
end

-- The start of a word in a longer text.
function cases.search()
  local text = ("the quick brown fox jumps over the lazy dog, and then some more of the same text comes along; "):rep(20) .. "needle"
  local grammar = P { P "needle" * Cp() + 1 * V(1) }
  assert(grammar:match(text) == #text + 1)
  return function() return grammar:match(text) end
end

function cases.search_loop()
  local text = ("the quick brown fox jumps over the lazy dog, and then some more of the same text comes along; "):rep(20) .. "needle"
  local grammar = (1 - P "needle") ^ 0 * Cp() * "needle"
  assert(grammar:match(text) == #text - 5)
  return function() return grammar:match(text) end
end

function cases.substitute()
  local grammar = Cs((P "fox" / "cat" + P "dog" / "%0%0" + 1) ^ 0)
  local text = ("the quick brown fox jumps over the lazy dog; "):rep(10)
  assert(#grammar:match(text) == #text + 30)
  return function() return grammar:match(text) end
end

function cases.arithmetic()
  local ws = space ^ 0
  local function eval(a, op, b)
    if op == "+" then return a + b elseif op == "-" then return a - b elseif op == "*" then return a * b end
    return a / b
  end
  local grammar = P {
    ws * V "expression" * -1,
    expression = Cf(V "term" * Cg(C(S "+-") * ws * V "term") ^ 0, eval),
    term = Cf(V "factor" * Cg(C(S "*/") * ws * V "factor") ^ 0, eval),
    factor = (C(P "-" ^ -1 * digit ^ 1) / tonumber) * ws + "(" * ws * V "expression" * ")" * ws,
  }
  local text = "12 + 34 * (5 - 6) / 7 + (8 * (9 + 10) - 11) * 2"
  assert(math.abs(grammar:match(text) - (12 + 34 * (5 - 6) / 7 + (8 * (9 + 10) - 11) * 2)) < 1e-9)
  return function() return grammar:match(text) end
end

-- Many literal alternatives.
function cases.words()
  local words = { "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug", "auth", "authpriv", "cron", "daemon",
    "ftp", "kern", "lpr", "mail", "news", "syslog", "user", "uucp", "local0", "local1", "local2", "local3" }
  table.sort(words, function(a, b) return a > b end)
  local word = P(false)
  for i, text in ipairs(words) do word = word + P(text) * Cc(i) end
  local grammar = Ct((word * S " ." ^ 0) ^ 0) * -1
  local text = "local3.notice mail.err user.info kern.warning authpriv.debug cron.crit daemon.alert uucp.emerg"
  assert(#grammar:match(text) == 16)
  return function() return grammar:match(text) end
end

-- Patterns made and used once.
function cases.build()
  return function()
    local item = P "a" * C(digit ^ 1) + P "b" * C(alpha ^ 1) + Cg(P "c" * space ^ 0, "name")
    return (Ct(item * ("," * item) ^ 0)):match "a12,bxyz,c "
  end
end

-- Callbacks while matching.
function cases.match_time()
  local long = lpeg.Cmt('[' * C(P "=" ^ 0) * '[', function(s, i, equals)
    local _, stop = s:find("]" .. equals .. "]", i, true)
    return stop and stop + 1, stop
  end)
  local grammar = Ct((long + 1) ^ 0)
  local text = "a [[one]] and [==[two]] ]==] three"
  assert(#grammar:match(text) == 2)
  return function() return grammar:match(text) end
end

if not name then
  local names = {}
  for case in pairs(cases) do names[#names + 1] = case end
  table.sort(names)
  print(table.concat(names, "\n"))
else
  local run = cases[name]()
  for _ = 1, tonumber(rounds) do run() end
end
