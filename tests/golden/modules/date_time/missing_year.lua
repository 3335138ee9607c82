-- RFC 3164 has no year: the one is taken that brings the time closest to now.
local check = require "check"
local os = require "os"

local time = os.time
local date = os.date
local now
os.time = function(t) return t and time(t) or now end
os.date = function(format, t) return date(format, t or now) end

local dt = require "date_time"

local function year(text)
    return dt.rfc3164_timestamp:match(text).year
end

now = time{year = 2015, month = 1, day = 2}
check.equal(year("Dec 31 23:59:58"), "2014", "December read in January")
check.equal(year("Jan  3 00:00:00"), "2015", "tomorrow")

now = time{year = 2014, month = 12, day = 30}
check.equal(year("Jan  1 00:00:00"), "2015", "January read in December")
check.equal(year("Jul 10 00:00:00"), "2014", "July read in December")

check.equal(dt.rfc3164_timestamp:match("Feb 10 12:58:58"), {
    year = "2015", month = "02", day = "10", hour = "12", min = "58", sec = "58",
})
