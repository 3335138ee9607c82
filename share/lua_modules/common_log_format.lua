--[=[
# common_log_format

Builds grammars for the access logs of nginx and Apache from the very format string of the web server's configuration.

| name | result |
|---|---|
| `build_nginx_grammar(log_format)` | a pattern for lines written with nginx's `log_format` |
| `build_apache_grammar(log_format)` | the same for Apache's `LogFormat` |
| `nginx_error_grammar` | a pattern for lines of nginx's error log |
| `normalize_user_agent(text)` | browser, version (a number) and operating system; each may be nil |

An access grammar captures one table that fits into the `Fields` of a message: its keys are the names of the variables.
Numbers are numbers; addresses, sizes and durations are `{value = …, representation = …}` with the representations
`ipv4`, `ipv6`, `hostname`, `B`, `s` and `us`. The time of the line is under `time` in nanoseconds. A number that was
not known when the line was written (`-`) is left out.

White space in the format matches one or more characters of white space; other text matches itself. A variable without a
notation of its own is text. It ends before the last character of the text in front of it: after a double quote at the
next double quote that no backslash escapes, after white space at the next white space.

`nginx_error_grammar` captures a table that `inject_message` takes: `Timestamp`, `Severity`, `Pid`, `Payload`, and
`Fields` with `tid` and `connection`.

## Example

    local clf = require "common_log_format"
    local grammar = clf.build_nginx_grammar('$remote_addr [$time_local] "$request" $status')
    local fields = grammar:match('127.0.0.1 [10/Feb/2014:08:46:41 -0800] "GET / HTTP/1.1" 200')
    -- fields.time == 1392050801000000000, fields.status == 200, fields.remote_addr.representation == "ipv4"
--]=]

local date_time = require "date_time"
local ip = require "ip_address"
local lpeg = require "lpeg"
local string = require "string"

local P, R, S, C, Cc, Cg, Ct = lpeg.P, lpeg.R, lpeg.S, lpeg.C, lpeg.Cc, lpeg.Cg, lpeg.Ct

lpeg.locale(lpeg)
local alnum, digit, space, upper, xdigit = lpeg.alnum, lpeg.digit, lpeg.space, lpeg.upper, lpeg.xdigit

local M = {}

local NS_PER_SECOND = 1e9

--[[ Values ---------------------------------------------------------------------------------------------------------]]

--- A value that goes with a representation. Numbers and texts alike are captured as the table that a field takes.
local function represented(value, representation)
    return Ct(Cg(value, "value") * Cg(Cc(representation), "representation"))
end

--- A named value that may be unknown, which leaves no capture.
local function or_unknown(value)
    return function(name)
        return Cg(value, name) + P"-"
    end
end

--- A value under the name of its variable.
local function named(value)
    return function(name)
        return Cg(value, name)
    end
end

local integer_text = P"-" ^ -1 * digit ^ 1
local integer = integer_text / tonumber
local decimal = digit ^ 1 * "." * digit ^ 1 / tonumber
local bytes = represented(digit ^ 1 / tonumber, "B")
local three_digits = digit * digit * digit / tonumber

-- An address is a host name when more of a name follows what looks like an address: 10.0.0.1.example.com
local host_character = alnum + S"-._"
local address = represented(C(ip.v4 * -host_character), "ipv4")
    + represented(C(ip.v6 * -host_character), "ipv6")
    + represented(C(P"unix:" + host_character ^ 1), "hostname")

local method = C(P"GET" + "POST" + "HEAD" + "PUT" + "DELETE" + "OPTIONS" + "TRACE" + "CONNECT" + (upper + S"-_") ^ 1)
local protocol = C(P"HTTP/" * digit * "." * digit)

--- Text that ends before the character `last`, the last one of the format in front of it, or at the end of the line.
local function text_until(last)
    if last == " " then
        return C((1 - space) ^ 1)
    elseif last == '"' then
        return C(((1 - S'\\"') ^ 1 + P"\\" * P(1) ^ -1) ^ 0)
    end
    return C((1 - S(last .. "\n")) ^ 0)
end

--[[ Times ----------------------------------------------------------------------------------------------------------]]

local function time(value)
    return function()
        return Cg(value, "time")
    end
end

