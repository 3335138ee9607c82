--[[
# util

Small helpers for tables.

| function | result |
|---|---|
| `table_to_fields(t, fields, parent, separator, max_depth)` | flattens nested tables into `fields` |
| `behead_array(idx, array)` | drops the elements before `idx` |

Only the first two arguments of `table_to_fields` are required. It joins the keys of nested tables with `separator` (default `.`) below the prefix `parent`; positions of
arrays become decimal numbers. JSON nulls and empty tables leave nothing behind. Tables nested `max_depth` levels deep are
not flattened but stored as JSON text.

## Example

    local util = require "util"
    local fields = {}
    util.table_to_fields({msg = "m", extra = {list = {1, 2}}}, fields)
    -- fields["msg"] == "m", fields["extra.list.1"] == 1, fields["extra.list.2"] == 2
--]]

local cjson = require "cjson"
local string = require "string"

local M = {}

--- The number of times that the plain text `part` occurs in `text`.
local function occurrences(text, part)
    local count, position = 0, 1
    while true do
        local _, last = string.find(text, part, position, true)
        if not last then
            return count
        end
        count = count + 1
        position = last + 1
    end
end

local function flatten(t, fields, prefix, separator, max_depth, depth)
    for key, value in pairs(t) do
        local name = prefix and prefix .. separator .. key or tostring(key)
        local kind = type(value)
        if kind == "table" then
            if max_depth and depth >= max_depth then
                fields[name] = cjson.encode(value)
            else
                flatten(value, fields, name, separator, max_depth, depth + 1)
            end
        elseif kind ~= "userdata" then -- a JSON null is a light userdata
            fields[name] = value
        end
    end
end

--- Flattens the nested tables of `t` into `fields`.
function M.table_to_fields(t, fields, parent, separator, max_depth)
    separator = separator or "."
    local depth = 1
    if parent then
        depth = 2
        if separator ~= "" then
            depth = depth + occurrences(parent, separator)
        end
    end
    flatten(t, fields, parent, separator, max_depth, depth)
end

--- Drops the elements before `idx` by shifting the others to the front.
function M.behead_array(idx, array)
    if idx <= 1 then
        return
    end
    local length = #array
    local shift = idx - 1
    for i = idx, length do
        array[i - shift] = array[i]
    end
    local first_dropped = length - shift + 1
    if first_dropped < 1 then
        first_dropped = 1
    end
    for i = first_dropped, length do
        array[i] = nil
    end
end

return M
