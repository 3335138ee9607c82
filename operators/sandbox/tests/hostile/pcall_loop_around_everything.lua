-- expect: process_message() instruction_limit exceeded
local function spin() while true do end end
function process_message()
 while true do pcall(spin) end
 return 0
end
