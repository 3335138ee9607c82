-- expect: process_message() *instruction_limit exceeded
setmetatable(_G, {__index = function() while true do end end})
function process_message()
 local r = undefined
 return 0
end
