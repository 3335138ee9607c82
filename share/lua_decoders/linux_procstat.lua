--[=[
# linux_procstat.lua

Decodes the statistics of the kernel from `/proc/stat`, as a FilePollingInput reads them.

## Configuration

| key | default | meaning |
|---|---|---|
| `payload_keep` | `false` | keep the text as `Payload` |

## Message

The type is `stats.procstat`. Each line becomes a field with all of its numbers.

## Example

    [ProcStat]
    type = "FilePollingInput"
    ticker_interval = 1
    file_path = "/proc/stat"
    decoder = "ProcStatDecoder"

    [ProcStatDecoder]
    type = "SandboxDecoder"
    filename = "lua_decoders/linux_procstat.lua"

    cpu  14384 125 3330 946000 333 0 356 0 0 0
    ctxt 2808304

becomes

    :Type: stats.procstat
    :Fields:
        | name:"cpu" type:double value:[14384,125,3330,946000,333,0,356,0,0,0]
        | name:"ctxt" type:double value:2808304
--]=]

local lpeg = require "lpeg"

lpeg.locale(lpeg)

local P, C, Cf, Cg, Ct = lpeg.P, lpeg.C, lpeg.Cf, lpeg.Cg, lpeg.Ct

local key = C((1 - lpeg.space) ^ 1)
local number = lpeg.digit ^ 1 / tonumber
local numbers = Ct((P" " ^ 1 * number) ^ 1) * P" " ^ 0
local line = Cg(key * numbers) * (P"\n" + -P(1))
local grammar = Cf(Ct"" * line ^ 1, rawset)

process_message = match_decoder(grammar, {Type = "stats.procstat"}, nil, read_config("payload_keep"))
