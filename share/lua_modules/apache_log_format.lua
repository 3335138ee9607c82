--[=[
# apache_log_format

Builds grammars from Apache's `LogFormat`, for `common_log_format`.

| function | result |
|---|---|
| `build_apache_grammar(log_format)` | a pattern for lines written with Apache's `LogFormat` |
--]=]

local date_time = require "date_time"
local format = require "log_format"
local lpeg = require "lpeg"
local string = require "string"

local P, R, S, C, Cc, Cg, Ct = lpeg.P, lpeg.R, lpeg.S, lpeg.C, lpeg.Cc, lpeg.Cg, lpeg.Ct

local digit, space = lpeg.digit, lpeg.space
local named, or_unknown, represented, time = format.named, format.or_unknown, format.represented, format.time
local address, bytes, integer = format.address, format.bytes, format.integer

local M = {}

local NS_PER_SECOND = 1e9

--- A value with a number of `unit`s since the epoch as nanoseconds, or within its second as the fraction of the second.
local function scaled(unit)
    return function()
        return digit ^ 1 / function(text)
            return tonumber(text) * unit
        end
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

-- Directives without an argument: the name of the field and its notation.
local APACHE = {
    a = {"remote_addr", named(address)},
    A = {"server_addr", named(address)},
    b = {"body_bytes_sent", named(body_bytes)},
    B = {"body_bytes_sent", or_unknown(bytes)},
    D = {"request_time", or_unknown(duration("us"))},
    f = {"request_filename"},
    h = {"remote_addr", named(address)},
    H = {"server_protocol", named(format.protocol)},
    I = {"request_length", or_unknown(bytes)},
    k = {"connection_requests", or_unknown(integer)},
    l = {"remote_user"},
    L = {"request_log_id"},
    m = {"request_method", named(format.method)},
    O = {"response_length", or_unknown(bytes)},
    p = {"server_port", or_unknown(integer)},
    P = {"pid", or_unknown(integer)},
    q = {"query_string"},
    r = {"request"},
    R = {"request_handler"},
    s = {"status", named(format.three_digits)},
    S = {"total_length", or_unknown(bytes)},
    t = {"time", time(bracketed_time)},
    T = {"request_time", or_unknown(duration("s"))},
    u = {"remote_user"},
    U = {"uri"},
    v = {"server_name", named(address)},
    V = {"server_name", named(address)},
    X = {"connection_status", named(C(S"X+-"))},
}

local function apache_part(letter)
    local known = APACHE[letter]
    if not known then
        error("unknown variable: " .. letter, 0)
    end
    return format.variable(known[1], known[2])
end

local function header_name(prefix, argument)
    return prefix .. (argument:lower():gsub("-", "_"))
end

local apache_times = {
    sec = time(scaled(NS_PER_SECOND)),
    msec = time(scaled(1e6)),
    usec = time(scaled(1e3)),
    msec_frac = function() return Cg(scaled(1e-3)(), "sec_frac") end,
    usec_frac = function() return Cg(scaled(1e-6)(), "sec_frac") end,
}

local function apache_time(argument)
    local notation = argument:gsub("^begin:", ""):gsub("^end:", "")
    local known = apache_times[notation]
    if known then
        return format.variable("time", known)
    end
    return format.variable("time", time(date_time.as_ns(date_time.build_strftime_grammar(notation))))
end

local APACHE_PORTS = {canonical = "server_port", ["local"] = "server_port", remote = "remote_port"}

local function apache_port(argument)
    local name = APACHE_PORTS[argument]
    if not name then
        error("unknown port format: " .. argument, 0)
    end
    return format.variable(name, or_unknown(integer))
end

local function hexadecimal()
    return P"0x" ^ -1 * C(lpeg.xdigit ^ 1) / function(text)
        return tonumber(text, 16)
    end
end

local apache_ids = {
    pid = format.variable("pid", or_unknown(integer)),
    tid = format.variable("tid", or_unknown(integer)),
    hextid = format.variable("tid", or_unknown(hexadecimal)),
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

return M
