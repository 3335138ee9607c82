--[=[
# linux_diskstats.lua

Decodes the counters of a disk from `/sys/block/<device>/stat`, as a FilePollingInput reads them. The columns that newer
kernels add are ignored.

## Configuration

| key | default | meaning |
|---|---|---|
| `payload_keep` | `false` | keep the text as `Payload` |

## Message

The type is `stats.diskstats`. Besides the counters there are the fields `FilePath` and `TickerInterval` of the input.

## Example

    [DiskStats]
    type = "FilePollingInput"
    ticker_interval = 2
    file_path = "/sys/block/sda/stat"
    decoder = "DiskStatsDecoder"

    [DiskStatsDecoder]
    type = "SandboxDecoder"
    filename = "lua_decoders/linux_diskstats.lua"

       13903    11393   969224    49444    10780    10161  1511920     4104        0     5064    53468

becomes

    :Type: stats.diskstats
    :Fields:
        | name:"ReadsCompleted" type:double value:13903
        | name:"ReadsMerged" type:double value:11393
        | name:"SectorsRead" type:double value:969224
        | name:"TimeReading" type:double value:49444
        | name:"WritesCompleted" type:double value:10780
        | name:"WritesMerged" type:double value:10161
        | name:"SectorsWritten" type:double value:1511920
        | name:"TimeWriting" type:double value:4104
        | name:"NumIOInProgress" type:double value:0
        | name:"TimeDoingIO" type:double value:5064
        | name:"WeightedTimeDoingIO" type:double value:53468
        | name:"FilePath" type:string value:"/sys/block/sda/stat"
        | name:"TickerInterval" type:double value:2
--]=]

local lpeg = require "lpeg"

lpeg.locale(lpeg)

local COLUMNS = {
    "ReadsCompleted", "ReadsMerged", "SectorsRead", "TimeReading",
    "WritesCompleted", "WritesMerged", "SectorsWritten", "TimeWriting",
    "NumIOInProgress", "TimeDoingIO", "WeightedTimeDoingIO",
}

local number = lpeg.digit ^ 1 / tonumber
local columns = lpeg.P(true)
for _, name in ipairs(COLUMNS) do
    columns = columns * lpeg.space ^ 0 * lpeg.Cg(number, name)
end
local grammar = lpeg.Ct(columns * (lpeg.space + -1))

local payload_keep = read_config("payload_keep")
local template = {Type = "stats.diskstats", Fields = {}}
local places = {}

function process_message()
    template.Fields.FilePath = read_message("Fields[FilePath]")
    template.Fields.TickerInterval = read_message("Fields[TickerInterval]")
    if payload_keep then
        template.Payload = read_message("Payload")
    end
    return inject_match(grammar, nil, template, places) and 0 or -1
end
