-- expect: process_message() *invalid order function for sorting
require "table"
function process_message()
 local t = {}
 for i = 1, 1000 do t[i] = i end
 table.sort(t, function() return true end)
 return 0
end
