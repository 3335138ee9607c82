--[=[
# nginx_log_format

Builds grammars from nginx's `log_format`, for `common_log_format`.

| function | result |
|---|---|
| `build_nginx_grammar(log_format)` | a pattern for lines written with nginx's `log_format` |
--]=]

local date_time = require "date_time"
local lazy = require "lazy"
local format = lazy.load "log_format"
local lpeg = require "lpeg"
local string = require "string"

local P, S, C, Cc, Ct = lpeg.P, lpeg.S, lpeg.C, lpeg.Cc, lpeg.Ct

local alnum, digit, space = lpeg.alnum, lpeg.digit, lpeg.space
local represented = format.represented

local M = {}

local NS_PER_SECOND = 1e9

--[[ Values ---------------------------------------------------------------------------------------------------------]]

local function decimal()
    return digit ^ 1 * "." * digit ^ 1 / tonumber
end

local function request_time()
    return represented(decimal(), "s")
end

-- Seconds and milliseconds are converted apart, which keeps all digits that a double can.
local function epoch_with_milliseconds()
    return C(digit ^ 1) * "." * C(digit * digit * digit) / function(seconds, milliseconds)
        return seconds * NS_PER_SECOND + milliseconds * 1e6
    end
end

local function iso_time()
    return date_time.as_ns(date_time.rfc3339)
end

local function http_date()
    return date_time.as_ns(date_time.build_strftime_grammar("%a, %d %b %Y %H:%M:%S GMT")) + C"-"
end

local function scheme()
    return C(P"https" + "http")
end

local function version()
    return C(digit ^ 1 * "." * digit ^ 1 * "." * digit ^ 1)
end

local function cache_status()
    return C(P"HIT" + "MISS" + "EXPIRED" + "BYPASS" + "STALE" + "UPDATING" + "REVALIDATED" + "-")
end

--- What nginx tells of all the servers that it asked for one request: separated by commas, or colons after a redirect.
local function upstream_list(element)
    local separator = P", " + P" : "
    return Ct(element * (separator * element) ^ 0)
end

local function upstream_addr()
    return C"-" * -(P", " + P" : ") + upstream_list(C((1 - (space + S',"')) ^ 1))
end

local function upstream_response_length()
    local lengths = upstream_list(digit ^ 1 / tonumber + P"-" / "0" / tonumber)
    return C"-" * -(P", " + P" : ") + represented(lengths, "B")
end

local function upstream_response_time()
    return represented(upstream_list(decimal() + P"-" * Cc(0)), "s")
end

local function upstream_status()
    return upstream_list(format.three_digits() + P"-" * Cc(0))
end

--[[ Variables ------------------------------------------------------------------------------------------------------]]

-- Names between blanks, their value, and whether it may be unknown.
local VARIABLES = {
    {" host hostname proxy_protocol_addr remote_addr server_addr server_name ", format.address},
    {" connection connection_requests pid remote_port server_port ", format.integer, true},
    {" tcpinfo_rtt tcpinfo_rttvar tcpinfo_snd_cwnd tcpinfo_rcv_space ", format.integer, true},
    {" body_bytes_sent bytes_sent content_length request_length ", format.bytes, true},
    {" request_time ", request_time, true},
    {" status ", format.three_digits},
    {" msec ", epoch_with_milliseconds},
    {" time_iso8601 ", iso_time},
    {" time_local ", format.clf_time},
    {" https ", C(P"on" ^ -1)},
    {" is_args ", C(P"?" ^ -1)},
    {" pipe ", C(S"p.")},
    {" request_completion ", C(P"OK" ^ -1)},
    {" scheme ", scheme},
    {" request_method ", format.method},
    {" server_protocol ", format.protocol},
    {" nginx_version ", version},
    {" binary_remote_addr ", C(P(4))},
    {" upstream_addr ", upstream_addr},
    {" upstream_response_length ", upstream_response_length},
    {" upstream_response_time ", upstream_response_time},
    {" upstream_status ", upstream_status},
    {" upstream_cache_status ", cache_status},
    {" upstream_cache_last_modified ", http_date},
}

-- The variables that are the time of the line.
local TIMES = {msec = true, time_iso8601 = true, time_local = true}

local function nginx_part(name)
    local word = " " .. name .. " "
    for _, variables in ipairs(VARIABLES) do
        if string.find(variables[1], word, 1, true) then
            return format.variable(TIMES[name] and "time" or name, variables[2], variables[3])
        end
    end
    return format.variable(name)
end

--- The pattern for lines that nginx writes with the given `log_format`.
function M.build_nginx_grammar(log_format)
    local name = (alnum + "_") ^ 1
    local parts = Ct((
        (P"${" * C(name) * "}" + P"$" * C(name)) / nginx_part
        + C(space ^ 1) / format.space_part
        + C((1 - (P"$" * name + P"${" + space)) ^ 1) / format.literal_part
    ) ^ 1) * -1
    return format.join(parts:match(log_format or ""))
end

return lazy.once(M)
