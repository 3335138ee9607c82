--[=[
# nginx_log_format

Builds grammars from nginx's `log_format`, for `common_log_format`.

| function | result |
|---|---|
| `build_nginx_grammar(log_format)` | a pattern for lines written with nginx's `log_format` |
--]=]

local date_time = require "date_time"
local format = require "log_format"
local lpeg = require "lpeg"
local string = require "string"

local P, S, C, Cc, Ct = lpeg.P, lpeg.S, lpeg.C, lpeg.Cc, lpeg.Ct

local alnum, digit, space = lpeg.alnum, lpeg.digit, lpeg.space
local named, or_unknown, represented, time = format.named, format.or_unknown, format.represented, format.time

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

-- Names between blanks, and the notation of their values.
local VARIABLES = {
    {" host hostname proxy_protocol_addr remote_addr server_addr server_name ", named(format.address)},
    {" connection connection_requests pid remote_port server_port ", or_unknown(format.integer)},
    {" tcpinfo_rtt tcpinfo_rttvar tcpinfo_snd_cwnd tcpinfo_rcv_space ", or_unknown(format.integer)},
    {" body_bytes_sent bytes_sent content_length request_length ", or_unknown(format.bytes)},
    {" request_time ", or_unknown(request_time)},
    {" status ", named(format.three_digits)},
    {" msec ", time(epoch_with_milliseconds)},
    {" time_iso8601 ", time(iso_time)},
    {" time_local ", time(format.clf_time)},
    {" https ", named(C(P"on" ^ -1))},
    {" is_args ", named(C(P"?" ^ -1))},
    {" pipe ", named(C(S"p."))},
    {" request_completion ", named(C(P"OK" ^ -1))},
    {" scheme ", named(scheme)},
    {" request_method ", named(format.method)},
    {" server_protocol ", named(format.protocol)},
    {" nginx_version ", named(version)},
    {" binary_remote_addr ", named(C(P(4)))},
    {" upstream_addr ", named(upstream_addr)},
    {" upstream_response_length ", named(upstream_response_length)},
    {" upstream_response_time ", named(upstream_response_time)},
    {" upstream_status ", named(upstream_status)},
    {" upstream_cache_status ", named(cache_status)},
    {" upstream_cache_last_modified ", named(http_date)},
}

local function notation(name)
    local word = " " .. name .. " "
    for _, variables in ipairs(VARIABLES) do
        if string.find(variables[1], word, 1, true) then
            return variables[2]
        end
    end
end

local function nginx_part(name)
    return format.variable(name, notation(name))
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

return M
