local check = require "check"
local graphite = require "graphite"

check.equal(graphite.ns_to_sec(1999999999), 1)
check.equal(graphite.count_rate("B", 20, 10, 5), "stats.counters.B.count 20 5\nstats.counters.B.rate 2.000000 5\n")
check.equal(graphite.multi_counts_rates({B = 20}, 10, 5), graphite.count_rate("B", 20, 10, 5))
check.equal(graphite.multi_counts_rates({}, 10, 5), "")

local times = {15, 0, 45, 30}
check.equal(graphite.timeseries_metrics("t", times, 10, 90, 5), [[
stats.timers.t.count 4 5
stats.timers.t.count_ps 0.400000 5
stats.timers.t.lower 0.000000 5
stats.timers.t.upper 45.000000 5
stats.timers.t.sum 90.000000 5
stats.timers.t.mean 22.500000 5
stats.timers.t.mean_90 22.500000 5
stats.timers.t.upper_90 45.000000 5
]])
check.equal(times, {0, 15, 30, 45}, "sorted in place")

local many = {}
for i = 1, 10 do
    many[i] = i
end
check.equal(graphite.multi_timeseries_metrics({t = many}, 10, 90, 5), [[
stats.timers.t.count 10 5
stats.timers.t.count_ps 1.000000 5
stats.timers.t.lower 1.000000 5
stats.timers.t.upper 10.000000 5
stats.timers.t.sum 55.000000 5
stats.timers.t.mean 5.500000 5
stats.timers.t.mean_90 5.000000 5
stats.timers.t.upper_90 9.000000 5
]])
check.equal(graphite.timeseries_metrics("t", {7}, 10, 10, 5), [[
stats.timers.t.count 1 5
stats.timers.t.count_ps 0.100000 5
stats.timers.t.lower 7.000000 5
stats.timers.t.upper 7.000000 5
stats.timers.t.sum 7.000000 5
stats.timers.t.mean 7.000000 5
stats.timers.t.mean_10 7.000000 5
stats.timers.t.upper_10 7.000000 5
]])
check.equal(graphite.timeseries_metrics("t", {}, 10, 90, 5), [[
stats.timers.t.count 0 5
stats.timers.t.count_ps 0.000000 5
stats.timers.t.lower 0.000000 5
stats.timers.t.upper 0.000000 5
stats.timers.t.sum 0.000000 5
stats.timers.t.mean 0.000000 5
stats.timers.t.mean_90 0.000000 5
stats.timers.t.upper_90 0.000000 5
]])
