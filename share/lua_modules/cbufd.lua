--[=[
# cbufd

`grammar` parses the changes of a circular buffer as filters emit them: payloads of the type `cbufd`. The text must be
complete, a header line and at least one row. The result is an array of rows, each `{time = ns, value, value, …}`, with
the text of the header under `header`.

## Example

    local cbufd = require "cbufd"
    local changes = cbufd.grammar:match('{"h":1}\n60\t5\tnan\n0\t-1.5\t2\n')
    -- {header = '{"h":1}', {time = 60e9, 5, nan}, {time = 0, -1.5, 2}}
--]=]

local lpeg = require "lpeg"

local P, S, C, Cc, Cg, Ct = lpeg.P, lpeg.S, lpeg.C, lpeg.Cc, lpeg.Cg, lpeg.Ct

lpeg.locale(lpeg)
local digit = lpeg.digit

local M = {}

local exponent = S"eE" * S"+-" ^ -1 * digit ^ 1
local finite = P"-" ^ -1 * digit ^ 1 * (P"." * digit ^ 1) ^ -1 * exponent ^ -1 / tonumber
local not_finite = P"-" ^ -1 * P"nan" * Cc(0 / 0) + P"inf" * Cc(1 / 0) + P"-inf" * Cc(-1 / 0)
local value = finite + not_finite

local function to_ns(seconds)
    return seconds * 1e9
end

local row = Ct(Cg(finite / to_ns, "time") * (P"\t" * value) ^ 1 * "\n")
local header = Cg(C(P"{" * (1 - P"\n") ^ 1), "header") * "\n"

M.grammar = Ct(header * row ^ 1) * -1

return M
