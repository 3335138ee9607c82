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
`rfc3339_full_date` and `rfc3339_full_time`. All grammars are anchored at the start of the text only. They are
made when they are first asked for; `pairs` does not meet them before.

## Example

    local dt = require "date_time"
    local grammar = dt.build_strftime_grammar("%d/%b/%Y:%H:%M:%S %z")
    local time = grammar:match("10/Feb/2014:08:46:41 -0800")
    local ns = dt.time_to_ns(time)  -- 1392050801000000000
--]=]

local lazy = require "lazy"
local lpeg = require "lpeg"
local os = require "os"
require "string"

lpeg.locale(lpeg)

local M = {}

lazy.entries(M, {build_strftime_grammar = "date_time_strftime"}, "date_time_grammars")

local NS_PER_SECOND = 1e9

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
