--[=[
# field_util

Helps encoders with the options that name headers and fields of messages.

| name | meaning |
|---|---|
| `field_map(text)` | the names in a text as a set, whether it means all headers, and whether it means all fields |
| `used_base_fields(skip)` | an array of the names of headers that are in the set `skip` |
| `message_timestamp(precision)` | the time of the current message in `s`, `m`, `h` or, by default, milliseconds |
| `base_fields_list` | a set of the headers that encoders write |
| `base_fields_tag_list` | a set of the headers that make good tags |

Names are separated by white space. `**all_base**` stands for all headers of `base_fields_list`, `**all**` for those and
all fields. No text means all headers, too.

## Example

    local field_util = require "field_util"
    local names, all_base, all = field_util.field_map("**all_base** FilePath")
    -- names.Hostname and names.FilePath and all_base and not all
--]=]

local math = require "math"
local string = require "string"

local M = {}

M.base_fields_list = {
    EnvVersion = true, Hostname = true, Logger = true, Payload = true, Pid = true, Severity = true, Type = true,
}
M.base_fields_tag_list = {Hostname = true, Logger = true, Severity = true, Type = true}

local NS_PER_UNIT = {s = 1e9, m = 60 * 1e9, h = 60 * 60 * 1e9}
local NS_PER_MS = 1e6

local function add_base_fields(names)
    for name in pairs(M.base_fields_list) do
        names[name] = true
    end
end

function M.field_map(text)
    local names = {}
    if text == nil or text == "" then
        add_base_fields(names)
        return names, true, false
    end
    for name in string.gmatch(text, "%S+") do
        names[name] = true
    end
    local all = names["**all**"] or false
    local all_base = all or names["**all_base**"] or false
    if all_base then
        add_base_fields(names)
    end
    return names, all_base, all
end

function M.used_base_fields(skip)
    local used = {}
    for name in pairs(skip or {}) do
        if M.base_fields_list[name] then
            used[#used + 1] = name
        end
    end
    return used
end

function M.message_timestamp(precision)
    return math.floor(read_message("Timestamp") / (NS_PER_UNIT[precision] or NS_PER_MS))
end

return M
