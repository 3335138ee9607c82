--[=[
# graylog_extended.lua

Decodes GELF, the extended log format of Graylog: one JSON object in each message. What is not such an object, or has no
number as its `timestamp`, fails; so does an object with members that fields cannot hold, as nested objects.

## Configuration

| key | default | meaning |
|---|---|---|
| `type` | none | `Type` of the messages; without it they keep the type of the incoming message |
| `payload_keep` | `false` | keep the JSON text as `Payload` |

## Message

`timestamp` becomes `Timestamp`, `version` `EnvVersion`, `host` `Hostname` and `level` `Severity`. All other members
become fields of the same name.

## Example

    [gelf]
    type = "SandboxDecoder"
    filename = "lua_decoders/graylog_extended.lua"

        [gelf.config]
        type = "gelf"

    {"version":"1.1","host":"example.com","short_message":"short","timestamp":1385053862.3072,"level":1,"_user_id":9001}

becomes

    :Timestamp: 2013-11-21 17:11:02.3072 +0000 UTC
    :Type: gelf
    :Hostname: example.com
    :EnvVersion: 1.1
    :Severity: 1
    :Fields:
        | name:"short_message" type:string value:"short"
        | name:"_user_id" type:double value:9001
--]=]

local cjson = require "cjson"

local HEADERS = {version = "EnvVersion", host = "Hostname", level = "Severity"}

local payload_keep = read_config("payload_keep")
local message = {Type = read_config("type")}

function process_message()
    local text = read_message("Payload")
    local ok, object = pcall(cjson.decode, text)
    if not ok or type(object) ~= "table" or type(object.timestamp) ~= "number" then
        return -1
    end

    message.Timestamp = object.timestamp * 1e9
    object.timestamp = nil
    for member, header in pairs(HEADERS) do
        message[header] = object[member]
        object[member] = nil
    end
    if payload_keep then
        message.Payload = text
    end
    message.Fields = object

    if not pcall(inject_message, message) then
        return -1
    end
    return 0
end
