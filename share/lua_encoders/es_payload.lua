--[=[
# es_payload.lua

Writes messages whose payload is a JSON document already for the bulk interface of ElasticSearch: a line that says where
the document belongs, and the payload.

## Configuration

| key | default | meaning |
|---|---|---|
| `index` | `heka-%{%Y.%m.%d}` | index of the document |
| `type_name` | `message` | type of the document |
| `id` | none | id of the document |
| `es_index_from_timestamp` | `false` | take the time for formats as `%{%Y.%m.%d}` from the message, not from the clock |

Placeholders in the first three are replaced as the module `msg_interpolate` does.

## Example

    [ESPayload]
    type = "SandboxEncoder"
    filename = "lua_encoders/es_payload.lua"

        [ESPayload.config]
        es_index_from_timestamp = true
        index = "%{Logger}-%{%Y.%m.%d}"
        type_name = "%{Type}-%{Hostname}"

    [ElasticSearchOutput]
    message_matcher = "Type == 'nginx.access'"
    encoder = "ESPayload"

writes

    {"index":{"_index":"mylogger-2014.06.05","_type":"mytype-host.domain.com"}}
    {"json":"data"}
--]=]

local bulkapi_index_json = require("elasticsearch").bulkapi_index_json
local string = require "string"

local index = read_config("index") or "heka-%{%Y.%m.%d}"
local type_name = read_config("type_name") or "message"
local id = read_config("id")
local from_timestamp = read_config("es_index_from_timestamp")

function process_message()
    local ns = from_timestamp and read_message("Timestamp") or nil
    local payload = read_message("Payload")
    local newline = string.sub(payload, -1) == "\n" and "" or "\n"
    inject_payload("txt", "es_payload", bulkapi_index_json(index, type_name, id, ns), "\n", payload, newline)
    return 0
end
