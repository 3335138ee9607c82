--[=[
# memstats.lua

Graphs the use of memory of a system that the decoder `linux_memstats.lua` reads.

## Configuration

| key | default | meaning |
|---|---|---|
| `rows` | 1440 | rows of the graph |
| `sec_per_row` | 60 | seconds of each row |
| `anomaly_config` | none | anomalies to look for; see the module `anomaly` |
| `preservation_version` | 0 | raise it when `rows` or `sec_per_row` change and the data is preserved |

## Output

At every tick a payload of type `cbuf` called `Memory Stats` with the greatest values of each row. A message fails at
the first number that is missing; those before it count.

## Example

    [MemStatsFilter]
    type = "SandboxFilter"
    filename = "lua_filters/memstats.lua"
    ticker_interval = 60
    preserve_data = true
    message_matcher = "Type == 'stats.memstats'"

emits

    {"time":0,"rows":1440,"columns":9,"seconds_per_row":60,"column_info":[{"name":"MemFree","unit":"Count","aggregation":"max"}, …
    …
    100	100	100	100	100	100	100	40	60
--]=]

local field_graph = require "field_graph"

local function swap_used()
    local total, free = read_message("Fields[SwapTotal]"), read_message("Fields[SwapFree]")
    if type(total) == "number" and type(free) == "number" then
        return total - free
    end
end

process_message, timer_event = field_graph.new("Memory Stats", {
    {name = "MemFree", unit = "Count"},
    {name = "Cached", unit = "Count"},
    {name = "Active", unit = "Count"},
    {name = "Inactive", unit = "Count"},
    {name = "VmallocUsed", unit = "Count"},
    {name = "Shmem", unit = "Count"},
    {name = "SwapCached", unit = "Count"},
    {name = "SwapFree", unit = "Count"},
    {name = "SwapUsed", unit = "Count", value = swap_used},
})
