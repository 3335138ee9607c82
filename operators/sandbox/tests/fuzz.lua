-- Calls everything a script can reach with values that make no sense. `fuzz.rs` runs it in every role.
-- What the calls may destroy, the driver holds in locals.
local string, table, math, os = require "string", require "table", require "math", require "os"
local cjson, struct, lpeg, re = require "cjson", require "struct", require "lpeg", require "re"
local circular_buffer, sax = require "circular_buffer", require "sax"
local bloom_filter, cuckoo_filter, hyperloglog = require "bloom_filter", require "cuckoo_filter", require "hyperloglog"
local G, pcall, type, pairs, ipairs, unpack, select, setmetatable, getmetatable, tostring, rawget, error =
    _G, pcall, type, pairs, ipairs, unpack, select, setmetatable, getmetatable, tostring, rawget, error
local rep, char, sort, concat = string.rep, string.char, table.sort, table.concat
local per_call = read_config("calls")

local seed = read_config("seed")
local function below(n)
    seed = (seed * 16807) % 2147483647
    return seed % n
end
local function any(list)
    return list[below(#list) + 1]
end

-- Reaches the world, ends the process, or waits for it.
local forbidden = {["os.execute"] = true, ["os.exit"] = true, ["os.remove"] = true, ["os.rename"] = true, ["os.tmpname"] = true}

local functions, names, known = {}, {}, {}
local function add(name, f)
    if forbidden[name] or known[f] then return end
    known[f] = true
    functions[#functions + 1] = f
    names[#functions] = name
end

local function walk(prefix, t)
    local keys = {}
    for k, v in pairs(t) do
        if type(k) == "string" then keys[#keys + 1] = k end
    end
    sort(keys)
    for _, k in ipairs(keys) do
        local v = rawget(t, k)
        if type(v) == "function" then
            add(prefix .. k, v)
        elseif type(v) == "table" and v ~= G and not known[v] and k ~= "_M" then
            known[v] = true
            walk(prefix .. k .. ".", v)
        end
    end
end
walk("", G)

local objects = {
    circular_buffer = function() return circular_buffer.new(3 + below(5), 1 + below(3), 1 + below(3), below(2) == 1) end,
    bloom_filter = function() return bloom_filter.new(20, 0.01) end,
    cuckoo_filter = function() return cuckoo_filter.new(100) end,
    hyperloglog = function() return hyperloglog.new() end,
    ["sax.window"] = function() return sax.window.new(6, 2, 8) end,
    ["sax.word"] = function() return sax.word.new("ABC", 4) end,
    lpeg = function()
        local p = any{lpeg.P "a", lpeg.S "abc" ^ 1, lpeg.Ct(lpeg.C(lpeg.R "az") ^ 0), lpeg.Cg(lpeg.P(1), "n"), lpeg.V "x", lpeg.P(true)}
        return below(3) == 0 and p * lpeg.Cp() or p
    end,
}
local kinds = {}
for kind in pairs(objects) do kinds[#kinds + 1] = kind end
sort(kinds)

-- Methods by name, for those whose metatable is not to be had.
local methods = {
    "add", "set", "get", "get_configuration", "set_header", "get_header", "compute", "mannwhitneyu", "current_time", "format",
    "fromstring", "query", "count", "clear", "delete", "get_word", "match", "new", "version",
}
local own = {}
for _, kind in ipairs(kinds) do
    local object = objects[kind]()
    for _, name in ipairs(methods) do
        local found, f = pcall(function() return object[name] end)
        if found and type(f) == "function" and not known[f] then
            add(kind .. ":" .. name, f)
            own[#functions] = kind
        end
    end
    local meta = getmetatable(object)
    if type(meta) == "table" then
        for name, f in pairs(meta) do
            if type(f) == "function" and not known[f] then
                add(kind .. ":" .. tostring(name), f)
                own[#functions] = kind
            end
        end
    end
end
for name, f in pairs{
    ["a+b"] = function(a, b) return a + b end, ["a-b"] = function(a, b) return a - b end,
    ["a*b"] = function(a, b) return a * b end, ["a/b"] = function(a, b) return a / b end,
    ["a^b"] = function(a, b) return a ^ b end, ["a%b"] = function(a, b) return a % b end,
    ["-a"] = function(a) return -a end, ["#a"] = function(a) return #a end,
    ["a..b"] = function(a, b) return a .. b end, ["a==b"] = function(a, b) return a == b end,
    ["a<b"] = function(a, b) return a < b end, ["a[b]"] = function(a, b) return a[b] end,
    ["a[b]=c"] = function(a, b, c) if a ~= G then a[b] = c end end,
} do
    add(name, f)
end

local numbers = {
    0, 1, 2, 3, -1, 0.5, 1.5, -0.0000001, 7, 10, 255, 256, 1e9, 2147483647, 2147483648, -2147483649, 4294967296, 9007199254740993,
    9.3e18, -9.3e18, 1e17, 1e308, -1e308, 1 / 0, -1 / 0, 0 / 0, 5e-324, 1425943801123456789,
}
local strings = {
    "", "\0", "a\0b", "abc", "\255\254", "é", "%d%s%99.99f", "%q", "*t", "!%c", "%E%Q", "[a-", "(%w+)%1", "%b()", ".-x", "^$",
    "Uuid", "Type", "Logger", "Payload", "EnvVersion", "Hostname", "Timestamp", "Severity", "Pid", "raw", "Fields[a]", "Fields[]",
    "Fields[", "Fields[é]", "12", "0x10", "-1e400", "nan", "123e4567-e89b-12d3-a456-426655440000", "2015-03-09T23:30:01Z",
    "\10\16\0\1\2\3\4\5\6\7\8\9\10\11\12\13\14\15\16\1", "\30\2\8\0\31", "{\"a\":[1,null,{\"b\":\"\\u00e9\"}]}", "[[[[[[", "cbuf", "cbufd",
    "sum", "avg", "sd", "min", "max", "none", "i4>!8xc0s", "c999999999", "S <- 'a' S / %nl", "x <- y", "string", "no.such.module",
    rep("x", 70000), rep("(", 300), rep("a", 1000), "[" .. rep("\255", 200),
}

local value
local function message(depth)
    local t = {}
    for _ = 1, below(6) do
        t[any{"Uuid", "Timestamp", "Type", "Logger", "Severity", "Payload", "EnvVersion", "Pid", "Hostname", "Fields", "Bogus"}] = value(depth + 1)
    end
    if below(2) == 0 then
        local fields = {}
        for _ = 1, below(4) do
            local v = value(depth + 1)
            if below(2) == 0 then v = {value = v, value_type = any(numbers), representation = value(depth + 1)} end
            if below(3) == 0 then
                fields[#fields + 1] = {name = value(depth + 1), value = v, value_type = below(6), representation = "r"}
            else
                local key = value(depth + 1)
                if key == key and key ~= nil then fields[key] = v end
            end
        end
        t.Fields = fields
    end
    return t
end

local function nested(depth)
    local t = {}
    for _ = 1, depth do t = {t, x = t} end
    return t
end

local hooks = {"__index", "__newindex", "__call", "__tostring", "__concat", "__len", "__eq", "__lt", "__gc", "__metatable", "__mode", "__unm"}
local makers = {
    function() return nil end,
    function() return below(2) == 0 end,
    function() return any(numbers) end,
    function() return any(numbers) end,
    function() return below(20) - 3 end,
    function() return any(strings) end,
    function() return any(strings) end,
    function()
        local bytes = {}
        for i = 1, below(12) do bytes[i] = char(below(256)) end
        return concat(bytes)
    end,
    function() return {} end,
    function(depth)
        local t = {}
        for i = 1, below(5) do t[i] = value(depth + 1) end
        return t
    end,
    function(depth)
        local t = {}
        for _ = 1, below(5) do
            local key = value(depth + 1)
            if key == key and key ~= nil then t[key] = value(depth + 1) end
        end
        return t
    end,
    function() return nested(below(250)) end,
    function() local t = {1} t[2], t.t, t[t] = t, t, t return t end,
    message,
    message,
    function(depth)
        local meta = {}
        for _ = 1, 1 + below(3) do
            local hook = below(3)
            meta[any(hooks)] = hook == 0 and function(...) return ... end or hook == 1 and function() error({}) end or value(depth + 1)
        end
        return setmetatable({}, meta)
    end,
    function() return any{function() end, function(...) return ... end, function() error("no") end, pcall, any(functions)} end,
    function() return objects[any(kinds)]() end,
    function() return objects[any(kinds)]() end,
    function() return cjson.null end,
    function() return G.coroutine and G.coroutine.create and G.coroutine.create(function(...) return ... end) end,
}
value = function(depth)
    if depth > 3 then return any(numbers) end
    return any(makers)(depth)
end

count = {}
local count = count
function process_message()
    local done = 0
    for _ = 1, per_call do
        local which = below(#functions) + 1
        local arguments, n = {}, below(6)
        for i = 1, n do arguments[i] = value(0) end
        if own[which] and below(5) > 0 then
            arguments[1] = objects[own[which]]()
            n = n < 1 and 1 or n
        end
        count[names[which]] = (count[names[which]] or 0) + 1
        done = done + 1
        pcall(functions[which], unpack(arguments, 1, n))
    end
    return -1, tostring(done)
end
timer_event = process_message
