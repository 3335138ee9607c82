--[=[
# influx_batch.lua

Writes the fields of messages as lines for InfluxDB 0.9 and later, many messages in one payload.

## Configuration

| key | default | meaning |
|---|---|---|
| `decimal_precision` | `6` | decimals of numbers |
| `flush_count` | 0 | emit after that many messages; 0 for at ticks only |
| `name_prefix` | none | comes before the names; placeholders are replaced as the module `msg_interpolate` does |
| `name_prefix_delimiter` | none | comes between prefix and name |
| `skip_fields` | none | names of fields to leave out, separated by white space |
| `source_value_field` | none | write this field alone, called by the prefix alone |
| `tag_fields` | `**all_base**` | headers and fields to write as tags; `**all**` for all of them |
| `timestamp_precision` | `ms` | `s`, `m`, `h` or `ms` |
| `value_field_key` | `value` | name of the value |

## Output

At every tick, and after `flush_count` messages, a payload of type `txt` called `influx_line`, unless there is nothing
to write. Mind the `output_limit`.

## Example

    [LoadAvgBatch]
    type = "SandboxFilter"
    filename = "lua_filters/influx_batch.lua"
    ticker_interval = 5
    message_matcher = "Type == 'stats.loadavg'"

        [LoadAvgBatch.config]
        flush_count = 100
        tag_fields = "Hostname"
        timestamp_precision = "s"

    [influx]
    type = "HttpOutput"
    message_matcher = "Fields[payload_name] == 'influx_line'"
    address = "http://influxdb.example.com:8086/write?db=stats&precision=s"
    encoder = "PayloadEncoder"

emits

    5MinAvg,Hostname=web1 value=0.110000 1434932024
    1MinAvg,Hostname=web1 value=0.120000 1434932024
--]=]

local graph = require "graph"
local ts_line_protocol = require "ts_line_protocol"

local flush_count = graph.read_number("flush_count", 0)
local config = ts_line_protocol.set_config({
    decimal_precision = read_config("decimal_precision"),
    name_prefix = read_config("name_prefix"),
    name_prefix_delimiter = read_config("name_prefix_delimiter"),
    skip_fields_str = read_config("skip_fields"),
    source_value_field = read_config("source_value_field"),
    tag_fields_str = read_config("tag_fields"),
    timestamp_precision = read_config("timestamp_precision"),
    value_field_key = read_config("value_field_key"),
})

local message_count = 0

local function flush()
    message_count = 0
    inject_payload("txt", "influx_line")
end

function process_message()
    for _, line in ipairs(ts_line_protocol.influxdb_line_msg(config)) do
        add_to_payload(line, "\n")
    end
    message_count = message_count + 1
    if flush_count > 0 and message_count >= flush_count then
        flush()
    end
    return 0
end

function timer_event()
    flush()
end
