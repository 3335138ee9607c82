--[=[
# sfl4j

`logevent_grammar` parses log events of Java's SLF4J as Logback and Dropwizard write them. It captures a table with
`severity` (a number), `timestamp` (nanoseconds; the text is taken as UTC), `class`, `message` and `stacktrace`, the
lines after the first one.

## Example

    ERROR [2014-11-21 16:35:59,501] com.example.Queue: failed
      at com.example.Queue.take(Queue.java:7)

gives severity 3, timestamp 1416587759501000000, class `com.example.Queue`, message `failed`.
--]=]

local date_time = require "date_time"
local lpeg = require "lpeg"

local P, C, Cc, Cg, Ct = lpeg.P, lpeg.C, lpeg.Cc, lpeg.Cg, lpeg.Ct

lpeg.locale(lpeg)
local digit, space = lpeg.digit, lpeg.space

local M = {}

local function level(upper, lower, severity)
    return (P(upper) + lower) * Cc(severity)
end

local severity = level("TRACE", "trace", 7) + level("DEBUG", "debug", 7) + level("INFO", "info", 6)
    + level("WARN", "warn", 4) + level("ERROR", "error", 3) + level("FATAL", "fatal", 0)

local function milliseconds(text)
    return tonumber(text) / 1000
end

local time_of_day = date_time.time_hour * ":" * date_time.time_minute * ":" * date_time.time_second
local fraction = P"," * Cg(digit * digit * digit / milliseconds, "sec_frac")
local timestamp = date_time.as_ns(Ct(date_time.rfc3339_full_date * " " * time_of_day * fraction))

M.logevent_grammar = Ct(
    Cg(severity, "severity") * P" " ^ 1
    * "[" * Cg(timestamp, "timestamp") * "] "
    * Cg(C((1 - (P":" + space)) ^ 1), "class") * ": "
    * Cg(C((1 - P"\n") ^ 0), "message") * P"\n" ^ -1
    * Cg(C(P(1) ^ 0), "stacktrace")
)

return M
