local check = require "check"
local util = require "util"

local function beheaded(idx)
    local array = {"a", "b", "c", "d"}
    util.behead_array(idx, array)
    return array
end

check.equal(beheaded(0), {"a", "b", "c", "d"})
check.equal(beheaded(1), {"a", "b", "c", "d"})
check.equal(beheaded(2), {"b", "c", "d"})
check.equal(beheaded(4), {"d"})
check.equal(beheaded(5), {})
check.equal(beheaded(9), {})
