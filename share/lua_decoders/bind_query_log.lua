--[=[
# bind_query_log.lua

Decodes the query log of the name server BIND. A line that does not match fails. The category, severity and time must be
in the log:

    channel query_log {
        file "/var/log/named/named_query.log";
        severity info;
        print-time yes;
        print-category yes;
        print-severity yes;
    };

## Configuration

| key | default | meaning |
|---|---|---|
| `type` | none | `Type` of the messages; without it they keep the type of the incoming message |

## Message

`Timestamp` is the time of the query; for users of old versions it is a field, too. `Payload` is the line. The fields
are those of the module `bind`.

## Example

    [bind_query_log]
    type = "SandboxDecoder"
    filename = "lua_decoders/bind_query_log.lua"

        [bind_query_log.config]
        type = "bind.query"

    27-May-2015 21:06:49.246 queries: info: client 10.0.1.70#41242 (www.example.com): query: www.example.com IN A +E (10.0.1.71)

becomes

    :Type: bind.query
    :Fields:
        | name:"ClientIP" type:string value:"10.0.1.70" representation:"ipv4"
        | name:"ClientEphemeralPort" type:string value:"41242"
        | name:"FullQuery" type:string value:"www.example.com"
        | name:"QueryName" type:string value:"www"
        | name:"QueryDomain" type:string value:"example.com"
        | name:"RecordClass" type:string value:"IN"
        | name:"RecordType" type:string value:"A"
        | name:"QueryFlags" type:string value:["recursion requested","EDNS used"]
        | name:"ServerRespondingIP" type:string value:"10.0.1.71" representation:"ipv4"
        | name:"Timestamp" type:double value:1432760809000000000
--]=]

local bind = require "bind"
local lpeg = require "lpeg"

local grammar = lpeg.Ct(bind.query_log_grammar)

local template = {Type = read_config("type")}
local places = {Timestamp = "Timestamp+"}

function process_message()
    template.Payload = read_message("Payload")
    if inject_match(grammar, nil, template, places) then
        return 0
    end
    return -1, "Failed to parse the BIND query log line."
end
