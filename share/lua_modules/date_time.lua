--[=[
# date_time

Grammars for the usual date and time notations, and their conversion to nanoseconds since the epoch.

| function | result |
|---|---|
| `build_strftime_grammar(format)` | a pattern for the `strftime` format; its capture is a table |
| `time_to_ns(time)` | nanoseconds since the epoch of such a table, 0 when it is nil or out of range |
| `seconds_to_ns(text)` | nanoseconds of a number of seconds written as text |
| `as_ns(grammar)` | a pattern for the same text whose only capture is the nanoseconds |

Complete grammars, each capturing one table: `rfc3339`, `clf_timestamp`, `rfc3164_timestamp`, `mysql_timestamp` and
`pgsql_timestamp`. The table has any of these keys; all values are strings but the last four, which are numbers:

    year month day hour min sec period offset_sign  sec_frac time_t offset_hour offset_min

The parts that the grammars are made of are exported too, each a named group: `date_fullyear`, `date_month`,
`date_mabbr`, `date_mfull`, `date_mday`, `date_mday_sp`, `time_hour`, `time_minute`, `time_second`, `time_secfrac`,
`timezone`, `timezone_offset`, `rfc3339_time_numoffset`, `rfc3339_time_offset`, `rfc3339_partial_time`,
`rfc3339_full_date` and `rfc3339_full_time`. All grammars are anchored at the start of the text only.

## Example

    local dt = require "date_time"
    local grammar = dt.build_strftime_grammar("%d/%b/%Y:%H:%M:%S %z")
    local time = grammar:match("10/Feb/2014:08:46:41 -0800")
    local ns = dt.time_to_ns(time)  -- 1392050801000000000
--]=]

local lpeg = require "lpeg"
local os = require "os"
local string = require "string"

local P, R, S, C, Cc, Cg, Ct = lpeg.P, lpeg.R, lpeg.S, lpeg.C, lpeg.Cc, lpeg.Cg, lpeg.Ct

lpeg.locale(lpeg)
local alpha, digit, space = lpeg.alpha, lpeg.digit, lpeg.space

local M = {}

local NS_PER_SECOND = 1e9
local HALF_A_YEAR = 182.5 * 24 * 60 * 60 -- seconds

local digit2 = digit * digit
local digit4 = digit2 * digit2

local function group(pattern, name)
    return Cg(C(pattern), name)
end

--- A choice among names that gives the two-digit number of the one found.
local function numbered(names)
    local choice = P(false)
    for number, name in ipairs(names) do
        choice = choice + P(name) / string.format("%02d", number)
    end
    return choice
end

local function any_of(names)
    local choice = P(false)
    for _, name in ipairs(names) do
        choice = choice + P(name)
    end
    return choice
end

--[[ Dates --]]

local MONTHS = {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December"}
local MONTHS_SHORT = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}
local DAYS = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}
local DAYS_SHORT = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}

local one_to_31 = P"0" * R"19" + R"12" * digit + P"3" * R"01"

M.date_fullyear = group(digit4, "year")
M.date_month = group(P"0" * R"19" + P"1" * R"02", "month")
M.date_mabbr = Cg(numbered(MONTHS_SHORT), "month")
M.date_mfull = Cg(numbered(MONTHS), "month")
M.date_mday = group(one_to_31, "day")
M.date_mday_sp = Cg(P" " * C(R"19") + C(one_to_31), "day")

-- A year of two digits belongs to 1969 to 2068, as POSIX has it.
local short_year = Cg((P"69" + R"79" * digit) / "19%0" + digit2 / "20%0", "year")

--[[ Times of day --]]

local zero_to_23 = R"01" * digit + P"2" * R"03"
local zero_to_59 = R"05" * digit

M.time_hour = group(zero_to_23, "hour")
M.time_minute = group(zero_to_59, "min")
M.time_second = group(zero_to_59 + P"60", "sec") -- 60 is a leap second
M.time_secfrac = Cg(P"." * digit ^ 1 / tonumber, "sec_frac")

