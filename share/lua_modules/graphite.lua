--[=[
# graphite

Writes lines for Graphite in the naming of statsd: `name value seconds`.

| function | lines |
|---|---|
| `count_rate(bucket, count, interval, now)` | `stats.counters.<bucket>.count` and `.rate` |
| `multi_counts_rates(counts, interval, now)` | the same for each bucket of a table of counts |
| `timeseries_metrics(bucket, times, interval, percent, now)` | `stats.timers.<bucket>.…` of an array of times, which gets sorted |
| `multi_timeseries_metrics(timers, interval, percent, now)` | the same for each bucket of a table of arrays |
| `ns_to_sec(ns)` | whole seconds |

`interval` is the number of seconds that the values come from, `now` the time in seconds. The lines of a timer are
`count`, `count_ps` (per second), `lower`, `upper`, `sum`, `mean`, and `mean_<percent>` and `upper_<percent>` of the
lowest percent.

## Example

    local graphite = require "graphite"
    graphite.count_rate("hits", 20, 10, 5)
    -- stats.counters.hits.count 20 5
    -- stats.counters.hits.rate 2.000000 5
--]=]

local math = require "math"
local string = require "string"
local table = require "table"

local M = {}

function M.ns_to_sec(ns)
    return math.floor(ns / 1e9)
end

function M.count_rate(bucket, count, interval, now)
    return string.format("stats.counters.%s.count %d %d\nstats.counters.%s.rate %f %d\n",
        bucket, count, now, bucket, count / interval, now)
end

--- The lines that `write` makes for each bucket of a table.
local function for_each_bucket(buckets, write)
    local lines = {}
    for bucket, values in pairs(buckets) do
        lines[#lines + 1] = write(bucket, values)
    end
    return table.concat(lines)
end

function M.multi_counts_rates(counts, interval, now)
    return for_each_bucket(counts, function(bucket, count)
        return M.count_rate(bucket, count, interval, now)
    end)
end

local function sum(values, count)
    local total = 0
    for i = 1, count do
        total = total + values[i]
    end
    return total
end

--- How many of `count` sorted values are within the lowest percent; at least one.
local function within_percent(count, percent)
    local beyond = math.floor((100 - percent) / 100 * count + 0.5)
    return math.max(count - beyond, 1)
end

local function statistics(times, percent)
    local count = #times
    if count == 0 then
        return {lower = 0, upper = 0, sum = 0, mean = 0, mean_percent = 0, upper_percent = 0}
    end
    table.sort(times)
    local total = sum(times, count)
    local within = within_percent(count, percent)
    return {
        lower = times[1],
        upper = times[count],
        sum = total,
        mean = total / count,
        mean_percent = sum(times, within) / within,
        upper_percent = times[within],
    }
end

function M.timeseries_metrics(bucket, times, interval, percent, now)
    local found = statistics(times, percent)
    local prefix = "stats.timers." .. bucket .. "."
    local lines = {string.format("%scount %d %d\n", prefix, #times, now)}

    local function add(name, value)
        lines[#lines + 1] = string.format("%s%s %f %d\n", prefix, name, value, now)
    end

    add("count_ps", #times / interval)
    add("lower", found.lower)
    add("upper", found.upper)
    add("sum", found.sum)
    add("mean", found.mean)
    add("mean_" .. percent, found.mean_percent)
    add("upper_" .. percent, found.upper_percent)
    return table.concat(lines)
end

function M.multi_timeseries_metrics(timers, interval, percent, now)
    return for_each_bucket(timers, function(bucket, times)
        return M.timeseries_metrics(bucket, times, interval, percent, now)
    end)
end

return M
