require "bloom_filter"
local check = require "check"

check.equal(type(bloom_filter.version()), "string")
local bf = bloom_filter.new(1000, 0.01)
check.equal(bf:add("a"), true)
check.equal(bf:add("a"), false)
check.equal(bf:add(5), true)
check.equal({bf:query("a"), bf:query(5), bf:query("b"), bf:query("5")}, {true, true, false, false})
check.equal(bf:count(), 2)
bf:clear()
check.equal({bf:count(), bf:query("a")}, {0, false})
local found = 0
for i = 1, 1000 do
    bf:add(i)
end
for i = 1001, 11000 do
    if bf:query(i) then found = found + 1 end
end
check.equal(found > 20 and found < 200, true, "about one in a hundred is found by mistake, not " .. found)
check.fails("fromstring() bytes found: 1, expected 1199", bf.fromstring, bf, 1, "x")
check.fails("items must be > 1", bloom_filter.new, 1, 0.1)
check.fails("probability must be between 0 and 1", bloom_filter.new, 10, 1)
check.fails("must be a string or number", bf.add, bf, {})
check.fails("must be a string or number", bf.query, bf, true)
