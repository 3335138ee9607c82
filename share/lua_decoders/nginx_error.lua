--[=[
# nginx_error.lua

Decodes the error log of nginx. A line that does not match fails.

## Configuration

| key | default | meaning |
|---|---|---|
| `type` | `nginx.error` | `Type` of the messages |
| `payload_keep` | `false` | keep the whole line as `Payload`, not only the text after its time and numbers |
| `tz` | `UTC` | time zone of the log, handled by the host |

## Message

`Timestamp`, `Severity` and `Pid` are those of the line. `tid` is the thread and `connection` the number of the
connection, where there is one.

## Example

    [nginx_error]
    type = "SandboxDecoder"
    filename = "lua_decoders/nginx_error.lua"

        [nginx_error.config]
        tz = "America/Los_Angeles"

    2014/01/10 07:04:56 [notice] 16842#0: *8878 using inherited sockets from "6;"

becomes

    :Timestamp: 2014-01-10 15:04:56 +0000 UTC
    :Type: nginx.error
    :Severity: 5
    :Pid: 16842
    :Payload: using inherited sockets from "6;"
    :Fields:
        | name:"tid" type:double value:0
        | name:"connection" type:double value:8878
--]=]

local clf = require "common_log_format"

local payload_keep = read_config("payload_keep")
local template = {Type = read_config("type") or "nginx.error"}
local places = {
    Timestamp = "Timestamp",
    Severity = "Severity",
    Pid = "Pid",
    Fields = "Fields",
    Payload = not payload_keep and "Payload",
}

process_message = match_decoder(clf.nginx_error_grammar, template, places, payload_keep)
