--[=[
# date_time_grammars

The grammars of `date_time` that few scripts need: `date_time` takes an entry from here when it is first asked for.
--]=]

local date_time = require "date_time"
local lpeg = require "lpeg"
local os = require "os"
local string = require "string"

local P, R, S, C, Cc, Cg, Ct = lpeg.P, lpeg.R, lpeg.S, lpeg.C, lpeg.Cc, lpeg.Cg, lpeg.Ct

local alpha, digit, space = lpeg.alpha, lpeg.digit, lpeg.space

local HALF_A_YEAR = 182.5 * 24 * 60 * 60 -- seconds

local digit2 = digit * digit

local function group(pattern, name)
    return Cg(C(pattern), name)
end

local function any_of(names)
    local choice = P(false)
    for _, name in ipairs(names) do
        choice = choice + P(name)
    end
    return choice
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

--- A number that a blank pads to two characters.
local function padded(one, two, name)
    return Cg(P" " * C(one) + C(two), name)
end

function make.date_mday_sp()
    return padded(R"19", P"0" * R"19" + R"12" * digit + P"3" * R"01", "day")
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

--[[ strftime --]]

--- What the letters stand for: patterns, formats, and names of grammars of `date_time`.
local function strftime_specifiers()
    local zero_to_23 = R"01" * digit + P"2" * R"03"
    local zero_to_12 = P"0" * digit + P"1" * R"02"
    local day_abbr = any_of{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}
    -- A year of two digits belongs to 1969 to 2068, as POSIX has it.
    local short_year = Cg((P"69" + R"79" * digit) / "19%0" + digit2 / "20%0", "year")
    return {
        a = day_abbr,
        A = any_of{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"},
        b = "date_mabbr",
        B = "date_mfull",
        -- The clock knows one leap second here, and two in `%S`.
        c = function()
            local date = day_abbr * space * date_time.date_mabbr * space * date_time.date_mday_sp
            return date * space * clock() * space * date_time.date_fullyear
        end,
        C = digit2,
        d = "date_mday",
        D = "%m/%d/%y",
        e = "date_mday_sp",
        F = "rfc3339_full_date",
        g = short_year,
        G = "date_fullyear",
        h = "date_mabbr",
        H = "time_hour",
        I = group(zero_to_12, "hour"),
        j = digit2 * digit,
        k = padded(digit, zero_to_23, "hour"),
        l = padded(digit, zero_to_12, "hour"),
        m = "date_month",
        M = "time_minute",
        n = P"\n",
        p = Cg(P"AM" / "AM" + P"PM" / "PM" + P"am" / "AM" + P"pm" / "PM", "period"),
        r = "%I:%M:%S %p",
        R = "%H:%M",
        s = Cg(digit ^ 1 / tonumber, "time_t"),
        S = group(R"05" * digit + P"6" * S"01", "sec"),
        t = P"\t",
        T = "%H:%M:%S",
        u = R"17",
        U = digit2,
        V = digit2,
        w = R"06",
        W = digit2,
        x = "%m/%d/%y",
        X = "%H:%M:%S",
        y = short_year,
        Y = "date_fullyear",
        z = "timezone_offset",
        Z = "timezone",
        ["%"] = P"%",
    }
end

local function white_space()
    return space
end

--- The pattern for a format without the table around its captures.
local function strftime_pattern(specifiers, format)
    local function specifier(letter)
        local known = specifiers[letter]
        if not known then
            error("unknown strftime specifier: " .. letter, 0)
        elseif type(known) == "function" then
            return known()
        elseif type(known) ~= "string" then
            return known
        elseif string.sub(known, 1, 1) == "%" then
            return strftime_pattern(specifiers, known)
        end
        return date_time[known]
    end

    local strftime_format = Ct((
        P"%" * (C(P(1) ^ -1) / specifier)
        + space / white_space
        + C((1 - (P"%" + space)) ^ 1) / P
    ) ^ 1) * -1
    local parts = strftime_format:match(format)
    if not parts then
        error("could not parse the strftime format", 0)
    end
    local whole = P(true)
    for _, part in ipairs(parts) do
        whole = whole * part
    end
    return whole
end

-- The parts are made for each format anew: a script needs them once, and then never again.
function make.build_strftime_grammar()
    return function(format)
        return Ct(strftime_pattern(strftime_specifiers(), format))
    end
end

return M
