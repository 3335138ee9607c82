--[=[
# statmetric_influx.lua

Writes the statistics of a StatAccumInput, which must emit them as fields, as JSON for the HTTP interface of InfluxDB
before version 0.9.

## Configuration

None.

## Output

A JSON array with an entry for each statistic; each has one point of the time in milliseconds and the value. A message
without a numeric field `timestamp` fails.

## Example

    [StatAccumInput]
    emit_in_fields = true

    [statmetric-influx-encoder]
    type = "SandboxEncoder"
    filename = "lua_encoders/statmetric_influx.lua"

    [influx]
    type = "HttpOutput"
    message_matcher = "Type == 'heka.statmetric'"
    address = "http://influxdb.example.com:8086/db/stats/series"
    encoder = "statmetric-influx-encoder"

writes

    [{"points":[[1408404848000,78271]],"name":"stats.counters.000000.count","columns":["time","value"]}]
--]=]

local cjson = require "cjson"

local BYTES = 1
local COLUMNS = {"time", "value"}

function process_message()
    local timestamp = read_message("Fields[timestamp]")
    if type(timestamp) ~= "number" then
        return -1
    end
    local milliseconds = timestamp * 1000

    local series = {}
    while true do
        local value_type, name, value = read_next_field()
        if not value_type then
            break
        end
        if name ~= "timestamp" and value_type ~= BYTES then
            series[#series + 1] = {name = name, columns = COLUMNS, points = {{milliseconds, value}}}
        end
    end
    inject_payload("json", "influx_message", cjson.encode(series))
    return 0
end
