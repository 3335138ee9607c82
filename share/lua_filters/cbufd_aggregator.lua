--[=[
# cbufd_aggregator.lua

Adds up the graphs of several hosts: the changes that filters on these hosts emit as payloads of the type `cbufd` go
into one graph for each name.

## Configuration

| key | default | meaning |
|---|---|---|
| `enable_delta` | `false` | emit the changes of the sum as well, for an aggregator further up |
| `anomaly_config` | none | anomalies to look for; see the module `anomaly` |
| `preservation_version` | 0 | raise it when the filter must start afresh |

## Output

At every tick a payload of type `cbuf` for each name, and one of type `cbufd` with `enable_delta`. A column with the
aggregation `sum` gets the sum, with `min` or `max` the least or greatest value; a column without aggregation stays
empty. A payload that cannot be read fails. The host allows only so many payloads at a tick (`max_timer_inject`).

## Example

    [FxaAuthAggregator]
    type = "SandboxFilter"
    filename = "lua_filters/cbufd_aggregator.lua"
    ticker_interval = 60
    preserve_data = true
    message_matcher = "Logger =~ /^FxaAuth/ && Fields[payload_type] == 'cbufd'"

        [FxaAuthAggregator.config]
        enable_delta = false
        anomaly_config = 'roc("Request Statistics", 1, 15, 0, 1.5, true, false)'

    {"time":0,"rows":10,"columns":1,"seconds_per_row":60,"column_info":[{"name":"Requests","unit":"count","aggregation":"sum"}]}
    60	5

and a second host's `60	1` become

    {"annotations":{}}
    {"time":0,"rows":10,"columns":1,"seconds_per_row":60,"column_info":[{"name":"Requests","unit":"count","aggregation":"sum"}]}
    nan
    6
    …
--]=]

require "circular_buffer"
local alert = require "alert"
local annotation = require "annotation"
local anomaly = require "anomaly"
local changes = require "cbuf_changes"
local graph = require "graph"

local enable_delta = read_config("enable_delta") or false
local anomaly_config = anomaly.parse_config(read_config("anomaly_config"))

graph.preserve()
graphs = {}

--- Creates the graph that a header describes.
local function new_graph(name, header)
    local buffer = circular_buffer.new(header.rows, header.columns, header.seconds_per_row, enable_delta)
    for column, info in ipairs(header.column_info) do
        buffer:set_header(column, info.name, info.unit, info.aggregation)
    end
    annotation.set_prune(name, header.rows * header.seconds_per_row * 1e9)
    return buffer
end

function process_message()
    local rows, header = changes.parse(read_message("Payload"))
    if not rows then
        return -1
    end
    local name = read_message("Fields[payload_name]") or ""
    local buffer = graphs[name]
    if not buffer then
        local ok
        ok, buffer = pcall(new_graph, name, header)
        if not ok then
            return -1
        end
        graphs[name] = buffer
    end
    local _, columns = buffer:get_configuration()
    for _, row in ipairs(rows) do
        for column = 1, columns do
            local _, _, aggregation = buffer:get_header(column)
            changes.apply(buffer, row.time, column, row[column], aggregation)
        end
    end
    return 0
end

--- The line of annotations in front of a graph, after the search for anomalies in it.
local function annotations_of(ns, name, buffer)
    if not anomaly_config then
        return ""
    end
    if not alert.throttled(ns) then
        local message, annotations = anomaly.detect(ns, name, buffer, anomaly_config)
        if message then
            annotation.concat(name, annotations)
            alert.queue(ns, message)
        end
    end
    return annotation.prune(name, ns) or ""
end

function timer_event(ns)
    for name, buffer in pairs(graphs) do
        inject_payload("cbuf", name, annotations_of(ns, name, buffer), buffer:format("cbuf"))
        if enable_delta then
            inject_payload("cbufd", name, buffer:format("cbufd"))
        end
    end
    alert.send_queue(ns)
end
