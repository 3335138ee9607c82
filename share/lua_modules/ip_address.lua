--[[
# ip_address

Grammars for IP addresses in text. They capture nothing, match as much as they can from the start, and know neither zone
identifiers nor prefix lengths.

| pattern | matches |
|---|---|
| `v4` | four parts from 0 to 255, without leading zeros |
| `v6` | all forms of RFC 3986, `::` and an embedded IPv4 address included |

## Example

    local ip = require "ip_address"
    ip.v4:match("192.168.1.1 and more")  -- 12, the position after the address
    ip.v6:match("2001:db8::1")           -- 12
--]]

local lpeg = require "lpeg"

local P, R = lpeg.P, lpeg.R

local M = {}

local digit = R"09"
local octet = P"25" * R"05" + P"2" * R"04" * digit + P"1" * digit * digit + R"19" * digit + digit

M.v4 = octet * "." * octet * "." * octet * "." * octet

local hex = R("09", "af", "AF")
local h16 = hex * hex ^ -3
local h16_colon = h16 * ":"
local last32 = h16_colon * h16 + M.v4

--- Exactly `count` times `pattern`.
local function times(pattern, count)
    local whole = P(true)
    for _ = 1, count do
        whole = whole * pattern
    end
    return whole
end

--- An address with `::`, at most `before` groups on its left, and `after` on its right.
local function elided(before, after)
    local left = P(true)
    if before == 1 then
        left = h16 ^ -1
    elseif before > 1 then
        left = (h16 * (P":" * h16) ^ -(before - 1)) ^ -1
    end
    return left * "::" * after
end

M.v6 = times(h16_colon, 6) * last32
    + elided(0, times(h16_colon, 5) * last32)
    + elided(1, times(h16_colon, 4) * last32)
    + elided(2, times(h16_colon, 3) * last32)
    + elided(3, times(h16_colon, 2) * last32)
    + elided(4, h16_colon * last32)
    + elided(5, last32)
    + elided(6, h16)
    + elided(7, P(true))

return M
