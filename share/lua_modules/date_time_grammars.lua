--[=[
# date_time_grammars

The grammars of `date_time`, which takes them from here when they are first asked for.
--]=]

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

-- Functions that make the entry of their name.
local make = {}

local M = setmetatable({}, {later = make, __index = function(module, name)
    local pattern = make[name] and make[name]()
    module[name] = pattern
    return pattern
end})

--[[ Dates --]]

local MONTHS = {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December"}

--- The number of a month whose name is cut to so many characters.
local function month(length)
    local choice = P(false)
    for number, name in ipairs(MONTHS) do
        choice = choice + P(string.sub(name, 1, length)) / string.format("%02d", number)
    end
    return Cg(choice, "month")
end

local one_to_31 = P"0" * R"19" + R"12" * digit + P"3" * R"01"

function make.date_fullyear()
    return group(digit * digit * digit * digit, "year")
end

function make.date_month()
    return group(P"0" * R"19" + P"1" * R"02", "month")
end

function make.date_mabbr()
    return month(3)
end

function make.date_mfull()
    return month(-1)
end

function make.date_mday()
    return group(one_to_31, "day")
end

function make.date_mday_sp()
    return Cg(P" " * C(R"19") + C(one_to_31), "day")
end

--[[ Times of day --]]

local zero_to_23 = R"01" * digit + P"2" * R"03"
local zero_to_59 = R"05" * digit

function make.time_hour()
    return group(zero_to_23, "hour")
end

function make.time_minute()
    return group(zero_to_59, "min")
end

function make.time_second()
    return group(zero_to_59 + P"60", "sec") -- 60 is a leap second
end

function make.time_secfrac()
    return Cg(P"." * digit ^ 1 / tonumber, "sec_frac")
end

--- The time of day as most notations have it.
local function clock()
    return M.time_hour * ":" * M.time_minute * ":" * M.time_second
end

--[[ Zones --]]

local offset_sign = group(S"+-", "offset_sign")
local offset_hour = Cg(zero_to_23 / tonumber, "offset_hour")
local offset_min = Cg(zero_to_59 / tonumber, "offset_min")

function make.timezone_offset()
    return offset_sign * offset_hour * offset_min
end

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
    return offset_sign * offset_hour * ":" * offset_min
end

function make.rfc3339_time_offset()
    return fixed_offset(S"Zz", "+", 0) + M.rfc3339_time_numoffset
end

function make.rfc3339_partial_time()
    return clock() * M.time_secfrac ^ -1
end

function make.rfc3339_full_date()
    return M.date_fullyear * "-" * M.date_month * "-" * M.date_mday
end

function make.rfc3339_full_time()
    return M.rfc3339_partial_time * M.rfc3339_time_offset
end

function make.rfc3339()
    return Ct(M.rfc3339_full_date * S"Tt " * M.rfc3339_full_time)
end

--[[ Other complete grammars --]]

-- Common log format: 10/Feb/2014:08:46:41 -0800
function make.clf_timestamp()
    return Ct(M.date_mday * "/" * M.date_mabbr * "/" * M.date_fullyear * ":" * clock() * " " * M.timezone_offset)
end

-- MySQL: 20140210125858
function make.mysql_timestamp()
    return Ct(M.date_fullyear * M.date_month * M.date_mday * M.time_hour * M.time_minute * M.time_second)
end

-- PostgreSQL: 2014-02-10 12:58:58
function make.pgsql_timestamp()
    return Ct(M.rfc3339_full_date * " " * clock())
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
    return Ct(M.date_mabbr * P" " ^ 1 * day * P" " ^ 0 * clock()) / add_closest_year
end

return lazy.once(M)
