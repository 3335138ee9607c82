--[=[
# mysql_slow_query.lua

Graphs the statistics of slow queries that the decoders `mysql_slow_query.lua` and `mariadb_slow_query.lua` read.

## Configuration

| key | default | meaning |
|---|---|---|
| `rows` | 1440 | rows of the graph |
| `sec_per_row` | 60 | seconds of each row |
| `anomaly_config` | none | anomalies to look for; see the module `anomaly` |
| `preservation_version` | 0 | raise it when `rows` or `sec_per_row` change and the data is preserved |

## Output

At every tick a payload of type `cbuf` called `Statistics` with the means of each row and the number of queries. A
message that lacks one of the numbers fails and does not count.

## Example

    [Sync-1_5-SlowQueries]
    type = "SandboxFilter"
    filename = "lua_filters/mysql_slow_query.lua"
    ticker_interval = 60
    preserve_data = true
    message_matcher = "Logger == 'Sync-1_5-SlowQuery'"

        [Sync-1_5-SlowQueries.config]
        anomaly_config = 'mww_nonparametric("Statistics", 5, 15, 10, 0.8)'

emits

    {"time":0,"rows":1440,"columns":5,"seconds_per_row":60,"column_info":[{"name":"Query_Time","unit":"s","aggregation":"none"}, …
    …
    2	0.375	10	3	2
--]=]

require "circular_buffer"
local graph = require "graph"
local math = require "math"

local TITLE = "Statistics"

local COLUMNS = {
    {name = "Query_Time", unit = "s", variable = "Fields[Query_time]"},
    {name = "Lock_Time", unit = "s", variable = "Fields[Lock_time]"},
    {name = "Rows_Examined", unit = "count", variable = "Fields[Rows_examined]", whole = true},
    {name = "Rows_Sent", unit = "count", variable = "Fields[Rows_sent]", whole = true},
}
local COUNT = #COLUMNS + 1

local rows = graph.read_number("rows", 1440)
local sec_per_row = graph.read_number("sec_per_row", 60)
local anomaly_config = graph.read_anomaly_config(TITLE, rows, sec_per_row)

graph.preserve()
data = circular_buffer.new(rows, COUNT, sec_per_row)
for i, column in ipairs(COLUMNS) do
    data:set_header(i, column.name, column.unit, "none")
end
data:set_header(COUNT, "Count", "count", "sum")

--- The mean of a row after its `count`-th value.
local function add_to_mean(ns, i, value, count)
    local mean = value
    if count > 1 then
        local old = data:get(ns, i)
        mean = old + (value - old) / count
    end
    if COLUMNS[i].whole then
        mean = math.floor(mean)
    end
    data:set(ns, i, mean)
end

local function read_values()
    local values = {}
    for i, column in ipairs(COLUMNS) do
        local value = read_message(column.variable)
        if type(value) ~= "number" then
            return nil
        end
        values[i] = value
    end
    return values
end

function process_message()
    local values = read_values()
    if not values then
        return -1
    end
    local ns = read_message("Timestamp")
    local count = data:add(ns, COUNT, 1)
    if count then -- nil if the graph has moved on
        for i, value in ipairs(values) do
            add_to_mean(ns, i, value, count)
        end
    end
    return 0
end

function timer_event(ns)
    graph.emit(ns, TITLE, data, anomaly_config)
end
