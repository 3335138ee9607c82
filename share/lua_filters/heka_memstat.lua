--[=[
# heka_memstat.lua

Graphs the daemon's use of memory from its own reports of the type `heka.memstat`.

## Configuration

| key | default | meaning |
|---|---|---|
| `rows` | 1440 | rows of the graph |
| `sec_per_row` | 60 | seconds of each row |
| `anomaly_config` | none | anomalies to look for; see the module `anomaly` |
| `preservation_version` | 0 | raise it when `rows` or `sec_per_row` change and the data is preserved |

## Output

At every tick a payload of type `cbuf` called `Stats` with the greatest values of each row. A field that a message lacks
leaves its column alone.

## Example

    [HekaMemstat]
    type = "SandboxFilter"
    filename = "lua_filters/heka_memstat.lua"
    ticker_interval = 60
    preserve_data = true
    message_matcher = "Type == 'heka.memstat'"

emits

    {"time":0,"rows":1440,"columns":6,"seconds_per_row":60,"column_info":[{"name":"HeapSys","unit":"B","aggregation":"max"}, …
    …
    100	50	nan	nan	nan	7
--]=]

local field_graph = require "field_graph"

process_message, timer_event = field_graph.new("Stats", {
    {name = "HeapSys", unit = "B"},
    {name = "HeapAlloc", unit = "B"},
    {name = "HeapIdle", unit = "B"},
    {name = "HeapInuse", unit = "B"},
    {name = "HeapReleased", unit = "B"},
    {name = "HeapObjects", unit = "count"},
}, {optional = true})
