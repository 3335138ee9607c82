--[=[
# stat_graph.lua

Graphs statistics that a StatAccumInput emits as fields of its messages.

## Configuration

| key | default | meaning |
|---|---|---|
| `stats` | required | names of the statistics, separated by spaces |
| `stat_labels` | required | names of the columns, one for each statistic |
| `title` | `Stats` | name of the graph |
| `rows` | 300 | rows of the graph |
| `sec_per_row` | 1 | seconds of each row |
| `stat_aggregation` | `sum` | aggregation of the columns: `sum`, `min`, `max` or `none` |
| `stat_unit` | `count` | unit of the columns |
| `anomaly_config` | none | anomalies to look for; see the module `anomaly` |
| `preservation_version` | 0 | raise it when the rows or columns change and the data is preserved |

## Output

At every tick a payload of type `cbuf` called by the title. Values of one row are added up. A message without a numeric
field `timestamp` fails.

## Example

    [StatAccumInput]
    emit_in_fields = true
    ticker_interval = 1

    [hits]
    type = "SandboxFilter"
    filename = "lua_filters/stat_graph.lua"
    ticker_interval = 10
    preserve_data = true
    message_matcher = "Type == 'heka.statmetric'"

        [hits.config]
        title = "Cache"
        rows = 1440
        sec_per_row = 60
        stats = "stats.counters.hits.count stats.counters.misses.count"
        stat_labels = "hits misses"

emits

    {"time":0,"rows":1440,"columns":2,"seconds_per_row":60,"column_info":[{"name":"hits","unit":"count", …
    nan	nan
    …
    10	2
--]=]

require "circular_buffer"
local graph = require "graph"
local string = require "string"

--- The words of the required option `key`.
local function read_words(key)
    local text = read_config(key)
    if not text then
        error(key .. " configuration must be specified", 0)
    end
    local words = {}
    for word in string.gmatch(text, "%S+") do
        words[#words + 1] = word
    end
    return words
end

local title = read_config("title") or "Stats"
local rows = graph.read_number("rows", 300)
local sec_per_row = graph.read_number("sec_per_row", 1)
local stats = read_words("stats")
local labels = read_words("stat_labels")
if #stats ~= #labels then
    error("stats and stat_labels configuration must have the same number of items", 0)
end
local aggregation = read_config("stat_aggregation") or "sum"
local unit = read_config("stat_unit") or "count"
local anomaly_config = graph.read_anomaly_config(title, rows, sec_per_row)

graph.preserve()
data = circular_buffer.new(rows, #stats, sec_per_row)

local variables = {}
for column, name in ipairs(stats) do
    variables[column] = "Fields[" .. name .. "]"
    data:set_header(column, labels[column], unit, aggregation)
end

function process_message()
    local seconds = read_message("Fields[timestamp]")
    if type(seconds) ~= "number" then
        return -1
    end
    local ns = seconds * 1e9
    for column, variable in ipairs(variables) do
        local value = read_message(variable)
        if type(value) == "number" then
            data:add(ns, column, value)
        end
    end
    return 0
end

function timer_event(ns)
    graph.emit(ns, title, data, anomaly_config)
end
