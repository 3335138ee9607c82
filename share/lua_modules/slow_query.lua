--[=[
# slow_query

What the decoders of slow query logs have in common.

| function | result |
|---|---|
| `decoder(grammar, type)` | the `process_message` of a decoder for records that match a grammar of the module `mysql` |

It reads the option `truncate_sql`; see `lua_decoders/mysql_slow_query.lua`.
--]=]

local string = require "string"

local M = {}

--- Cuts a statement off behind `length` bytes.
local function cutter(length)
    return function(sql)
        return {Payload = #sql > length and string.sub(sql, 1, length) .. "..." or sql}
    end
end

--- The `process_message` of a decoder for records that match `grammar`; its messages have the type `message_type`.
function M.decoder(grammar, message_type)
    local truncate_sql = tonumber(read_config("truncate_sql"))

    local template = {Type = message_type}
    local places = {
        Timestamp = "Timestamp",
        Hostname = "Hostname",
        Payload = truncate_sql and cutter(truncate_sql) or "Payload",
        Fields = "Fields",
    }

    return match_decoder(grammar, template, places)
end

return M
