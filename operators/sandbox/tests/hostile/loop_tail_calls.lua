-- expect: process_message() *instruction_limit exceeded
local function spin() return spin() end
function process_message()
 spin()
 return 0
end
