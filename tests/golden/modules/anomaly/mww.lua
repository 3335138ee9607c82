require "circular_buffer"
local check = require "check"
local anomaly = require "anomaly"

--- 220 rows with a value for each of the seconds 300 to 520.
local function filled(value)
    local cb = circular_buffer.new(220, 1, 1)
    for t = 300, 520 do
        cb:set(t * 1e9, 1, value(t))
    end
    return cb
end

local function rising()
    return filled(function(t) return t end)
end

local function falling()
    return filled(function(t) return 1000 - t end)
end

local function detect(ns, cb, call)
    return (anomaly.detect(ns, "Output1", cb, anomaly.parse_config(call)))
end

local prefix = "Output1 - algorithm: mww col: 1 msg: detected anomaly"
local cases = {
    {falling, "decreasing", prefix .. ", decreasing values"},
    {falling, "increasing", nil},
    {falling, "any", prefix},
    {rising, "increasing", prefix .. ", increasing values"},
    {rising, "decreasing", nil},
    {rising, "any", prefix},
}
for _, case in ipairs(cases) do
    check.equal(detect(521e9, case[1](), 'mww("Output1", 1, 20, 10, 0.0001, ' .. case[2] .. ")"), case[3], case[2])
end

-- Of ten windows eight are compared with the last one at such small times, and the sum is divided by nine.
check.equal(detect(520e9, rising(), 'mww_nonparametric("Output1", 1, 20, 10, 0.6)'),
    "Output1 - algorithm: mww_nonparametric col: 1 msg: detected anomaly, pstat: 0.944444")
check.equal(detect(520e9, rising(), 'mww_nonparametric("Output1", 1, 20, 10, 0.95)'), nil)
check.equal(detect(520e9, falling(), 'mww_nonparametric("Output1", 1, 20, 10, 0.06)'),
    "Output1 - algorithm: mww_nonparametric col: 1 msg: detected anomaly, pstat: 0.0555556")
check.equal(detect(520e9, falling(), 'mww_nonparametric("Output1", 1, 20, 10, 0.5)'), nil, "0.5 never triggers")

check.equal(detect(520e9, circular_buffer.new(220, 1, 1), 'mww("Output1", 1, 20, 10, 0.0001, any)'), nil, "no data")

local small = circular_buffer.new(200, 1, 1)
for _, algorithm in ipairs{"mww", "mww_nonparametric"} do
    check.fails("Output1 - algorithm: " .. algorithm .. " col: 1 msg: arguments out of range", detect, 520e9, small,
        algorithm .. '("Output1", 1, 20, 10, 0.1' .. (algorithm == "mww" and ", any)" or ")"))
end
