-- expect: process_message() *stack overflow
require "table"
local function deep() return table.sort({2, 1}, deep) end
function process_message()
 deep()
 return 0
end
