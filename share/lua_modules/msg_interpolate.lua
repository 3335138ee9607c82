--[=[
# msg_interpolate

Puts values of the current message into a text.

| function | result |
|---|---|
| `interpolate_from_msg(text, seconds)` | the text, and the number of placeholders that it had |

A placeholder `%{key}` stands for the first of these that there is:

1. the header `Type`, `Hostname`, `Pid`, `UUID`, `Logger`, `EnvVersion` or `Severity`; 2. the field called `key`; 3.
`key` as a `strftime` format, for the given time in seconds (default: now), in UTC.

Otherwise it stays as it is.

## Example

    local mi = require "msg_interpolate"
    local index = mi.interpolate_from_msg("%{Logger}-%{%Y.%m.%d}", 1401926400)
    -- mylogger-2014.06.05
--]=]

local os = require "os"
local string = require "string"

local M = {}

local HEADERS = {
    Type = "Type", Hostname = "Hostname", Pid = "Pid", UUID = "Uuid", Logger = "Logger", EnvVersion = "EnvVersion",
    Severity = "Severity",
}

local function header_or_field(key)
    local header = HEADERS[key]
    if header then
        return read_message(header)
    end
    local value = read_message("Fields[" .. key .. "]")
    if type(value) == "boolean" then
        return tostring(value)
    end
    return value
end

--- The time in the given format; nil when `format` is no format, or not a valid one.
local function date(format, seconds)
    if not string.find(format, "%", 1, true) then
        return nil
    end
    local ok, text = pcall(os.date, format, seconds)
    if ok and type(text) == "string" and text ~= format then
        return text
    end
end

--- Replaces the placeholders of a text by values of the current message.
function M.interpolate_from_msg(text, seconds)
    return string.gsub(text, "%%{(.-)}", function(key)
        local value = header_or_field(key)
        if value ~= nil then
            return value
        end
        return date(key, seconds)
    end)
end

return M
