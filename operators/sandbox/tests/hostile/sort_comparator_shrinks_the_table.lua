-- expect: process_message() *attempt to compare two nil values
require "table"
function process_message()
 local t = {}
 for i = 1, 1000 do t[i] = i % 7 end
 table.sort(t, function(a, b) for i = 1, 1000 do t[i] = nil end return a < b end)
 return 0
end
