--[=[
# cbuf_changes

What the aggregating filters have in common: reading the changes of circular buffers and applying them to others.

| function | result |
|---|---|
| `parse(text)` | the rows as the module `cbufd` parses them, and the header as a table; nil if either cannot be read |
| `apply(buffer, ns, column, value, aggregation)` | adds a value to a sum, or raises or lowers a maximum or minimum |
--]=]

local cbufd = require "cbufd"
local cjson = require "cjson"

local M = {}

local function is_header(header)
    if type(header) ~= "table" or type(header.rows) ~= "number" or type(header.columns) ~= "number"
        or type(header.seconds_per_row) ~= "number" or type(header.column_info) ~= "table" then
        return false
    end
    for column = 1, header.columns do
        local info = header.column_info[column]
        if type(info) ~= "table" or type(info.name) ~= "string" or type(info.unit) ~= "string"
            or type(info.aggregation) ~= "string" then
            return false
        end
    end
    return true
end

function M.parse(text)
    local rows = cbufd.grammar:match(text)
    if not rows then
        return nil
    end
    local ok, header = pcall(cjson.decode, rows.header)
    if not ok or not is_header(header) then
        return nil
    end
    return rows, header
end

--- Applies a change; nothing is to be done for a value that is missing, or a column without aggregation.
function M.apply(buffer, ns, column, value, aggregation)
    if value == nil or value ~= value then
        return
    elseif aggregation == "sum" then
        buffer:add(ns, column, value)
    elseif aggregation == "min" or aggregation == "max" then
        buffer:set(ns, column, value)
    end
end

return M
