--[=[
# linux_netstat.lua

Decodes the counters of network protocols from `/proc/net/netstat` or `/proc/net/snmp`, as a FilePollingInput reads
them.

## Configuration

| key | default | meaning |
|---|---|---|
| `payload_keep` | `false` | keep the text as `Payload` |

## Message

The type is `stats.netstat`. Each counter becomes an integer field called `<protocol>_<name>`. `FilePath` is the field
of the input. A text that does not match fails with `Failed to match grammar`.

## Example

    [NetStat]
    type = "FilePollingInput"
    ticker_interval = 5
    file_path = "/proc/net/snmp"
    decoder = "NetStatDecoder"

    [NetStatDecoder]
    type = "SandboxDecoder"
    filename = "lua_decoders/linux_netstat.lua"

    Ip: Forwarding DefaultTTL
    Ip: 1 64

becomes

    :Type: stats.netstat
    :Fields:
        | name:"Ip_Forwarding" type:integer value:1
        | name:"Ip_DefaultTTL" type:integer value:64
        | name:"FilePath" type:string value:"/proc/net/snmp"
--]=]

local lpeg = require "lpeg"

lpeg.locale(lpeg)

local P, C, Cg, Ct = lpeg.P, lpeg.C, lpeg.Cg, lpeg.Ct

local INTEGER = 2

local blank = P" " ^ 1
local protocol = (1 - (P":" + lpeg.space)) ^ 1
local name = C((1 - lpeg.space) ^ 1)
local number = P"-" ^ -1 * lpeg.digit ^ 1 / tonumber
local end_of_line = P" " ^ 0 * (P"\n" + -P(1))

local names = Cg(C(protocol), "protocol") * ":" * Cg(Ct((blank * name) ^ 1), "names") * end_of_line
local values = protocol * ":" * Cg(Ct((blank * number) ^ 1), "values") * end_of_line
local grammar = Ct(Ct(names * values) ^ 1)

local payload_keep = read_config("payload_keep")
local message = {Type = "stats.netstat"}

function process_message()
    local text = read_message("Payload")
    local pairs_of_lines = grammar:match(text)
    if not pairs_of_lines then
        return -1, "Failed to match grammar"
    end
    local fields = {FilePath = read_message("Fields[FilePath]")}
    for _, lines in ipairs(pairs_of_lines) do
        for i, counter in ipairs(lines.names) do
            local value = lines.values[i]
            if value then
                fields[lines.protocol .. "_" .. counter] = {value = value, value_type = INTEGER}
            end
        end
    end
    if payload_keep then
        message.Payload = text
    end
    message.Fields = fields
    inject_message(message)
    return 0
end
