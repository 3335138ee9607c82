-- expect: process_message() *instruction_limit exceeded
local function again() pcall(again) pcall(again) end
function process_message()
 while true do pcall(again) end
 return 0
end
