-- expect: process_message() *stack overflow
local function deep() return 1 + deep() end
function process_message()
 deep()
 return 0
end
