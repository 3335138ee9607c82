-- expect: process_message() instruction_limit exceeded
local function deep() return 1 + deep() end
function process_message()
 while true do pcall(deep) end
 return 0
end
