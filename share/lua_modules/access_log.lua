--[=[
# access_log

What the decoders of access logs have in common.

| function | result |
|---|---|
| `decoder(grammar)` | the `process_message` of a decoder whose lines match a grammar of `common_log_format` |

It is forgotten after use, so `lazy.load` gives it. It reads the options `type`, `payload_keep`, `user_agent_transform`,
`user_agent_keep` and `user_agent_conditional`; see `lua_decoders/nginx_access.lua`.
--]=]

local clf = require "common_log_format"
local lazy = require "lazy"

local M = {}

--- The fields that stand for a user agent: what it tells about browser and system.
local function user_agent_fields(keep, keep_unknown)
    local fields = {}
    local normalize = clf.normalize_user_agent
    return function(user_agent)
        local browser, version, system = normalize(user_agent)
        fields.user_agent_browser = browser
        fields.user_agent_version = version
        fields.user_agent_os = system
        fields.http_user_agent = (keep or keep_unknown and not browser) and user_agent or nil
        return fields
    end
end

--- The `process_message` of a decoder for lines that match `grammar`.
function M.decoder(grammar)
    local payload_keep = read_config("payload_keep")
    local transform = read_config("user_agent_transform")
    local keep = read_config("user_agent_keep")
    local keep_unknown = read_config("user_agent_conditional")

    local template = {Type = read_config("type")}
    local places = {time = "Timestamp", http_user_agent = transform and user_agent_fields(keep, keep_unknown) or nil}

    return match_decoder(grammar, template, places, payload_keep)
end

return lazy.once(M)
