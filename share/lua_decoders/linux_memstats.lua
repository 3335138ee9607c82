--[=[
# linux_memstats.lua

Decodes the use of memory from `/proc/meminfo`, as a FilePollingInput reads it.

## Configuration

| key | default | meaning |
|---|---|---|
| `payload_keep` | `false` | keep the text as `Payload` |

## Message

The type is `stats.memstats`. Each line becomes a field with its name; the representation is `kB` where the line has it.
`FilePath` is the field of the input.

## Example

    [MemStats]
    type = "FilePollingInput"
    ticker_interval = 5
    file_path = "/proc/meminfo"
    decoder = "MemStatsDecoder"

    [MemStatsDecoder]
    type = "SandboxDecoder"
    filename = "lua_decoders/linux_memstats.lua"

    MemTotal:        4047616 kB
    HugePages_Total:       0

becomes

    :Type: stats.memstats
    :Fields:
        | name:"MemTotal" type:double value:4047616 representation:"kB"
        | name:"HugePages_Total" type:double value:0 representation:""
        | name:"FilePath" type:string value:"/proc/meminfo"
--]=]

local lpeg = require "lpeg"

lpeg.locale(lpeg)

local P, C, Cc, Cf, Cg, Ct = lpeg.P, lpeg.C, lpeg.Cc, lpeg.Cf, lpeg.Cg, lpeg.Ct

local name = C((1 - P":") ^ 1)
local number = lpeg.digit ^ 1 / tonumber
local unit = P" kB" * Cc"kB" + Cc""
local value = Ct(Cg(number, "value") * Cg(unit, "representation"))
local line = Cg(name * ":" * P" " ^ 0 * value * "\n")
local grammar = Cf(Ct"" * line ^ 1, rawset)

local payload_keep = read_config("payload_keep")
local template = {Type = "stats.memstats", Fields = {}}

function process_message()
    template.Fields.FilePath = read_message("Fields[FilePath]")
    if payload_keep then
        template.Payload = read_message("Payload")
    end
    return inject_match(grammar, nil, template) and 0 or -1
end
