--[=[
# loadavg.lua

Graphs the load of a system that the decoder `linux_loadavg.lua` reads.

## Configuration

| key | default | meaning |
|---|---|---|
| `rows` | 1440 | rows of the graph |
| `sec_per_row` | 60 | seconds of each row |
| `anomaly_config` | none | anomalies to look for; see the module `anomaly` |
| `preservation_version` | 0 | raise it when `rows` or `sec_per_row` change and the data is preserved |

## Output

At every tick a payload of type `cbuf` called `LoadAvg Stats` with the greatest values of each row. A message fails at
the first number that is missing; those before it count.

## Example

    [LoadAvgFilter]
    type = "SandboxFilter"
    filename = "lua_filters/loadavg.lua"
    ticker_interval = 60
    preserve_data = true
    message_matcher = "Type == 'stats.loadavg'"

emits

    {"time":0,"rows":1440,"columns":4,"seconds_per_row":60,"column_info":[{"name":"1MinAvg","unit":"Count","aggregation":"max"}, …
    …
    0.08	0.04	0.02	5
--]=]

local field_graph = require "field_graph"

process_message, timer_event = field_graph.new("LoadAvg Stats", {
    {name = "1MinAvg", unit = "Count"},
    {name = "5MinAvg", unit = "Count"},
    {name = "15MinAvg", unit = "Count"},
    {name = "NumProcesses", unit = "Count"},
})
