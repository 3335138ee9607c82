--[=[
# log_format

What the formats of nginx and Apache have in common, for `common_log_format`: the values of variables, and how the parts
of a format become a grammar.

A value is a pattern, or a function that makes it once a format names a variable which has it.
--]=]

local date_time = require "date_time"
local lazy = require "lazy"
local ip = lazy.load "ip_address_grammars"
local lpeg = require "lpeg"
require "string"

local P, S, C, Cc, Cg, Ct = lpeg.P, lpeg.S, lpeg.C, lpeg.Cc, lpeg.Cg, lpeg.Ct

local alnum, digit, space, upper = lpeg.alnum, lpeg.digit, lpeg.space, lpeg.upper

local M = {}

--[[ Values ---------------------------------------------------------------------------------------------------------]]

--- A value that goes with a representation. Numbers and texts alike are captured as the table that a field takes.
local function represented(value, representation)
    return Ct(Cg(value, "value") * Cg(Cc(representation), "representation"))
end

M.represented = represented

M.integer = P"-" ^ -1 * digit ^ 1 / tonumber

function M.bytes()
    return represented(digit ^ 1 / tonumber, "B")
end

function M.three_digits()
    return digit * digit * digit / tonumber
end

--- An address is a host name when more of a name follows what looks like an address: 10.0.0.1.example.com
function M.address()
    local host_character = alnum + S"-._"
    return represented(C(ip.v4 * -host_character), "ipv4")
        + represented(C(ip.v6 * -host_character), "ipv6")
        + represented(C(P"unix:" + host_character ^ 1), "hostname")
end

function M.method()
    return C(P"GET" + "POST" + "HEAD" + "PUT" + "DELETE" + "OPTIONS" + "TRACE" + "CONNECT" + (upper + S"-_") ^ 1)
end

function M.protocol()
    return C(P"HTTP/" * digit * "." * digit)
end

function M.clf_time()
    return date_time.as_ns(date_time.clf_timestamp)
end

--[[ From format to grammar -----------------------------------------------------------------------------------------]]

-- The parts of a format. Each of its variables turns into a function that gets the last character before it and
-- returns its pattern, because only then the end of a text is known.
function M.literal_part(text)
    return {pattern = P(text), last = text:sub(-1)}
end

function M.space_part(text)
    return {pattern = space ^ 1, last = text:sub(-1)}
end

--- Text that ends before the character `last`, the last one of the format in front of it, or at the end of the line.
local function text_until(last)
    if last == " " then
        return C((1 - space) ^ 1)
    elseif last == '"' then
        return C(((1 - S'\\"') ^ 1 + P"\\" * P(1) ^ -1) ^ 0)
    end
    return C((1 - S(last .. "\n")) ^ 0)
end

--- The part for a variable called `name` with this value; text if there is none. Where it `may_be_unknown`, a dash leaves
--- no capture.
function M.variable(name, value, may_be_unknown)
    return {build = function(last)
        if type(value) == "function" then
            value = value()
        end
        local pattern = Cg(value or text_until(last), name)
        return may_be_unknown and pattern + P"-" or pattern
    end}
end

function M.join(parts)
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

return lazy.once(M)
