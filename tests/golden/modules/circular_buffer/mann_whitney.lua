require "circular_buffer"
local math = require "math"
local check = require "check"

local cb = circular_buffer.new(40, 1, 1)
for i, value in ipairs{
    15309, 14092, 13661, 13412, 14205, 15042, 14142, 13820, 14917, 13953, 14320, 14472, 15133, 13790, 14539, 14129, 14363, 14202,
    13841, 13610, 13759, 14428, 14851, 13838, 13819, 14468, 14989, 15557, 14380, 13500, 14818, 14632, 13631, 14663, 14532, 14188,
    14537, 14109, 13925, 15022,
} do
    cb:set(i * 1e9, 1, value)
end
local function test(...)
    local u, p = cb:mannwhitneyu(1, 1e9, 20e9, 21e9, 40e9, ...)
    return {u, p and math.floor(p * 1e5)}
end
check.equal(test(), {171, 22037})
check.equal(test(true), {171, 22037})
check.equal(test(false), {171, 21638})
cb:set(40e9, 1, 15309)
check.equal(test(), {168.5, 20084})
for message, arguments in pairs{
    ["end_1 must be >= start_1"] = {2e9, 1e9, 21e9, 40e9},
    ["end_2 must be >= start_2"] = {1e9, 2e9, 40e9, 21e9},
    ["ranges must not overlap"] = {1e9, 21e9, 21e9, 40e9},
    ["use_continuity must be a boolean"] = {1e9, 20e9, 21e9, 40e9, 1},
    ["too many arguments"] = {1e9, 20e9, 21e9, 40e9, true, 1},
} do
    check.fails(message, cb.mannwhitneyu, cb, 1, unpack(arguments))
end
check.equal({cb:mannwhitneyu(1, 1e9, 20e9, 21e9, 99e9)}, {}, "out of range")
check.equal({circular_buffer.new(10, 1, 1):mannwhitneyu(1, 0, 3e9, 4e9, 8e9)}, {}, "all the same")
