require "cuckoo_filter"
local check = require "check"

check.equal(type(cuckoo_filter.version()), "string")
local cf = cuckoo_filter.new(1000)
check.equal({cf:add("a"), cf:add("a"), cf:add(5)}, {true, false, true})
check.equal({cf:query("a"), cf:query(5), cf:query("b"), cf:count()}, {true, true, false, 2})
check.equal({cf:delete("a"), cf:delete("a"), cf:query("a"), cf:count()}, {true, false, false, 1})
cf:clear()
check.equal({cf:count(), cf:query(5)}, {0, false})
for i = 1, 900 do
    cf:add(i)
end
local lost = 0
for i = 1, 900 do
    if not cf:query(i) then lost = lost + 1 end
end
check.equal(lost, 0, "what was added is found")
check.fails("fromstring()", cf.fromstring, cf, 1, "x")
check.fails("must be a string or number", cf.add, cf, {})
-- The smallest filters work as well.
for items = 5, 8 do
    local small = cuckoo_filter.new(items)
    check.equal({small:add("x"), small:query("x"), small:delete("x"), small:query("x")}, {true, true, true, false}, items)
end
check.fails("items must be > 4", cuckoo_filter.new, 4)
