require "hyperloglog"
local check = require "check"

check.equal(type(hyperloglog.version()), "string")
local hll = hyperloglog.new()
check.equal(hll:count(), 0)
check.equal({hll:add("a"), hll:add("a"), hll:count()}, {true, false, 1})
hll:clear()
for i = 0, 99999 do
    hll:add(i)
end
check.equal(hll:count(), 100070)
local copy = hyperloglog.new()
copy:fromstring(tostring(hll))
check.equal({#tostring(hll), copy:count()}, {12304, 100070})
check.fails("fromstring()", hll.fromstring, hll, "x")
check.fails("must be a string or number", hll.add, hll, {})