local hour_sp = Cg(P" " * C(digit) + C(zero_to_23), "hour")
local zero_to_12 = P"0" * digit + P"1" * R"02"
local hour12 = group(zero_to_12, "hour")
local hour12_sp = Cg(P" " * C(digit) + C(zero_to_12), "hour")
local second61 = group(zero_to_59 + P"6" * S"01", "sec")
local period = Cg(P"AM" / "AM" + P"PM" / "PM" + P"am" / "AM" + P"pm" / "PM", "period")

--[[ Zones --]]

local offset_sign = group(S"+-", "offset_sign")
local offset_hour = Cg(zero_to_23 / tonumber, "offset_hour")
local offset_min = Cg(zero_to_59 / tonumber, "offset_min")

--- Matches `pattern` and captures a fixed offset of whole hours.
local function fixed_offset(pattern, sign, hours)
    return P(pattern) * Cg(Cc(sign), "offset_sign") * Cg(Cc(hours), "offset_hour") * Cg(Cc(0), "offset_min")
end

local function zone(name, sign, hours)
    return fixed_offset(P(name) * -alpha, sign, hours)
end

M.timezone = zone("UTC", "+", 0)
    + zone("PST", "-", 8) + zone("PDT", "-", 7)
    + zone("MST", "-", 7) + zone("MDT", "-", 6)
    + zone("CST", "-", 6) + zone("CDT", "-", 5)
    + zone("EST", "-", 5) + zone("EDT", "-", 4)
    + fixed_offset(alpha ^ -5, "+", 0)
M.timezone_offset = offset_sign * offset_hour * offset_min

--[[ RFC 3339: 1999-05-05T23:23:59.217-07:00 --]]

M.rfc3339_time_numoffset = offset_sign * offset_hour * ":" * offset_min
M.rfc3339_time_offset = fixed_offset(S"Zz", "+", 0) + M.rfc3339_time_numoffset
M.rfc3339_partial_time = M.time_hour * ":" * M.time_minute * ":" * M.time_second * M.time_secfrac ^ -1
M.rfc3339_full_date = M.date_fullyear * "-" * M.date_month * "-" * M.date_mday
M.rfc3339_full_time = M.rfc3339_partial_time * M.rfc3339_time_offset
M.rfc3339 = Ct(M.rfc3339_full_date * S"Tt " * M.rfc3339_full_time)

--[[ Other complete grammars --]]

local clock = M.time_hour * ":" * M.time_minute * ":" * M.time_second

-- Common log format: 10/Feb/2014:08:46:41 -0800
M.clf_timestamp = Ct(M.date_mday * "/" * M.date_mabbr * "/" * M.date_fullyear * ":" * clock * " " * M.timezone_offset)

-- MySQL: 20140210125858
M.mysql_timestamp = Ct(M.date_fullyear * M.date_month * M.date_mday * M.time_hour * M.time_minute * M.time_second)

-- PostgreSQL: 2014-02-10 12:58:58
M.pgsql_timestamp = Ct(M.rfc3339_full_date * " " * clock)

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
M.rfc3164_timestamp = Ct(M.date_mabbr * P" " ^ 1 * group(digit ^ -2, "day") * P" " ^ 0 * clock) / add_closest_year

--[[ strftime --]]

local day_name = any_of(DAYS)
local day_abbr = any_of(DAYS_SHORT)
local slash_date = M.date_month * "/" * M.date_mday * "/" * short_year

