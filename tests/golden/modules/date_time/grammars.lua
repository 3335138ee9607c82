local check = require "check"
local dt = require "date_time"

local function ns(grammar, text)
    return dt.time_to_ns(grammar:match(text))
end

check.equal(dt.rfc3339:match("1999-05-05T23:23:59.217-07:00"), {
    year = "1999", month = "05", day = "05", hour = "23", min = "23", sec = "59", sec_frac = 0.217,
    offset_sign = "-", offset_hour = 7, offset_min = 0,
})

local cases = {
    {dt.rfc3339, "1999-05-05T23:23:59.217-07:00", 925971839217000000},
    {dt.rfc3339, "1970-01-01T00:00:01Z", 1e9},
    {dt.rfc3339, "1970-01-01T01:30:00+01:30", 0},
    {dt.clf_timestamp, "10/Feb/2014:08:46:41 -0800", 1392050801000000000},
    {dt.mysql_timestamp, "20140210125858", 1392037138000000000},
    {dt.pgsql_timestamp, "2014-02-10 12:58:58", 1392037138000000000},
}
for _, case in ipairs(cases) do
    check.equal(ns(case[1], case[2]), case[3], case[2])
end

for _, text in ipairs{"1999-13-05T23:23:59Z", "1999-05-32T23:23:59Z", "1999-05-05T24:00:00Z", "1999-05-05", ""} do
    check.equal(dt.rfc3339:match(text), nil, text)
end

check.equal(dt.time_to_ns(nil), 0)
check.equal(dt.seconds_to_ns("1.5"), 1.5e9)
