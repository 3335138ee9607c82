-- Every part of a time that grammars are made of: what it takes, and where it ends.
local lpeg = require "lpeg"
local check = require "check"
local dt = require "date_time"

local function taken(grammar, text)
    return lpeg.Ct(grammar * lpeg.Cg(lpeg.Cp(), "behind")):match(text)
end

for _, case in ipairs{
    {dt.date_fullyear, "2014x", {year = "2014", behind = 5}}, {dt.date_fullyear, "201", nil},
    {dt.date_month, "12", {month = "12", behind = 3}}, {dt.date_month, "13", nil}, {dt.date_month, "00", nil},
    {dt.date_mabbr, "Feb", {month = "02", behind = 4}}, {dt.date_mabbr, "Foo", nil},
    {dt.date_mfull, "February", {month = "02", behind = 9}}, {dt.date_mfull, "Feb", nil},
    {dt.date_mday, "31", {day = "31", behind = 3}}, {dt.date_mday, "32", nil},
    {dt.date_mday_sp, " 5", {day = "5", behind = 3}}, {dt.date_mday_sp, "15", {day = "15", behind = 3}},
    {dt.time_hour, "23", {hour = "23", behind = 3}}, {dt.time_hour, "24", nil},
    {dt.time_minute, "59", {min = "59", behind = 3}}, {dt.time_minute, "60", nil},
    {dt.time_second, "60", {sec = "60", behind = 3}}, {dt.time_second, "61", nil},
    {dt.time_secfrac, ".25", {sec_frac = 0.25, behind = 4}}, {dt.time_secfrac, "25", nil},
    {dt.rfc3339_time_numoffset, "-07:30", {offset_sign = "-", offset_hour = 7, offset_min = 30, behind = 7}},
    {dt.rfc3339_full_date, "2014-02-10", {year = "2014", month = "02", day = "10", behind = 11}},
    {dt.rfc3339_partial_time, "12:58:59.5", {hour = "12", min = "58", sec = "59", sec_frac = 0.5, behind = 11}},
    {dt.timezone_offset, "+0130", {offset_sign = "+", offset_hour = 1, offset_min = 30, behind = 6}},
} do
    check.equal(taken(case[1], case[2]), case[3], case[2])
end

-- What an offset means: both forms of zones, and names.
local function ns(grammar, text)
    return dt.time_to_ns(lpeg.Ct(dt.rfc3339_full_date * "T" * grammar):match("1970-01-02T" .. text))
end
check.equal(ns(dt.rfc3339_full_time, "00:00:00Z"), 86400e9)
check.equal(ns(dt.rfc3339_full_time, "00:00:00+01:00"), 82800e9)
check.equal(ns(dt.rfc3339_partial_time * dt.rfc3339_time_offset, "00:00:00-01:00"), 90000e9)
for name, hours in pairs{UTC = 0, PST = -8, PDT = -7, MST = -7, MDT = -6, CST = -6, CDT = -5, EST = -5, EDT = -4, XYZ = 0} do
    check.equal(ns(dt.rfc3339_partial_time * " " * dt.timezone, "12:00:00 " .. name), (86400 + 43200 - hours * 3600) * 1e9, name)
end
