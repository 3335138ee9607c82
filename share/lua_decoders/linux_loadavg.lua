--[=[
# linux_loadavg.lua

Decodes the load of the system from `/proc/loadavg`, as a FilePollingInput reads it.

## Configuration

| key | default | meaning |
|---|---|---|
| `payload_keep` | `false` | keep the text as `Payload` |

## Message

The type is `stats.loadavg`. `NumProcesses` is the number of tasks that can run now. `FilePath` is the field of the
input.

## Example

    [LoadAvg]
    type = "FilePollingInput"
    ticker_interval = 5
    file_path = "/proc/loadavg"
    decoder = "LoadAvgDecoder"

    [LoadAvgDecoder]
    type = "SandboxDecoder"
    filename = "lua_decoders/linux_loadavg.lua"

    0.08 0.04 0.02 3/153 660

becomes

    :Type: stats.loadavg
    :Fields:
        | name:"1MinAvg" type:double value:0.08
        | name:"5MinAvg" type:double value:0.04
        | name:"15MinAvg" type:double value:0.02
        | name:"NumProcesses" type:double value:3
        | name:"FilePath" type:string value:"/proc/loadavg"
--]=]

local lpeg = require "lpeg"

lpeg.locale(lpeg)

local integer = lpeg.digit ^ 1 / tonumber
local decimal = lpeg.digit ^ 1 * "." * lpeg.digit ^ 1 / tonumber
local grammar = lpeg.Ct(
    lpeg.Cg(decimal, "1MinAvg") * " " * lpeg.Cg(decimal, "5MinAvg") * " " * lpeg.Cg(decimal, "15MinAvg")
    * " " * lpeg.Cg(integer, "NumProcesses") * "/" * lpeg.digit ^ 1
)

local payload_keep = read_config("payload_keep")
local template = {Type = "stats.loadavg", Fields = {}}
local places = {}

function process_message()
    template.Fields.FilePath = read_message("Fields[FilePath]")
    if payload_keep then
        template.Payload = read_message("Payload")
    end
    return inject_match(grammar, nil, template, places) and 0 or -1
end
