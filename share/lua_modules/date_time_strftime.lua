--[=[
# date_time_strftime

The formats of `strftime`, for `date_time`, which loads them when a format is first asked for.

| function | result |
|---|---|
| `build_strftime_grammar(format)` | a pattern for the `strftime` format; its capture is a table |
--]=]

local date_time = require "date_time"
local lpeg = require "lpeg"
local string = require "string"

local P, R, S, C, Cg, Ct = lpeg.P, lpeg.R, lpeg.S, lpeg.C, lpeg.Cg, lpeg.Ct

local digit, space = lpeg.digit, lpeg.space

local M = {}

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

--- An hour that a blank pads to two characters.
local function padded(hour)
    return Cg(P" " * C(digit) + C(hour), "hour")
end

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
            local clock = date_time.time_hour * ":" * date_time.time_minute * ":" * date_time.time_second
            return date * space * clock * space * date_time.date_fullyear
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
        k = padded(zero_to_23),
        l = padded(zero_to_12),
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

--- The pattern that matches times written with a `strftime` format. The parts are made for each format anew: a script
--- needs them once, and then never again.
function M.build_strftime_grammar(format)
    return Ct(strftime_pattern(strftime_specifiers(), format))
end

return M
