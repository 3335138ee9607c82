--[[
# access_log

What the decoders of access logs have in common.

| function | result |
|---|---|
| `decoder(grammar)` | the `process_message` of a decoder whose lines match a grammar of `common_log_format` |

It reads the options `type`, `payload_keep`, `user_agent_transform`, `user_agent_keep` and `user_agent_conditional`; see
`lua_decoders/nginx_access.lua`.
--]]

local clf = require "common_log_format"

local M = {}

--- Replaces the user agent by what it tells about browser and system.
local function transform_user_agent(fields, keep, keep_unknown)
    local user_agent = fields.http_user_agent
    if not user_agent then
        return
    end
    local browser, version, system = clf.normalize_user_agent(user_agent)
    fields.user_agent_browser = browser
    fields.user_agent_version = version
    fields.user_agent_os = system
    if not keep and not (keep_unknown and not browser) then
        fields.http_user_agent = nil
    end
end

--- The `process_message` of a decoder for lines that match `grammar`.
function M.decoder(grammar)
    local payload_keep = read_config("payload_keep")
    local transform = read_config("user_agent_transform")
    local keep = read_config("user_agent_keep")
    local keep_unknown = read_config("user_agent_conditional")
    local message = {Type = read_config("type")}

    return function()
        local line = read_message("Payload")
        local fields = line and grammar:match(line)
        if not fields then
            return -1
        end
        message.Timestamp = fields.time
        fields.time = nil
        if transform then
            transform_user_agent(fields, keep, keep_unknown)
        end
        if payload_keep then
            message.Payload = line
        end
        message.Fields = fields
        inject_message(message)
        return 0
    end
end

return M
