--[=[
# date_time_grammars

The grammars of `date_time` that few scripts need: `date_time` takes an entry from here when it is first asked for.
--]=]

local date_time = require "date_time"
local lazy = require "lazy"
local lpeg = require "lpeg"
local os = require "os"
local string = require "string"

local P, R, S, C, Cc, Cg, Ct = lpeg.P, lpeg.R, lpeg.S, lpeg.C, lpeg.Cc, lpeg.Cg, lpeg.Ct

local alpha, digit = lpeg.alpha, lpeg.digit

local HALF_A_YEAR = 182.5 * 24 * 60 * 60 -- seconds

local function group(pattern, name)
    return Cg(C(pattern), name)
end

--- The time of day as most notations have it.
local function clock()
    return date_time.time_hour * ":" * date_time.time_minute * ":" * date_time.time_second
end

-- Functions that make the entry of their name.
local make = {}

local M = setmetatable({}, {__index = function(_, name)
    return make[name]()
end})

--[[ Dates --]]

local MONTHS = {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December"}

function make.date_mfull()
    local choice = P(false)
    for number, name in ipairs(MONTHS) do
        choice = choice + P(name) / string.format("%02d", number)
    end
    return Cg(choice, "month")
end

function make.date_mday_sp()
    return Cg(P" " * C(R"19") + C(P"0" * R"19" + R"12" * digit + P"3" * R"01"), "day")
end

--[[ Zones --]]

--- Matches `pattern` and captures a fixed offset of whole hours.
local function fixed_offset(pattern, sign, hours)
    return P(pattern) * Cg(Cc(sign), "offset_sign") * Cg(Cc(hours), "offset_hour") * Cg(Cc(0), "offset_min")
end

local function zone(name, sign, hours)
    return fixed_offset(P(name) * -alpha, sign, hours)
end

function make.timezone()
    return zone("UTC", "+", 0)
        + zone("PST", "-", 8) + zone("PDT", "-", 7)
        + zone("MST", "-", 7) + zone("MDT", "-", 6)
        + zone("CST", "-", 6) + zone("CDT", "-", 5)
        + zone("EST", "-", 5) + zone("EDT", "-", 4)
        + fixed_offset(alpha ^ -5, "+", 0)
end

--[[ RFC 3339: 1999-05-05T23:23:59.217-07:00 --]]

function make.rfc3339_time_numoffset()
    local sign = group(S"+-", "offset_sign")
    local hour = Cg((R"01" * digit + P"2" * R"03") / tonumber, "offset_hour")
    local minute = Cg(R"05" * digit / tonumber, "offset_min")
    return sign * hour * ":" * minute
end

function make.rfc3339_time_offset()
    return fixed_offset(S"Zz", "+", 0) + date_time.rfc3339_time_numoffset
end

function make.rfc3339_partial_time()
    return clock() * date_time.time_secfrac ^ -1
end

function make.rfc3339_full_date()
    return date_time.date_fullyear * "-" * date_time.date_month * "-" * date_time.date_mday
end

function make.rfc3339_full_time()
    return date_time.rfc3339_partial_time * date_time.rfc3339_time_offset
end

function make.rfc3339()
    return Ct(date_time.rfc3339_full_date * S"Tt " * date_time.rfc3339_full_time)
end

--[[ Other complete grammars --]]

-- MySQL: 20140210125858
function make.mysql_timestamp()
    local dt = date_time
    return Ct(dt.date_fullyear * dt.date_month * dt.date_mday * dt.time_hour * dt.time_minute * dt.time_second)
end

-- PostgreSQL: 2014-02-10 12:58:58
function make.pgsql_timestamp()
    return Ct(date_time.rfc3339_full_date * " " * clock())
end

--- Gives a time without a year the year that brings it closest to now.
local function add_closest_year(time)
    local now = os.time()
    local year = tonumber(os.date("%Y", now))
    time.year = year
    if tonumber(time.day) then
        local distance = os.time(time) - now
        if distance > HALF_A_YEAR then
            year = year - 1
        elseif distance < -HALF_A_YEAR then
            year = year + 1
        end
    end
    time.year = string.format("%04d", year)
    return time
end

-- RFC 3164: Feb 10 12:58:58
function make.rfc3164_timestamp()
    local day = group(digit ^ -2, "day")
    return Ct(date_time.date_mabbr * P" " ^ 1 * day * P" " ^ 0 * clock()) / add_closest_year
end

return lazy.once(M)
