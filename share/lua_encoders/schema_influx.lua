--[=[
# schema_influx.lua

Writes messages as JSON for the HTTP interface of InfluxDB before version 0.9.

## Configuration

| key | default | meaning |
|---|---|---|
| `series` | `series` | name of the series, with placeholders `%{name}` for `Type`, `Payload`, `Hostname`, `Pid`, `Logger`, `Severity`, `EnvVersion` and fields |
| `skip_fields` | none | names of headers and fields to leave out, separated by white space |
| `multi_series` | `false` | write each field to a series of its own, called `<series>.<field>`, with the column `value` |
| `exclude_base_fields` | `false` | leave out all headers but the time |

## Output

A JSON array with the time in milliseconds and the headers first, then the fields. A field with several values becomes
an array; a second field of the same name gets a 2 behind its name. Fields of bytes, and fields called `Timestamp`, are
left out.

## Example

    [influxdb]
    type = "SandboxEncoder"
    filename = "lua_encoders/schema_influx.lua"

        [influxdb.config]
        series = "heka.%{Logger}"
        skip_fields = "Pid EnvVersion"

    [InfluxOutput]
    type = "HttpOutput"
    message_matcher = "Type == 'influxdb'"
    address = "http://influxdb.example.com:8086/db/heka/series"
    encoder = "influxdb"

writes

    [{"points":[[1409596165123,"influxdb","","web1","app",6,17]],"name":"heka.app",
      "columns":["time","Type","Payload","Hostname","Logger","Severity","duration"]}]
--]=]

local cjson = require "cjson"
local field_util = require "field_util"
local string = require "string"

local BASE_FIELDS = {"Type", "Payload", "Hostname", "Pid", "Logger", "Severity", "EnvVersion"}
local BYTES = 1

local series_template = read_config("series") or "series"
local multi_series = read_config("multi_series")
local skip = {}
local skip_fields = read_config("skip_fields")
if skip_fields and skip_fields ~= "" then
    skip = field_util.field_map(skip_fields)
end

-- The headers to write, in their order.
local headers = {}
if not read_config("exclude_base_fields") then
    for _, name in ipairs(BASE_FIELDS) do
        if not skip[name] then
            headers[#headers + 1] = name
        end
    end
end

local is_header = {}
for _, name in ipairs(BASE_FIELDS) do
    is_header[name] = true
end

--- The series of the current message. Placeholders that stand for nothing stay.
local function series_name()
    return (string.gsub(series_template, "%%{(.-)}", function(key)
        local value = read_message(is_header[key] and key or "Fields[" .. key .. "]")
        if type(value) == "boolean" then
            return tostring(value)
        end
        return value
    end))
end

--- The columns that all points begin with, and their values.
local function header_columns()
    local columns, values = {"time"}, {field_util.message_timestamp("ms")}
    for i, name in ipairs(headers) do
        local value = read_message(name)
        columns[i + 1] = name
        values[i + 1] = value == nil and cjson.null or value
    end
    return columns, values
end

--- The value of a field, an array if it has several.
local function field_value(name, occurrence, first, count)
    if count < 2 then
        return first
    end
    local values = {first}
    for i = 2, count do
        values[i] = read_message("Fields[" .. name .. "]", occurrence - 1, i - 1)
    end
    return values
end

--- Calls `visit(name, value_type, first, occurrence, count)` for the fields to write, with names that are unique.
local function each_field(visit)
    local seen = {}
    while true do
        local value_type, name, first, _, count = read_next_field()
        if not value_type then
            return
        end
        local occurrence = (seen[name] or 0) + 1
        seen[name] = occurrence
        if name ~= "Timestamp" and not skip[name] and first ~= nil then
            visit(name, value_type, first, occurrence, count)
        end
    end
end

local function unique_name(name, occurrence)
    return occurrence > 1 and name .. occurrence or name
end

local function single()
    local columns, values = header_columns()
    each_field(function(name, value_type, first, occurrence, count)
        if value_type ~= BYTES then
            columns[#columns + 1] = unique_name(name, occurrence)
            values[#values + 1] = field_value(name, occurrence, first, count)
        end
    end)
    return {{name = series_name(), columns = columns, points = {values}}}
end

local function multiple()
    local prefix = series_name() .. "."
    local all = {}
    each_field(function(name, _, first, occurrence)
        local columns, values = header_columns()
        columns[#columns + 1] = "value"
        values[#values + 1] = first
        all[#all + 1] = {name = prefix .. unique_name(name, occurrence), columns = columns, points = {values}}
    end)
    return all
end

function process_message()
    inject_payload("json", "influx_message", cjson.encode(multi_series and multiple() or single()))
    return 0
end