local SPECIFIERS = {
    a = day_abbr,
    A = day_name,
    b = M.date_mabbr,
    B = M.date_mfull,
    c = day_abbr * space * M.date_mabbr * space * M.date_mday_sp * space * clock * space * M.date_fullyear,
    C = digit2,
    d = M.date_mday,
    D = slash_date,
    e = M.date_mday_sp,
    F = M.rfc3339_full_date,
    g = short_year,
    G = M.date_fullyear,
    h = M.date_mabbr,
    H = M.time_hour,
    I = hour12,
    j = digit2 * digit,
    k = hour_sp,
    l = hour12_sp,
    m = M.date_month,
    M = M.time_minute,
    n = P"\n",
    p = period,
    r = hour12 * ":" * M.time_minute * ":" * second61 * space * period,
    R = M.time_hour * ":" * M.time_minute,
    s = Cg(digit ^ 1 / tonumber, "time_t"),
    S = second61,
    t = P"\t",
    T = M.time_hour * ":" * M.time_minute * ":" * second61,
    u = R"17",
    U = digit2,
    V = digit2,
    w = R"06",
    W = digit2,
    x = slash_date,
    X = M.time_hour * ":" * M.time_minute * ":" * second61,
    y = short_year,
    Y = M.date_fullyear,
    z = M.timezone_offset,
    Z = M.timezone,
    ["%"] = P"%",
}

local function specifier(letter)
    local pattern = SPECIFIERS[letter]
    if not pattern then
        error("unknown strftime specifier: " .. letter, 0)
    end
    return pattern
end

local function white_space()
    return space
end

local strftime_format = Ct((
    P"%" * (C(P(1) ^ -1) / specifier)
    + space / white_space
    + C((1 - (P"%" + space)) ^ 1) / P
) ^ 1) * -1

--- The pattern that matches times written with a `strftime` format. White space in the format stands for exactly one
--- character of white space; other text stands for itself.
function M.build_strftime_grammar(format)
    local parts = strftime_format:match(format)
    if not parts then
        error("could not parse the strftime format", 0)
    end
    local whole = P(true)
    for _, part in ipairs(parts) do
        whole = whole * part
    end
    return Ct(whole)
end

--[[ Conversion --]]

--- The seconds to subtract from a local time to get UTC.
local function offset_seconds(time)
    local seconds = (time.offset_hour or 0) * 3600 + (time.offset_min or 0) * 60
    if time.offset_sign == "-" then
        return -seconds
    end
    return seconds
end

--- Turns the hour of a 12-hour clock into one of 24 hours; doing so twice does no harm.
local function apply_period(time)
    local hour = tonumber(time.hour)
    if time.period == "AM" and hour == 12 then
        time.hour = 0
    elseif time.period == "PM" and hour < 12 then
        time.hour = hour + 12
    end
end

--- Nanoseconds since the epoch of a table made by one of the grammars; 0 for nil and for dates out of range.
function M.time_to_ns(time)
    if not time then
        return 0
    end
    if time.time_t then
        return time.time_t * NS_PER_SECOND
    end
    if time.period and time.hour then
        apply_period(time)
    end
    local seconds = os.time(time)
    if not seconds then
        return 0
    end
    if time.offset_sign then
        seconds = seconds - offset_seconds(time)
    end
    local ns = seconds * NS_PER_SECOND
    if time.sec_frac then
        ns = ns + time.sec_frac * NS_PER_SECOND
    end
    return ns
end

--- Nanoseconds of a number of seconds written as text.
function M.seconds_to_ns(text)
    return tonumber(text) * NS_PER_SECOND
end

--- Converts texts and remembers the last one, as the host's function of this name does, which is faster.
local function date_to_ns_in_lua(grammar, convert)
    local last_text, last_ns

    return function(text)
        if text ~= last_text then
            last_ns = convert(grammar:match(text))
            last_text = text
        end
        return last_ns
    end
end

local date_to_ns = date_to_ns or date_to_ns_in_lua

--- A pattern for the text of `grammar` (which captures one table) whose capture is the nanoseconds. It remembers the
--- last text: lines that follow each other mostly bear the same time, and then nothing is parsed twice.
function M.as_ns(grammar)
    return (grammar / 0) / date_to_ns(grammar, M.time_to_ns)
end

return M
