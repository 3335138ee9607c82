local check = require "check"
local values = {
    Type = "T", Hostname = "h", Pid = 5, Uuid = "u-u", Severity = 3, EnvVersion = "1", Logger = "", Payload = "p", Timestamp = 0,
    ["Fields[a]"] = "x", ["Fields[b]"] = true, ["Fields[n]"] = 1.5, ["Fields[e]"] = "", ["Fields[f]"] = false,
}
function read_message(variable)
    return values[variable]
end

local interpolate = require("msg_interpolate").interpolate_from_msg

local cases = {
    {"%{Type}-%{Hostname}-%{Pid}-%{UUID}-%{Severity}-%{EnvVersion}", nil, "T-h-5-u-u-3-1", 6},
    {"[%{Logger}]", nil, "[]", 1},
    {"%{a}%{b}%{n}%{f}", nil, "xtrue1.5false", 4},
    {"a%{e}b", nil, "ab", 1},
    {"%{missing}", nil, "%{missing}", 1},
    {"%{%Y-%m-%d}", 0, "1970-01-01", 1},
    {"%{%b %d, %Y}", 512345678.9, "Mar 27, 1986", 1},
    {"%{Payload} %{Timestamp} %{Uuid}", nil, "%{Payload} %{Timestamp} %{Uuid}", 3},
    {"%{%Q}", 0, "%{%Q}", 1}, -- no valid format
    {"%{*t}%{!%Y}", 0, "%{*t}1970", 2},
    {"no placeholder", nil, "no placeholder", 0},
}
for _, case in ipairs(cases) do
    local text, count = interpolate(case[1], case[2])
    check.equal(text, case[3], case[1])
    check.equal(count, case[4], case[1])
end

values.Pid = nil
check.equal((interpolate("%{Pid}")), "%{Pid}", "a header that is not set")
