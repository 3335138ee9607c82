--[=[
# schema_influx_line.lua

Writes the fields of messages as lines for InfluxDB 0.9 and later.

## Configuration

| key | default | meaning |
|---|---|---|
| `decimal_precision` | `6` | decimals of numbers |
| `name_prefix` | none | comes before the names; placeholders are replaced as the module `msg_interpolate` does |
| `name_prefix_delimiter` | none | comes between prefix and name |
| `skip_fields` | none | names of fields to leave out, separated by white space |
| `source_value_field` | none | write this field alone, called by the prefix alone |
| `tag_fields` | `**all_base**` | headers and fields to write as tags; `**all**` for all of them |
| `timestamp_precision` | `ms` | `s`, `m`, `h` or `ms`; tell the server the same |
| `value_field_key` | `value` | name of the value |
| `plain_array_index` | `false` | append `_vidx_2` alone to the name of the third value of a field, not `_vidx_1_vidx_2` |

## Example

    [LinuxStatsEncoder]
    type = "SandboxEncoder"
    filename = "lua_encoders/schema_influx_line.lua"

        [LinuxStatsEncoder.config]
        skip_fields = "**all_base** FilePath NumProcesses Environment TickerInterval"
        tag_fields = "Hostname Environment"
        timestamp_precision = "s"

    [influx]
    type = "HttpOutput"
    message_matcher = "Type =~ /stats.*/"
    address = "http://influxdb.example.com:8086/write?db=stats&precision=s"
    encoder = "LinuxStatsEncoder"

writes

    5MinAvg,Hostname=myhost,Environment=dev value=0.110000 1434932024
    1MinAvg,Hostname=myhost,Environment=dev value=0.120000 1434932024
--]=]

local table = require "table"
local ts_line_protocol = require "ts_line_protocol"

local config = ts_line_protocol.set_config({
    decimal_precision = read_config("decimal_precision"),
    name_prefix = read_config("name_prefix"),
    name_prefix_delimiter = read_config("name_prefix_delimiter"),
    skip_fields_str = read_config("skip_fields"),
    source_value_field = read_config("source_value_field"),
    tag_fields_str = read_config("tag_fields"),
    timestamp_precision = read_config("timestamp_precision"),
    value_field_key = read_config("value_field_key"),
    plain_array_index = read_config("plain_array_index"),
})

function process_message()
    local lines = ts_line_protocol.influxdb_line_msg(config)
    inject_payload("txt", "influx_line", table.concat(lines, "\n"), "\n")
    return 0
end
