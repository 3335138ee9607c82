--[=[
# schema_carbon_line.lua

Writes the numeric fields of messages as lines for Graphite's Carbon: `name value seconds`.

## Configuration

| key | default | meaning |
|---|---|---|
| `name_prefix` | none | comes before the names; placeholders are replaced as the module `msg_interpolate` does |
| `name_prefix_delimiter` | `.` | comes between prefix and name |
| `skip_fields` | none | names of fields to leave out, separated by white space |
| `source_value_field` | none | write this field alone, called by the prefix alone |
| `plain_array_index` | `false` | append `_vidx_2` alone to the name of the third value of a field, not `_vidx_1_vidx_2` |

In names all characters but letters and digits become `_`, and the options mean names written that way.

## Example

    [LinuxStatsEncoder]
    type = "SandboxEncoder"
    filename = "lua_encoders/schema_carbon_line.lua"

        [LinuxStatsEncoder.config]
        name_prefix = "%{Environment}.%{Hostname}.%{Type}"
        skip_fields = "FilePath NumProcesses Environment TickerInterval"

    [carbon]
    type = "TcpOutput"
    message_matcher = "Type =~ /stats.*/"
    address = "carbon.example.com:2003"
    encoder = "LinuxStatsEncoder"

writes

    dev.myhost.stats.loadavg.1MinAvg 0.12 1434932023
    dev.myhost.stats.loadavg.15MinAvg 0.18 1434932023
    dev.myhost.stats.loadavg.5MinAvg 0.11 1434932023
--]=]

local table = require "table"
local ts_line_protocol = require "ts_line_protocol"

local config = ts_line_protocol.set_config({
    carbon_format = true,
    name_prefix = read_config("name_prefix"),
    name_prefix_delimiter = read_config("name_prefix_delimiter") or ".",
    skip_fields_str = read_config("skip_fields"),
    source_value_field = read_config("source_value_field"),
    timestamp_precision = "s",
    plain_array_index = read_config("plain_array_index"),
})

function process_message()
    local lines = ts_line_protocol.carbon_line_msg(config)
    inject_payload("txt", "carbon_line", table.concat(lines, "\n"), "\n")
    return 0
end
