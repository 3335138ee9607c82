-- expect: process_message() *instruction_limit exceeded
require "table"
local t = {}
for i = 1, 100000 do t[i] = i end
function process_message()
 while true do table.insert(t, 1, 0) table.remove(t, 1) end
 return 0
end
