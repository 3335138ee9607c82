--[=[
# apache_log_format

Builds grammars from Apache's `LogFormat`, for `common_log_format`.

| function | result |
|---|---|
| `build_apache_grammar(log_format)` | a pattern for lines written with Apache's `LogFormat` |
--]=]

local date_time = require "date_time"
local lazy = require "lazy"
local format = lazy.load "log_format"
local lpeg = require "lpeg"
local string = require "string"

local P, R, S, C, Cc, Ct = lpeg.P, lpeg.R, lpeg.S, lpeg.C, lpeg.Cc, lpeg.Ct

local digit, space = lpeg.digit, lpeg.space
local represented = format.represented
local address, bytes, integer = format.address, format.bytes, format.integer

local M = {}

local NS_PER_SECOND = 1e9

--- A number of `unit`s since the epoch as nanoseconds, or within its second as the fraction of the second.
local function scaled(unit)
    return digit ^ 1 / function(text)
        return tonumber(text) * unit
    end
end

local function body_bytes()
    return represented(integer + P"-" * Cc(0), "B")
end

local function duration(unit)
    return function()
        return represented(integer, unit)
    end
end

local function bracketed_time()
    return P"[" * format.clf_time() * "]"
end

-- Directives without an argument: the name of the field, its value, and whether it may be unknown.
local APACHE = {
    a = {"remote_addr", address},
    A = {"server_addr", address},
    b = {"body_bytes_sent", body_bytes},
    B = {"body_bytes_sent", bytes, true},
    D = {"request_time", duration("us"), true},
    f = {"request_filename"},
    h = {"remote_addr", address},
    H = {"server_protocol", format.protocol},
    I = {"request_length", bytes, true},
    k = {"connection_requests", integer, true},
    l = {"remote_user"},
    L = {"request_log_id"},
    m = {"request_method", format.method},
    O = {"response_length", bytes, true},
    p = {"server_port", integer, true},
    P = {"pid", integer, true},
    q = {"query_string"},
    r = {"request"},
    R = {"request_handler"},
    s = {"status", format.three_digits},
    S = {"total_length", bytes, true},
    t = {"time", bracketed_time},
    T = {"request_time", duration("s"), true},
    u = {"remote_user"},
    U = {"uri"},
    v = {"server_name", address},
    V = {"server_name", address},
    X = {"connection_status", C(S"X+-")},
}

local function apache_part(letter)
    local known = APACHE[letter]
    if not known then
        error("unknown variable: " .. letter, 0)
    end
    return format.variable(known[1], known[2], known[3])
end

local function header_name(prefix, argument)
    return prefix .. (argument:lower():gsub("-", "_"))
end

local APACHE_TIMES = {
    sec = {"time", NS_PER_SECOND},
    msec = {"time", 1e6},
    usec = {"time", 1e3},
    msec_frac = {"sec_frac", 1e-3},
    usec_frac = {"sec_frac", 1e-6},
}

local function apache_time(argument)
    local notation = argument:gsub("^begin:", ""):gsub("^end:", "")
    local known = APACHE_TIMES[notation]
    if known then
        return format.variable(known[1], scaled(known[2]))
    end
    return format.variable("time", date_time.as_ns(date_time.build_strftime_grammar(notation)))
end

local APACHE_PORTS = {canonical = "server_port", ["local"] = "server_port", remote = "remote_port"}

local function apache_port(argument)
    local name = APACHE_PORTS[argument]
    if not name then
        error("unknown port format: " .. argument, 0)
    end
    return format.variable(name, integer, true)
end

local function hexadecimal()
    return P"0x" ^ -1 * C(lpeg.xdigit ^ 1) / function(text)
        return tonumber(text, 16)
    end
end

local apache_ids = {
    pid = format.variable("pid", integer, true),
    tid = format.variable("tid", integer, true),
    hextid = format.variable("tid", hexadecimal, true),
}

local function apache_id(argument)
    local part = apache_ids[argument]
    if not part then
        error("unknown pid format: " .. argument, 0)
    end
    return part
end

-- Directives with an argument in braces.
local APACHE_WITH_ARGUMENT = {
    a = function() return apache_part("a") end,
    h = function() return apache_part("h") end,
    C = function(argument) return format.variable("cookie_" .. argument) end,
    e = function(argument) return format.variable("env_" .. argument) end,
    i = function(argument) return format.variable(header_name("http_", argument)) end,
    n = function(argument) return format.variable("module_" .. argument) end,
    o = function(argument) return format.variable(header_name("sent_http_", argument)) end,
    p = apache_port,
    P = apache_id,
    t = apache_time,
}

local function apache_argument_part(argument, letter)
    local make = APACHE_WITH_ARGUMENT[letter]
    if not make then
        error("unknown variable: " .. letter, 0)
    end
    return make(argument)
end

local ESCAPES = {t = "\t", n = "\n"}

local function unescape(text)
    return ESCAPES[text] or text
end

local function octal(text)
    local code = tonumber(text, 8)
    if code > 255 then
        error("could not parse the log_format configuration", 0)
    end
    return string.char(code)
end

--- What turns a format into its parts.
local function parts()
    local octal_digit = R"07"
    local escape = P"\\" * C(octal_digit * octal_digit * octal_digit) / octal + P"\\" * C(1) / unescape
    local statuses = P"!" ^ -1 * digit ^ 1 * (P"," * digit ^ 1) ^ 0
    local modifiers = (S"<>" + statuses) ^ 0
    local literal = lpeg.Cs((escape + P"%%" / "%%" + (1 - (S"%\\" + space))) ^ 1)

    return Ct((
        P"%" * modifiers * P"{" * C((1 - P"}") ^ 0) * "}" * C(1) / apache_argument_part
        + P"%" * modifiers * C(1 - P"%") / apache_part
        + C(space ^ 1) / format.space_part
        + literal / format.literal_part
    ) ^ 1) * -1
end

--- The pattern for lines that Apache writes with the given `LogFormat`.
function M.build_apache_grammar(log_format)
    return format.join(parts():match(log_format or ""))
end

return lazy.once(M)
