--[=[
# linux_netdev.lua

Decodes the counters of the network interfaces from `/proc/net/dev`, as a FilePollingInput reads them. Each interface
becomes a message of its own.

## Configuration

| key | default | meaning |
|---|---|---|
| `payload_keep` | `false` | keep the whole text as `Payload` of each message |

## Message

The type is `stats.netdev`. `netdevice` is the name of the interface; each column becomes an integer field, called by
its heading with `receive_` or `transmit_` in front. `FilePath` is the field of the input. A text that does not match
fails with `Failed to match grammar`.

## Example

    [NetDev]
    type = "FilePollingInput"
    ticker_interval = 5
    file_path = "/proc/net/dev"
    decoder = "NetDevDecoder"

    [NetDevDecoder]
    type = "SandboxDecoder"
    filename = "lua_decoders/linux_netdev.lua"

    Inter-|   Receive                                                |  Transmit
     face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
      eth0: 139159830 118443194    0    1    0     0          0         2 178516842512 107330545    0    0    0     0       0          0

becomes

    :Type: stats.netdev
    :Fields:
        | name:"netdevice" type:string value:"eth0"
        | name:"receive_bytes" type:integer value:139159830
        | name:"receive_packets" type:integer value:118443194
        …
        | name:"transmit_compressed" type:integer value:0
        | name:"FilePath" type:string value:"/proc/net/dev"
--]=]

local lpeg = require "lpeg"

lpeg.locale(lpeg)

local P, S, C, Cg, Ct = lpeg.P, lpeg.S, lpeg.C, lpeg.Cg, lpeg.Ct

local INTEGER = 2

local blank = S" \t"
local end_of_line = P"\n" + -P(1)
local rest_of_line = (1 - P"\n") ^ 0 * "\n"

local heading = C((lpeg.lower + lpeg.digit) ^ 1)
local headings = Ct((blank ^ 0 * heading) ^ 1) * blank ^ 0
local header = rest_of_line * (1 - S"|\n") ^ 0 * "|" * Cg(headings, "receive") * "|" * Cg(headings, "transmit") * "\n"

-- Old kernels put no white space behind the colon; others have names with colons.
local name = C((1 - (P":" * blank + "\n")) ^ 1) * ":" * blank + C((1 - S":\n") ^ 1) * ":"
local counter = blank ^ 0 * (P"-" ^ -1 * lpeg.digit ^ 1 / tonumber)
local device = Ct(blank ^ 0 * Cg(name, "name") * counter ^ 1 * blank ^ 0 * end_of_line)
local grammar = Ct(header * Cg(Ct(device ^ 1), "devices"))

local payload_keep = read_config("payload_keep")
local message = {Type = "stats.netdev"}

--- Names the counters of a device; the first column to name is the one after `offset`.
local function name_counters(fields, prefix, names, device, offset)
    for i, column in ipairs(names) do
        local value = device[offset + i]
        if value then
            fields[prefix .. column] = {value = value, value_type = INTEGER}
        end
    end
end

function process_message()
    local text = read_message("Payload")
    local found = grammar:match(text)
    if not found then
        return -1, "Failed to match grammar"
    end
    local file_path = read_message("Fields[FilePath]")
    if payload_keep then
        message.Payload = text
    end
    for _, device in ipairs(found.devices) do
        local fields = {netdevice = device.name, FilePath = file_path}
        name_counters(fields, "receive_", found.receive, device, 0)
        name_counters(fields, "transmit_", found.transmit, device, #found.receive)
        message.Fields = fields
        inject_message(message)
    end
    return 0
end