--- A number of `unit`s since the epoch as nanoseconds.
local function epoch(unit)
    return digit ^ 1 / function(text)
        return tonumber(text) * unit
    end
end

--- A number of `unit`s within its second as the fraction of the second.
local function fraction(unit)
    return digit ^ 1 / function(text)
        return tonumber(text) * unit
    end
end

local clf_time = date_time.as_ns(date_time.clf_timestamp)

-- Seconds and milliseconds are converted apart, which keeps all digits that a double can.
local epoch_with_milliseconds = C(digit ^ 1) * "." * C(digit * digit * digit) / function(seconds, milliseconds)
    return seconds * NS_PER_SECOND + milliseconds * 1e6
end

local http_date = date_time.as_ns(date_time.build_strftime_grammar("%a, %d %b %Y %H:%M:%S GMT"))

--[[ From format to grammar -----------------------------------------------------------------------------------------]]

-- The parts of a format. Each of its variables turns into a function that gets the last character before it and
-- returns its pattern, because only then the end of a text is known.
local function literal_part(text)
    return {pattern = P(text), last = text:sub(-1)}
end

local function space_part(text)
    return {pattern = space ^ 1, last = text:sub(-1)}
end

local function variable_part(build)
    return {build = build}
end

local function join(parts)
    if not parts then
        error("could not parse the log_format configuration", 0)
    end
    local grammar, last = P(true), " "
    for _, part in ipairs(parts) do
        if part.build then
            grammar = grammar * part.build(last)
        else
            grammar = grammar * part.pattern
            last = part.last
        end
    end
    return Ct(grammar)
end

--- The part for a variable called `name` whose notation `make` knows; text if there is none.
local function variable(name, make)
    if make then
        local pattern = make(name)
        return variable_part(function()
            return pattern
        end)
    end
    return variable_part(function(last)
        return Cg(text_until(last), name)
    end)
end

--[[ nginx ----------------------------------------------------------------------------------------------------------]]

--- What nginx tells of all the servers that it asked for one request: separated by commas, or colons after a redirect.
local function upstream_list(element)
    local separator = P", " + P" : "
    return element * (separator * element) ^ 0
end

local upstream_text = C((1 - (space + S',"')) ^ 1)
local upstream_length = upstream_list(digit ^ 1 / tonumber + P"-" / "0" / tonumber)
local upstream_seconds = upstream_list(decimal + P"-" * Cc(0))
local upstream_status = upstream_list(three_digits + P"-" * Cc(0))
local cache_status = C(P"HIT" + "MISS" + "EXPIRED" + "BYPASS" + "STALE" + "UPDATING" + "REVALIDATED" + "-")
local lone_dash = C"-" * -(P", " + P" : ")

local NGINX = {}

local function nginx(make, names)
    for name in names:gmatch("[%w_]+") do
        NGINX[name] = make
    end
end

nginx(named(address), "host hostname proxy_protocol_addr remote_addr server_addr server_name")
nginx(or_unknown(integer), "connection connection_requests pid remote_port server_port")
nginx(or_unknown(integer), "tcpinfo_rtt tcpinfo_rttvar tcpinfo_snd_cwnd tcpinfo_rcv_space")
nginx(or_unknown(bytes), "body_bytes_sent bytes_sent content_length request_length")
nginx(or_unknown(represented(decimal, "s")), "request_time")
nginx(named(three_digits), "status")
nginx(time(epoch_with_milliseconds), "msec")
nginx(time(date_time.as_ns(date_time.rfc3339)), "time_iso8601")
nginx(time(clf_time), "time_local")
nginx(named(C(P"on" ^ -1)), "https")
nginx(named(C(P"?" ^ -1)), "is_args")
nginx(named(C(S"p.")), "pipe")
nginx(named(C(P"OK" ^ -1)), "request_completion")
nginx(named(C(P"https" + "http")), "scheme")
nginx(named(method), "request_method")
nginx(named(protocol), "server_protocol")
nginx(named(C(digit ^ 1 * "." * digit ^ 1 * "." * digit ^ 1)), "nginx_version")
nginx(named(C(P(4))), "binary_remote_addr")
nginx(named(lone_dash + Ct(upstream_list(upstream_text))), "upstream_addr")
nginx(named(lone_dash + represented(Ct(upstream_length), "B")), "upstream_response_length")
nginx(named(represented(Ct(upstream_seconds), "s")), "upstream_response_time")
nginx(named(Ct(upstream_status)), "upstream_status")
nginx(named(cache_status), "upstream_cache_status")
nginx(named(http_date + C"-"), "upstream_cache_last_modified")

