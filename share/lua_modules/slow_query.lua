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

--- The `process_message` of a decoder for records that match `grammar`; its messages have the type `message_type`.
function M.decoder(grammar, message_type)
    local truncate_sql = tonumber(read_config("truncate_sql"))

    return function()
        local message = grammar:match(read_message("Payload"))
        if not message then
            return -1
        end
        message.Type = message_type
        local sql = message.Payload
        if truncate_sql and #sql > truncate_sql then
            message.Payload = string.sub(sql, 1, truncate_sql) .. "..."
        end
        inject_message(message)
        return 0
    end
end

return M
