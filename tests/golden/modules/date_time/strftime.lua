local check = require "check"
local dt = require "date_time"

local cases = {
    {"%d/%b/%Y:%H:%M:%S %z", "10/Feb/2014:08:46:41 -0800", 1392050801000000000},
    {"%s", "1392050801", 1392050801000000000},
    {"%a %b %e %T %Y", "Mon Feb 10 16:46:41 2014", 1392050801000000000},
    {"%c", "Mon Feb 10 16:46:41 2014", 1392050801000000000},
    {"%A, %d %B %Y %H:%M", "Monday, 10 February 2014 16:46", 1392050760000000000},
    {"%m/%d/%y %I:%M:%S %p", "02/10/14 04:46:41 PM", 1392050801000000000},
    {"%D %r", "02/10/14 04:46:41 PM", 1392050801000000000},
    {"%D %r", "02/10/14 12:46:41 AM", 1391993201000000000},
    {"%D %T", "01/01/70 00:00:01", 1e9},
    {"%x %X %Z", "02/10/14 08:46:41 PST", 1392050801000000000},
    {"%F %T %Z", "2014-02-10 16:46:41 UTC", 1392050801000000000},
    {"%F %T %Z", "2014-02-10 16:46:41 XYZ", 1392050801000000000},
    {"%F\t%k:%M", "2014-02-10  4:46", 1392007560000000000},
    {"%Y %j%%%n", "2014 041%\n", nil},
}
for _, case in ipairs(cases) do
    local time = dt.build_strftime_grammar(case[1]):match(case[2])
    if not time then
        error(case[1] .. " does not match " .. case[2])
    end
    if case[3] then
        check.equal(dt.time_to_ns(time), case[3], case[1])
    else
        check.equal(time, {year = "2014"}, case[1])
    end
end

-- Two digits of a year: POSIX has 1969 to 2068.
for text, year in pairs{["69"] = "1969", ["99"] = "1999", ["00"] = "2000", ["68"] = "2068"} do
    check.equal(dt.build_strftime_grammar("%y"):match(text), {year = year})
end

check.fails("unknown strftime specifier: E", dt.build_strftime_grammar, "%E")
check.fails("could not parse the strftime format", dt.build_strftime_grammar, "")

-- Without an hour the time is noon, as with os.time.
check.equal(dt.time_to_ns(dt.build_strftime_grammar("%F"):match("1970-01-01")), 12 * 3600 * 1e9)
