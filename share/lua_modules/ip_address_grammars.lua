--[=[
# ip_address_grammars

The grammars of `ip_address`, for it and for modules that need them to make larger ones only.

| pattern | matches |
|---|---|
| `v4`, `v6` | what those of `ip_address` match |
--]=]

local lazy = require "lazy"
local lpeg = require "lpeg"

local P, R = lpeg.P, lpeg.R

local M = {}

local digit = R"09"
local octet = P"25" * R"05" + P"2" * R"04" * digit + P"1" * digit * digit + R"19" * digit + digit

M.v4 = octet * "." * octet * "." * octet * "." * octet

local hex = R("09", "af", "AF")
local h16 = hex * hex ^ -3

-- A grammar, whose rules are there once however often they are called.
local h16_colon, last32 = lpeg.V"h16_colon", lpeg.V"last32"

--- Exactly `count` times a group and its colon.
local function groups(count)
    local whole = P(true)
    for _ = 1, count do
        whole = whole * h16_colon
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

M.v6 = P{
    groups(6) * last32
    + elided(0, groups(5) * last32)
    + elided(1, groups(4) * last32)
    + elided(2, groups(3) * last32)
    + elided(3, groups(2) * last32)
    + elided(4, h16_colon * last32)
    + elided(5, last32)
    + elided(6, h16)
    + elided(7, P(true)),
    h16_colon = h16 * ":",
    last32 = h16 * ":" * h16 + M.v4,
}

return lazy.once(M)
