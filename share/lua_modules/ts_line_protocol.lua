--[=[
# ts_line_protocol

Writes the fields of the current message as lines for time series databases: Graphite's Carbon and InfluxDB.

| function | result |
|---|---|
| `set_config(options)` | a configuration for the other functions |
| `carbon_line_msg(config)` | an array of lines `name value seconds`, for the numbers |
| `influxdb_line_msg(config)` | an array of lines `name,tag=value… key=value time`, for all values |

The lines end without a newline. Numbers that are not finite are left out. Options, all of which may be nil or false:

| option | default | meaning |
|---|---|---|
| `carbon_format` | `false` | make names fit for Carbon: all but letters and digits becomes `_` |
| `decimal_precision` | `6` | decimals of numbers, for InfluxDB |
| `name_prefix` | none | comes before the names; placeholders are replaced as the module `msg_interpolate` does |
| `name_prefix_delimiter` | none | comes between prefix and name |
| `skip_fields_str` | none | names of fields to leave out, separated by white space |
| `source_value_field` | none | write this field alone, called by the prefix alone |
| `tag_fields_str` | `**all_base**` | headers and fields to write as tags; `**all**` for all of them |
| `timestamp_precision` | `ms` | `s`, `m`, `h` or `ms` |
| `value_field_key` | `value` | name of the value, for InfluxDB |
| `plain_array_index` | `false` | append `_vidx_2` alone to the name of the third value of a field, not `_vidx_1_vidx_2` |

A second field of the same name gets `_fidx_1`, a third `_fidx_2`. Values of an array after the first get `_vidx_1`,
`_vidx_1_vidx_2`, and so on.

## Example

    local ts = require "ts_line_protocol"
    local config = ts.set_config({name_prefix = "%{Hostname}", name_prefix_delimiter = ".", tag_fields_str = "Type"})
    ts.influxdb_line_msg(config)
    -- {"web1.5MinAvg,Type=stats.loadavg value=0.110000 1434932024000"}
--]=]

local field_util = require "field_util"
local interpolate = require("msg_interpolate").interpolate_from_msg
local math = require "math"
local string = require "string"
local table = require "table"

local M = {}

-- In the order that they are written in.
local TAG_HEADERS = {"Logger", "Type", "Severity", "Hostname"}

--[[ Configuration --------------------------------------------------------------------------------------------------]]

function M.set_config(options)
    local config = {
        carbon_format = options.carbon_format or false,
        name_prefix = options.name_prefix or "",
        name_prefix_delimiter = options.name_prefix_delimiter or "",
        source_value_field = options.source_value_field or nil,
        timestamp_precision = options.timestamp_precision or "ms",
        value_field_key = options.value_field_key or "value",
        plain_array_index = options.plain_array_index or false,
        decimal_format = "%." .. (options.decimal_precision or "6") .. "f",
        skip_fields = {},
    }
    config.interpolated = string.find(config.name_prefix, "%%{[%w%p]-}") ~= nil
    if options.skip_fields_str then
        config.skip_fields = field_util.field_map(options.skip_fields_str)
    end
    local tags = options.tag_fields_str or "**all_base**"
    config.tag_fields, config.all_base_tags, config.all_tags = field_util.field_map(tags)
    return config
end

--[[ Points ---------------------------------------------------------------------------------------------------------]]

--- The dynamic fields of the current message in their order: an array of tables with `name` and `value`, an array.
local function read_fields()
    local raw = read_message("raw")
    return raw and decode_message(raw).Fields or {}
end

local function point_prefix(config)
    if config.interpolated then
        return (interpolate(config.name_prefix))
    end
    return config.name_prefix
end

--- Adds the values of a field to the points; each but the first has its position in its name.
local function add_values(points, name, values, plain_array_index)
    points[name] = values[1]
    local position_name = name
    for i = 2, #values do
        position_name = (plain_array_index and name or position_name) .. "_vidx_" .. (i - 1)
        points[position_name] = values[i]
    end
end

--- The values to write by the names of their points. The order that points are added in decides on the order of the
--- lines.
local function collect_points(config, fields)
    local prefix = point_prefix(config)
    local full_prefix = prefix .. config.name_prefix_delimiter
    local source, skip = config.source_value_field, config.skip_fields
    local points, seen = {}, {}
    for _, field in ipairs(fields) do
        local name = field.name
        if config.carbon_format then
            name = string.gsub(name, "[^%w]", "_")
        end
        if (not source or name == source) and not skip[name] then
            local count = seen[name] or 0
            seen[name] = count + 1
            local point = source and prefix or full_prefix .. name
            if count > 0 then
                point = point .. "_fidx_" .. count
            end
            add_values(points, point, field.value or {}, config.plain_array_index)
        end
    end
    return points
end

local function is_finite(number)
    return number == number and math.abs(number) ~= math.huge
end

--[[ Carbon ---------------------------------------------------------------------------------------------------------]]

--- A finite number without an exponent, which not all of Carbon's readers know.
local function carbon_number(value)
    local text = tostring(value)
    if not string.find(text, "e", 1, true) then
        return text
    elseif value == math.floor(value) then
        return string.format("%.0f", value)
    end
    return (string.gsub(string.format("%.20f", value), "0+$", ""))
end

function M.carbon_line_msg(config)
    local lines = {}
    local time = string.format(" %d", field_util.message_timestamp(config.timestamp_precision))
    for name, value in pairs(collect_points(config, read_fields())) do
        if type(value) == "number" and is_finite(value) then
            lines[#lines + 1] = name .. " " .. carbon_number(value) .. time
        end
    end
    return lines
end

--[[ InfluxDB -------------------------------------------------------------------------------------------------------]]

--- Spaces and commas, which separate, are escaped in names; in tags the sign between key and value, too.
local function escape_name(text)
    return (string.gsub(text, "[ ,]", "\\%0"))
end

local function escape_tag(text)
    return (string.gsub(text, "[ ,=]", "\\%0"))
end

--- Appends a tag; the server accepts no empty ones.
local function add_tag(tags, name, value)
    local text = value ~= nil and tostring(value) or ""
    if text ~= "" then
        tags[#tags + 1] = "," .. escape_tag(name) .. "=" .. escape_tag(text)
    end
end

local function tags_text(config, fields)
    local tags = {}
    for _, header in ipairs(TAG_HEADERS) do
        if config.all_base_tags or config.tag_fields[header] then
            add_tag(tags, header, read_message(header))
        end
    end
    for _, field in ipairs(fields) do
        if config.all_tags or config.tag_fields[field.name] then
            for _, value in ipairs(field.value or {}) do
                add_tag(tags, field.name, value)
            end
        end
    end
    return table.concat(tags)
end

--- The text of a value; nil for numbers that are not finite, which the server does not know.
local function influx_value(value, decimal_format)
    if type(value) == "string" then
        return '"' .. string.gsub(value, '[\\"]', "\\%0") .. '"'
    elseif type(value) ~= "number" then
        return tostring(value)
    elseif is_finite(value) then
        return string.format(decimal_format, value)
    end
end

function M.influxdb_line_msg(config)
    local fields = read_fields()
    local lines = {}
    local tags = tags_text(config, fields) .. " " .. config.value_field_key .. "="
    local time = string.format(" %d", field_util.message_timestamp(config.timestamp_precision))
    for name, value in pairs(collect_points(config, fields)) do
        local text = influx_value(value, config.decimal_format)
        if text then
            lines[#lines + 1] = escape_name(name) .. tags .. text .. time
        end
    end
    return lines
end

return M