local nginx_name = (alnum + "_") ^ 1

local function nginx_part(name)
    return variable(name, NGINX[name])
end

local nginx_format = Ct((
    (P"${" * C(nginx_name) * "}" + P"$" * C(nginx_name)) / nginx_part
    + C(space ^ 1) / space_part
    + C((1 - (P"$" * nginx_name + P"${" + space)) ^ 1) / literal_part
) ^ 1) * -1

--- The pattern for lines that nginx writes with the given `log_format`.
function M.build_nginx_grammar(log_format)
    return join(nginx_format:match(log_format or ""))
end

--[[ Apache ---------------------------------------------------------------------------------------------------------]]

-- Directives without an argument: the name of the field and its notation.
local APACHE = {
    a = {"remote_addr", named(address)},
    A = {"server_addr", named(address)},
    b = {"body_bytes_sent", named(represented(integer + P"-" * Cc(0), "B"))},
    B = {"body_bytes_sent", or_unknown(bytes)},
    D = {"request_time", or_unknown(represented(integer, "us"))},
    f = {"request_filename"},
    h = {"remote_addr", named(address)},
    H = {"server_protocol", named(protocol)},
    I = {"request_length", or_unknown(bytes)},
    k = {"connection_requests", or_unknown(integer)},
    l = {"remote_user"},
    L = {"request_log_id"},
    m = {"request_method", named(method)},
    O = {"response_length", or_unknown(bytes)},
    p = {"server_port", or_unknown(integer)},
    P = {"pid", or_unknown(integer)},
    q = {"query_string"},
    r = {"request"},
    R = {"request_handler"},
    s = {"status", named(three_digits)},
    S = {"total_length", or_unknown(bytes)},
    t = {"time", time(P"[" * clf_time * "]")},
    T = {"request_time", or_unknown(represented(integer, "s"))},
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
    return variable(known[1], known[2])
end

local function header_name(prefix, argument)
    return prefix .. (argument:lower():gsub("-", "_"))
end

local apache_times = {
    sec = time(epoch(NS_PER_SECOND)),
    msec = time(epoch(1e6)),
    usec = time(epoch(1e3)),
    msec_frac = function() return Cg(fraction(1e-3), "sec_frac") end,
    usec_frac = function() return Cg(fraction(1e-6), "sec_frac") end,
}

local function apache_time(argument)
    local format = argument:gsub("^begin:", ""):gsub("^end:", "")
    local known = apache_times[format]
    if known then
        return variable("time", known)
    end
    return variable("time", time(date_time.as_ns(date_time.build_strftime_grammar(format))))
end

local APACHE_PORTS = {canonical = "server_port", ["local"] = "server_port", remote = "remote_port"}

local function apache_port(argument)
    local name = APACHE_PORTS[argument]
    if not name then
        error("unknown port format: " .. argument, 0)
    end
    return variable(name, or_unknown(integer))
end

local hexadecimal = P"0x" ^ -1 * C(xdigit ^ 1) / function(text)
    return tonumber(text, 16)
end

local apache_ids = {
    pid = variable("pid", or_unknown(integer)),
    tid = variable("tid", or_unknown(integer)),
    hextid = variable("tid", or_unknown(hexadecimal)),
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
    C = function(argument) return variable("cookie_" .. argument) end,
    e = function(argument) return variable("env_" .. argument) end,
    i = function(argument) return variable(header_name("http_", argument)) end,
    n = function(argument) return variable("module_" .. argument) end,
    o = function(argument) return variable(header_name("sent_http_", argument)) end,
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

local octal_digit = R"07"
local escape = P"\\" * C(octal_digit * octal_digit * octal_digit) / octal + P"\\" * C(1) / unescape
local statuses = P"!" ^ -1 * digit ^ 1 * (P"," * digit ^ 1) ^ 0
local modifiers = (S"<>" + statuses) ^ 0
local apache_literal = lpeg.Cs((escape + P"%%" / "%%" + (1 - (S"%\\" + space))) ^ 1)

local apache_format = Ct((
    P"%" * modifiers * P"{" * C((1 - P"}") ^ 0) * "}" * C(1) / apache_argument_part
    + P"%" * modifiers * C(1 - P"%") / apache_part
    + C(space ^ 1) / space_part
    + apache_literal / literal_part
) ^ 1) * -1

--- The pattern for lines that Apache writes with the given `LogFormat`.
function M.build_apache_grammar(log_format)
    return join(apache_format:match(log_format or ""))
end

--[[ The error log of nginx -----------------------------------------------------------------------------------------]]

local levels = P(false)
for level, severity in pairs{debug = 7, info = 6, notice = 5, warn = 4, error = 3, crit = 2, alert = 1, emerg = 0} do
    levels = levels + P(level) * Cc(severity)
end

local error_time = date_time.as_ns(date_time.build_strftime_grammar("%Y/%m/%d %H:%M:%S"))
local connection = P"*" * Cg(digit ^ 1 / tonumber, "connection") * " "
local error_fields = Ct(Cg(digit ^ 1 / tonumber, "tid") * ": " * connection ^ -1)

M.nginx_error_grammar = Ct(
    Cg(error_time, "Timestamp") * " [" * Cg(levels, "Severity") * "] "
    * Cg(digit ^ 1 / tonumber, "Pid") * "#" * Cg(error_fields, "Fields")
    * Cg(C(P(1) ^ 0), "Payload")
)

--[[ User agents ----------------------------------------------------------------------------------------------------]]

-- In order of precedence: a browser that runs on Android also claims Linux, Chrome also claims Safari.
local SYSTEMS = {
    {"iPod", "iPod"},
    {"iPad", "iPad"},
    {"iPhone", "iPhone"},
    {"Android", "Android"},
    {"BlackBerry", "BlackBerry"},
    {"Linux", "Linux"},
    {"Macintosh", "Macintosh"},
    {"Mozilla/5.0 (Mobile;", "FirefoxOS"},
    {"Windows NT 10.0", "Windows 10"},
    {"Windows NT 6.3", "Windows 8.1"},
    {"Windows NT 6.2", "Windows 8"},
    {"Windows NT 6.1", "Windows 7"},
    {"Windows NT 6.0", "Windows Vista"},
    {"Windows NT 5.1", "Windows XP"},
    {"Windows NT 5.0", "Windows 2000"},
}

-- With the pattern that finds the version; the others have it after the last slash.
local BROWSERS = {
    {"Chrome", "Chrome/(%d+)"},
    {"Opera Mini"},
    {"Opera Mobi"},
    {"Opera"},
    {"MSIE", "MSIE (%d+)"},
    {"Safari"},
    {"Firefox", "Firefox/(%d+)"},
}

local VERSION_AFTER_LAST_SLASH = "/(%d+)[^/]*$"

local function find_system(user_agent)
    for _, system in ipairs(SYSTEMS) do
        if user_agent:find(system[1], 1, true) then
            return system[2]
        end
    end
end

local function find_browser(user_agent)
    for _, browser in ipairs(BROWSERS) do
        if user_agent:find(browser[1], 1, true) then
            local version = user_agent:match(browser[2] or VERSION_AFTER_LAST_SLASH)
            return browser[1], tonumber(version)
        end
    end
end

-- The same few user agents come again and again. What is remembered is bounded in number and in length.
local MAX_REMEMBERED, MAX_LENGTH = 500, 512
local remembered, remembered_count = {}, 0

local function remember(user_agent, known)
    if #user_agent > MAX_LENGTH then
        return
    end
    if remembered_count >= MAX_REMEMBERED then
        remembered, remembered_count = {}, 0
    end
    remembered[user_agent] = known
    remembered_count = remembered_count + 1
end

--- Browser, version and operating system of the user agent string of a browser; nil for each that is not known.
function M.normalize_user_agent(user_agent)
    local known = remembered[user_agent]
    if not known then
        local browser, version = find_browser(user_agent)
        known = {browser = browser, version = version, system = find_system(user_agent)}
        remember(user_agent, known)
    end
    return known.browser, known.version, known.system
end

return M
