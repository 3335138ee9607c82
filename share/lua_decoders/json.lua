--[=[
# json.lua

Decodes messages that are one JSON object each. Nested objects and arrays are flattened into fields whose names are the
path to the value; nulls and empty containers vanish.

## Configuration

| key | default | meaning |
|---|---|---|
| `type` | `json` | `Type` of the messages |
| `payload_keep` | `false` | keep the JSON text as `Payload` |
| `map_fields` | `false` | use the following mappings |
| `Payload`, `Uuid`, `Type`, `Logger`, `Hostname` | none | member, a string, that becomes this header |
| `Severity`, `Pid`, `EnvVersion` | none | member, a number, that becomes this header |
| `Timestamp` | none | member with the time; works without `map_fields`, too |
| `timestamp_format` | none | the time's `strftime` format; without it the time is a number of nanoseconds |
| `maximum_depth` | none | containers below that many levels stay JSON text |
| `separator` | `.` | what joins the names of nested members |

A member that is missing or of another type is not mapped: it stays a field, and the header is that of the incoming
message. The member with the time never becomes a field.

## Errors

`Failed to decode JSON.`, `Failed to flatten message.` (the text is no object), `Failed to decode timestamp.`, and
`Failed to inject message.` (the text is an array).

## Example

    [json]
    type = "SandboxDecoder"
    filename = "lua_decoders/json.lua"

        [json.config]
        type = "app.event"
        map_fields = true
        Severity = "level"
        Timestamp = "time"
        timestamp_format = "%Y-%m-%d %H:%M:%S"

    {"time":"2014-05-07 15:12:24","level":3,"msg":"ready","extra":{"list":[1,2]}}

becomes

    :Timestamp: 2014-05-07 15:12:24 +0000 UTC
    :Type: app.event
    :Severity: 3
    :Fields:
        | name:"msg" type:string value:"ready"
        | name:"extra.list.1" type:double value:1
        | name:"extra.list.2" type:double value:2
--]=]

local cjson = require "cjson"
local date_time = require "date_time"
local util = require "util"

local MAPPABLE = {
    Payload = "string", Uuid = "string", Type = "string", Logger = "string", Hostname = "string",
    Severity = "number", Pid = "number", EnvVersion = "number",
}

local default_type = read_config("type") or "json"
local payload_keep = read_config("payload_keep")
local maximum_depth = read_config("maximum_depth")
local separator = read_config("separator")
local timestamp_member = read_config("Timestamp")
local timestamp_format = read_config("timestamp_format")
local timestamp_grammar = timestamp_format
    and date_time.as_ns(date_time.build_strftime_grammar(timestamp_format))

local members = {}
if read_config("map_fields") then
    for header in pairs(MAPPABLE) do
        members[header] = read_config(header)
    end
end

--- Moves the mapped members of the object into the headers of a message.
local function map_headers(object, message)
    for header, member in pairs(members) do
        local value = object[member]
        if type(value) == MAPPABLE[header] then
            message[header] = value
            object[member] = nil
        else
            message[header] = nil
        end
    end
end

--- Takes the time out of the object; false if there is one that cannot be read.
local function take_timestamp(object)
    local value = object[timestamp_member]
    object[timestamp_member] = nil
    if value == nil or not timestamp_grammar then
        return tonumber(value)
    end
    local kind = type(value)
    return (kind == "string" or kind == "number") and timestamp_grammar:match(value) or false
end

function process_message()
    local text = read_message("Payload")
    local ok, object = pcall(cjson.decode, text)
    if not ok then
        return -1, "Failed to decode JSON."
    elseif type(object) ~= "table" then
        return -1, "Failed to flatten message."
    elseif type(next(object)) == "number" then
        return -1, "Failed to inject message."
    end

    local message = {Type = default_type, Payload = payload_keep and text or nil, Fields = {}}
    if timestamp_member then
        message.Timestamp = take_timestamp(object)
        if message.Timestamp == false then
            return -1, "Failed to decode timestamp."
        end
    end
    map_headers(object, message)
    util.table_to_fields(object, message.Fields, nil, separator, maximum_depth)

    if not pcall(inject_message, message) then
        return -1, "Failed to inject message."
    end
    return 0
end
