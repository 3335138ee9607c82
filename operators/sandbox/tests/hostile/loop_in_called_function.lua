-- expect: process_message() *instruction_limit exceeded
local function spin() while true do end end
function process_message()
 spin()
 return 0
end
