-- expect: process_message() *stack overflow
require "table"
local function deep() table.foreach({1}, deep) end
function process_message()
 deep()
 return 0
end
