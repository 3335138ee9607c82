--[=[
# diskstats.lua

Graphs the counters that the decoder `linux_diskstats.lua` makes of a disk.

## Configuration

| key | default | meaning |
|---|---|---|
| `rows` | 1440 | rows of the graphs; each takes as many seconds as the interval of the input |
| `anomaly_config` | none | anomalies to look for; see the module `anomaly` |

## Output

At every tick, once a message has come, two payloads of type `cbuf`: `Time doing IO` with the times as they are counted,
and `Disk Stats` with what the other counters gained from message to message. A message without one of the numbers
fails.

## Example

    [DiskStatsFilter]
    type = "SandboxFilter"
    filename = "lua_filters/diskstats.lua"
    ticker_interval = 60
    preserve_data = true
    message_matcher = "Type == 'stats.diskstats'"

        [DiskStatsFilter.config]
        rows = 1440

emits

    {"time":2,"rows":1440,"columns":6,"seconds_per_row":2,"column_info":[{"name":"WritesCompleted","unit":"per_2_s", …
    nan	nan	nan	nan	nan	nan
    5	10	5	5	5	5
    …
--]=]

require "circular_buffer"
local graph = require "graph"
local anomaly = require "anomaly"
local annotation = require "annotation"

local TIMES = {"TimeWriting", "TimeReading", "TimeDoingIO", "WeightedTimeDoingIO"}
local COUNTERS = {
    "WritesCompleted", "ReadsCompleted", "SectorsWritten", "SectorsRead", "WritesMerged", "ReadsMerged",
}
local TIMES_TITLE, COUNTERS_TITLE = "Time doing IO", "Disk Stats"

local rows = graph.read_number("rows", 1440)
local anomaly_config = anomaly.parse_config(read_config("anomaly_config"))

times = nil         -- the two buffers; their rows are as long as the interval of the first message
counters = nil
previous = nil      -- the counters of the message before

local function new_buffer(names, interval, unit, aggregation)
    local buffer = circular_buffer.new(rows, #names, interval)
    for column, name in ipairs(names) do
        buffer:set_header(column, name, unit, aggregation)
    end
    return buffer
end

local function has_layout(buffer, interval)
    if not buffer then
        return false
    end
    local known_rows, _, known_interval = buffer:get_configuration()
    return known_rows == rows and known_interval == interval
end

--- Creates the buffers when there are none, or none that fit.
local function prepare(interval)
    if has_layout(counters, interval) then
        return
    end
    times = new_buffer(TIMES, interval, "ms", "max")
    counters = new_buffer(COUNTERS, interval, "per_" .. interval .. "_s", "none")
    previous = nil
    if anomaly_config then
        local duration = rows * interval * 1e9
        annotation.set_prune(TIMES_TITLE, duration)
        annotation.set_prune(COUNTERS_TITLE, duration)
    end
end

--- The numbers of the fields `names`; nil if one is missing.
local function read_numbers(names)
    local numbers = {}
    for i, name in ipairs(names) do
        local value = read_message("Fields[" .. name .. "]")
        if type(value) ~= "number" then
            return nil
        end
        numbers[i] = value
    end
    return numbers
end

function process_message()
    local interval = read_message("Fields[TickerInterval]")
    if type(interval) ~= "number" or interval < 1 then
        return -1
    end
    local new_times, new_counters = read_numbers(TIMES), read_numbers(COUNTERS)
    if not new_times or not new_counters then
        return -1
    end
    prepare(interval)

    local ns = read_message("Timestamp")
    for column, value in ipairs(new_times) do
        times:set(ns, column, value)
    end
    if previous then
        for column, value in ipairs(new_counters) do
            counters:set(ns, column, value - previous[column])
        end
    end
    previous = new_counters
    return 0
end

function timer_event(ns)
    if counters then
        graph.emit(ns, TIMES_TITLE, times, anomaly_config)
        graph.emit(ns, COUNTERS_TITLE, counters, anomaly_config)
    end
end
