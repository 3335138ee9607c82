-- expect: process_message() *instruction_limit exceeded
require "table"
local t = {}
for i = 1, 50000 do t[i] = i end
function process_message()
 while true do table.sort(t) end
 return 0
end
