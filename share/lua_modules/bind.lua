--[=[
# bind

`query_log_grammar` parses the query log of BIND, written with `print-category`, `print-severity` and `print-time`. It
consists of named groups only; wrap it into `lpeg.Ct` for a table that fits into the `Fields` of a message:

| key | value |
|---|---|
| `Timestamp` | nanoseconds of the whole second |
| `ClientIP` | address of the client, with the representation `ipv4` or `ipv6` |
| `ClientEphemeralPort` | port of the client, as text |
| `FullQuery`, `QueryName`, `QueryDomain` | the name asked for, its first label, and the rest |
| `RecordClass`, `RecordType` | as logged |
| `QueryFlags` | an array of the flags in words |
| `ServerRespondingIP` | address that the query was sent to, with its representation |

Names of one label, and names that end in a dot, do not match.

## Example

    local lpeg = require "lpeg"
    local bind = require "bind"
    local grammar = lpeg.Ct(bind.query_log_grammar)
    local fields = grammar:match("27-May-2015 21:06:49.246 queries: info: client 10.0.1.70#41242 (www.example.com): "
        .. "query: www.example.com IN A +E (10.0.1.71)")
    -- fields.QueryName == "www", fields.QueryFlags == {"recursion requested", "EDNS used"}
--]=]

local date_time = require "date_time"
local lazy = require "lazy"
local ip = lazy.load "ip_address_grammars"
local lpeg = require "lpeg"

local P, R, S, C, Cc, Cg, Ct = lpeg.P, lpeg.R, lpeg.S, lpeg.C, lpeg.Cc, lpeg.Cg, lpeg.Ct

lpeg.locale(lpeg)
local alnum, digit, space, upper, xdigit = lpeg.alnum, lpeg.digit, lpeg.space, lpeg.upper, lpeg.xdigit

local M = {}

local function address(text, representation)
    return Ct(Cg(C(text), "value") * Cg(Cc(representation), "representation"))
end

local any_address = address(ip.v4, "ipv4") + address(ip.v6, "ipv6")

-- What strftime calls %d-%b-%Y %H:%M:%S, without loading all its other letters.
local second = Cg(C(R"05" * digit + P"6" * S"01"), "sec")
local clock = date_time.time_hour * ":" * date_time.time_minute * ":" * second
local date = date_time.date_mday * "-" * date_time.date_mabbr * "-" * date_time.date_fullyear
local timestamp = date_time.as_ns(Ct(date * space * clock))
local time = Cg(timestamp, "Timestamp") * (P"." * digit ^ 1) ^ -1

-- Newer versions tell the object of the client in memory.
local client = P"client " * (P"@0x" * xdigit ^ 1 * " ") ^ -1
    * Cg(any_address, "ClientIP") * "#" * Cg(C(digit ^ 1), "ClientEphemeralPort")

local label = (alnum + S"-_*") ^ 1
local domain = label * (P"." * label) ^ 0

-- The name is logged twice. The parts are taken from the first, the whole from the second.
local name_parts = Cg(C(label), "QueryName") * "." * Cg(C(domain), "QueryDomain")
local name = Cg(C(label * "." * domain), "FullQuery")

local class = Cg(C(P"IN" + "CH" + "HS" + "ANY"), "RecordClass")
local record_type = Cg(C(upper * (upper + digit + "-") ^ 0 + "*"), "RecordType")

local function flag(letter, words)
    return P(letter) * Cc(words)
end

local flags = Ct((
    flag("+", "recursion requested")
    + flag("-", "recursion not requested")
    + flag("E", "EDNS used") * (P"(" * digit ^ 1 * ")") ^ -1
    + flag("S", "query signed")
    + flag("D", "DNSSEC data wanted")
    + flag("C", "no DNSSEC validation check")
    + flag("T", "TCP used")
    + flag("V", "valid server cookie")
    + flag("K", "client cookie")
) ^ 1)

local server = P"(" * Cg(any_address, "ServerRespondingIP") * ")"

M.query_log_grammar = time * " queries: info: " * client
    * " (" * name_parts * "): " * (P"view " * (1 - P":") ^ 1 * ": ") ^ -1
    * "query: " * name * " " * class * " " * record_type * " " * Cg(flags, "QueryFlags") * " " * server

return M
